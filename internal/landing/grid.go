// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package landing

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/carbon-exporter/carbon_exporter/internal/escape"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// tile is the intensity of now: the forecast of this half hour, else its actual, as means of a year
// are. Below it is the newest actual.
func (g Grid) tile(c calendar) tile {
	if g.Static != nil {
		return g.fixedTile()
	}
	t := tile{Name: "Grid now", Value: unknown, Unknown: true}
	var newest *usage.Slot
	for i, s := range g.Slots {
		now := s.From.Equal(usage.SlotAt(c.now))
		switch {
		case now && s.Forecast != nil:
			t.Value, t.Unknown = intensityText(*s.Forecast), false
			t.Also = []string{strings.TrimSpace("forecast for "+escape.Name(s.Grid)+" "+inWords(s.Index)) + g.whose(s, usage.QualityForecast)}
		case now && s.Actual != nil:
			t.Value, t.Unknown = intensityText(*s.Actual), false
			t.Also = []string{strings.TrimSpace("for "+escape.Name(s.Grid)+" "+inWords(s.Index)) + g.whose(s, s.Quality)}
			newest = nil // the same would be said twice
			continue
		}
		if s.Actual != nil && !s.From.After(c.now) {
			newest = &g.Slots[i]
		}
	}
	if newest != nil {
		t.Also = append(t.Also, fmt.Sprintf("actual at %s: %s", c.near(newest.From), intensityText(*newest.Actual))+g.whose(*newest, newest.Quality))
	}
	if len(t.Also) == 0 {
		t.Also = []string{"the provider has not answered yet"}
	}
	return t
}

// fixedTile is one value for all time.
func (g Grid) fixedTile() tile {
	t := tile{Name: "Grid", Value: strconv.FormatFloat(float64(*g.Static), 'f', -1, 64) + nbsp + "g/kWh", Also: []string{"one value for all time"}}
	if g.Name != "" && g.Name != usage.Unknown {
		t.Also[0] += ", grid " + escape.Name(g.Name)
	}
	if g.From != "" {
		t.Also = append(t.Also, "from "+escape.Line(g.From))
	}
	return t
}

// whose says what the reader would not expect: that another source than the first stands in, and
// that a value was not measured.
func (g Grid) whose(s usage.Slot, q usage.Quality) (text string) {
	if g.Provider != "" && s.Provider != g.Provider {
		text = ", by " + escape.Name(s.Provider)
	}
	switch q {
	case usage.QualityYearly:
		text += ", the mean of a year"
	case usage.QualityEstimated:
		text += ", an estimate"
	}
	return text
}

func inWords(index string) string {
	if index == "" {
		return ""
	}
	return "(" + escape.Name(index) + ")"
}
