// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package report

import (
	"math"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// Units are what usage is divided by: the R of the Software Carbon Intensity, such as jobs.
type Units struct {
	Unit       string // what one of them is, for people; empty: not said
	Expression string // PromQL that has counted them; empty: a number that was given
	At         time.Time
	Over       time.Duration // that Expression was evaluated at and for
	Label      string        // by which an expression gives them to members; empty: the scope has none

	Site    *float64           // of the whole site; nil: the sum of Members
	Members map[string]float64 // by member; nil: they are of the whole site alone
}

// SCI is the Software Carbon Intensity of a report, (E x I + M) / R by ISO/IEC 21031:2024. E is
// energy and I the intensity of each half hour, so that E x I are emissions; M are embodied ones.
type SCI struct {
	Report
	Per Units
}

// standard is where the formula is from.
const standard = "ISO/IEC 21031:2024"

// Rate is the Software Carbon Intensity of one member. Tags are the names in CSV and JSON. Nil
// means unknown, which is never 0.
type Rate struct {
	Kind        Kind    `json:"row"`
	Scope       string  `json:"scope"`
	Name        string  `json:"name"`
	DisplayName *string `json:"display_name,omitempty"` // nil: not asked for

	Energy      float64  `json:"energy_kwh"`
	Intensity   *float64 `json:"intensity_gco2eq_per_kwh"`
	Operational *float64 `json:"operational_gco2eq"` // E x I, as far as it is priced
	Unpriced    *float64 `json:"unpriced_ratio"`     // share of energy that is not
	Embodied    *float64 `json:"embodied_gco2eq"`    // M, of all CPU time or nil
	Hardware    *float64 `json:"hardware_known_ratio"`
	R           *float64 `json:"r"`

	OperationalPer *float64 `json:"operational_gco2eq_per_r"` // without M it is no SCI
	SCI            *float64 `json:"sci_gco2eq_per_r"`
	Low            *float64 `json:"sci_low_gco2eq_per_r"`
	High           *float64 `json:"sci_high_gco2eq_per_r"`
}

// rates makes the rates of the rows of the whole report.
func (s *SCI) rates() []Rate {
	var all []Rate
	for _, row := range s.rows() {
		all = append(all, s.rate(row))
	}
	return all
}

func (s *SCI) rate(row Row) Rate {
	r := Rate{
		Kind: row.Kind, Scope: row.Scope, Name: row.Name, DisplayName: row.DisplayName,
		Energy: row.Energy, Intensity: row.Intensity, Operational: row.Emissions, Unpriced: row.Unpriced,
		Hardware: row.hardware, R: s.units(row),
	}
	if r.Hardware != nil && *r.Hardware >= nearlyAll {
		r.Embodied = value(row.made)
	}
	if r.R == nil || row.Emissions == nil || !r.priced() {
		return r
	}
	per := func(grams float64) *float64 { return value(grams / *r.R) }
	r.OperationalPer = per(*row.Emissions)
	if r.Embodied == nil {
		return r
	}
	r.SCI = per(*row.Emissions + *r.Embodied)
	if row.EmissionsLow != nil && row.EmissionsHigh != nil {
		r.Low, r.High = per(*row.EmissionsLow+*r.Embodied), per(*row.EmissionsHigh+*r.Embodied)
	}
	return r
}

// priced reports whether all energy has an intensity.
func (r Rate) priced() bool { return r.Unpriced == nil || *r.Unpriced <= 1-nearlyAll }

// units returns R of a row; nil if it is not known, or nothing can be divided by it.
func (s *SCI) units(row Row) *float64 {
	if row.Kind == Member && s.Scope != usage.ScopeAda {
		return s.unitsOf(row.Name)
	}
	if row.Kind == Other {
		named := s.named()
		var others []string
		for _, m := range s.Whole.Members {
			if !named[m.Name] {
				others = append(others, m.Name)
			}
		}
		return s.unitsOf(others...)
	}
	if s.Per.Site != nil {
		return divisor(*s.Per.Site)
	}
	var all []string
	for name := range s.Per.Members {
		all = append(all, name)
	}
	return s.unitsOf(all...)
}

// unitsOf adds up R of members, as far as it is known.
func (s *SCI) unitsOf(members ...string) *float64 {
	var sum usage.Sum
	for _, name := range members {
		if r := divisor(s.Per.Members[name]); r != nil {
			sum.Add(*r)
		}
	}
	return divisor(sum.Float64())
}

// divisor is nil for what nothing can be divided by.
func divisor(r float64) *float64 {
	if r > 0 && !math.IsInf(r, 0) {
		return &r
	}
	return nil
}
