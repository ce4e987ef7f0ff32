// Package budget knows the periods of a calendar and how a limit stands in one:
// what is used of it, how fast it burns and where that ends. It must not know
// where amounts are kept, nor how they are shown. Start with Budget.Status; Kind
// is the calendar below it, which reports use too.
package budget

import (
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// Budget is a limit on what one member of a scope uses in a period.
type Budget struct {
	Name   string
	Scope  usage.Scope
	Target string // the member; empty for usage.ScopeAda

	// The limit holds in each calendar period of the Kind in the Zone, or, if Kind
	// is empty, Once.
	Kind Kind
	Zone *time.Location
	Once usage.Period

	Unit  Unit
	Limit float64 // in Unit, above 0
}

// Unit is what a budget limits.
type Unit string

// The units of a limit.
const (
	GCO2eq Unit = "gco2eq"
	KWh    Unit = "kwh"
)

// Period is the period of the limit at a time, and whether the time lies in it:
// before and after its one period a budget is not in force.
func (b Budget) Period(at time.Time) (usage.Period, bool) {
	if b.Kind != "" {
		return b.Kind.Period(at, b.Zone), true
	}
	return b.Once, !at.Before(b.Once.From) && at.Before(b.Once.To)
}

// Amount is what is known of a target's use of a stretch of time.
type Amount struct {
	Energy    usage.KWh
	Emissions usage.Grams // of the priced part of Energy
	Priced    bool        // whether any of it is priced; if not, Emissions is not known

	// How much of the stretch is not known, so that it is not taken for time in
	// which nothing was used.
	Missing  time.Duration // not fetched yet: neither energy nor emissions
	Unpriced time.Duration // energy without an intensity: no emissions
}

// knows says whether the amount in a unit is known at all: grams of energy none of
// which is priced are not 0.
func (a Amount) knows(u Unit) bool { return u == KWh || a.Energy == 0 || a.Priced }

// in is the amount in a unit, and how much of the stretch that leaves out.
func (a Amount) in(u Unit) (amount float64, unknown time.Duration) {
	if u == KWh {
		return float64(a.Energy), a.Missing
	}
	return float64(a.Emissions), a.Missing + a.Unpriced
}
