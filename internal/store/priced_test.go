// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !race

package store

import (
	"context"
	"maps"
	"math"
	"testing"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// sourced is an interval whose pieces were priced by one provider each.
func sourced(i usage.Interval, of ...string) usage.Record {
	rec := threeKeys(i)
	for n, piece := range i.Pieces() {
		p := priceAt(piece.Start, 100)
		p.Provider = of[n]
		if p.Provider != "uk" {
			p.Kind, p.Basis, p.Quality = usage.Actual, usage.Basis{}, usage.QualityEstimated
		}
		rec.Prices = append(rec.Prices, p)
	}
	rec.State = usage.Provisional
	return rec
}

func TestWhatPricedTheHalfHours(t *testing.T) {
	s := newStore(t)
	by := func() usage.PricedBy {
		t.Helper()
		got, err := alone(t.Context(), s, func(v *View, ctx context.Context) (usage.PricedBy, error) {
			return v.PricedBy(ctx, usage.Period{From: at(10).Start, To: at(20).Start})
		})
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	commit(t, s, sourced(at(9), "old"), sourced(at(20), "new"), usage.Record{Interval: at(18), State: usage.Empty})
	if got := by(); got.Pieces != 0 || got.Provider != nil || got.Basis != nil {
		t.Errorf("without usage: %+v", got)
	}
	commit(t, s, sourced(at(10), "uk"), sourced(at(11), "uk"), sourced(at(12), "rte"), threeKeys(at(19)))
	got := by()
	same := func(got, want map[string]float64) bool {
		return maps.EqualFunc(got, want, func(a, b float64) bool { return math.Abs(a-b) < 1e-12 })
	}
	if got.Pieces != 4 || !same(got.Provider, map[string]float64{"uk": 0.5, "rte": 0.25}) ||
		!same(got.Basis, map[string]float64{"average direct consumption": 0.5, usage.Undeclared: 0.25}) {
		t.Errorf("got %+v", got)
	}
}

func TestAnHourIsPricedByItsHalves(t *testing.T) {
	s := openStore(t, newFile(t, t.TempDir()+"/carbon.db"), Options{Exclusive: true, Interval: 2 * half})
	hour := usage.Interval{Start: at(0).Start, Length: 2 * half}
	commit(t, s, sourced(hour, "uk", "static"))
	got, err := alone(t.Context(), s, func(v *View, ctx context.Context) (usage.PricedBy, error) {
		return v.PricedBy(ctx, usage.Period{From: at(0).Start, To: at(9).Start})
	})
	if err != nil || got.Pieces != 2 || got.Provider["uk"] != 0.5 || got.Provider["static"] != 0.5 {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestPricesUsedShareTheEnergy(t *testing.T) {
	s := openStore(t, newFile(t, t.TempDir()+"/carbon.db"), Options{Exclusive: true, Interval: 2 * half})
	for n, of := range [][]string{{"uk", "uk"}, {"uk", "rte"}, {"rte", "rte"}} {
		commit(t, s, sourced(usage.Interval{Start: at(2 * n).Start, Length: 2 * half}, of...))
	}
	got, err := s.PricesUsed(t.Context(), usage.Period{From: at(0).Start, To: at(4).Start})
	if err != nil || len(got) != 2 {
		t.Fatalf("got %+v, %v", got, err)
	}
	rte, uk := got[0], got[1]
	if rte.Provider != "rte" || rte.Quality != usage.QualityEstimated || rte.Basis != (usage.Basis{}) ||
		uk.Provider != "uk" || uk.Grid != "GB" || uk.Quality != usage.QualityForecast || uk.Basis != directOf {
		t.Errorf("got %+v", got)
	}
	if math.Abs(float64(uk.Energy/rte.Energy)-3) > 1e-9 {
		t.Errorf("%v kWh and %v kWh, want 3 to 1", uk.Energy, rte.Energy)
	}
}
