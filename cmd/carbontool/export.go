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

	"github.com/carbon-exporter/carbon_exporter/internal/config"
	"github.com/carbon-exporter/carbon_exporter/internal/newfile"
	"github.com/carbon-exporter/carbon_exporter/internal/progress"
	"github.com/carbon-exporter/carbon_exporter/internal/store"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// export is what the commands that write the record out have in common: which part
// of it, and where to.
type export struct {
	site
	span   timeRange
	output string
}

func (e *export) register(app *kingpin.Application, name, help, long string) *kingpin.CmdClause {
	c := group(app, "export", "Write the record out for other programs.").Command(name, help).HelpLong(long)
	e.site.register(c)
	e.span.register(c)
	e.span.registerMonth(c)
	c.Flag("output", "File to write, which must not exist; -: standard output.").Default("-").PlaceHolder("FILE").StringVar(&e.output)
	return c
}

// exported is an open record and the part of it that is wanted.
type exported struct {
	*store.Store
	config *config.Config
	period usage.Period
}

// open reads the configuration and opens the store. The period is one of the store's
// time zone.
func (e *export) open(ctx context.Context, now time.Time) (*exported, error) {
	c, err := e.config()
	if err != nil {
		return nil, err
	}
	if err := e.check(&e.span, c, now); err != nil {
		return nil, err // before anything is opened
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

// intervals is how many of them begin in the period, at the most.
func (x *exported) intervals() int {
	return int(x.ceil(x.period.To).Sub(x.ceil(x.period.From)) / max(x.Interval(), time.Second))
}

// write gives a stream that becomes the output: standard output as it goes, a file
// only once it is whole.
func (e *export) write(s streams, f func(io.Writer) error) error {
	if e.output == "-" || e.output == "" {
		return f(s.out)
	}
	// Into a pipe or a device it goes as it comes, there is nothing to overwrite.
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

// sayNothing says on stderr that there is nothing to write.
func (e *export) sayNothing(s streams) {
	fmt.Fprintf(s.err, "carbontool export: %s has no usage in the range\n", e.storagePath)
}

// ticker tells how many intervals are done.
type ticker struct {
	*progress.Line
	last time.Time
}

// at says that an interval is at hand: it counts when it is another.
func (t *ticker) at(i usage.Interval) {
	if !i.Start.Equal(t.last) {
		t.last = i.Start
		t.Add(1, i.Start)
	}
}
