// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package budget

import (
	"math/rand"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// zones have every oddity that clocks are known to have had.
var zones = []string{
	"UTC", "Europe/London", "Europe/Dublin", "Africa/Casablanca", "Africa/Monrovia", "America/Sao_Paulo", "America/Havana",
	"America/Goose_Bay", "America/St_Johns", "America/Juneau", "America/Asuncion", "Antarctica/Troll", "Asia/Beirut",
	"Asia/Gaza", "Asia/Kathmandu", "Asia/Kolkata", "Asia/Manila", "Asia/Tehran", "Australia/Adelaide",
	"Australia/Lord_Howe", "Pacific/Apia", "Pacific/Chatham", "Pacific/Kiritimati", "Pacific/Kwajalein",
}

// moments calls f for random times, half of them within a day of a change of
// clocks, where calendars go wrong.
func moments(t *testing.T, n int, f func(z *time.Location, at time.Time)) {
	t.Helper()
	r := rand.New(rand.NewSource(1))
	for _, name := range zones {
		z := zone(t, name)
		for i := range n {
			at := time.Unix(r.Int63n(6e9)-3.5e9, r.Int63n(1e9)).In(z) // 1859 to 2049
			if _, change := at.ZoneBounds(); i%2 == 0 && !change.IsZero() {
				at = change.Add(time.Duration(r.Int63n(int64(2*day))) - day)
			}
			f(z, at)
			if t.Failed() {
				t.Fatalf("at %s in %s", at.UTC(), name)
			}
		}
	}
}

func TestPeriodsLeaveOutNoMomentAndShareNone(t *testing.T) {
	moments(t, 60, func(z *time.Location, at time.Time) {
		for _, k := range kinds() {
			p := k.Period(at, z)
			if at.Before(p.From) || !at.Before(p.To) {
				t.Errorf("%s %v to %v does not hold the time", k, p.From, p.To)
			}
			if first, last := k.Period(p.From, z), k.Period(p.To.Add(-1), z); !same(first, p) || !same(last, p) {
				t.Errorf("%s %v to %v is another one at its first or last moment: %v, %v", k, p.From, p.To, first, last)
			}
			if next := k.Period(p.To, z); !next.From.Equal(p.To) || !next.To.After(next.From) || !same(k.Period(next.From.Add(-1), z), p) {
				t.Errorf("%s %v to %v is followed by %v to %v", k, p.From, p.To, next.From, next.To)
			}
		}
	})
}

func TestDaysMakeUpEveryOtherPeriod(t *testing.T) {
	moments(t, 8, func(z *time.Location, at time.Time) {
		for _, k := range kinds() {
			p := k.Period(at, z)
			border := p.From
			for _, d := range Split(p, Day, z) {
				if !same(d, Day.Period(d.From, z)) || !d.From.Equal(border) {
					t.Errorf("%s from %v: %v to %v is no whole day of it", k, p.From, d.From, d.To)
				}
				border = d.To
			}
			if !border.Equal(p.To) {
				t.Errorf("%s to %v: its days end %v", k, p.To, border)
			}
		}
		year := Year.Period(at, z)
		if months, quarters := Split(year, Month, z), Split(year, Quarter, z); len(months) != 12 || len(quarters) != 4 {
			t.Errorf("a year of %d months and %d quarters", len(months), len(quarters))
		}
	})
}

func TestPartsAddUp(t *testing.T) {
	r := rand.New(rand.NewSource(2))
	moments(t, 8, func(z *time.Location, at time.Time) {
		p := usage.Period{From: at, To: at.Add(time.Duration(r.Int63n(int64(800 * day))))}
		for _, k := range kinds() {
			border := p.From
			for _, part := range Split(p, k, z) {
				whole := k.Period(part.From, z)
				if !part.From.Equal(border) || part.To.After(whole.To) || !part.To.After(part.From) {
					t.Errorf("by %s: %v to %v after %v", k, part.From, part.To, border)
				}
				border = part.To
			}
			if !border.Equal(p.To) {
				t.Errorf("by %s: parts end %v, the whole %v", k, border, p.To)
			}
		}
	})
}

// A day begins with the first minute at which the calendar on the wall shows its
// date or a later one: found here by looking at every minute.
func TestDayBeginsWhenItsDateIsFirstSeen(t *testing.T) {
	latest := func(at time.Time, z *time.Location) (last time.Time) {
		for m := at.Add(-2 * day); !m.After(at); m = m.Add(time.Minute) {
			last = usage.Later(last, dateOf(m, z))
		}
		return last
	}
	looked := 0
	moments(t, 6, func(z *time.Location, at time.Time) {
		p := Day.Period(at, z)
		if p.From.Second() != 0 {
			return // before the zone counted in minutes
		}
		looked++
		if before, then := latest(p.From.Add(-time.Minute), z), latest(p.From, z); !then.After(before) {
			t.Errorf("the day from %v: %v was seen before, %v is seen then", p.From, before, then)
		}
		if first, last := latest(p.From, z), latest(p.To.Add(-time.Minute), z); !last.Equal(first) {
			t.Errorf("the day from %v is %v and ends as %v", p.From, first, last)
		}
	})
	if looked < 100 {
		t.Errorf("%d days were looked at", looked)
	}
}

func same(a, b usage.Period) bool { return a.From.Equal(b.From) && a.To.Equal(b.To) }
