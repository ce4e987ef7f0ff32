// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package source

import (
	"maps"
	"math/rand/v2"
	"testing"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// However the counters of the cores of a host are added up, its growth is told with the same bits,
// and it is what the cores have counted.
func TestTheOrderOfASumIsNotTold(t *testing.T) {
	random, differ := rand.New(rand.NewPCG(1, 2)), 0
	for range 1000 {
		cores := 1 + random.IntN(64)
		before, after, hundredths := make([]float64, cores), make([]float64, cores), 0
		for i := range cores {
			count, grew := random.IntN(4e8), random.IntN(180_000) // up to seven weeks, and half an hour
			before[i], after[i] = float64(count)/100, float64(count+grew)/100
			hundredths += grew
		}
		sum := func(order []int, of []float64) (sum float64) {
			for _, i := range order {
				sum += of[i]
			}
			return sum
		}
		grown := func() usage.CPUSeconds {
			return usage.CPUSeconds(sum(random.Perm(cores), after) - sum(random.Perm(cores), before))
		}
		a, b, want := grown(), grown(), usage.CPUSeconds(hundredths)/100
		if a != b {
			differ++
		}
		if a, b = toGrain(a), toGrain(b); a != want || b != want {
			t.Fatalf("%d cores: told as %v and %v, want %v", cores, a, b, want)
		}
	}
	if differ == 0 {
		t.Error("the order of no sum mattered: the test has shown nothing")
	}
}

func TestAllOfAReadingIsTold(t *testing.T) {
	noise := usage.CPUSeconds(1e-9)
	told := told(usage.Reading{
		Samples:  []usage.Sample{{CPU: usage.BusyIdle[usage.CPUSeconds]{Busy: 0.01 + noise, Idle: 1799.99 - noise}}},
		Coverage: map[string]usage.Coverage{"IDAaaS": {Seen: 1800 - noise, Capacity: 1800 + noise}},
	})
	if got, want := told.Samples[0].CPU, (usage.BusyIdle[usage.CPUSeconds]{Busy: 0.01, Idle: 1799.99}); got != want {
		t.Errorf("got %v, want %v", got, want)
	}
	if want := map[string]usage.Coverage{"IDAaaS": {Seen: 1800, Capacity: 1800}}; !maps.Equal(told.Coverage, want) {
		t.Errorf("got %v, want %v", told.Coverage, want)
	}
}
