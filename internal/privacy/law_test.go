// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package privacy

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// series is one exposed settled counter.
type series struct {
	usage.Key
	mode string
}

func exposed(v View) map[series]float64 {
	all := map[series]float64{}
	for _, t := range v.Totals {
		all[series{t.Key, "busy"}] = float64(t.SettledEnergy.Busy)
		all[series{t.Key, "idle"}] = float64(t.SettledEnergy.Idle)
	}
	return all
}

// TestCountersNeverFallWhateverTheListDoes lets usage grow at random while ranks,
// the limit and the mode change, and the exporter restarts.
func TestCountersNeverFallWhateverTheListDoes(t *testing.T) {
	for seed := range uint64(200) {
		random := rand.New(rand.NewPCG(seed, 1))
		totals := map[usage.Key]*usage.Total{}
		labels := Labels{Mode: ID, MaxUsers: 1 + random.IntN(4)}
		var shown usage.Shown
		var before map[series]float64
		var site, siteBefore float64
		for step := range 60 {
			site = grow(random, totals, site)
			changed := random.IntN(15) == 0
			if changed {
				labels.MaxUsers = 1 + random.IntN(4)
				if random.IntN(4) == 0 {
					labels.Mode = []Mode{ID, None}[random.IntN(2)]
				}
			}
			view := labels.Summary(usage.Summary{Totals: list(totals)}, shown, step >= 5)
			now := exposed(view)
			if step > 5 {
				rise := 0.0
				for s, v := range now {
					was, there := before[s]
					if v < was-1e-9 {
						t.Fatalf("seed %d, step %d: %v falls from %v to %v", seed, step, s, was, v)
					}
					if there {
						rise += v - was
					} else if v > site-siteBefore+1e-9 && before != nil && view.Shown.Users[s.User] && !hadHistory(s, shown) {
						t.Fatalf("seed %d, step %d: %v begins at %v", seed, step, s, v)
					}
				}
				if rise > site-siteBefore+1e-9 {
					t.Fatalf("seed %d, step %d: counters rose by %v, the site by %v", seed, step, rise, site-siteBefore)
				}
			}
			if gauge := energy(view); math.Abs(gauge-site) > 1e-9*max(site, 1) {
				t.Fatalf("seed %d, step %d: users use %v, the site %v", seed, step, gauge, site)
			}
			if step >= 5 {
				shown = view.Shown
			}
			before, siteBefore = now, site
		}
	}
}

// hadHistory says whether a name has been shown before, so that its counter goes
// on from there.
func hadHistory(s series, shown usage.Shown) bool {
	_, had := shown.Elsewhere[s.Key]
	return had
}

func energy(v View) (s float64) {
	for _, t := range v.Totals {
		s += float64(t.Energy.Total())
	}
	return s
}

func grow(random *rand.Rand, totals map[usage.Key]*usage.Total, site float64) float64 {
	for range 3 {
		k := usage.Key{Project: fmt.Sprint("p", random.IntN(2)), Machine: "m", User: fmt.Sprint("u", random.IntN(8)), Group: "g"}
		if random.IntN(5) == 0 {
			k.User = usage.Unattributed
		}
		if totals[k] == nil {
			totals[k] = &usage.Total{Key: k}
		}
		kwh := usage.KWh(random.Float64() * 10)
		more := usage.ByMode[usage.KWh]{Busy: kwh, Idle: kwh / 4}
		totals[k].Energy = totals[k].Energy.Plus(more)
		totals[k].SettledEnergy = totals[k].SettledEnergy.Plus(more)
		site += float64(more.Total())
	}
	return site
}

func list(totals map[usage.Key]*usage.Total) []usage.Total {
	var all []usage.Total
	for _, t := range totals {
		all = append(all, *t)
	}
	return all
}
