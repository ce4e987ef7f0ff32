// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package ingest

import (
	"context"
	"maps"
	"net/http"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/clock"
	"github.com/carbon-exporter/carbon_exporter/internal/source"
	"github.com/carbon-exporter/carbon_exporter/internal/store"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// tool is what carbontool makes for a command: a worker and a store of its own,
// beside those of the exporter.
type tool struct {
	*Worker
	store *store.Store
}

func (r *rig) tool(change ...func(*Settings)) *tool {
	r.t.Helper()
	s, err := store.Open(context.Background(), r.path, store.Options{Interval: r.spine.current().Interval})
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { s.Close() })
	var c clock.Clock = at{func() time.Time { return r.now }}
	if r.hurry {
		c = impatient{c}
	}
	settings := r.spine.current()
	for _, change := range change {
		change(&settings)
	}
	return &tool{&Worker{Store: s, Observer: silent{}, Clock: c, Log: quiet, Settings: settings}, s}
}

// backfill runs one to its end and closes what it made.
func (r *rig) backfill(over Range, change ...func(*Settings)) (Done, error) {
	r.t.Helper()
	return r.backfillUntil(context.Background(), over, change...)
}

func (r *rig) backfillUntil(ctx context.Context, over Range, change ...func(*Settings)) (Done, error) {
	r.t.Helper()
	if over.Project != nil {
		change = append(change, only(*over.Project))
	}
	t := r.tool(change...)
	done, err := t.Backfill(ctx, over)
	if cerr := t.store.Close(); cerr != nil {
		r.t.Fatal(cerr)
	}
	return done, err
}

// mustBackfill is one that must not fail.
func (r *rig) mustBackfill(over Range, change ...func(*Settings)) Done {
	r.t.Helper()
	done, err := r.backfill(over, change...)
	if err != nil || done.Finished != done.All {
		r.t.Fatalf("%+v, %v", done, err)
	}
	return done
}

func (r *rig) recost(over Range, change ...func(*Settings)) (Recosted, error) {
	r.t.Helper()
	t := r.tool(change...)
	done, err := t.Recost(context.Background(), over)
	if cerr := t.store.Close(); cerr != nil {
		r.t.Fatal(cerr)
	}
	return done, err
}

// only restricts the source to a project, as carbontool does.
func only(project string) func(*Settings) {
	return func(s *Settings) {
		s.Source = s.Source.(*source.Client).OfProject(project)
	}
}

func span(from, to time.Time) Range { return Range{Period: usage.Period{From: from, To: to}} }

// hours are a range around the start of the rig.
func hours(from, to float64) Range {
	at := func(h float64) time.Time { return start.Add(time.Duration(h * float64(time.Hour))) }
	return span(at(from), at(to))
}

func (r Range) restated() Range {
	r.Restate = true
	return r
}

func (r Range) dry() Range {
	r.Dry = true
	return r
}

func (r Range) of(project string) Range {
	r.Project = &project
	return r
}

// wantDone compares what a range has come to.
func wantDone(t *testing.T, got Done, stored map[usage.State]int, had int, left map[error]int) {
	t.Helper()
	maps.DeleteFunc(got.Stored, func(_ usage.State, n int) bool { return n == 0 })
	if !maps.Equal(got.Stored, stored) || got.Had != had || !maps.Equal(got.Left, left) {
		t.Errorf("stored %v, had %d, left %v\nwant %v, %d, %v", got.Stored, got.Had, got.Left, stored, had, left)
	}
}

// steady is a site that has always been there: two projects whose use depends on
// the time alone.
func steady(i usage.Interval) map[usage.Series]usage.BusyIdle[usage.CPUSeconds] {
	all := map[usage.Series]usage.BusyIdle[usage.CPUSeconds]{}
	for n, s := range []usage.Series{
		{Project: "CLF", Machine: "Artemis", Host: "10.0.0.1:9100", User: "ada"},
		{Project: "CLF", Machine: "Muon", Host: "10.0.0.2:9100", User: "bob"},
		{Project: "IDAaaS", Machine: "Muon", Host: "10.0.0.3:9100"},
	} {
		busy := usage.CPUSeconds(float64(1+(i.Start.Unix()/1800+int64(n))%17) * i.Length.Seconds() / 128)
		all[s] = usage.BusyIdle[usage.CPUSeconds]{Busy: busy, Idle: usage.CPUSeconds(i.Length.Seconds()) - busy}
	}
	return all
}

// cancelled ends a context at the n-th question to Prometheus.
func (r *rig) cancelledAt(n int) context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	r.t.Cleanup(cancel)
	r.server.heard = func(*http.Request) {
		if n--; n == 0 {
			cancel()
		}
	}
	return ctx
}

// desert is a rig whose source answers and has nothing: it is asked as any other,
// and little has to be stored.
func desert(t *testing.T, change ...func(*Settings)) *rig {
	t.Helper()
	r := aged(t, change...)
	r.server.truth = func(usage.Interval) map[usage.Series]usage.BusyIdle[usage.CPUSeconds] { return nil }
	return r
}
