// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package landing

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

func TestTheTileOfTheGridSaysWhoseItsValueIs(t *testing.T) {
	at := usage.SlotAt(now) // 18:00
	slot := func(provider string, ago int, s usage.Slot) usage.Slot {
		s.From, s.Provider, s.Grid = at.Add(-time.Duration(ago)*usage.SlotLength), provider, "FR"
		return s
	}
	g := func(v float64) *usage.GramsPerKWh { return new(usage.GramsPerKWh(v)) }
	for _, c := range []struct {
		name  string
		slots []usage.Slot
		value string
		also  []string
	}{
		{
			"the first source has all",
			[]usage.Slot{slot("rte", 1, usage.Slot{Actual: g(40)}), slot("rte", 0, usage.Slot{Forecast: g(38)})},
			"38 g/kWh",
			[]string{"forecast for FR", "actual at 17:30: 40 g/kWh"},
		},
		{
			"another has the forecast",
			[]usage.Slot{slot("rte", 1, usage.Slot{Actual: g(40)}), slot("electricity_maps", 0, usage.Slot{Forecast: g(38), Index: "low"})},
			"38 g/kWh",
			[]string{"forecast for FR (low), by electricity_maps", "actual at 17:30: 40 g/kWh"},
		},
		{
			"another has the actual, and estimates it",
			[]usage.Slot{slot("electricity_maps", 1, usage.Slot{Actual: g(40), Quality: usage.QualityEstimated})},
			unknown,
			[]string{"actual at 17:30: 40 g/kWh, by electricity_maps, an estimate"},
		},
		{
			"a table stands in",
			[]usage.Slot{
				slot("table", 1, usage.Slot{Actual: g(44), Quality: usage.QualityYearly}), slot("table", 0, usage.Slot{Actual: g(44), Quality: usage.QualityYearly}),
			},
			"44 g/kWh",
			[]string{"for FR, by table, the mean of a year"},
		},
		{
			"the first has both, and measured this half hour already",
			[]usage.Slot{slot("rte", 0, usage.Slot{Forecast: g(38), Actual: g(41)})},
			"38 g/kWh",
			[]string{"forecast for FR", "actual at 18:00: 41 g/kWh"},
		},
		{"a table of the time to come", []usage.Slot{slot("table", -1, usage.Slot{Actual: g(44), Quality: usage.QualityYearly})}, unknown, []string{"the provider has not answered yet"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := Grid{Provider: "rte", Slots: c.slots}.tile(calendar{now, london(t)})
			for n := range got.Also {
				got.Also[n] = strings.ReplaceAll(plain(got.Also[n]), "today ", "")
			}
			if plain(got.Value) != c.value || !slices.Equal(got.Also, c.also) || got.Unknown != (c.value == unknown) {
				t.Errorf("got %+v, want %s %q", got, c.value, c.also)
			}
		})
	}
	only := Grid{Provider: "table", Slots: []usage.Slot{slot("table", 0, usage.Slot{Actual: g(44), Quality: usage.QualityYearly})}}
	if got := only.tile(calendar{now, london(t)}); !slices.Equal(got.Also, []string{"for FR, the mean of a year"}) {
		t.Errorf("a table alone: %+v", got)
	}
}
