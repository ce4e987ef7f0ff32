// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package instruments_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/source"
)

// Whatever happens to counters, pieces add up to their growth, and each is the same in whatever
// order and with whatever others it is read.
func TestRandomCounters(t *testing.T) {
	for seed := range uint64(30) {
		t.Run(fmt.Sprint("world ", seed), func(t *testing.T) {
			random := rand.New(rand.NewPCG(seed, 4))
			from, to := minutes(-26*60), minutes(8*60)
			within := func() time.Duration { return time.Duration(random.Int64N(int64(minutes(200)))) - minutes(10) }
			var signals []signal
			want := map[string]float64{}
			for i := range 12 {
				s := gpu(fmt.Sprint("h", i), fmt.Sprint("G", i))
				s.every = []time.Duration{15 * time.Second, 30 * time.Second, time.Minute, 3 * time.Minute}[random.IntN(4)]
				s.offset = time.Duration(random.Int64N(int64(s.every))).Truncate(time.Millisecond)
				s.silent = random.IntN(2) == 0
				if random.IntN(3) == 0 {
					s.from = within()
				}
				if random.IntN(3) == 0 {
					s.to = s.from + within()
				}
				for range random.IntN(4) {
					begin := within()
					s.holes = append(s.holes, [2]time.Duration{begin, begin + within()/3 + minutes(4)})
				}
				if random.IntN(2) == 0 {
					first := within()
					s = s.begins(first, first+time.Duration(random.Int64N(int64(minutes(60)))))
				}
				signals = append(signals, s)
				want[s.labels["instance"]] = grown(s.samples(from, to), minutes(-60), minutes(360))
			}
			w := newWorld(t, from, to, signals...)
			d := dcgm
			d.Query = w.of("DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION")
			w.client.Query.Instruments.Devices = []source.Device{d}
			intervals := run(30*time.Minute, 14)
			for i := range intervals {
				intervals[i].Start = intervals[i].Start.Add(-time.Hour)
			}
			all, _ := w.read(t, intervals)
			sums := map[string]float64{}
			for _, piece := range all {
				for _, d := range piece.Devices {
					sums[d.Host] += float64(d.Energy)
					if d.Energy < 0 {
						t.Errorf("%s: %v", piece.Piece, d)
					}
				}
			}
			for host, joules := range want {
				if !near(sums[host], joules, 1e-9) {
					t.Errorf("%s: %v J, want %v J", host, sums[host], joules)
				}
			}
		})
	}
}

// A meter never has more energy than the time that it covers has at its power.
func TestRandomMeters(t *testing.T) {
	for seed := range uint64(6) {
		t.Run(fmt.Sprint("world ", seed), func(t *testing.T) {
			random := rand.New(rand.NewPCG(seed, 9))
			var signals []signal
			for i := range 8 {
				for psu := range 1 + i%2 {
					s := signal{labels: map[string]string{"__name__": "psu_watts", "instance": fmt.Sprint("h", i), "psu": fmt.Sprint(psu)}, value: constant(float64(100 + psu))}
					s.every = []time.Duration{15 * time.Second, time.Minute, 2 * time.Minute}[random.IntN(3)]
					s.silent = random.IntN(2) == 0
					for range random.IntN(3) {
						begin := minutes(random.Float64() * 90)
						s.holes = append(s.holes, [2]time.Duration{begin, begin + minutes(random.Float64()*40)})
					}
					if bad := minutes(random.Float64() * 90); random.IntN(2) == 0 {
						watts := s.value
						s.value = func(at time.Duration) float64 {
							if at > bad && at < bad+minutes(5) {
								return []float64{math.NaN(), -1, math.Inf(1)}[int(bad/time.Second)%3]
							}
							return watts(at)
						}
					}
					signals = append(signals, s)
				}
			}
			w := newWorld(t, minutes(-26*60), minutes(125), signals...)
			w.client.Query.Instruments.Meters = []source.Meter{{Name: "psu", Query: w.of("psu_watts")}}
			all, _ := w.read(t, run(30*time.Minute, 4))
			for _, piece := range all {
				for host, m := range piece.Power {
					watts := 100.0
					if (host[1]-'0')%2 == 1 {
						watts = 201
					}
					if !near(float64(m.Energy), watts*m.Covered*1800, 1e-9) || m.Covered > 1 {
						t.Errorf("%s: %s: %+v, want %v W", piece.Piece, host, m, watts)
					}
				}
			}
		})
	}
}
