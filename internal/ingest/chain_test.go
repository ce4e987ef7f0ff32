// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !race

package ingest

import (
	"context"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"net/http"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

func TestTheFirstThatHasAHalfHourCounts(t *testing.T) {
	hourly := &station{name: "hourly", grain: time.Hour, truth: wave(100), status: http.StatusBadGateway}
	quick := &station{name: "quick", grain: 5 * time.Minute, truth: wave(500)}
	r := chained(t, 0, hourly, quick)
	r.round()
	if got := r.providers(); got["quick"] != 48 {
		t.Fatalf("priced by %v, want all by the second", got)
	}
	for at, p := range r.priced() {
		if want := quick.meanOf(at); math.Abs(float64(p.Prices[0].Intensity-want)) > 1e-9 {
			t.Errorf("%s: %v, want %v", at, p.Prices[0].Intensity, want)
		}
	}
	hourly.status = 0
	r.elapse(30 * time.Minute)
	for at, p := range r.priced() {
		if len(p.Prices) == 0 {
			t.Errorf("%s has no price", at)
			continue
		}
		now := p.Prices[0]
		whole := !at.Truncate(time.Hour).Add(time.Hour).After(r.now) // the second half of an hour is not over
		switch {
		case whole && (now.Provider != "hourly" || now.Intensity != hourly.meanOf(at)):
			t.Errorf("%s: priced by %s with %v, want hourly with %v", at, now.Provider, now.Intensity, hourly.meanOf(at))
		case whole && at.Before(start) && (len(p.Changes) != 1 || p.Changes[0].Why != usage.BecauseProvider || p.Changes[0].Was.Provider != "quick"):
			t.Errorf("%s: the trail is %+v", at, p.Changes)
		case !whole && now.Provider != "quick":
			t.Errorf("%s: priced by %s before the hour was over", at, now.Provider)
		}
	}
}

func TestASwitchOfSourceNeverChangesWhatIsSettled(t *testing.T) {
	first := &station{name: "first", grain: 30 * time.Minute, truth: wave(100), status: http.StatusServiceUnavailable}
	second := &station{name: "second", grain: 15 * time.Minute, truth: wave(500)}
	r := chained(t, 0, first, second)
	r.elapseBy(30*time.Minute, 30*time.Hour)
	before := map[time.Time]usage.Proof{}
	for at, p := range r.priced() {
		if p.State == usage.Settled {
			before[at] = p
		}
	}
	if len(before) < 48 {
		t.Fatalf("%d intervals are settled", len(before))
	}
	first.status = 0
	r.elapse(time.Hour)
	now := r.priced()
	for at, was := range before {
		if is := now[at]; is.Prices[0] != was.Prices[0] || len(is.Changes) != len(was.Changes) || is.State != usage.Settled {
			t.Errorf("%s: %+v became %+v", at, was.Prices, is.Prices)
		}
	}
	if got := r.providers(); got["first"] < 46 || got["second"] < len(before) {
		t.Errorf("priced by %v", got)
	}
}

// A value for all time is final at once; in the place of another it waits for what that may say.
func TestAFixedValueThatStandsInIsNotFinalAtOnce(t *testing.T) {
	first := &station{name: "first", grain: 30 * time.Minute, truth: wave(100), status: http.StatusServiceUnavailable}
	r := chained(t, 300, first)
	r.round()
	r.want(map[usage.State]int{usage.Provisional: 48})
	first.status = 0
	r.elapse(15 * time.Minute)
	if got := r.providers(); got["first"] != len(r.priced()) {
		t.Errorf("priced by %v once the first answers", got)
	}
}

func TestALateSourceIsWaitedFor(t *testing.T) {
	late := &station{name: "late", grain: time.Hour, late: 30 * time.Hour, truth: wave(100), terms: func(t *usage.Terms) { t.Late = 36 * time.Hour }}
	r := chained(t, 300, late)
	r.elapseBy(30*time.Minute, 40*time.Hour)
	for at, p := range r.priced() {
		switch age := r.now.Sub(at.Add(time.Hour)); {
		case age > 31*time.Hour && p.Prices[0].Provider != "late":
			t.Errorf("%s: priced by %s after %s", at, p.Prices[0].Provider, age)
		case age < 29*time.Hour && (p.Prices[0].Provider != "static" || p.State != usage.Provisional):
			t.Errorf("%s: %s by %s after %s", at, p.State, p.Prices[0].Provider, age)
		}
	}
}

func TestARemovedSourceLeavesItsPrices(t *testing.T) {
	first := &station{name: "first", grain: 30 * time.Minute, truth: wave(100)}
	r := chained(t, 0, first)
	r.round()
	before := r.priced()
	other := &station{name: "other", now: first.now, grain: 30 * time.Minute, truth: func(at, _ time.Time) usage.GramsPerKWh {
		if at.Before(start) {
			return -1
		}
		return 700
	}}
	r.chain(0, other)
	r.elapseBy(30*time.Minute, 72*time.Hour)
	now := r.priced()
	for at, was := range before {
		is := now[at]
		if is.Prices[0].Provider != "first" || is.Prices[0].Intensity != was.Prices[0].Intensity || is.State != usage.Settled || len(is.Changes) != 0 {
			t.Errorf("%s is %s by %+v, %d changes", at, is.State, is.Prices[0], len(is.Changes))
		}
	}
	if got := r.providers(); got["first"] != len(before) || got["other"] == 0 {
		t.Errorf("priced by %v", got)
	}
}

// With every source away, energy is complete and emissions are unknown; nobody is asked over and
// over.
func TestEverySourceAway(t *testing.T) {
	first := &station{name: "first", grain: 30 * time.Minute, truth: wave(100), status: http.StatusInternalServerError}
	second := &station{name: "second", grain: 5 * time.Minute, truth: wave(500), status: http.StatusUnauthorized}
	r := chained(t, 0, first, second)
	r.round()
	r.elapse(24 * time.Hour)
	r.want(map[usage.State]int{usage.Unpriced: 96})
	kwh, _, grams := r.site()
	if want, _ := r.truth(start.Add(-24*time.Hour), start.Add(24*time.Hour)); math.Abs(float64(kwh-want)) > 1e-9*float64(want) || grams != 0 {
		t.Errorf("%v kWh and %v g, want %v kWh and nothing known of grams", kwh, grams, want)
	}
	if most := 24 * 12 * 3; first.asked > most || second.asked > most {
		t.Errorf("asked %d and %d times in a day", first.asked, second.asked)
	}
	first.status = 0
	r.elapse(2 * time.Hour)
	if got := r.providers(); got["first"] < 96 {
		t.Errorf("priced by %v once one answers", got)
	}
}

// A source that only stands in is asked once an hour, to know that it would answer.
func TestASpareSourceIsAskedOnceAnHour(t *testing.T) {
	first := &station{name: "first", grain: 30 * time.Minute, truth: wave(100)}
	spare := &station{name: "spare", grain: 30 * time.Minute, truth: wave(500)}
	r := chained(t, 0, first, spare)
	r.round()
	first.asked, spare.asked = 0, 0
	r.elapse(24 * time.Hour)
	if first.asked < 140 || first.asked > 240 || spare.asked < 23 || spare.asked > 26 {
		t.Errorf("asked %d and %d times in a day", first.asked, spare.asked)
	}
	if got := r.providers(); got["spare"] != 0 {
		t.Errorf("priced by %v", got)
	}
}

// Forecasts are asked of the first that has them.
func TestForecastsComeFromTheFirstThatHasThem(t *testing.T) {
	first := &station{name: "first", grain: 30 * time.Minute, truth: wave(100), ahead: true}
	second := &station{name: "second", grain: 30 * time.Minute, truth: wave(500), ahead: true}
	r := chained(t, 0, first, second)
	ahead := func(provider string) int {
		slots, err := r.store.Slots(t.Context(), provider, "FR", r.now, r.now.Add(72*time.Hour))
		if err != nil {
			t.Fatal(err)
		}
		return len(slots)
	}
	r.round()
	if ahead("first") < 95 || ahead("second") > 2 {
		t.Errorf("%d and %d slots ahead", ahead("first"), ahead("second"))
	}
	first.status = http.StatusBadGateway
	r.elapse(time.Hour)
	if ahead("second") < 95 {
		t.Errorf("%d slots ahead of the second while the first is away", ahead("second"))
	}
}

// Whatever dies, comes back and revises: energy is complete, every price is what its source said,
// unknown is never 0, what is settled stays, and in the end the best source that ever answered
// counts.
func TestSourcesThatComeAndGo(t *testing.T) {
	for seed := range uint64(2) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			rnd := rand.New(rand.NewPCG(seed, 7))
			grains := []time.Duration{5 * time.Minute, 15 * time.Minute, 30 * time.Minute, time.Hour}
			var stations []*station
			for i := range 3 {
				stations = append(stations, &station{
					name: fmt.Sprint("s", i), grain: grains[rnd.IntN(len(grains))], late: time.Duration(rnd.IntN(5)) * time.Hour,
					truth: wave(usage.GramsPerKWh(100 + 300*i)), ahead: rnd.IntN(2) == 0,
				})
			}
			r := chained(t, 0, stations...)
			settled := map[time.Time]usage.Price{}
			for range 60 * 12 / 4 {
				r.now = r.now.Add(20 * time.Minute)
				for _, s := range stations {
					if rnd.IntN(30) == 0 {
						s.status = []int{0, 0, 500, 429, 401, 404}[rnd.IntN(6)]
					}
				}
				r.round()
			}
			for _, s := range stations {
				s.status = 0
			}
			r.elapse(8 * time.Hour)
			for at, p := range r.priced() {
				if len(p.Prices) == 0 {
					if p.State != usage.Unpriced || r.now.Sub(at) > 6*time.Hour {
						t.Errorf("%s is %s without a price", at, p.State)
					}
					continue
				}
				price := p.Prices[0].Price
				var by *station
				for i, s := range stations {
					if s.name == price.Provider {
						by = stations[i]
					}
				}
				want := by.meanOf(at)
				if price.Kind == usage.Forecast {
					want += 7
				}
				if math.Abs(float64(price.Intensity-want)) > 1e-9 {
					t.Errorf("%s: %s says %v, stored is %v", at, price.Provider, want, price.Intensity)
				}
				if p.State == usage.Settled {
					settled[at] = price
				} else if r.now.Sub(at) > 6*time.Hour && price.Provider != "s0" {
					t.Errorf("%s is open and priced by %s, though the first has answered", at, price.Provider)
				}
			}
			r.elapse(2 * time.Hour)
			for at, p := range r.priced() {
				if was, ok := settled[at]; ok && p.Prices[0].Price != was {
					t.Errorf("%s was settled with %+v and is %+v", at, was, p.Prices[0].Price)
				}
			}
			kwh, _, _ := r.site()
			if want, _ := r.truth(start.Add(-24*time.Hour), usage.SlotAt(r.now.Add(-2*time.Minute))); math.Abs(float64(kwh-want)) > 1e-9*float64(want) {
				t.Errorf("%v kWh, want %v", kwh, want)
			}
		})
	}
}

