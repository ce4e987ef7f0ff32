// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package budget

import (
	"fmt"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// Window is a duration before the newest usage, over which a rate is calculated.
type Window time.Duration

// The windows of burn ratios. Shorter than two hours there is too little data, because
// usage arrives every half hour. Longer than a week, a change would hardly show.
const (
	TwoHours  = Window(2 * time.Hour)
	OneDay    = Window(day)
	SevenDays = Window(7 * day)
)

const day = 24 * time.Hour

// windows lists them, the shortest first.
func windows() []Window { return []Window{TwoHours, OneDay, SevenDays} }

// String is the window as the label of a metric has it: 2h, 7d.
func (w Window) String() string {
	if d := time.Duration(w); d%day != 0 {
		return fmt.Sprintf("%dh", d/time.Hour)
	}
	return fmt.Sprintf("%dd", time.Duration(w)/day)
}

// Record is what a budget needs to know about stored usage.
type Record struct {
	// Held is the period from the start of the first stored interval to the end of the
	// newest complete one.
	Held usage.Period
	// Seen reports whether the target ever had usage: the usage of an unknown target is
	// unknown, not 0.
	Seen bool
	// Used is the usage of the target in a period, which lies within Held unless it
	// started earlier. It sums the half hours that start in the period, so that
	// adjacent periods add up.
	Used func(usage.Period) (Amount, error)
}

// Status is the status of a budget at a time.
type Status struct {
	Period usage.Period
	// Used is the consumption in the period until the end of the newest complete
	// interval, in the unit of the budget. It is nil if unknown: the budget is not
	// active or its target was never seen (then there are no ratios either), or it is
	// in grams and nothing in the period is priced yet.
	Used *float64
	// Unknown is how much of the period, until then, is not in Used: time that is missing or,
	// for a budget in grams, not priced.
	Unknown time.Duration
	// Burn holds the ratios of the windows covered by the store, the shortest first.
	Burn []Burn
	// Projected is the consumption at the end of the period, at the rate of the last
	// seven days, divided by the limit. It is nil if the store covers less or Used is
	// nil.
	Projected *float64
}

// Burn is the consumption rate over a window, divided by the rate that would exactly
// exhaust the budget over its period: 1 is on plan. It is not the burn rate of an error
// budget.
type Burn struct {
	Window Window
	Ratio  float64
}

// Status calculates the status at a time. Windows may start before the period: the rate
// is compared with the plan of the current period, wherever it was measured.
func (b Budget) Status(now time.Time, r Record) (Status, error) {
	period, inForce := b.Period(now)
	s := Status{Period: period}
	if !inForce || !r.Seen {
		return s, nil
	}
	newest := r.Held.To
	// Usage after the period does not count. Before the first interval of a new period
	// is complete, nothing is known of it yet.
	soFar := usage.Period{From: period.From, To: usage.Earlier(usage.Later(newest, period.From), period.To)}
	used, known := 0.0, true
	if soFar.To.After(soFar.From) {
		a, err := r.Used(soFar)
		if err != nil {
			return Status{}, fmt.Errorf("budget %q: read what is used: %w", b.Name, err)
		}
		used, s.Unknown = a.in(b.Unit)
		known = a.knows(b.Unit)
	}
	if known {
		s.Used = &used
	}
	for _, w := range windows() {
		rate, held, err := b.rate(w, r)
		if err != nil {
			return Status{}, fmt.Errorf("budget %q: read the last %s: %w", b.Name, w, err)
		}
		if !held {
			continue
		}
		s.Burn = append(s.Burn, Burn{w, rate * length(period).Seconds() / b.Limit})
		if w == SevenDays && known {
			projected := (used + rate*period.To.Sub(soFar.To).Seconds()) / b.Limit
			s.Projected = &projected
		}
	}
	return s, nil
}

// rate is the mean consumption per second over the window that ends with the newest
// usage. Time without data does not count, so a missing hour neither lowers the rate
// nor silences an alert. It is false if the window starts before the first stored
// interval, or more than half of it is unknown.
func (b Budget) rate(w Window, r Record) (float64, bool, error) {
	window := usage.Period{From: r.Held.To.Add(-time.Duration(w)), To: r.Held.To}
	if window.From.Before(r.Held.From) {
		return 0, false, nil
	}
	a, err := r.Used(window)
	if err != nil {
		return 0, false, err
	}
	amount, unknown := a.in(b.Unit)
	known := time.Duration(w) - unknown
	if known < unknown {
		return 0, false, nil
	}
	return amount / known.Seconds(), true, nil
}

func length(p usage.Period) time.Duration { return p.To.Sub(p.From) }
