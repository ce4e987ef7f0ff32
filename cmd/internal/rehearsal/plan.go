// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net/http/httptest"
	"os"
	"time"

	"github.com/carbon-exporter/carbon_exporter/cmd/internal/exporter"
	"github.com/carbon-exporter/carbon_exporter/internal/attribution"
	"github.com/carbon-exporter/carbon_exporter/internal/budget"
	"github.com/carbon-exporter/carbon_exporter/internal/clock"
	"github.com/carbon-exporter/carbon_exporter/internal/config"
	"github.com/carbon-exporter/carbon_exporter/internal/directory"
	"github.com/carbon-exporter/carbon_exporter/internal/ingest"
	"github.com/carbon-exporter/carbon_exporter/internal/intensity"
	"github.com/carbon-exporter/carbon_exporter/internal/simulate"
	"github.com/carbon-exporter/carbon_exporter/internal/source"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// plan is what to rehearse. internal/e2e/rehearsal writes it as JSON.
type plan struct {
	Config  string          // file
	Store   string          // file
	Scrapes string          // file to write pages to, see scrape
	Landing string          // file to write the landing page of the end to; empty: none
	Cloud   simulate.Config // what Prometheus has seen
	History time.Time       // backfilled from here to the first life; zero: no backfill
	Lives   []usage.Period  // when the exporter runs and is scraped
	Every   time.Duration   // between two scrapes
	Faults  []fault
	Surges  []surge
}

// fault is a time in which a source does not answer.
type fault struct {
	usage.Period
	Source string
}

// surge is a time in which no core of a project is idle.
type surge struct {
	usage.Period
	Project string
}

// rehearse runs all lives of a plan, writes what each scrape would have seen, and checks it.
func (p plan) rehearse(ctx context.Context) error {
	cfg, err := config.Load(p.Config)
	if err != nil {
		return err
	}
	cfg.MongoDB = nil
	cloud, err := simulate.New(p.Cloud)
	if err != nil {
		return err
	}
	out, err := os.OpenFile(p.Scrapes, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o644)
	if err != nil {
		return err
	}
	r := &rehearsal{
		plan: p, cfg: cfg, cloud: cloud, clock: clock.NewSimulated(p.Lives[0].From),
		pages: bufio.NewWriterSize(out, 1<<20), calendar: calendar{zone: cfg.Location()},
	}
	return errors.Join(r.run(ctx), r.pages.Flush(), out.Close())
}

// rehearsal is a plan in progress.
type rehearsal struct {
	plan
	cfg      *config.Config
	cloud    *simulate.Cloud
	clock    clock.Clock
	pages    *bufio.Writer
	calendar calendar
}

func (r *rehearsal) run(ctx context.Context) error {
	midnights := 0
	for n, life := range r.Lives {
		r.clock.Sleep(ctx, life.From.Sub(r.clock.Now()), nil)
		if err := r.live(ctx, life.To, n == 0); err != nil {
			return err
		}
		life.To = life.To.Add(1) // a scrape at midnight belongs to the new day
		midnights += len(budget.Split(life, budget.Day, r.cfg.Location())) - 1
	}
	if r.calendar.restarts != midnights {
		return fmt.Errorf("the day restarts %d times, want %d", r.calendar.restarts, midnights)
	}
	return nil
}

// live runs an exporter until a time and scrapes it. The first one begins with the history.
func (r *rehearsal) live(ctx context.Context, until time.Time, first bool) (err error) {
	e, err := exporter.Open(ctx, r.cfg, r.Store, r.clock)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, e.Close()) }()
	e.Replace(r.upstreams)
	if first && !r.History.IsZero() {
		history := usage.Period{From: r.History, To: usage.SlotAt(r.clock.Now()).Add(-time.Hour)}
		if err := e.Backfill(ctx, ingest.Range{Period: history}); err != nil {
			return fmt.Errorf("history: %w", err)
		}
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	r.clock.Run(func() { e.Work(ctx) }, func() {
		if err = r.scrape(ctx, e, until); err == nil {
			err = r.land(e)
		}
		stop()
	})
	return err
}

// upstreams replaces the upstreams by servers in this process, whose answers take simulated
// time.
func (r *rehearsal) upstreams(s *ingest.Settings) {
	s.Source.(*source.Client).Upstream = r.near(r.failing(usage.SourcePrometheus, r.prometheus()), 0.4)
	if uk, ok := s.Grid[0].(*intensity.UK); ok {
		uk.Upstream = r.near(r.failing(usage.SourceCarbonIntensity, simulate.NewUKAPI(r.Cloud.Seed, r.clock.Now)), 0.2)
	}
	if !r.Cloud.Directory {
		return
	}
	s.Directory = &ingest.Directory{
		Source: usage.SourceMongoDB,
		Census: func(ctx context.Context) (directory.Census, []directory.RecordReject, error) {
			r.clock.Sleep(ctx, 300*time.Millisecond, nil)
			all, rejects := census(r.cloud, r.clock.Now())
			return all, rejects, nil
		},
		Learn: attribution.Learn, Every: 10 * time.Minute, Homes: r.cfg.Attribution.GroupBy == config.GroupByDirectory,
	}
	s.UsageWriter = mailbag{r.clock}
}

// scrape writes each page after a line with its time, in milliseconds since the epoch, and its
// length in bytes.
func (r *rehearsal) scrape(ctx context.Context, e *exporter.Exporter, until time.Time) error {
	for at := usage.FloorEpoch(r.clock.Now(), r.Every).Add(r.Every); !at.After(until); at = at.Add(r.Every) {
		r.clock.Sleep(ctx, at.Sub(r.clock.Now()), nil)
		r.clock.Sleep(ctx, 0, nil) // until everybody has done what is due now
		if ctx.Err() != nil {
			return ctx.Err()
		}
		w := httptest.NewRecorder()
		e.Metrics().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
		if w.Code != 200 {
			return fmt.Errorf("%s: status %d: %s", at, w.Code, w.Body)
		}
		page := w.Body.Bytes()
		seen, err := sums(page)
		if err == nil {
			err = r.calendar.check(at, seen)
		}
		if err != nil {
			return err
		}
		fmt.Fprintf(r.pages, "%d %d\n", at.UnixMilli(), len(page))
		if _, err := r.pages.Write(page); err != nil {
			return err
		}
	}
	return nil
}

// land writes the landing page, each life over that of the one before.
func (r *rehearsal) land(e *exporter.Exporter) error {
	if r.Landing == "" {
		return nil
	}
	w := httptest.NewRecorder()
	e.Landing().ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
	if w.Code != 200 {
		return fmt.Errorf("landing page: status %d: %s", w.Code, w.Body)
	}
	return os.WriteFile(r.Landing, w.Body.Bytes(), 0o644)
}
