// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Command carbontool is the operator's tool for carbon_exporter. It uses the same
// configuration and the same store. Each command has its own file, with a register and
// a run method; this file knows only the list of commands and the exit codes: 0 done,
// 1 failed, 2 usage error. Start with commands.
package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	_ "time/tzdata" // for an image, or a Windows, without time zones

	"github.com/alecthomas/kingpin/v2"

	"github.com/carbon-exporter/carbon_exporter/cmd/internal/commandline"
	"github.com/carbon-exporter/carbon_exporter/internal/clock"
	"github.com/carbon-exporter/carbon_exporter/internal/upstream"
)

func main() {
	os.Exit(run(os.Args[1:], streams{in: os.Stdin, out: os.Stdout, err: os.Stderr}))
}

// command is one command of the tool.
type command interface {
	// register declares the command with its flags, arguments and help.
	register(*kingpin.Application) *kingpin.CmdClause
	// run runs it. The result is written to streams.out, everything else to streams.err;
	// the caller prints the error. Ctrl-C ends ctx.
	run(context.Context, streams) error
}

// commands lists all commands, in the order of the help.
func commands() []command {
	return []command{
		&initialise{},
		&checkConfig{},
		&showProfiles{},
		&checkStore{},
		&examine{upstream: true},
		&examine{},
		&backup{},
		&backfill{},
		&recost{},
		&listIntervals{},
		&forecast{},
		&gateWork{},
		&reportUsage{},
		&stateMonth{},
		&explainUsage{},
		&listBudgets{},
		&exportOpenMetrics{},
		&exportCSV{},
		&exportCIM{},
		&exportFOCUS{},
		&reportLake{},
		&verifyLake{},
		&forgetUser{},
		&calibrateMachine{},
		&generateRules{},
	}
}

// streams are what a command reads from and writes to.
type streams struct {
	in  io.Reader
	out io.Writer // buffered until the command has ended
	err io.Writer
	// clock is what a command waits by; nil: the machine's.
	clock clock.Clock
}

func (s streams) time() clock.Clock {
	if s.clock == nil {
		return clock.Real{}
	}
	return s.clock
}

// Exit codes.
const (
	exitDone   = 0
	exitFailed = 1
	exitUsage  = 2
	// Of gate alone: work should not start now.
	exitDenied   = 3
	exitDeferred = 4
)

// run runs the whole program and returns its exit code.
func run(args []string, s streams) int {
	app, from := newApp()
	byName := map[string]command{}
	for _, c := range commands() {
		byName[c.register(app).FullCommand()] = c
	}
	name, err := commandline.ParseWithManual(app, page(), args, s.out)
	switch {
	case errors.Is(err, commandline.ErrAnswered):
		return exitDone
	case err != nil:
		program := app.Name
		if wrong, ok := errors.AsType[*commandline.UsageError](err); ok && wrong.Command != "" {
			program += " " + wrong.Command
		}
		fmt.Fprintf(s.err, "%s: %s; see %[1]s --help\n", program, oneLine(err))
		return exitUsage
	}
	c := byName[name]
	work := c.run
	if ask, err := from.instead(c, commandline.Given(app, args), s); err != nil {
		return end(context.Background(), name, s.err, err)
	} else if ask != nil {
		work = ask
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	defer upstream.StandardLog(slog.New(slog.DiscardHandler))() // a command reports through its error
	context.AfterFunc(ctx, stop)                                // a second Ctrl-C ends a command that does not
	return end(ctx, name, s.err, do(ctx, work, s))
}

// do runs a command with buffered output. Output from before a failure is written
// too.
func do(ctx context.Context, work func(context.Context, streams) error, s streams) error {
	out := bufio.NewWriter(s.out)
	s.out = out
	err := work(ctx, s)
	if failed := out.Flush(); failed != nil && err == nil {
		err = fmt.Errorf("write the output: %w", failed)
	}
	return err
}
