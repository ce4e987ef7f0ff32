// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package report

import (
	"fmt"
	"math"
	"math/rand"
	"testing"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// With R of each member, R x SCI adds up to the emissions of the site, whatever is in the top.
func TestRatesAddUpToTheSite(t *testing.T) {
	r := rand.New(rand.NewSource(1))
	for _, top := range []int{0, 1, 3, 20} {
		s := random(r, 20)
		per := Units{Members: map[string]float64{}}
		var grams float64
		for i := range s.Members {
			m := &s.Members[i]
			m.Priced, m.Unpriced, m.Hardware = true, 0, m.CPU.Total()
			m.Emissions = usage.ByMode[usage.Grams]{Busy: usage.Grams(r.ExpFloat64())}
			m.Embodied = usage.Grams(r.ExpFloat64())
			per.Members[m.Name] = r.ExpFloat64()
			grams += float64(m.Emissions.Total() + m.Embodied)
		}
		sci := SCI{Report: Report{Scope: usage.ScopeProject, Whole: s, Zone: london(t), Top: top}, Per: per}
		var sum float64
		for _, rate := range sci.rates() {
			if rate.SCI == nil || rate.R == nil {
				t.Fatalf("top %d: %s has no SCI: %+v", top, rate.Name, rate)
			}
			if rate.Kind != Total {
				sum += *rate.SCI * *rate.R
			} else if math.Abs(*rate.SCI**rate.R/grams-1) > 1e-9 {
				t.Errorf("top %d: the total is %v g, want %v", top, *rate.SCI**rate.R, grams)
			}
		}
		if math.Abs(sum/grams-1) > 1e-9 {
			t.Errorf("top %d: rows add up to %v g, want %v", top, sum, grams)
		}
	}
}

// The bounds are those of the emissions: M and R are taken as exact.
func TestBoundsOfRates(t *testing.T) {
	member := tally(func(t *usage.Tally) {
		t.Undoubted, t.Down, t.Up = 0, 1, 2
		t.Margins = map[string]usage.Margin{"Muon": {Down: 1, Up: 2}}
		t.CPU, t.Hardware, t.Embodied = usage.BusyIdle[usage.CPUSeconds]{Busy: 3600}, 3600, 500
	})
	for _, c := range []struct {
		name   string
		change func(*usage.Tally)
		want   string
	}{
		{"1 000 g, 100 g less or 200 g more, and 500 g embodied", nil, "150 from 140 to 170"},
		{"watts of no known error", func(t *usage.Tally) { t.Undoubted, t.Down, t.Up, t.Margins = 10, 0, 0, nil }, "150 from - to -"},
		{"hardware that is not known", func(t *usage.Tally) { t.Hardware, t.Embodied = 0, 0 }, "- from - to -"},
		{"hardware that is known in part", func(t *usage.Tally) { t.Hardware = 3599 }, "- from - to -"},
		{"no CPU time", func(t *usage.Tally) { t.CPU, t.Hardware = usage.BusyIdle[usage.CPUSeconds]{}, 0 }, "- from - to -"},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := member
			if c.change != nil {
				c.change(&m)
			}
			sci := SCI{Report: Report{Scope: usage.ScopeProject, Whole: Stretch{Period: october, Members: []usage.Tally{m}}, Zone: london(t)}, Per: Units{Site: new(10.0)}}
			rates := sci.rates()
			total := rates[len(rates)-1]
			text := func(v *float64) string {
				if v == nil {
					return unknown
				}
				return fmt.Sprint(math.Round(*v*1e6) / 1e6)
			}
			if got := text(total.SCI) + " from " + text(total.Low) + " to " + text(total.High); got != c.want || !near(*total.OperationalPer, 100) {
				t.Errorf("got %s, operational %v; want %s, operational 100", got, *total.OperationalPer, c.want)
			}
		})
	}
}
