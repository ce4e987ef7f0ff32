// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Package statement makes the monthly statement of a site, a project or a group: what is in it,
// its canonical text and hash, what has changed since earlier ones, and how it is written. It must
// not know where numbers are kept, nor the clock. Start with Document.
package statement

import (
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// layout is the version of what a document has and how it is written. A statement is written by the
// layout that it was issued with, so that it is the same to the byte for ever.
const layout = 1

// Document is a statement. It has no person: see Person. What is not known is nil.
type Document struct {
	Layout   int         `json:"layout"`
	Number   int         `json:"number"` // 0: a draft
	Scope    usage.Scope `json:"scope"`
	Member   string      `json:"member"` // of the scope; of ada: "ada"
	Month    string      `json:"month"`  // 2026-10
	From     time.Time   `json:"from"`
	To       time.Time   `json:"to"`
	Timezone string      `json:"timezone"`
	IssuedAt time.Time   `json:"issued_at"`
	Version  string      `json:"version"`
	Revision int64       `json:"revision"` // of the store
	Previous string      `json:"previous"` // hash of the statement before, whoever got it

	Intervals Intervals `json:"intervals"`
	Whole     *Whole    `json:"whole"` // nil: no usage of this subject is stored
	Projects  []Row     `json:"projects"`
	Machines  []Row     `json:"machines"`

	PeopleAs string   `json:"people_as"` // id, pseudonym or none
	People   []Person `json:"people"`

	Comparisons []Comparison `json:"comparisons"`
	Adjustments []Adjustment `json:"adjustments"`
	Budgets     []Budget     `json:"budgets"`
	Method      Method       `json:"method"`
	Factors     []Factor     `json:"factors"` // other factors for the same energy, never added
	Credits     []Credit     `json:"credits"`
}

// Intervals counts the intervals that begin in a month.
type Intervals struct {
	All         int `json:"all"`
	Settled     int `json:"settled"`
	Provisional int `json:"provisional"`
	Unpriced    int `json:"unpriced"`
	Empty       int `json:"empty"`
	Missing     int `json:"missing"` // due, and not fetched
	Unasked     int `json:"unasked"` // nobody has asked for them
	Ahead       int `json:"ahead"`   // not over yet
}

// Answered counts those that the source has answered for.
func (n Intervals) Answered() int { return n.All - n.Missing - n.Unasked - n.Ahead }

// Open counts those whose numbers may still change or are not there.
func (n Intervals) Open() int { return n.All - n.Settled - n.Empty }

// Row is what a member used. Energy is busy + idle + measured, and so are emissions.
type Row struct {
	Name              string  `json:"name"`
	Busy              Energy  `json:"busy_kwh"`
	Idle              Energy  `json:"idle_kwh"`
	Measured          Energy  `json:"measured_kwh"`
	Energy            Energy  `json:"energy_kwh"`
	EnergyLow         *Energy `json:"energy_low_kwh"`
	EnergyHigh        *Energy `json:"energy_high_kwh"`
	BusyEmissions     *Carbon `json:"busy_gco2eq"`
	IdleEmissions     *Carbon `json:"idle_gco2eq"`
	MeasuredEmissions *Carbon `json:"measured_gco2eq"`
	Emissions         *Carbon `json:"emissions_gco2eq"`
	EmissionsLow      *Carbon `json:"emissions_low_gco2eq"`
	EmissionsHigh     *Carbon `json:"emissions_high_gco2eq"`
	Embodied          *Carbon `json:"embodied_gco2eq"` // of making the machines, in no other number
	// Coverage is the share of CPU time that was seen, where it is known: of a project, as a whole.
	Coverage *float64 `json:"cpu_coverage_ratio"`
	Power    string   `json:"power,omitempty"` // of a machine type: where its watts come from
}

// Amounts are those of a row.
func (r Row) Amounts() Amounts {
	return Amounts{
		r.Busy, r.Idle, r.Measured, or0(r.BusyEmissions), or0(r.IdleEmissions), or0(r.MeasuredEmissions), or0(r.Embodied),
	}
}

func or0(c *Carbon) Carbon {
	if c == nil {
		return 0
	}
	return *c
}

// Whole is the subject, and shares of its energy.
type Whole struct {
	Row
	Intensity    *float64 `json:"intensity_gco2eq_per_kwh"` // emissions over priced energy
	Unpriced     float64  `json:"unpriced_ratio"`
	Provisional  float64  `json:"provisional_ratio"`
	Forecast     float64  `json:"forecast_ratio"`
	Unattributed float64  `json:"unattributed_ratio"`
	Unbounded    float64  `json:"error_unknown_ratio"` // energy whose error is not known
	Hardware     float64  `json:"embodied_known_ratio"`
}

// Person is what a person used. Seal stands for them: who they are is kept beside the document. The
// usage of nobody, and of all who may not be shown, has a label instead.
type Person struct {
	Seal  string `json:"seal,omitempty"`
	Label string `json:"label,omitempty"`
	Row
}

// Comparison is another month, as the store has it when the statement is made.
type Comparison struct {
	What      string    `json:"what"` // month_before or year_before
	Month     string    `json:"month"`
	Energy    *Energy   `json:"energy_kwh"`       // nil: no data
	Emissions *Carbon   `json:"emissions_gco2eq"` // nil: no data
	Intervals Intervals `json:"intervals"`
}

// The months to compare with.
const (
	MonthBefore = "month_before"
	YearBefore  = "year_before"
)

// Budget is where a budget of the subject stands at the end of the month.
type Budget struct {
	Name  string    `json:"name"`
	Unit  string    `json:"unit"` // gco2eq or kwh
	Limit float64   `json:"limit"`
	Used  *float64  `json:"used"`
	From  time.Time `json:"from"`
	To    time.Time `json:"to"`
}

// Method is how the numbers were made.
type Method struct {
	Power         []Share  `json:"power"`                         // where the watts come from, of the site's energy of these machine types
	PUELow        *float64 `json:"pue_low"`                       // nil: not known
	PUEHigh       *float64 `json:"pue_high"`                      // the same as the low one where it did not change
	Prices        []Price  `json:"carbon_intensity"`              // of the site's energy
	ForecastError *float64 `json:"forecast_error_gco2eq_per_kwh"` // nil: no forecast was used
	ForecastPairs int      `json:"forecast_error_pairs"`          // 0: it is the documented one
}

// Share is a part of a whole.
type Share struct {
	Name  string  `json:"name"`
	Ratio float64 `json:"ratio"`
}

// Price is where carbon intensity comes from, and of which share of the energy.
type Price struct {
	Provider string  `json:"provider"`
	Grid     string  `json:"grid"`
	Basis    string  `json:"basis"`
	Quality  string  `json:"quality"`
	Source   string  `json:"source,omitempty"` // where the operator has a fixed value from
	Ratio    float64 `json:"ratio"`
}

// Factor is what the same energy emitted by other factors.
type Factor struct {
	Name      string   `json:"name"`
	Bases     []string `json:"bases"`
	Emissions *Carbon  `json:"emissions_gco2eq"`
	Known     float64  `json:"known_ratio"` // of the energy
}

// Credit is whom a licence asks to name.
type Credit struct {
	Text    string `json:"text"`
	Licence string `json:"licence,omitempty"`
	Link    string `json:"link,omitempty"`
}
