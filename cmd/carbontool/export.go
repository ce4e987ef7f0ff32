// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/alecthomas/kingpin/v2"

	"github.com/carbon-exporter/carbon_exporter/cmd/internal/when"
	"github.com/carbon-exporter/carbon_exporter/internal/config"
	"github.com/carbon-exporter/carbon_exporter/internal/newfile"
	"github.com/carbon-exporter/carbon_exporter/internal/progress"
	"github.com/carbon-exporter/carbon_exporter/internal/store"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// export is what the export commands have in common: which part of the store, and
// where to write it.
type export struct {
	site
	span   timeRange
	output string
}

func (e *export) register(app *kingpin.Application, name, help, long string) *kingpin.CmdClause {
	c := group(app, "export", "Export stored usage for other programs.").Command(name, help).HelpLong(long)
	e.site.register(c)
	e.span.register(c)
	e.span.registerMonth(c)
	c.Flag("output", "File to write; it must not exist yet. - for standard output.").Default("-").PlaceHolder("FILE").StringVar(&e.output)
	return c
}

// exported is an open store and the part of it to export.
type exported struct {
	*store.Store
	config *config.Config
	period usage.Period
}

// open reads the configuration and opens the store. The period is in the time zone of
// the store.
func (e *export) open(ctx context.Context, now time.Time) (*exported, error) {
	c, err := e.config()
	if err != nil {
		return nil, err
	}
	if err := e.check(when.Range(e.span), c, now); err != nil {
		return nil, err // before the store is opened
	}
	st, err := e.openToRead(ctx, c)
	if err != nil {
		return nil, err
	}
	c.Timezone = st.Timezone().String()
	p, err := e.span.period(c, now)
	if err != nil {
		return nil, errors.Join(err, st.Close())
	}
	return &exported{st, c, p}, nil
}

// ceil is the end of the last interval that begins before t.
func (x *exported) ceil(t time.Time) time.Time {
	length := max(x.Interval(), time.Second)
	i := usage.IntervalAt(t, length)
	if i.Start.Before(t) {
		return i.End()
	}
	return i.Start
}

// intervals is the largest number of intervals that can start in the period.
func (x *exported) intervals() int {
	return int(x.ceil(x.period.To).Sub(x.ceil(x.period.From)) / max(x.Interval(), time.Second))
}

// write calls f with a stream for its output. Standard output is written directly; a file gets
// its name only once it is complete.
func (e *export) write(s streams, f func(io.Writer) error) error {
	if e.output == "-" || e.output == "" {
		return f(s.out)
	}
	// A pipe or a device gets it as it is written: there is nothing to overwrite.
	if info, err := os.Stat(e.output); err == nil && !info.Mode().IsRegular() && !info.IsDir() {
		return writeTo(e.output, f)
	}
	partial, err := newfile.Reserve(e.output, 0o640)
	if err != nil {
		return fmt.Errorf("write %s: %w", e.output, err)
	}
	if err := writeTo(partial, f); err != nil {
		newfile.Abandon(partial)
		return err
	}
	if _, err := newfile.Finish(partial, e.output); err != nil {
		return fmt.Errorf("write %s: %w", e.output, err)
	}
	return nil
}

func writeTo(name string, f func(io.Writer) error) error {
	file, err := os.OpenFile(name, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	out := bufio.NewWriterSize(file, 64<<10)
	err = f(out)
	if err == nil {
		err = out.Flush()
	}
	return errors.Join(err, file.Close())
}

// sayNothing prints to stderr that there is nothing to export.
func (e *export) sayNothing(s streams) {
	fmt.Fprintf(s.err, "carbontool export: %s has no usage in this range\n", e.storagePath)
}

// ticker counts intervals for the progress line.
type ticker struct {
	*progress.Line
	last time.Time
}

// at counts an interval, once.
func (t *ticker) at(i usage.Interval) {
	if !i.Start.Equal(t.last) {
		t.last = i.Start
		t.Add(1, i.Start)
	}
}
