// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

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
	"github.com/carbon-exporter/carbon_exporter/internal/e2e/ferret"
	"github.com/carbon-exporter/carbon_exporter/internal/simulate"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// listeners are the addresses of the cloud's parts. There may be no MongoDB.
type listeners struct {
	prometheus, uk net.Listener
	mongodb        *ferret.Server
}

// serve builds the cloud, fills Prometheus and MongoDB and serves until ctx ends.
func serve(ctx context.Context, s settings, dir string, on listeners, out io.Writer) (err error) {
	begin := time.Now().UTC()
	start := usage.SlotAt(begin.AddDate(0, 0, -s.days))
	c, err := simulate.New(simulate.Config{Seed: s.seed, Hosts: s.hosts, Start: start, Directory: on.mongodb != nil})
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
		s.days, live.recorder.Samples(), time.Since(begin).Round(time.Millisecond), on.prometheus.Addr(), on.uk.Addr())
	var operator *cloud.Operator
	if on.mongodb != nil {
		if operator, err = cloud.NewOperator(c, on.mongodb.URI(), database); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, operator.Close()) }()
		if err := operator.Write(ctx, begin); err != nil {
			return err
		}
		report += "ready mongodb " + on.mongodb.URI() + "\n"
	}
	if _, err := io.WriteString(out, report); err != nil {
		return fmt.Errorf("report: %w", err)
	}

	work, ctx := errgroup.WithContext(ctx)
	work.Go(func() error { return live.run(ctx) })
	work.Go(func() error { return serveHTTP(ctx, on.prometheus, e.Handler()) })
	work.Go(func() error { return serveHTTP(ctx, on.uk, simulate.NewUKAPI(s.seed, time.Now)) })
	if operator != nil {
		work.Go(func() error { return keepRecords(ctx, operator) })
	}
	return work.Wait()
}

const (
	// database is the name of the database that carbon_exporter expects.
	database = "ada"
	// recordEvery is how late a record may appear.
	recordEvery = 10 * time.Second
)

// keepRecords records who takes and leaves hosts.
func keepRecords(ctx context.Context, o *cloud.Operator) error {
	tick := time.NewTicker(recordEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case now := <-tick.C:
			if err := o.Write(ctx, now); err != nil && ctx.Err() == nil {
				return err
			}
		}
	}
}

// feed records what has happened since its last run.
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

// run records every second what the scrapes of that second saw.
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

// serveHTTP serves until ctx ends, then gives open requests a few seconds.
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
	<-served //nolint:errcheck // reports the shutdown
	return nil
}
