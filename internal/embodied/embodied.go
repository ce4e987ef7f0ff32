// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Package embodied spreads the emissions of making a server over the time in which it is used. It
// knows nothing of electricity, and nothing of who used the server. Start with Hardware.Rate.
package embodied

import (
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// year is the mean year of the Gregorian calendar.
const year = time.Duration(365.2425 * 24 * float64(time.Hour))

// Hardware is a kind of server.
type Hardware struct {
	Made   usage.Grams // what was emitted to make, move and scrap it
	Life   time.Duration
	Cores  float64   // that the CPU time of its machines is counted in
	Bought time.Time // zero: not known, and it is in its years of use at any time
}

// Years is a number of years of use.
func Years(n float64) time.Duration { return time.Duration(n * float64(year)) }

// Rate returns the emissions of each core and hour in an interval: those of making the server,
// spread evenly over its life and its cores. Before it was bought and once it is paid off, that
// is 0. An interval that is partly within its life has that part of the rate.
//
// It is the M of the Software Carbon Intensity (ISO/IEC 21031:2024): TE x TiR/EL x RR/ToR, with
// the time TiR and the cores RR that are reserved given by the CPU time.
func (h Hardware) Rate(i usage.Interval) usage.GramsPerCoreHour {
	if h.Life <= 0 || h.Cores <= 0 || i.Length <= 0 {
		return 0
	}
	rate := usage.GramsPerCoreHour(float64(h.Made) / h.Life.Hours() / h.Cores)
	if h.Bought.IsZero() {
		return rate
	}
	from, to := usage.Later(i.Start, h.Bought), usage.Earlier(i.End(), h.EndOfUse())
	within := max(to.Sub(from), 0)
	return rate * usage.GramsPerCoreHour(within.Seconds()/i.Length.Seconds())
}

// EndOfUse is when the years of use are over; zero: nobody says when it was bought.
func (h Hardware) EndOfUse() time.Time {
	if h.Bought.IsZero() {
		return h.Bought
	}
	return h.Bought.Add(h.Life)
}

// Fleet is the hardware that machine types run on.
type Fleet struct {
	Default  *Hardware // nil: that of a type that is not in Machines is not known
	Machines map[string]Hardware
}

// Under returns the hardware under a machine type; ok is false if it is not known.
func (f Fleet) Under(machine string) (h Hardware, ok bool) {
	if h, ok = f.Machines[machine]; !ok && f.Default != nil {
		return *f.Default, true
	}
	return h, ok
}

// Rate is that of a machine type; ok is false if its hardware is not known, which is not 0.
func (f Fleet) Rate(machine string, i usage.Interval) (rate usage.GramsPerCoreHour, ok bool) {
	h, ok := f.Under(machine)
	return h.Rate(i), ok
}
