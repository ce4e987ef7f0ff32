// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package usage

import (
	"math/rand/v2"
	"reflect"
	"testing"
	"time"
)

// folds are all there are.
func folds() (all []Fold) {
	for n := range 16 {
		all = append(all, Fold{n&1 > 0, n&2 > 0, n&4 > 0, n&8 > 0})
	}
	return all
}

func anyTotals(random *rand.Rand) (all []Total) {
	names := []string{"a", "b", "c"}
	name := func() string { return names[random.IntN(3)] }
	seen := map[Key]bool{}
	for range 30 {
		k := Key{name(), name(), name(), name()}
		if seen[k] {
			continue
		}
		seen[k] = true
		v := random.Float64()
		all = append(all, Total{
			Key: k, Last: time.Unix(random.Int64N(1000), 0), Priced: random.IntN(2) == 0,
			CPU: BusyIdle[CPUSeconds]{CPUSeconds(v), CPUSeconds(2 * v)}, Energy: ByMode[KWh]{KWh(v), KWh(v / 3), KWh(v / 7)},
			Emissions: ByMode[Grams]{Grams(v), 1, 0}, SettledEnergy: ByMode[KWh]{KWh(v / 2), 0, 0}, SettledEmissions: ByMode[Grams]{Grams(v / 9), 0, 0},
			Down: KWh(v / 10), Up: KWh(v / 5), Undoubted: KWh(v / 4), Embodied: Grams(v), SettledEmbodied: Grams(v / 2), Hardware: CPUSeconds(v),
		})
	}
	return all
}

// TestFoldsInAnyOrderAndInSteps: the order does not matter, and to leave out one name and then
// another is to leave out both, but for rounding in between.
func TestFoldsInAnyOrderAndInSteps(t *testing.T) {
	for seed := range uint64(20) {
		random := rand.New(rand.NewPCG(seed, 1))
		all := anyTotals(random)
		for _, f := range folds() {
			want := f.Totals(all)
			random.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
			if got := f.Totals(all); f != (Fold{}) && !reflect.DeepEqual(got, want) {
				t.Fatalf("seed %d, %+v: another order gives\n%+v, not\n%+v", seed, f, got, want)
			}
			one := Fold{User: true, Project: true, Machine: true, Group: true}
			steps, whole := one.Totals(want), one.Totals(all)
			if a, b := float64(steps[0].Energy.Total()), float64(whole[0].Energy.Total()); a-b > 1e-12*b || b-a > 1e-12*b {
				t.Fatalf("seed %d, %+v: in steps %v, at once %v", seed, f, a, b)
			}
			if steps[0].Last != whole[0].Last || steps[0].Priced != whole[0].Priced {
				t.Fatalf("seed %d, %+v: last used %v, want %v", seed, f, steps[0].Last, whole[0].Last)
			}
			for i, total := range want {
				if f.Key(total.Key) != total.Key || f != (Fold{}) && i > 0 && want[i-1].Compare(total.Key) >= 0 {
					t.Fatalf("seed %d, %+v: %v after %v", seed, f, total.Key, want[max(i-1, 0)].Key)
				}
			}
		}
	}
}

// TestFoldOfOneIsTheSame: a sum of one total is that total.
func TestFoldOfOneIsTheSame(t *testing.T) {
	for _, total := range anyTotals(rand.New(rand.NewPCG(1, 2))) {
		f := Fold{User: true}
		want := total
		want.User = ""
		got := f.Totals([]Total{total})[0]
		for _, v := range []*Total{&got, &want} { // a Sum keeps 2^-64
			v.Energy.Measured, v.Energy.Idle, v.Undoubted, v.Down, v.Up, v.SettledEmissions.Busy = 0, 0, 0, 0, 0, 0
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("got %+v, want %+v", got, want)
		}
		u := KeyUsage{Key: total.Key, Energy: ByMode[KWh]{Busy: 0.5, Measured: 0.25}, Emissions: ByMode[Grams]{Idle: 2}, Priced: true}
		used := u
		used.User = ""
		if got := f.Usage([]KeyUsage{u, {Key: u.Key}}); len(got) != 1 || got[0] != used {
			t.Errorf("got %+v, want %+v", got, used)
		}
	}
}
