// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package embodied

import (
	"math"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

func day(s string) time.Time {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		panic(err)
	}
	return t
}

func TestRate(t *testing.T) {
	server := Hardware{Made: 1_000_000, Life: Years(4), Cores: 1}
	bought := server
	bought.Bought = day("2022-01-01")
	sold := bought.Bought.Add(Years(4))
	for _, c := range []struct {
		name string
		of   Hardware
		from time.Time
		want float64
	}{
		{"1 000 kg over four years are 28.5 g an hour", server, day("2026-01-01"), 28.52},
		{"by core: 64 of them", Hardware{Made: 1_200_000, Life: Years(4), Cores: 64}, day("2026-01-01"), 0.5347},
		{"in its life", bought, day("2023-01-01"), 28.52},
		{"before it was bought", bought, day("2021-12-31"), 0},
		{"paid off", bought, day("2026-01-02"), 0},
		{"in the interval in which it is paid off, the part before", bought, sold.Add(-time.Hour), 28.52 / 24},
		{"in the interval in which it is bought, the part after", bought, bought.Bought.Add(-23 * time.Hour), 28.52 / 24},
		{"known to be nothing", Hardware{Life: Years(4), Cores: 64}, day("2026-01-01"), 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := float64(c.of.Rate(usage.Interval{Start: c.from, Length: 24 * time.Hour})); math.Abs(got-c.want) > 1e-3*math.Abs(c.want) {
				t.Errorf("%v g for each core and hour, want %v", got, c.want)
			}
		})
	}
}

// All that was emitted to make a server is given to its years of use, whatever the intervals.
func TestALifeAddsUpToWhatWasMade(t *testing.T) {
	h := Hardware{Made: 1_200_000, Life: Years(0.1), Cores: 64, Bought: day("2022-01-01").Add(7 * time.Minute)}
	for _, length := range []time.Duration{5 * time.Minute, 30 * time.Minute, time.Hour, 24 * time.Hour} {
		sum := usage.Grams(0)
		for i := usage.IntervalAt(h.Bought.Add(-48*time.Hour), length); i.Start.Before(h.Bought.Add(h.Life + 48*time.Hour)); i = i.Next() {
			sum += h.Rate(i).Of(usage.CPUSeconds(h.Cores * i.Length.Seconds()))
		}
		if math.Abs(float64(sum/h.Made)-1) > 1e-9 {
			t.Errorf("intervals of %v: %v g, want %v", length, sum, h.Made)
		}
	}
}

func TestWhichHardware(t *testing.T) {
	i := usage.Interval{Start: day("2026-01-01"), Length: time.Hour}
	f := Fleet{Machines: map[string]Hardware{"Muon": {Made: 1000, Life: time.Hour, Cores: 10}}}
	if rate, ok := f.Rate("Muon", i); !ok || math.Abs(float64(rate)-100) > 1e-9 {
		t.Errorf("Muon: %v, %v", rate, ok)
	}
	if rate, ok := f.Rate("Other", i); ok {
		t.Errorf("hardware that nobody has named has %v, want nothing", rate)
	}
	f.Default = &Hardware{Made: 500, Life: time.Hour, Cores: 10}
	if rate, ok := f.Rate("Other", i); !ok || math.Abs(float64(rate)-50) > 1e-9 {
		t.Errorf("by default: %v, %v", rate, ok)
	}
}
