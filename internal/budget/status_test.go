// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package budget

import (
	"errors"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// Worked out by hand: a June of 720 hours, 1440 half hours, has a plan rate of 1 g
// a half hour for a limit of 1440 g.
func TestStatus(t *testing.T) {
	london := zone(t, "Europe/London")
	june := Budget{Name: "isis", Scope: usage.ScopeGroup, Target: "ISIS", Kind: Month, Zone: london, Unit: GCO2eq, Limit: 1440}
	once := Budget{
		Name: "two-days", Scope: usage.ScopeAda, Unit: GCO2eq, Limit: 96,
		Once: usage.Period{From: moment(t, "2026-06-10T00:00:00+01:00"), To: moment(t, "2026-06-12T00:00:00+01:00")},
	}
	nan := math.NaN()
	// step is 1 g a half hour and 4 from a time on.
	step := func(at string) flow {
		return func(half time.Time) Amount {
			if half.Before(moment(t, at)) {
				return Amount{Emissions: 1}
			}
			return Amount{Emissions: 4}
		}
	}
	without := func(f flow, from, to string, what func(*Amount)) flow {
		return func(half time.Time) Amount {
			a := f(half)
			if !half.Before(moment(t, from)) && half.Before(moment(t, to)) {
				what(&a)
			}
			return a
		}
	}
	missing := func(a *Amount) { *a = Amount{Missing: halfHour} }
	unpriced := func(a *Amount) { a.Emissions, a.Unpriced = 0, halfHour }

	for _, c := range []struct {
		name                   string
		budget                 Budget
		now                    string
		flow                   flow
		held, newest           string
		used                   float64
		twoHours, day1, seven7 float64
		projected              float64
	}{
		{
			"on plan", june, "2026-06-16T00:10:00+01:00", grams(1), "2026-01-01T00:00:00Z", "2026-06-16T00:00:00+01:00",
			15 * 48, 1, 1, 1, 1,
		},
		{
			"at twice the plan all month", june, "2026-06-16T00:10:00+01:00", grams(2), "2026-01-01T00:00:00Z", "2026-06-16T00:00:00+01:00",
			2 * 15 * 48, 2, 2, 2, 2,
		},
		{
			// 15 days at 1, of which the last 16 hours at 4: 720 + 3x32 = 816; a day has
			// 16 half hours of 1 and 32 of 4: 144/48; a week (336 - 32 + 4x32)/336; and 720
			// half hours to come at that.
			"a step to four times the plan crosses 3 after 16 hours", june, "2026-06-16T00:10:00+01:00",
			step("2026-06-15T08:00:00+01:00"), "2026-01-01T00:00:00Z", "2026-06-16T00:00:00+01:00",
			816, 4, 3, 432. / 336, (816 + 720*432./336) / 1440,
		},
		{
			"the turn of the month: nothing of June is known yet, the rates are of May", june, "2026-06-01T00:20:00+01:00",
			grams(2), "2026-01-01T00:00:00Z", "2026-06-01T00:00:00+01:00",
			0, 2, 2, 2, 2,
		},
		{
			"and before May is complete", june, "2026-06-01T00:01:00+01:00", grams(2), "2026-01-01T00:00:00Z", "2026-05-31T23:30:00+01:00",
			0, 2, 2, 2, 2,
		},
		{
			// A day of June and six of May, at the plan rate of June: May's own is
			// 1440/1488 and would make it 1.0333.
			"rates of the window, plan of the period", june, "2026-06-02T00:10:00+01:00", grams(1), "2026-01-01T00:00:00Z", "2026-06-02T00:00:00+01:00",
			48, 1, 1, 1, 1,
		},
		{
			"the source has been away for a day: the rest is longer by that", june, "2026-06-16T00:10:00+01:00", grams(1), "2026-01-01T00:00:00Z", "2026-06-15T00:00:00+01:00",
			14 * 48, 1, 1, 1, 1,
		},
		{
			"a record of just seven days", june, "2026-06-08T00:10:00+01:00", grams(1), "2026-06-01T00:00:00+01:00", "2026-06-08T00:00:00+01:00",
			7 * 48, 1, 1, 1, 1,
		},
		{
			"half an hour less", june, "2026-06-08T00:10:00+01:00", grams(1), "2026-06-01T00:30:00+01:00", "2026-06-08T00:00:00+01:00",
			7*48 - 1, 1, 1, nan, nan,
		},
		{
			"a record of two hours", june, "2026-06-08T00:10:00+01:00", grams(1), "2026-06-07T22:00:00+01:00", "2026-06-08T00:00:00+01:00",
			4, 1, nan, nan, nan,
		},
		{
			"a record of one interval", june, "2026-06-08T00:10:00+01:00", grams(1), "2026-06-07T23:30:00+01:00", "2026-06-08T00:00:00+01:00",
			1, nan, nan, nan, nan,
		},
		{
			"a record that began in the middle of the period has used what it holds", june, "2026-06-16T00:10:00+01:00", grams(1),
			"2026-06-06T00:00:00+01:00", "2026-06-16T00:00:00+01:00",
			10 * 48, 1, 1, 1, (480 + 720) / 1440.,
		},
		{
			"hours that are missing do not slow the rate", june, "2026-06-16T00:10:00+01:00",
			without(grams(1), "2026-06-15T23:00:00+01:00", "2026-06-16T00:00:00+01:00", missing), "2026-01-01T00:00:00Z", "2026-06-16T00:00:00+01:00",
			718, 1, 1, 1, (718 + 720) / 1440.,
		},
		{
			"nor do those without an intensity", june, "2026-06-16T00:10:00+01:00",
			without(grams(1), "2026-06-15T23:00:00+01:00", "2026-06-16T00:00:00+01:00", unpriced), "2026-01-01T00:00:00Z", "2026-06-16T00:00:00+01:00",
			718, 1, 1, 1, (718 + 720) / 1440.,
		},
		{
			"where more is missing than not, no rate is known", june, "2026-06-16T00:10:00+01:00",
			without(grams(1), "2026-06-15T22:30:00+01:00", "2026-06-16T00:00:00+01:00", unpriced), "2026-01-01T00:00:00Z", "2026-06-16T00:00:00+01:00",
			717, nan, 1, 1, (717 + 720) / 1440.,
		},
		{
			"known to use nothing", june, "2026-06-16T00:10:00+01:00", grams(0), "2026-01-01T00:00:00Z", "2026-06-16T00:00:00+01:00",
			0, 0, 0, 0, 0,
		},
		{
			"from and to: the first day of two", once, "2026-06-11T00:10:00+01:00", grams(2), "2026-01-01T00:00:00Z", "2026-06-11T00:00:00+01:00",
			96, 2, 2, 2, 2,
		},
		{
			"before it", once, "2026-06-09T23:59:00+01:00", grams(2), "2026-01-01T00:00:00Z", "2026-06-09T23:30:00+01:00",
			nan, nan, nan, nan, nan,
		},
		{
			"after it", once, "2026-06-12T00:00:00+01:00", grams(2), "2026-01-01T00:00:00Z", "2026-06-12T00:00:00+01:00",
			nan, nan, nan, nan, nan,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := status(t, c.budget, moment(t, c.now), record(c.flow, moment(t, c.held), moment(t, c.newest)))
			for _, v := range []struct {
				what      string
				got, want float64
			}{
				{"used", number(s.Used), c.used},
				{"burn of 2h", burn(s, TwoHours), c.twoHours},
				{"burn of 1d", burn(s, OneDay), c.day1},
				{"burn of 7d", burn(s, SevenDays), c.seven7},
				{"projected", number(s.Projected), c.projected},
			} {
				if !near(v.got, v.want) {
					t.Errorf("%s is %v, want %v", v.what, v.got, v.want)
				}
			}
		})
	}
}

