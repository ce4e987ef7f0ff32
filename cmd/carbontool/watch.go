// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"io"
	"log/slog"
	"sync"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/ingest"
	"github.com/carbon-exporter/carbon_exporter/internal/progress"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// watch shows the progress of a long command on stderr and, above it, its log lines.
type watch struct {
	line *progress.Line
	done int
	end  func()
}

// newWatch starts to show the progress over a number of intervals.
func newWatch(ctx context.Context, stderr io.Writer, intervals int) *watch {
	w := &watch{line: progress.New(stderr, progress.Options{
		Unit: "intervals", Total: intervals, Now: time.Now,
		Screen: func() (int, bool) { return progress.Screen(stderr) },
	})}
	ctx, cancel := context.WithCancel(ctx)
	var running sync.WaitGroup
	running.Go(func() { w.line.Run(ctx) })
	w.end = func() {
		cancel()
		running.Wait()
		w.line.End()
	}
	return w
}

// step shows how many intervals are done.
func (w *watch) step(d ingest.Done) {
	w.line.Add(d.Finished-w.done, d.At)
	w.done = d.Finished
}

// log writes lines above the progress. They need no time, because they are read as they appear.
func (w *watch) log() *slog.Logger {
	return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{ReplaceAttr: func(groups []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey && len(groups) == 0 {
			return slog.Attr{}
		}
		return a
	}}))
}

// Write implements io.Writer for log.
func (w *watch) Write(line []byte) (int, error) {
	w.line.Log(string(line))
	return len(line), nil
}

// refused is the observer of a command that reports at its end. It counts rejected samples.
type refused struct{ samples usage.Rejects }

func (r *refused) Rejected(more usage.Rejects)          { r.samples.Add(more) }
func (*refused) Requested(string, time.Duration, error) {}
func (*refused) Wrote(error)                            {}
