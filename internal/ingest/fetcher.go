// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package ingest

import (
	"context"
	"slices"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/clock"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// fetcher queries sources of carbon intensity and stores their answers.
type fetcher struct {
	store    SlotStore
	observer Observer
	clock    clock.Clock
	failing  map[string]bool // providers whose last request failed
}

// keep runs one query and stores the slots of its answer.
func (f *fetcher) keep(ctx context.Context, set Settings, g Grid, question func() ([]usage.Slot, usage.Rejects, error)) error {
	began := f.clock.Now()
	slots, rejects, err := question()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	f.requested(set, g, f.clock.Now().Sub(began), err)
	doubted, notKept := f.store.SaveSlots(ctx, slots)
	f.observer.Rejected(withDoubts(rejects, doubted))
	if len(slots) > 0 {
		wrote(ctx, f.observer, notKept)
	}
	return joined(err, notKept)
}

// RejectDoubtfulZero is why an actual of 0 was not taken: another value was expected. A second
// reading an hour later is believed.
const RejectDoubtfulZero = "intensity_doubtful_zero"

func withDoubts(rejects usage.Rejects, doubted int) usage.Rejects {
	if doubted == 0 {
		return rejects
	}
	all := usage.Rejects{RejectDoubtfulZero: doubted}
	all.Add(rejects)
	return all
}

// requested tells of a request. The only source of a chain is called by what it is for; of several,
// each has its own name beside that, and all is well as long as one of them answers.
func (f *fetcher) requested(set Settings, g Grid, took time.Duration, err error) {
	prices := slices.ContainsFunc(set.Grid, func(of Grid) bool { return name(of) == name(g) })
	if prices && len(set.Grid) == 1 {
		f.observer.Requested(usage.SourceCarbonIntensity, took, err)
		return
	}
	f.observer.Requested(usage.SourceOf(g.Provider()), took, err)
	f.failing[g.Provider()] = err != nil
	failing := func(of Grid) bool { return f.failing[of.Provider()] }
	if prices && (err == nil || !slices.ContainsFunc(set.Grid, func(of Grid) bool { return !failing(of) })) {
		f.observer.Requested(usage.SourceCarbonIntensity, took, err)
	}
}
