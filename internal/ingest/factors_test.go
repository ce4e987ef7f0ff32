// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !race

package ingest

import (
	"context"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/intensity"
	"github.com/carbon-exporter/carbon_exporter/internal/store"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// byContract gives the rig a set of factors with one value for all time.
func byContract(value usage.GramsPerKWh) func(*Settings) {
	return func(s *Settings) {
		s.Factors = []FactorSet{{Name: "market", Chain: Chain{&intensity.Static{
			Intensity: value, Name: "market", GridName: "contract", Now: func() time.Time { return start.Add(48 * time.Hour) },
		}}}}
	}
}

// factors adds up whatever is due, and returns what there is of a set.
func (r *rig) factors(set string) (tally usage.FactorTally, unpriced usage.KWh) {
	r.t.Helper()
	if err := r.spine.factorLoop().round(context.Background()); err != nil {
		r.t.Fatal(err)
	}
	kwh, _, _ := r.site()
	if err := r.store.View(context.Background(), func(v *store.View) error {
		all, err := v.Factors(context.Background(), []string{set}, kwh)
		var sum usage.FactorSum
		for _, t := range all.Totals {
			sum.AddTally(t.FactorTally)
		}
		tally, unpriced = sum.Tally(), all.Unpriced[set]
		return err
	}); err != nil {
		r.t.Fatal(err)
	}
	return tally, unpriced
}

func TestUsageIsAddedUpByOtherFactors(t *testing.T) {
	r := newRig(t, byContract(25))
	for range 3 {
		r.both()
		kwh, _, grams := r.site()
		tally, unpriced := r.factors("market")
		if !near(float64(tally.Energy), float64(kwh)) || !near(float64(tally.Emissions), 25*float64(kwh)) || unpriced != 0 || kwh == 0 {
			t.Errorf("%+v and %v kWh unpriced, of %v kWh", tally, unpriced, kwh)
		}
		if near(float64(grams), float64(tally.Emissions)) {
			t.Error("the emissions are those of the other factors")
		}
		r.now = r.now.Add(30 * time.Minute)
	}
	// A set that is configured no more costs nothing.
	set := r.spine.current()
	set.Factors = nil
	r.spine.Reload(set)
	r.factors("market")
	r.both()
	if done, err := r.store.CountFactors(t.Context(), 9); err != nil || done.Days != 0 {
		t.Errorf("%+v, %v", done, err)
	}
}

// A set that comes later has the factors of what is settled once they are fetched.
func TestABackfillFetchesOtherFactorsOfSettledUsage(t *testing.T) {
	r := aged(t)
	r.mustBackfill(hours(-72, -60))
	if r.states()[usage.Settled] != 24 {
		t.Fatalf("states are %v", r.states())
	}
	set := r.spine.current()
	byContract(25)(&set)
	r.spine.Reload(set)
	kwh, _, _ := r.site()
	if tally, unpriced := r.factors("market"); tally.Known || !near(float64(unpriced), float64(kwh)) {
		t.Errorf("before: %+v, %v kWh without a factor of %v", tally, unpriced, kwh)
	}
	done := r.mustBackfill(hours(-72, -60), byContract(25))
	if done.Had != 24 {
		t.Errorf("%+v", done)
	}
	if tally, unpriced := r.factors("market"); !near(float64(tally.Emissions), 25*float64(kwh)) || unpriced != 0 {
		t.Errorf("after: %+v, %v kWh without a factor", tally, unpriced)
	}
}

// A dry run says what each set would give, fetches for that what is not stored, and stores nothing.
func TestADryRecostByOtherFactors(t *testing.T) {
	r := aged(t)
	r.mustBackfill(hours(-28, -20))
	before := r.dump()
	done, err := r.recost(hours(-28, -20).restated().dry(), watts(24, 2, 1), byContract(25))
	if err != nil {
		t.Fatal(err)
	}
	for project, a := range done.After {
		if got := done.Factors["market"][project]; !got.Known || !near(float64(got.Energy), float64(a.Energy)) || !near(float64(got.Emissions), 25*float64(a.Energy)) {
			t.Errorf("%s: %+v, after is %+v", project, got, a)
		}
	}
	if len(done.Factors) != 1 || len(done.Factors["market"]) != len(done.After) || len(done.After) != 2 {
		t.Errorf("%+v", done.Factors)
	}
	if got := r.dump(); got != before {
		t.Errorf("the store differs:\n%s", firstDifference(got, before))
	}
	slots, err := r.store.Slots(t.Context(), "market", "contract", start.Add(-48*time.Hour), start)
	if err != nil || len(slots) != 0 {
		t.Errorf("%d slots are stored, %v", len(slots), err)
	}
}
