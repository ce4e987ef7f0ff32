// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package intensity

import (
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/upstream"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// direct hands requests to a handler, without a network, so that time can be that of a bubble.
type direct struct{ http.Handler }

func (d direct) RoundTrip(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	d.ServeHTTP(w, r)
	return w.Result(), nil
}

// clockFrom is a clock that stands at a time now, and goes on with that of the bubble.
func clockFrom(start time.Time) func() time.Time {
	began := time.Now()
	return func() time.Time { return start.Add(time.Since(began)) }
}

// feedTo asks a handler.
func feedTo(api API, handler http.Handler, now func() time.Time) *Feed {
	return &Feed{
		API: api, Name: "some", GridName: "here", Now: now,
		Upstream: &upstream.Client{
			HTTP: &http.Client{Transport: direct{handler}}, UserAgent: "test", Timeout: 30 * time.Second, MaxBytes: 32 << 20,
		},
	}
}

// saying answers everything with a text.
func saying(text string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte(text)) })
}

// wave is another value in every five minutes of four days.
func wave(at time.Time) usage.GramsPerKWh {
	return usage.GramsPerKWh(100 + at.Unix()/300%1153)
}

// waveOver is its mean.
func waveOver(from time.Time, length time.Duration) usage.GramsPerKWh {
	var sum, n float64
	for at := from; at.Before(from.Add(length)); at = at.Add(5 * time.Minute) {
		sum, n = sum+float64(wave(at)), n+1
	}
	return usage.GramsPerKWh(sum / n)
}

// stretches are times in which a reader gets its edges wrong, if it does.
var stretches = []struct{ name, from, to string }{
	{"one half hour", "2026-11-10T12:00:00Z", "2026-11-10T12:30:00Z"},
	{"the second half of an hour", "2026-11-10T12:30:00Z", "2026-11-10T13:00:00Z"},
	{"from half to half", "2026-11-10T12:30:00Z", "2026-11-10T15:30:00Z"},
	{"a day", "2026-11-10T00:00:00Z", "2026-11-11T00:00:00Z"},
	{"over new year", "2026-12-31T20:00:00Z", "2027-01-01T04:00:00Z"},
	{"the last half hour of a year alone", "2026-12-31T23:30:00Z", "2027-01-01T00:00:00Z"},
	{"a leap day", "2024-02-28T22:00:00Z", "2024-03-01T02:00:00Z"},
	{"the next leap day", "2028-02-28T22:00:00Z", "2028-03-01T02:00:00Z"},
	{"the last half hour of a leap day", "2028-02-29T23:30:00Z", "2028-03-01T00:00:00Z"},
	{"the day of 25 hours in Paris and Copenhagen", "2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z"},
	{"the hour that is there twice", "2026-10-25T00:00:00Z", "2026-10-25T02:00:00Z"},
	{"the day of 23 hours in Paris and Copenhagen", "2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z"},
	{"the day of 23 hours in Sydney", "2026-10-03T14:00:00Z", "2026-10-04T13:00:00Z"},
	{"the day of 25 hours in Sydney", "2026-04-04T13:00:00Z", "2026-04-05T14:00:00Z"},
	{"five weeks", "2026-10-01T00:00:00Z", "2026-11-05T00:00:00Z"},
}

// wantWave asks for all stretches: each half hour comes once, with the mean of what a step that is
// grain long has of it.
func wantWave(t *testing.T, api API, grain time.Duration, handler func(now func() time.Time) http.Handler) {
	t.Helper()
	for _, test := range stretches {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				from, to := at(test.from), at(test.to)
				now := clockFrom(usage.Later(at("2027-01-10T12:00:00Z"), to.Add(day)))
				slots, rejects, err := feedTo(api, handler(now), now).Slots(t.Context(), from, to)
				if err != nil || len(rejects) > 0 || len(slots) != int(to.Sub(from)/usage.SlotLength) {
					t.Fatalf("got %d slots, %v, %v", len(slots), rejects, err)
				}
				for i, s := range slots {
					want := from.Add(time.Duration(i) * usage.SlotLength)
					if !s.From.Equal(want) || s.Actual == nil || math.Abs(float64(*s.Actual-waveOver(want.Truncate(grain), grain))) > 1e-6 {
						t.Fatalf("slot %d is %s, want %v %v", i, say(slots[i:i+1]), want, waveOver(want.Truncate(grain), grain))
					}
				}
			})
		})
	}
}

// wantOdd asks a server that always says this, for the half hours from noon to one. Failures are
// malformed answers, and begin with ! in want.
func wantOdd(t *testing.T, api API, text, want string) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		now := clockFrom(at("2027-01-10T12:00:00Z"))
		slots, rejects, err := feedTo(api, saying(text), now).Slots(t.Context(), at("2026-06-01T12:00:00Z"), at("2026-06-01T13:00:00Z"))
		if failure, ok := strings.CutPrefix(want, "!"); ok {
			if wantFailure(t, err, usage.ReasonMalformed); !strings.Contains(err.Error(), failure) || strings.Contains(err.Error(), "\n") || len(slots) > 0 {
				t.Errorf("got %s, %v, want %q", say(slots), err, failure)
			}
			return
		}
		if got := say(slots); got != want || err != nil {
			t.Errorf("got %s, %v, %v, want %s", got, rejects, err, want)
		}
	})
}

// wantSane is what holds for each value that a decoder returns: it is refused, or it is one.
func wantSane(t *testing.T, a Answer) {
	t.Helper()
	for _, v := range a.Values {
		if refuse(v, now) == "" && (v.From.Unix() <= 0 || v.To.Sub(v.From) <= 0 || v.Kind == "" || math.IsNaN(float64(v.Intensity))) {
			t.Errorf("%+v", v)
		}
	}
	for reason, n := range a.Rejects {
		if n <= 0 {
			t.Errorf("%d of %s", n, reason)
		}
	}
}
