// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/carbon-exporter/carbon_exporter/internal/escape"
	"github.com/carbon-exporter/carbon_exporter/internal/table"
)

// dialogue asks a person, line by line.
type dialogue struct {
	in  *bufio.Reader
	out io.Writer
}

func newDialogue(in io.Reader, out io.Writer) *dialogue {
	return &dialogue{in: bufio.NewReader(in), out: out}
}

// option is something that can be chosen.
type option struct{ name, facts string }

// errNoAnswer is the error of a dialogue that ends before its last question.
var errNoAnswer = errors.New("no answer, nothing was written")

// line asks one question. Enter alone means the usual answer.
func (d *dialogue) line(ctx context.Context, question, usual string) (string, error) {
	fmt.Fprintf(d.out, "%s [%s]: ", question, escape.Name(usual))
	type read struct {
		line string
		err  error
	}
	answer := make(chan read, 1)
	// A read from a terminal cannot be cancelled: after Ctrl-C it ends with the program.
	go func() {
		line, err := d.in.ReadString('\n')
		answer <- read{strings.TrimSpace(line), err}
	}()
	select {
	case <-ctx.Done():
		fmt.Fprintln(d.out)
		return "", errNoAnswer
	case r := <-answer:
		switch {
		case r.line != "":
			return r.line, nil
		case r.err != nil:
			fmt.Fprintln(d.out)
			return "", errNoAnswer
		}
		return usual, nil
	}
}

// valid asks until an answer is right.
func (d *dialogue) valid(ctx context.Context, question, usual string, check func(string) error) error {
	for {
		answer, err := d.line(ctx, question, usual)
		if err != nil {
			return err
		}
		if err = check(answer); err == nil {
			return nil
		}
		fmt.Fprintf(d.out, "%s\n", escape.Line(err.Error()))
	}
}

// choose asks for one of some options, by its number or name, and returns its index.
func (d *dialogue) choose(ctx context.Context, question string, options []option, usual int) (int, error) {
	fmt.Fprintf(d.out, "\n%s\n", question)
	t := table.Table{table.Numbers(""), table.Words(""), table.Words("")}
	for i, o := range options {
		t.Add(strconv.Itoa(i+1), o.name, o.facts)
	}
	if err := t.Write(d.out, "  "); err != nil {
		return 0, err
	}
	chosen := usual
	err := d.valid(ctx, "Number", strconv.Itoa(usual+1), func(answer string) error {
		for i, o := range options {
			if answer == strconv.Itoa(i+1) || answer == o.name {
				chosen = i
				return nil
			}
		}
		return fmt.Errorf("%s is none of them", escape.Name(answer))
	})
	return chosen, err
}

// agree fails unless the answer is yes.
func (d *dialogue) agree(ctx context.Context, question string) error {
	answer, err := d.line(ctx, question, "yes")
	if err != nil {
		return err
	}
	if !strings.EqualFold(answer, "yes") && !strings.EqualFold(answer, "y") {
		return errors.New("the answer was not yes, nothing was written")
	}
	return nil
}
