package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/carbon-exporter/carbon_exporter/internal/e2e/cloud"
	"github.com/carbon-exporter/carbon_exporter/internal/e2e/engine"
	"github.com/carbon-exporter/carbon_exporter/internal/simulate"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// serve builds the cloud, fills Prometheus and serves until ctx ends.
func serve(ctx context.Context, s settings, dir string, prometheus, uk net.Listener, out io.Writer) (err error) {
	begin := time.Now().UTC()
	start := usage.SlotAt(begin.AddDate(0, 0, -s.days))
	c, err := simulate.New(simulate.Config{Seed: s.seed, Hosts: s.hosts, Start: start})
	if err != nil {
		return err
	}
	e, err := engine.Open(engine.Options{Dir: dir, WAL: s.data != ""})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, e.Close()) }()

	live := &feed{recorder: cloud.NewRecorder(c, e, s.every), done: start}
	if err := live.upTo(ctx, begin); err != nil {
		return err
	}
	report := fmt.Sprintf("filled %d days, %d samples, in %s\nready prometheus http://%s\nready uk http://%s\n",
		s.days, live.recorder.Samples(), time.Since(begin).Round(time.Millisecond), prometheus.Addr(), uk.Addr())
	if _, err := io.WriteString(out, report); err != nil {
		return fmt.Errorf("report: %w", err)
	}

	work, ctx := errgroup.WithContext(ctx)
	work.Go(func() error { return live.run(ctx) })
	work.Go(func() error { return serveHTTP(ctx, prometheus, e.Handler()) })
	work.Go(func() error { return serveHTTP(ctx, uk, simulate.NewUKAPI(s.seed, time.Now)) })
	return work.Wait()
}

// feed records what has happened since it last did.
type feed struct {
	recorder *cloud.Recorder
	done     time.Time
}

func (f *feed) upTo(ctx context.Context, now time.Time) error {
	if !now.After(f.done) {
		return nil // the wall clock was set back
	}
	err := f.recorder.Record(ctx, f.done, now)
	f.done = now
	return err
}

// run records each second what the scrapes of that second saw.
func (f *feed) run(ctx context.Context) error {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case now := <-tick.C:
			if err := f.upTo(ctx, now); err != nil {
				return err
			}
		}
	}
}

// serveHTTP serves until ctx ends, and then lets requests that came before have
// a few seconds.
func serveHTTP(ctx context.Context, on net.Listener, handler http.Handler) error {
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second}
	served := make(chan error, 1)
	go func() { served <- server.Serve(on) }()
	select {
	case err := <-served:
		return fmt.Errorf("serve %s: %w", on.Addr(), err)
	case <-ctx.Done():
	}
	patience, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	if err := server.Shutdown(patience); err != nil {
		_ = server.Close() // the error of Shutdown says more
	}
	<-served
	return nil
}
