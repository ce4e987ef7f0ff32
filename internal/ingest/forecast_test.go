// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !race

package ingest

import (
	"database/sql"
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/intensity"
	"github.com/carbon-exporter/carbon_exporter/internal/simulate"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// seen is the archive of forecasts, by slot and lead.
func (r *rig) seen() map[time.Time]map[time.Duration]usage.GramsPerKWh {
	r.t.Helper()
	db, err := sql.Open("sqlite", r.path)
	if err != nil {
		r.t.Fatal(err)
	}
	defer db.Close()
	rows, err := db.Query("SELECT slot_start, ahead, gco2eq_per_kwh FROM forecast_seen")
	if err != nil {
		r.t.Fatal(err)
	}
	defer rows.Close()
	all := map[time.Time]map[time.Duration]usage.GramsPerKWh{}
	for rows.Next() {
		var slot, ahead int64
		var v usage.GramsPerKWh
		if err := rows.Scan(&slot, &ahead, &v); err != nil {
			r.t.Fatal(err)
		}
		at := time.Unix(slot, 0).UTC()
		if all[at] == nil {
			all[at] = map[time.Duration]usage.GramsPerKWh{}
		}
		all[at][time.Duration(ahead)*time.Second] = v
	}
	if err := rows.Err(); err != nil {
		r.t.Fatal(err)
	}
	return all
}

func TestForecastsAreHeldAgainstTheActuals(t *testing.T) {
	r := newRig(t)
	grid := simulate.Grid{Seed: 7}
	looked := map[time.Time]time.Time{} // when the first round of each slot was
	for range 4 * 56 {
		if err := r.carbon(); err != nil {
			t.Fatal(err)
		}
		if slot := usage.SlotAt(r.now); looked[slot].IsZero() {
			looked[slot] = r.now
		}
		r.now = r.now.Add(15 * time.Minute)
	}
	r.now = r.now.Add(-15 * time.Minute)

	seen := r.seen()
	sums, pairs := map[time.Duration]float64{}, map[time.Duration]int{}
	for at := usage.SlotAt(start); at.Before(r.now.Add(usage.OutlookLength)); at = at.Add(usage.SlotLength) {
		for _, lead := range usage.ForecastLeads() {
			looked, looking := looked[at.Add(-lead)]
			got, ok := seen[at][lead]
			if ok != looking {
				t.Fatalf("%s, %v ahead: kept is %v, looked at is %v", at, lead, ok, looking)
			}
			if !ok {
				continue
			}
			if want := grid.ForecastAt(at, looked); got != want {
				t.Fatalf("%s, %v ahead: kept is %v, forecast was %v", at, lead, got, want)
			}
			if actual, known := grid.ActualAt(at, r.now); known {
				sums[lead] += math.Abs(float64(got - actual))
				pairs[lead]++
			}
		}
	}
	errors, err := r.store.ForecastErrors(t.Context(), "uk", "GB", start)
	if err != nil || len(errors) != len(usage.ForecastLeads()) {
		t.Fatalf("got %+v, %v", errors, err)
	}
	for _, e := range errors {
		if want := sums[e.Ahead] / float64(pairs[e.Ahead]); e.Pairs != pairs[e.Ahead] || e.Pairs == 0 || !near(float64(e.Mean), want) {
			t.Errorf("%+v, want %v of %d", e, want, pairs[e.Ahead])
		}
	}
}

// TestAClockThatJumpsFilesNoForecastWrongly: the provider knows what time it is.
func TestAClockThatJumpsFilesNoForecastWrongly(t *testing.T) {
	for _, jump := range []time.Duration{
		time.Hour, 6 * time.Hour, 30 * time.Hour, 90 * 24 * time.Hour,
		-2 * time.Hour, -6 * time.Hour, -30 * time.Hour, -90 * 24 * time.Hour,
	} {
		t.Run(fmt.Sprint(jump), func(t *testing.T) {
			r := newRig(t)
			truth := r.now
			api := simulate.NewUKAPI(7, func() time.Time { return truth })
			settings := r.spine.current()
			settings.Grid = Chain{&intensity.UK{Upstream: local(api), URL: "http://grid.test", Now: r.spine.Clock.Now}}
			r.spine.Reload(settings)
			round := func(wrong time.Duration) {
				truth, r.now = truth.Add(10*time.Minute), truth.Add(10*time.Minute+wrong)
				r.grams.forget(r.spine.current())
				r.grams.of(r.spine.current().Grid[0]).mend(r.now)
				r.carbon() //nolint:errcheck // beyond its horizon the API knows nothing
			}
			rounds := map[time.Time]bool{} // of the truth
			for n := range 36 {
				if n >= 12 && n < 16 {
					round(jump)
					continue
				}
				round(0)
				rounds[truth] = true
			}
			kept := 0
			for slot, leads := range r.seen() {
				for lead, v := range leads {
					said := false
					for at := range rounds {
						said = said || usage.SlotAt(at).Add(lead).Equal(slot) && api.Grid(0).ForecastAt(slot, at) == v
					}
					if !said {
						t.Errorf("nobody has said %v of %s %v ahead", v, slot, lead)
					}
					kept++
				}
			}
			if want := 11 * len(usage.ForecastLeads()); kept < want {
				t.Errorf("%d forecasts are kept, want %d", kept, want)
			}
		})
	}
}

func TestWhatIsFetchedOfThePastIsNoForecast(t *testing.T) {
	r := newRig(t, func(s *Settings) { s.Lookback = 5 * 24 * time.Hour })
	r.both()
	if old, err := r.store.Slots(t.Context(), "uk", "GB", start.Add(-5*24*time.Hour), start); err != nil || len(old) != 5*48 {
		t.Fatalf("%d slots of the past, %v", len(old), err)
	}
	for slot, leads := range r.seen() {
		for lead := range leads {
			if !slot.Equal(usage.SlotAt(r.now).Add(lead)) {
				t.Errorf("%s is kept as forecast %v ahead, and now is %s", slot, lead, r.now)
			}
		}
	}
}

func TestARegionHasForecastsAndNoErrors(t *testing.T) {
	r := newRig(t)
	settings := r.spine.current()
	settings.Grid = Chain{&intensity.UK{Upstream: local(r.grid), URL: "http://grid.test", RegionID: 13, Now: r.spine.Clock.Now}}
	r.spine.Reload(settings)
	for range 12 {
		if err := r.carbon(); err != nil {
			t.Fatal(err)
		}
		r.now = r.now.Add(30 * time.Minute)
	}
	errors, err := r.store.ForecastErrors(t.Context(), "uk", "GB-region-13", start)
	if err != nil || len(errors) != 0 || len(r.seen()) == 0 {
		t.Errorf("%d slots are kept, and their errors are %+v, %v", len(r.seen()), errors, err)
	}
}
