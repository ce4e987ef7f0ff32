// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package report

import (
	"strings"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// Kind says what a row is: a member of the scope, all members outside the top, or a
// total.
type Kind string

// The kinds of rows. A name alone does not tell them: a project may be called
// "other".
const (
	Member      Kind = "member"
	Other       Kind = "other"
	PeriodTotal Kind = "period_total" // of one day, week or month
	Total       Kind = "total"        // of the whole report
)

// Row is one member in one period: the whole range, or a day, week or month. Tags are
// the names in CSV and JSON. Nil means unknown, which is never 0.
type Row struct {
	Kind        Kind    `json:"row"`
	Start       string  `json:"period_start"`
	End         string  `json:"period_end"`
	Scope       string  `json:"scope"`
	Name        string  `json:"name"`
	DisplayName *string `json:"display_name,omitempty"` // nil: not asked for

	// Busy, idle and measured energy are all of it; so are their emissions. Measured is what
	// devices used that have meters of their own.
	BusyCPU    float64  `json:"busy_cpu_seconds"`
	IdleCPU    float64  `json:"idle_cpu_seconds"`
	BusyEnergy float64  `json:"busy_kwh"`
	IdleEnergy float64  `json:"idle_kwh"`
	Energy     float64  `json:"energy_kwh"`
	EnergyLow  *float64 `json:"energy_low_kwh"`
	EnergyHigh *float64 `json:"energy_high_kwh"`

	BusyEmissions *float64 `json:"busy_gco2eq"`
	IdleEmissions *float64 `json:"idle_gco2eq"`
	Emissions     *float64 `json:"emissions_gco2eq"`
	EmissionsLow  *float64 `json:"emissions_low_gco2eq"`
	EmissionsHigh *float64 `json:"emissions_high_gco2eq"`
	Intensity     *float64 `json:"intensity_gco2eq_per_kwh"` // emissions over priced energy

	// Shares of energy.
	Idle         *float64 `json:"idle_ratio"`
	Unpriced     *float64 `json:"unpriced_ratio"`
	Provisional  *float64 `json:"provisional_ratio"`
	Forecast     *float64 `json:"forecast_ratio"`
	Unattributed *float64 `json:"unattributed_ratio"`
	Unbounded    *float64 `json:"error_unknown_ratio"`

	Coverage  *float64 `json:"cpu_coverage_ratio"`
	Intervals int      `json:"intervals"`
	Answered  int      `json:"intervals_answered"`
	Empty     int      `json:"intervals_empty"`

	// Later columns come at the end, so that the others stay where they were.
	MeasuredEnergy    float64  `json:"measured_kwh"`
	MeasuredEmissions *float64 `json:"measured_gco2eq"`
	Embodied          *float64 `json:"embodied_gco2eq"`        // of making the machines, in no other column; nil: not configured for any
	PowerSource       *string  `json:"power_source,omitempty"` // of a machine type, most energy first; nil: not of one
	Basis             string   `json:"basis"`                  // of the prices of the site in the period, most energy first
	Quality           string   `json:"quality"`                // the same

	Equivalents Amounts `json:"equivalents,omitempty"` // nil: not asked for

	Factors FactorAmounts `json:"factors,omitempty"` // by other factors; nil: not asked for

	label    string      // of the period, for people
	made     usage.Grams // embodied emissions, as far as they are known
	hardware *float64    // share of CPU time of which they are; nil: there is none
}

// row makes a row of the tally of members.
func (r *Report) row(kind Kind, s Stretch, t usage.Tally, members ...usage.Tally) Row {
	row := Row{
		Kind: kind, Scope: r.called(string(r.Scope)), Name: r.called(t.Name), label: r.label(kind, s.Period),
		Start: s.From.In(r.Zone).Format(time.RFC3339), End: s.To.In(r.Zone).Format(time.RFC3339),
		BusyCPU: float64(t.CPU.Busy), IdleCPU: float64(t.CPU.Idle),
		BusyEnergy: float64(t.Energy.Busy), IdleEnergy: float64(t.Energy.Idle), MeasuredEnergy: float64(t.Energy.Measured), Energy: float64(t.Energy.Total()),
		Intervals: s.Intervals.All, Answered: s.Intervals.answered(), Empty: s.Intervals.Empty,
	}
	if kind == Member {
		name, _ := r.shownAs(t.Name)
		row.Name = r.called(name)
	}
	row.PowerSource = r.sourceOf(kind, t.Name)
	row.Basis, row.Quality = strings.Join(most(s.Prices.bases()), "; "), strings.Join(most(s.Prices.qualities()), "; ")
	if r.Names != nil {
		name := r.Names[t.Name]
		if kind != Member {
			name = ""
		}
		row.DisplayName = &name
	}
	if b, ok := EnergyBounds(t); ok && r.Lake == nil {
		row.EnergyLow, row.EnergyHigh = value(b.Low), value(b.High)
	}
	if t.Priced {
		row.BusyEmissions, row.IdleEmissions, row.MeasuredEmissions = value(t.Emissions.Busy), value(t.Emissions.Idle), value(t.Emissions.Measured)
		row.Emissions = value(t.Emissions.Total())
		row.Intensity = ratio(t.Emissions.Total(), usage.Grams(t.Energy.Total()-t.Unpriced))
	}
	if t.Hardware > 0 { // of old hardware it may be 0
		row.Embodied = value(t.Embodied)
	}
	if b, ok := EmissionsBounds(t, r.Forecasts.Mean); ok && r.Lake == nil {
		row.EmissionsLow, row.EmissionsHigh = value(b.Low), value(b.High)
	}
	share := func(part usage.KWh) *float64 { return part01(ratio(part, t.Energy.Total())) }
	row.Idle, row.Unpriced, row.Provisional = share(t.Energy.Idle), share(t.Unpriced), share(t.Provisional)
	row.Forecast, row.Unattributed, row.Unbounded = share(t.Forecast), share(t.Unattributed), share(t.Undoubted)
	if r.Lake != nil && row.Unbounded != nil {
		row.Unbounded = value(1.0)
	}
	row.made, row.hardware = t.Embodied, part01(ratio(t.Hardware, t.CPU.Total()))
	row.Factors = r.factorsOf(s, t, members)
	if seen := r.seen(s, members...); seen != nil {
		row.Coverage = ratio(seen.Seen, seen.Capacity)
	}
	if r.Equivalents {
		row.Equivalents = amounts(row.Emissions)
	}
	return row
}

func value[T ~float64](v T) *float64 {
	f := float64(v)
	return &f
}

// ratio is a part of a whole; nil if the whole is 0.
func ratio[T ~float64](part, whole T) *float64 {
	if whole <= 0 {
		return nil
	}
	return value(part / whole)
}

// part01 clamps a share that rounding has moved out of [0, 1].
func part01(v *float64) *float64 {
	if v == nil {
		return nil
	}
	return value(min(1, max(0, *v)))
}
