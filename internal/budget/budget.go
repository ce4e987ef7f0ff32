// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Package budget knows calendar periods and the status of limits in them: consumption,
// burn rate and projection. It must not know about storage or display. Start with
// Budget.Status; Kind is the calendar, which reports also use.
package budget

import (
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// Budget is a limit on the usage of one member of a scope in a period.
type Budget struct {
	Name   string
	Scope  usage.Scope
	Target string // the member; empty for usage.ScopeAda

	// The limit applies to each calendar period of the Kind in the Zone or, if Kind is
	// empty, to Once.
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

// Period is the period at a time, and whether the time lies in it: a budget with a
// single period is not active before and after it.
func (b Budget) Period(at time.Time) (usage.Period, bool) {
	if b.Kind != "" {
		return b.Kind.Period(at, b.Zone), true
	}
	return b.Once, !at.Before(b.Once.From) && at.Before(b.Once.To)
}

// Amount is what is known about the usage of a target over a period.
type Amount struct {
	Energy    usage.KWh
	Emissions usage.Grams // of the priced part of Energy
	Priced    bool        // whether any of it is priced; if not, Emissions is not known

	// Unknown parts of the period, so that they do not count as time without usage.
	Missing  time.Duration // not fetched yet: neither energy nor emissions
	Unpriced time.Duration // energy without an intensity: no emissions
}

// knows reports whether the amount in a unit is known: the grams of unpriced energy are
// unknown, not 0.
func (a Amount) knows(u Unit) bool { return u == KWh || a.Energy == 0 || a.Priced }

// in is the amount in a unit, and how much of the period it does not cover.
func (a Amount) in(u Unit) (amount float64, unknown time.Duration) {
	if u == KWh {
		return float64(a.Energy), a.Missing
	}
	return float64(a.Emissions), a.Missing + a.Unpriced
}
