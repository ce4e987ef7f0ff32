// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package parts

import (
	"math"
	"testing"

	"github.com/carbon-exporter/carbon_exporter/internal/config"
	"github.com/carbon-exporter/carbon_exporter/internal/processor"
)

// TestTheDefaultIsThatOfTheTable: the default watts are those of a server of which nothing is
// known, as the table of processors has them.
func TestTheDefaultIsThatOfTheTable(t *testing.T) {
	rounded := func(x float64) float64 { return math.Round(x*100) / 100 }
	u, p := processor.Unknown(), config.Default().Power
	if busy, idle := rounded(float64(u.Watts.Busy)), rounded(float64(u.Watts.Idle)); p.BusyWatts != busy || p.IdleWatts != idle {
		t.Errorf("the default is %v W busy and %v W idle, the table says %v and %v", p.BusyWatts, p.IdleWatts, busy, idle)
	}
}

// TestTheDefaultHasBounds: they are those of the table, and only of the watts that come with the
// program.
func TestTheDefaultHasBounds(t *testing.T) {
	u := processor.Unknown()
	for _, test := range []struct {
		name   string
		change func(*config.Power)
		bounds bool
	}{
		{"nothing configured", func(*config.Power) {}, true},
		{"the default written out", func(p *config.Power) { p.BusyWatts, p.IdleWatts = 3.3, 0.65 }, true},
		{"the default of older versions", func(p *config.Power) { p.BusyWatts, p.IdleWatts = 12, 1 }, false},
		{"other watts of an idle core", func(p *config.Power) { p.IdleWatts = 0 }, false},
		{"an error of one's own", func(p *config.Power) { p.Error = new(0.3) }, false},
	} {
		c := config.Default().Power
		test.change(&c)
		r := defaultRating(c)
		if has := r.Low != nil && r.High != nil; has != test.bounds || has && (*r.Low != u.Low || *r.High != u.High) {
			t.Errorf("%s: %+v", test.name, r)
		}
		if float64(r.Watts.Busy) != c.BusyWatts || float64(r.Watts.Idle) != c.IdleWatts {
			t.Errorf("%s: %v", test.name, r.Watts)
		}
	}
}