func TestStatusIsInTheUnitOfTheBudget(t *testing.T) {
	both := func(time.Time) Amount { return Amount{Energy: 2, Emissions: 300, Priced: true, Unpriced: halfHour / 3} }
	now := moment(t, "2026-06-16T12:00:00Z")
	for _, c := range []struct {
		name                 string
		unit                 Unit
		limit, used, twoHour float64
		unknown              time.Duration
	}{
		// A day's plan of 48 x 2 kWh: on plan, priced or not.
		{"kilowatt hours", KWh, 96, 48, 1, 0},
		// Of 48 x 300 g; a third of each half hour is unpriced, the rest has all of them.
		{"grams", GCO2eq, 14400, 7200, 1.5, 4 * time.Hour},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := Budget{Kind: Day, Zone: time.UTC, Unit: c.unit, Limit: c.limit}
			s := status(t, b, now, record(both, now.AddDate(-1, 0, 0), now))
			if !near(number(s.Used), c.used) || s.Unknown != c.unknown || !near(burn(s, TwoHours), c.twoHour) {
				t.Errorf("used %v but for %s and burn %v, want %v, %s and %v", number(s.Used), s.Unknown, burn(s, TwoHours), c.used, c.unknown, c.twoHour)
			}
		})
	}
}

// The carbon API has been away since yesterday: what was used today is not 0 g.
func TestGramsOfWhatHasNoPriceAreNotKnown(t *testing.T) {
	today := moment(t, "2026-06-16T00:00:00Z")
	away := func(at time.Time) Amount {
		if at.Before(today) {
			return Amount{Energy: 2, Emissions: 300, Priced: true}
		}
		return Amount{Energy: 2, Unpriced: halfHour}
	}
	nothing := func(at time.Time) Amount {
		a := away(at)
		if !at.Before(today) {
			a.Energy = 0
		}
		return a
	}
	now, nan := today.Add(6*time.Hour), math.NaN()
	for _, c := range []struct {
		name                  string
		unit                  Unit
		flow                  flow
		used, day1, projected float64
	}{
		{"grams", GCO2eq, away, nan, 1, nan},
		{"kilowatt hours", KWh, away, 24, 150, 150},
		{"grams of no energy", GCO2eq, nothing, 0, 1, 0.75},
	} {
		t.Run(c.name, func(t *testing.T) {
			limit := map[Unit]float64{GCO2eq: 14400, KWh: 96. / 150}[c.unit]
			s := status(t, Budget{Kind: Day, Zone: time.UTC, Unit: c.unit, Limit: limit}, now, record(c.flow, today.AddDate(0, 0, -30), now))
			if !near(number(s.Used), c.used) || !near(burn(s, OneDay), c.day1) || !near(number(s.Projected), c.projected) {
				t.Errorf("used %v, burn %v and projected %v, want %v, %v and %v",
					number(s.Used), burn(s, OneDay), number(s.Projected), c.used, c.day1, c.projected)
			}
		})
	}
}

