// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package ingest

import (
	"context"
	"log/slog"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/clock"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// edge is the newest collected interval and who was in it, which says which workspaces are
// active.
type edge struct {
	until    time.Time // end of the last interval that is over
	interval usage.Interval
	page     *page
	parts    []usage.Part // of its last piece
}

// see remembers an interval if it is the newest, or is it again: it may have been attributed
// anew. An empty one is ignored: a host that does not answer may still be there.
func (e *edge) see(p *page, i usage.Interval, readings []attributed) {
	if len(readings) == 0 || i.Start.Before(e.interval.Start) {
		return
	}
	if last := readings[len(readings)-1]; len(last.parts) > 0 {
		e.interval, e.page, e.parts = i, p, last.parts
	}
}

// newest reports whether no later interval is over yet.
func (e *edge) newest() bool {
	return e.parts != nil && e.interval.Next().End().After(e.until)
}

// take keeps the newer of both, o if it is the same interval.
func (e *edge) take(o edge) {
	if o.parts != nil && !o.interval.Start.Before(e.interval.Start) {
		e.interval, e.page, e.parts = o.interval, o.page, o.parts
	}
}

// tracker keeps the list of active workspaces.
type tracker struct {
	store interface {
		SaveActive(ctx context.Context, active []usage.Active, now time.Time) error
		Estimate(ctx context.Context) error
	}
	observer Observer
	clock    clock.Clock
	log      *slog.Logger
}

// track makes the hosts of the newest interval the active workspaces, and estimates what they
// used in intervals that have nothing for them.
func (t *tracker) track(ctx context.Context, set Settings, e *edge) (tracked bool, err error) {
	if !e.newest() {
		return false, nil
	}
	active := present(e.parts)
	var boots map[string]time.Time
	for i := range active {
		a := &active[i]
		since, known := e.page.attribution.Since(a.Host, e.interval.End().Add(-time.Second))
		if !known {
			if boots == nil {
				boots = t.boots(ctx, set, e.interval.End())
			}
			since = boots[a.Host] // zero: since the host was first seen
		}
		a.Started = since
	}
	err = t.store.SaveActive(ctx, active, t.clock.Now())
	if err == nil && set.Workspaces {
		err = t.store.Estimate(ctx)
	}
	wrote(ctx, t.observer, err)
	return err == nil, err
}

// boots queries when hosts booted. A failure is not fatal: a workspace then begins when it was
// first seen.
func (t *tracker) boots(ctx context.Context, set Settings, at time.Time) map[string]time.Time {
	boots, err := set.Source.Booted(ctx, at)
	if err != nil {
		t.log.Debug("Querying boot times failed", "err", err)
		return map[string]time.Time{}
	}
	return boots
}

// present lists the hosts at the end of a piece, each once: of a shared host, the first by key.
func present(parts []usage.Part) []usage.Active {
	at := map[string]int{}
	until := map[string]time.Time{}
	var all []usage.Active
	for _, p := range parts {
		host := p.Series.Host
		if host == usage.Unknown {
			continue
		}
		i, seen := at[host]
		switch {
		case !seen:
			at[host] = len(all)
			all = append(all, usage.Active{Key: p.Key, Host: host})
		case p.To.After(until[host]), p.To.Equal(until[host]) && p.Key.Compare(all[i].Key) < 0:
			all[i].Key = p.Key
		default:
			continue
		}
		until[host] = p.To
	}
	return all
}
