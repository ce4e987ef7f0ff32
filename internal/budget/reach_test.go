// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package budget

import (
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// A thousand cores of 12 W draw 12 kW: in a June of 720 hours 8640 kWh, at 400 g a
// kWh 3 456 000 g. Three times a limit must be less than that.
func TestReachable(t *testing.T) {
	june := Month.Period(moment(t, "2026-06-15T00:00:00Z"), time.UTC)
	for _, c := range []struct {
		name     string
		unit     Unit
		limit    float64
		full     usage.Watts
		dirtiest usage.GramsPerKWh
		want     bool
	}{
		{"energy, just within reach", KWh, 2879, 12_000, 400, true},
		{"just out of it: three times the limit is all there is", KWh, 2880, 12_000, 400, false},
		{"the intensity does not matter to it", KWh, 2879, 12_000, 0, true},
		{"grams, just within reach", GCO2eq, 1_151_999, 12_000, 400, true},
		{"just out of it", GCO2eq, 1_152_000, 12_000, 400, false},
		{"with cleaner electricity", GCO2eq, 1_151_999, 12_000, 399, false},
		{"no cores", GCO2eq, 1, 0, 400, false},
		{"no carbon in it", GCO2eq, 1, 12_000, 0, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := Budget{Kind: Month, Zone: time.UTC, Unit: c.unit, Limit: c.limit}
			if got := b.Reachable(june, c.full, c.dirtiest); got != c.want {
				t.Errorf("got %v, want %v", got, c.want)
			}
		})
	}
}