func TestOfATargetThatWasNeverSeenNothingIsKnown(t *testing.T) {
	b := Budget{Kind: Day, Zone: time.UTC, Unit: KWh, Limit: 1}
	now := moment(t, "2026-06-16T12:00:00Z")
	r := record(grams(0), now.AddDate(-1, 0, 0), now)
	r.Seen = false
	s := status(t, b, now, r)
	if s.Used != nil || s.Burn != nil || s.Projected != nil {
		t.Errorf("got %+v", s)
	}
	if !same(s.Period, Day.Period(now, time.UTC)) {
		t.Errorf("the period is %v", s.Period)
	}
}

func TestStatusReadsNoMoreThanItNeeds(t *testing.T) {
	b := Budget{Kind: Day, Zone: time.UTC, Unit: GCO2eq, Limit: 1}
	newest := moment(t, "2026-06-16T00:00:00Z")
	var asked []usage.Period
	r := Record{Seen: true, Held: usage.Period{From: newest.Add(-2 * day), To: newest}, Used: func(p usage.Period) (Amount, error) {
		asked = append(asked, p)
		return Amount{}, nil
	}}
	status(t, b, newest.Add(time.Minute), r)
	want := []usage.Period{{From: newest.Add(-2 * time.Hour), To: newest}, {From: newest.Add(-day), To: newest}}
	if !slices.EqualFunc(asked, want, same) {
		t.Errorf("asked for %v, want %v: of today there is nothing, a week is not held", asked, want)
	}
}

func TestStatusSaysWhatCouldNotBeRead(t *testing.T) {
	b := Budget{Name: "isis", Kind: Day, Zone: time.UTC, Unit: GCO2eq, Limit: 1}
	now := moment(t, "2026-06-16T12:00:00Z")
	broken := errors.New("disk I/O error")
	for _, c := range []struct {
		name, want string
		fails      int // the call that does
	}{
		{"the period so far", `budget "isis": read what is used: disk I/O error`, 1},
		{"a window", `budget "isis": read the last 1d: disk I/O error`, 3},
	} {
		t.Run(c.name, func(t *testing.T) {
			calls := 0
			r := Record{Seen: true, Held: usage.Period{From: now.AddDate(-1, 0, 0), To: now}, Used: func(usage.Period) (Amount, error) {
				if calls++; calls == c.fails {
					return Amount{}, broken
				}
				return Amount{}, nil
			}}
			_, err := b.Status(now, r)
			if !errors.Is(err, broken) || err.Error() != c.want {
				t.Errorf("got %v, want %s", err, c.want)
			}
		})
	}
}

func TestWindowsAreNamedAsLabels(t *testing.T) {
	var names []string
	for _, w := range windows() {
		names = append(names, w.String())
	}
	if want := []string{"2h", "1d", "7d"}; !slices.Equal(names, want) {
		t.Errorf("got %q, want %q", names, want)
	}
}
