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

// watch tells on stderr how far a long command is and, above that, what it meets on
// the way.
type watch struct {
	line *progress.Line
	done int
	end  func()
}

// newWatch begins to tell of so many intervals.
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

// step says how many intervals are done, up to a moment.
func (w *watch) step(d ingest.Done) {
	w.line.Add(d.Finished-w.done, d.At)
	w.done = d.Finished
}

// log writes lines above the progress. They need no time: whoever reads them is
// there.
func (w *watch) log() *slog.Logger {
	return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{ReplaceAttr: func(groups []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey && len(groups) == 0 {
			return slog.Attr{}
		}
		return a
	}}))
}

// Write is for log.
func (w *watch) Write(line []byte) (int, error) {
	w.line.Log(string(line))
	return len(line), nil
}

// refused is the observer of a command that says what it has done at its end. It
// counts what was refused.
type refused struct{ samples usage.Rejects }

func (r *refused) Rejected(more usage.Rejects)      { r.samples.Add(more) }
func (*refused) Asked(string, time.Duration, error) {}
func (*refused) Wrote(error)                        {}
