// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package budget

import (
	"math/rand"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// situations calls f for budgets of every kind at random moments, half of them
// within hours of the turn of a period, with usage that goes up and down.
func situations(t *testing.T, f func(r *rand.Rand, b Budget, now, newest time.Time, fl flow)) {
	t.Helper()
	r := rand.New(rand.NewSource(3))
	for _, name := range []string{"Europe/London", "Asia/Kathmandu", "America/Sao_Paulo", "Pacific/Apia"} {
		z := zone(t, name)
		for range 8 {
			for _, k := range kinds() {
				b := Budget{Kind: k, Zone: z, Unit: GCO2eq, Limit: 1 + r.Float64()*1e6}
				now := time.Unix(1.3e9+r.Int63n(6e8), 0)
				if r.Intn(2) == 0 {
					now = k.Period(now, z).To.Add(time.Duration(r.Int63n(int64(6*time.Hour))) - 3*time.Hour)
				}
				newest := usage.FloorEpoch(now.Add(-time.Duration(r.Int63n(int64(3*time.Hour)))), halfHour)
				busy := make([]usage.Grams, 97) // by six hours, again and again
				for i := range busy {
					busy[i] = usage.Grams(r.Float64() * 100)
				}
				f(r, b, now, newest, func(at time.Time) Amount {
					return Amount{Emissions: busy[at.Unix()/(6*3600)%int64(len(busy))]}
				})
				if t.Failed() {
					t.Fatalf("a budget by %s in %s at %s, newest %s", k, name, now.UTC(), newest)
				}
			}
		}
	}
}

func TestARateThatNeverChangesHasOneBurnAndOneProjection(t *testing.T) {
	situations(t, func(r *rand.Rand, b Budget, now, newest time.Time, _ flow) {
		p, _ := b.Period(now)
		if p.From.Sub(usage.FloorEpoch(p.From, halfHour)) != 0 || p.To.Sub(usage.FloorEpoch(p.To, halfHour)) != 0 {
			return // a period that begins inside a half hour has a whole number of them, and another length
		}
		ratio := 5 * r.Float64()
		perHalfHour := ratio * b.Limit * halfHour.Seconds() / length(p).Seconds()
		s := status(t, b, now, record(grams(usage.Grams(perHalfHour)), p.From.AddDate(0, 0, -9), newest))
		for _, w := range windows() {
			if got := burn(s, w); !near(got, ratio) {
				t.Errorf("burn of %s is %v, want %v", w, got, ratio)
			}
		}
		if got := number(s.Projected); !near(got, ratio) {
			t.Errorf("projected is %v, want %v", got, ratio)
		}
	})
}

// A step from b0 to b crosses a threshold F after w (F-b0)/(b-b0), also over the
// turn of a period of the same length.
func TestAStepCrossesWhenTheMathematicsSays(t *testing.T) {
	r := rand.New(rand.NewSource(4))
	b := Budget{Kind: Day, Zone: time.UTC, Unit: GCO2eq, Limit: 4800} // plan: 100 g a half hour
	for range 500 {
		w := windows()[r.Intn(3)]
		b0, b1 := r.Float64(), 2+3*r.Float64()
		threshold := b0 + (b1-b0)*r.Float64()
		step := usage.FloorEpoch(time.Unix(1.7e9+r.Int63n(1e8), 0), halfHour)
		f := func(at time.Time) Amount {
			if at.Before(step) {
				return Amount{Emissions: usage.Grams(100 * b0)}
			}
			return Amount{Emissions: usage.Grams(100 * b1)}
		}
		want := time.Duration(float64(w) * (threshold - b0) / (b1 - b0))
		for _, after := range []time.Duration{want.Truncate(halfHour), want.Truncate(halfHour) + halfHour} {
			newest := step.Add(after)
			s := status(t, b, newest, record(f, step.AddDate(0, 0, -8), newest))
			if got := burn(s, w); got > threshold != (after > want) {
				t.Fatalf("a step from %v to %v: burn of %s is %v after %v, should cross %v after %v", b0, b1, w, got, after, threshold, want)
			}
		}
	}
}

func TestTwiceTheUseAndTwiceTheLimitChangeNoRatio(t *testing.T) {
	situations(t, func(_ *rand.Rand, b Budget, now, newest time.Time, f flow) {
		from := newest.AddDate(0, 0, -9)
		one := status(t, b, now, record(f, from, newest))
		twice := b
		twice.Limit *= 2
		two := status(t, twice, now, record(func(at time.Time) Amount { return Amount{Emissions: 2 * f(at).Emissions} }, from, newest))
		if !near(2*number(one.Used), number(two.Used)) || !near(number(one.Projected), number(two.Projected)) {
			t.Errorf("%+v, and with twice the use of twice the limit %+v", one, two)
		}
		for _, w := range windows() {
			if !near(burn(one, w), burn(two, w)) {
				t.Errorf("burn of %s is %v and %v", w, burn(one, w), burn(two, w))
			}
		}
	})
}

func TestTargetsAddUp(t *testing.T) {
	situations(t, func(r *rand.Rand, b Budget, now, newest time.Time, f flow) {
		from, share := newest.AddDate(0, 0, -40), usage.Grams(r.Float64())
		part := func(share usage.Grams) Status {
			return status(t, b, now, record(func(at time.Time) Amount { return Amount{Emissions: share * f(at).Emissions} }, from, newest))
		}
		all, some, rest := part(1), part(share), part(1-share)
		if !near(number(all.Used), number(some.Used)+number(rest.Used)) {
			t.Errorf("used %v is not %v and %v", number(all.Used), number(some.Used), number(rest.Used))
		}
		if !near(number(all.Projected), number(some.Projected)+number(rest.Projected)) {
			t.Errorf("projected %v is not %v and %v", number(all.Projected), number(some.Projected), number(rest.Projected))
		}
		for _, w := range windows() {
			if !near(burn(all, w), burn(some, w)+burn(rest, w)) {
				t.Errorf("burn of %s is %v, not %v and %v", w, burn(all, w), burn(some, w), burn(rest, w))
			}
		}
	})
}

// What is used up to the end of a period, and what is used of the days in it.
func TestUsedOfAPeriodIsThatOfItsDays(t *testing.T) {
	situations(t, func(_ *rand.Rand, b Budget, now, _ time.Time, f flow) {
		if b.Kind == Year || b.Kind == Quarter {
			return // as a month, only slower
		}
		p, _ := b.Period(now)
		r := record(f, p.From.AddDate(0, 0, -9), p.To.AddDate(0, 0, 1))
		whole := number(status(t, b, p.To.Add(-1), r).Used)
		var days float64
		daily := b
		daily.Kind = Day
		for _, d := range Split(p, Day, b.Zone) {
			days += number(status(t, daily, d.From, r).Used)
		}
		if !near(whole, days) {
			t.Errorf("used %v, of its days %v", whole, days)
		}
	})
}
