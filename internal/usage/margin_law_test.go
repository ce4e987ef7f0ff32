// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package usage

import (
	"fmt"
	"math"
	"math/rand"
	"testing"
)

// world is what a site draws. The true power of each machine type is its rated one times a
// lognormal error. Errors of two types have the correlation Akin; busy and idle power of one type
// err by the same factor, and so do all meters of one kind.
type world struct {
	r *rand.Rand
}

// part is the energy of one machine type: what the model makes of CPU time, with the spread of its
// error, and what meters have measured, with theirs.
type part struct {
	modelled KWh
	sigma    float64 // standard deviation of the logarithm of true over rated power
	metered  KWh
	meter    float64 // standard error of the meters, as a fraction
}

// rating has the bounds that hold two times in three: one standard deviation to both sides.
func (p part) rating() Rating {
	watts := BusyIdle[Watts]{Busy: 12, Idle: 2}
	bound := func(sign float64) *BusyIdle[Watts] {
		f := Watts(math.Exp(sign * p.sigma))
		return &BusyIdle[Watts]{Busy: watts.Busy * f, Idle: watts.Idle * f}
	}
	return Rating{Watts: watts, Low: bound(-1), High: bound(+1)}
}

// fact has three quarters of the energy busy.
func (p part) fact() Fact {
	f := Fact{Energy: ByMode[KWh]{Busy: 0.75 * (p.modelled + p.metered), Idle: 0.25 * (p.modelled + p.metered)}}
	if p.metered > 0 {
		f.Beside = &Beside{Metered: Metered{Energy: BusyIdle[KWh]{Busy: 0.75 * p.metered, Idle: 0.25 * p.metered}, Error: &p.meter}}
	}
	return f
}

// truth draws what all parts have really used.
func (w world) truth(parts []part) (sum KWh) {
	common := w.r.NormFloat64()
	for _, p := range parts {
		z := math.Sqrt(Akin)*common + math.Sqrt(1-Akin)*w.r.NormFloat64()
		sum += p.modelled*KWh(math.Exp(p.sigma*z)) + p.metered*KWh(1+p.meter*w.r.NormFloat64())
	}
	return sum
}

func alikeParts(n int, p part) (all []part) {
	for range n {
		all = append(all, p)
	}
	return all
}

// Two times in three the truth lies within the margins, whatever a site is made of.
func TestTheTruthIsWithinTheMarginsTwoTimesInThree(t *testing.T) {
	const worlds = 20_000
	for seed, c := range []struct {
		name  string
		parts []part
	}{
		{"one type, well known", alikeParts(1, part{modelled: 10, sigma: 0.1})},
		{"one type, hardly known", alikeParts(1, part{modelled: 10, sigma: 0.4})},
		{"two equal types", alikeParts(2, part{modelled: 10, sigma: 0.25})},
		{"thirty equal types", alikeParts(30, part{modelled: 10, sigma: 0.25})},
		{"one large and ten small", append(alikeParts(10, part{modelled: 1, sigma: 0.25}), part{modelled: 50, sigma: 0.25})},
		{"well and hardly known ones", append(alikeParts(5, part{modelled: 10, sigma: 0.1}), alikeParts(5, part{modelled: 10, sigma: 0.35})...)},
		{"one type, all of it metered", alikeParts(1, part{metered: 10, meter: 0.05})},
		{"one metered, one not", []part{{modelled: 10, sigma: 0.25}, {metered: 10, meter: 0.03}}},
		{"ten types, a tenth of each metered", alikeParts(10, part{modelled: 9, sigma: 0.25, metered: 1, meter: 0.03})},
	} {
		t.Run(c.name, func(t *testing.T) {
			var types []Margin
			var energy KWh
			for _, p := range c.parts {
				f := p.fact()
				types = append(types, p.rating().Margin(f))
				energy += f.Energy.Total()
			}
			margin := Across(types)
			if margin.Unknown.Total() != 0 {
				t.Fatalf("nobody knows the error of %v kWh", margin.Unknown.Total())
			}
			w := world{rand.New(rand.NewSource(int64(seed)))}
			within, below := 0, 0
			for range worlds {
				switch truth := w.truth(c.parts); {
				case truth < energy-margin.Down:
					below++
				case truth <= energy+margin.Up:
					within++
				}
			}
			share := float64(within) / worlds
			said := fmt.Sprintf("%.1f %% of the worlds are within %v -%.3f +%.3f kWh, %.1f %% below, %.1f %% above",
				100*share, energy, margin.Down, margin.Up, 100*float64(below)/worlds, 100*float64(worlds-within-below)/worlds)
			if share < 0.63 || share > 0.75 {
				t.Errorf("%s; want two in three", said)
			}
			t.Log(said)
		})
	}
}
