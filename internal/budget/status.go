package budget

import (
	"fmt"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// Window is a time before the newest usage over which a rate is taken.
type Window time.Duration

// The windows of burn ratios. Under two hours there is no data: usage arrives by
// the half hour. One of more than a week would hardly notice a change.
const (
	TwoHours  = Window(2 * time.Hour)
	OneDay    = Window(day)
	SevenDays = Window(7 * day)
)

const day = 24 * time.Hour

// Windows lists them, the shortest first.
func Windows() []Window { return []Window{TwoHours, OneDay, SevenDays} }

// String is the window as the label of a metric has it: 2h, 7d.
func (w Window) String() string {
	if d := time.Duration(w); d%day != 0 {
		return fmt.Sprintf("%dh", d/time.Hour)
	}
	return fmt.Sprintf("%dd", time.Duration(w)/day)
}

// Record is what a budget asks of the record of usage.
type Record struct {
	// Held is from the start of the first interval on record to the end of the
	// newest complete one.
	Held usage.Period
	// Seen says whether there ever was usage of the target: what nobody has heard
	// of is not known to use nothing.
	Seen bool
	// Used is what the target used in the period, which lies within Held but for
	// one that began before it: the sum over the pieces that begin in it, so that
	// adjacent periods add up.
	Used func(usage.Period) (Amount, error)
}

// Status is how a budget stands at a time.
type Status struct {
	Period usage.Period
	// Used of Limit in the period until the end of the newest complete interval, in
	// the budget's unit. Nil where nothing is known: the budget is not in force or
	// its target was never seen, and then there are no ratios either; or it is in
	// grams and nothing that was used in the period is priced yet.
	Used *float64
	// Burn ratios of the windows that the record holds, the shortest first.
	Burn []Burn
	// Projected is what will have been used of the period when it ends if it goes on
	// as in the last seven days, over the limit; nil if the record holds fewer or Used
	// is not known.
	Projected *float64
}

// Burn is the rate of a window over the rate that uses up the limit in just the
// period: at 1 all goes to plan. It is not the burn rate of an error budget, which
// has no plan but 0.
type Burn struct {
	Window Window
	Ratio  float64
}

// Status is how the budget stands now. The windows reach back over the turn of
// the period: a rate does not care on which side of midnight it was measured, and
// it is the plan of the current period that it is held to.
func (b Budget) Status(now time.Time, r Record) (Status, error) {
	period, inForce := b.Period(now)
	s := Status{Period: period}
	if !inForce || !r.Seen {
		return s, nil
	}
	newest := r.Held.To
	// What is newer than the period is not its own, and before its first interval is
	// complete, nothing of it is known but that all of it is to come.
	soFar := usage.Period{From: period.From, To: earlier(later(newest, period.From), period.To)}
	used, known := 0.0, true
	if soFar.To.After(soFar.From) {
		a, err := r.Used(soFar)
		if err != nil {
			return Status{}, fmt.Errorf("budget %q: read what is used: %w", b.Name, err)
		}
		used, _ = a.in(b.Unit)
		known = a.knows(b.Unit)
	}
	if known {
		s.Used = &used
	}
	for _, w := range Windows() {
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

// rate is the mean rate of use, a second, in the window that ends with the record.
// It is over the time that is known: an hour that is still to be fetched neither
// slows it nor silences an alert. False is a window that began before the record,
// or of which more is unknown than known.
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

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
