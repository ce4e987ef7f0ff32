// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package ingest

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// show passes on what is known of the grid around now.
func (l *carbonLoop) show(ctx context.Context, set Settings) error {
	now := l.clock.Now()
	around := usage.Period{From: now.Add(-longestWindow), To: now.Add(3 * 24 * time.Hour)}
	known, err := slotsOf(ctx, l.fetcher.store, set.Grid, around)
	if err != nil {
		return err
	}
	show := usage.GridNow{Slots: inOrder(known)}
	var wrong []usage.ForecastError
	for _, g := range slices.Concat(set.Marginal, set.Grid) { // without marginal values, those that price
		slots, err := l.fetcher.store.Slots(ctx, g.Provider(), g.Grid(), usage.SlotAt(now), around.To)
		if err != nil {
			return err
		}
		if len(show.Outlook) == 0 && foresees(slots) {
			show.Outlook = slots
		}
	}
	for _, chain := range set.chains() {
		for _, g := range chain {
			errs, err := l.fetcher.store.ForecastErrors(ctx, g.Provider(), g.Grid(), now.Add(-errorsOver))
			if err != nil {
				return err
			}
			wrong = append(wrong, errs...)
		}
	}
	l.shown.Grid(show)
	l.shown.ForecastErrors(wrong)
	return nil
}

func inOrder(known map[time.Time]usage.Slot) []usage.Slot {
	return slices.SortedFunc(maps.Values(known), func(a, b usage.Slot) int { return a.From.Compare(b.From) })
}

func foresees(slots []usage.Slot) bool {
	return slices.ContainsFunc(slots, func(s usage.Slot) bool { return s.Forecast != nil })
}
