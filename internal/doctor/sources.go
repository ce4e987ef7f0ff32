// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package doctor

import (
	"fmt"
	"strings"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// SourceRow is a source of carbon intensity in a table.
type SourceRow struct {
	Provider string `json:"provider"`
	Grid     string `json:"grid"`
	For      string `json:"for"`
	// LastDay and ComingDay are how many half hours of the last 24 hours and of the next have a
	// value, of 48. nil: there was no answer, or there never is a forecast.
	LastDay   *int `json:"last_day_half_hours"`
	ComingDay *int `json:"coming_day_half_hours"`
	// Grain is how long the values of the provider are, such as 5m; empty: not known.
	Grain   string         `json:"grain"`
	Basis   string         `json:"basis"`   // the parts that are known
	Quality map[string]int `json:"quality"` // half hours of the last day; "" is what the provider does not say
	Newest  *time.Time     `json:"newest"`  // the end of the newest half hour with a value
	Age     *float64       `json:"newest_age_seconds"`
	Calls   int            `json:"calls_a_day"`
	Licence string         `json:"licence"`
	Credit  string         `json:"credit"`
	Link    string         `json:"link"`
	Remarks []string       `json:"remarks"`
	Failure string         `json:"failure,omitempty"` // in plain words
	Asked   bool           `json:"asked"`
}

// dayOfSlots is how many half hours a day has.
const dayOfSlots = int(24 * time.Hour / usage.SlotLength)

// Row sums up a source.
func (s GridSource) Row(now time.Time) SourceRow {
	r := SourceRow{
		Provider: s.Provider, Grid: s.Grid, For: s.For, Basis: s.Terms.Basis.String(), Quality: map[string]int{}, Calls: s.Calls,
		Licence: s.Terms.Licence, Credit: s.Terms.Credit, Link: s.Terms.Link, Remarks: append([]string{}, s.Remarks...), Asked: !s.Unasked,
	}
	end := usage.SlotAt(now)
	var lately int
	for _, slot := range s.Lately {
		price, ok := slot.Price()
		if !ok || slot.From.Before(end.Add(-24*time.Hour)) || !slot.From.Before(end) {
			continue
		}
		lately++
		r.Quality[string(price.Quality)]++
	}
	var coming int
	for _, slot := range s.Coming {
		if slot.Forecast != nil && !slot.From.Before(end) && slot.From.Before(end.Add(24*time.Hour)) {
			coming++
		}
	}
	newest, found := s.newest()
	if found || s.Failed == nil && !s.Unasked {
		r.LastDay = &lately
	}
	if s.Terms.Forecasts && s.Ahead == nil && s.Failed == nil && !s.Unasked {
		r.ComingDay = &coming
	}
	if found && s.Fixed == nil {
		at := newest.From.Add(usage.SlotLength).UTC()
		r.Newest, r.Age = &at, new(now.Sub(at).Seconds())
	}
	r.Grain = s.grain(r.Quality, found)
	if s.Failed != nil {
		r.Failure = usage.Cause(s.Failed)
	}
	return r
}

func (s GridSource) grain(qualities map[string]int, found bool) string {
	switch {
	case s.Fixed != nil:
		return "all time"
	case len(qualities) == 1 && qualities[string(usage.QualityYearly)] > 0:
		return "year"
	case s.Grain > 0:
		return short(s.Grain)
	case found:
		return short(usage.SlotLength)
	}
	return ""
}

// short writes 1h0m0s as 1h.
func short(d time.Duration) string {
	text := d.String()
	for _, rest := range []string{"m0s", "h0m"} {
		if strings.HasSuffix(text, rest) {
			text = text[:len(text)-2]
		}
	}
	return text
}

// Cells are the row of a source in a table for people, under SourceHeads.
func (s GridSource) Cells(now time.Time) []string {
	r := s.Row(now)
	lately, coming := ofADay(r.LastDay), ofADay(r.ComingDay)
	if s.Unasked {
		lately, coming = "not asked", "not asked"
	}
	if !s.Terms.Forecasts {
		coming = "-"
	}
	return []string{
		r.Provider, r.Grid, r.For, lately, coming, or(r.Grain), basisCell(s.Terms.Basis), qualities(r.Quality), age(r.Age),
		fmt.Sprint(r.Calls), or(r.Licence), or(r.Credit),
	}
}

// SourceHeads name what Cells has.
func SourceHeads() []string {
	return []string{"SOURCE", "GRID", "FOR", "LAST DAY", "COMING DAY", "GRAIN", "BASIS", "QUALITY", "NEWEST", "CALLS A DAY", "LICENCE", "CREDIT"}
}

func ofADay(n *int) string {
	if n == nil {
		return "no answer"
	}
	return fmt.Sprintf("%d of %d", *n, dayOfSlots)
}

func or(text string) string {
	if text == "" {
		return "-"
	}
	return text
}

func basisCell(b usage.Basis) string {
	var parts []string
	for _, part := range []string{b.Signal, b.Emissions, b.Electricity} {
		if part == "" {
			part = "?"
		}
		parts = append(parts, part)
	}
	return strings.Join(parts, " ")
}

// qualities writes the share of each, the best first.
func qualities(of map[string]int) string {
	all := 0
	for _, n := range of {
		all += n
	}
	var parts []string
	for _, q := range append(usage.Qualities(), "") {
		n := of[string(q)]
		if n == 0 {
			continue
		}
		name := string(q)
		if name == "" {
			name = "not said"
		}
		if n < all {
			name = share(n, all) + " " + name
		}
		parts = append(parts, name)
	}
	return or(strings.Join(parts, ", "))
}

func age(seconds *float64) string {
	if seconds == nil {
		return "-"
	}
	return roughly(max(time.Duration(*seconds)*time.Second, 0)) + " ago"
}