// The same answers in any order end in the same record.
func TestAnswersInAnyOrderEndInTheSameRecord(t *testing.T) {
	answers := func(r *rig) (all [][]usage.Slot) {
		for i, s := range []*station{{name: "a", grain: time.Hour, truth: wave(100)}, {name: "b", grain: 5 * time.Minute, truth: wave(400), ahead: true}} {
			s.now = func() time.Time { return start }
			g := s.grid()
			for at := start.Add(-24 * time.Hour); at.Before(start); at = at.Add(4 * time.Hour) {
				if i == 0 && at.Hour() == 8 {
					continue // the first never has these
				}
				slots, _, err := g.Slots(context.Background(), at, at.Add(4*time.Hour))
				if err != nil {
					r.t.Fatal(err)
				}
				all = append(all, slots)
			}
		}
		return all
	}
	want := ""
	for seed := range uint64(4) {
		a := &station{name: "a", grain: time.Hour, truth: wave(100), status: http.StatusBadGateway}
		b := &station{name: "b", grain: 5 * time.Minute, truth: wave(400), status: http.StatusBadGateway}
		r := chained(t, 0, a, b)
		all := answers(r)
		rnd := rand.New(rand.NewPCG(seed, 3))
		rnd.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
		early := rnd.IntN(len(all))
		for n, slots := range all {
			if n == early {
				if err := r.energy(); err != nil {
					t.Fatal(err)
				}
			}
			if _, err := r.store.SaveSlots(t.Context(), slots); err != nil {
				t.Fatal(err)
			}
			if _, err := r.grams.reprice(t.Context(), r.spine.current()); err != nil {
				t.Fatal(err)
			}
		}
		if counts := r.providers(); !maps.Equal(counts, map[string]int{"a": 40, "b": 8}) {
			t.Errorf("seed %d: priced by %v", seed, counts)
		}
		switch got := r.dump(); {
		case want == "":
			want = got
		case got != want:
			t.Errorf("seed %d: %s", seed, firstDifference(got, want))
		}
	}
}
