// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Package storetest fills real stores for the tests of other packages. It knows
// records and nothing of tables. Start with Commit.
package storetest

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// Updater is a store, for its one way to write.
type Updater interface {
	Update(ctx context.Context, intervals []usage.Interval, decide usage.Decide) ([]usage.Outcome, error)
}

// Commit stores records as first answers of a source, in one transaction.
func Commit(tb testing.TB, st Updater, records ...usage.Record) {
	tb.Helper()
	CommitAs(tb, st, usage.Policy{}, records...)
}

// CommitAs stores records with a policy, in one transaction. A record that is not stored fails
// the test.
func CommitAs(tb testing.TB, st Updater, policy usage.Policy, records ...usage.Record) {
	tb.Helper()
	policy.Answered = true
	intervals, byStart := make([]usage.Interval, len(records)), map[time.Time]usage.Record{}
	for i, rec := range records {
		rec.Prices = sure(rec.Prices, rec.State)
		intervals[i], byStart[rec.Interval.Start] = rec.Interval, rec
	}
	outcomes, err := st.Update(context.Background(), intervals, func(was usage.Stored) (usage.Record, usage.Policy, error) {
		return byStart[was.Interval.Start], policy, nil
	})
	if err != nil {
		tb.Fatal(err)
	}
	for _, o := range outcomes {
		if o.Left != nil {
			tb.Fatalf("interval %s: %v", o.Interval, o.Left)
		}
	}
}

// sure gives prices whose quality a test does not care for the one that a provider gives them that
// says nothing of it.
func sure(prices []usage.PiecePrice, state usage.State) []usage.PiecePrice {
	prices = slices.Clone(prices)
	for i := range prices {
		p := &prices[i]
		switch {
		case p.Quality != "":
		case p.Kind == usage.Forecast:
			p.Quality = usage.QualityForecast
		case state == usage.Settled:
			p.Quality = usage.QualityFinal
		default:
			p.Quality = usage.QualityProvisional
		}
	}
	return prices
}
