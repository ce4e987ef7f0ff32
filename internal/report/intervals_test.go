// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package report

import (
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

func TestCountIntervals(t *testing.T) {
	at := func(text string) time.Time {
		t.Helper()
		moment, err := time.Parse("2006-01-02T15:04", text)
		if err != nil {
			t.Fatal(err)
		}
		return moment
	}
	known := map[time.Time]usage.State{
		at("2026-10-01T00:00"): usage.Settled, at("2026-10-01T00:30"): usage.Provisional, at("2026-10-01T01:00"): usage.Unpriced,
		at("2026-10-01T01:30"): usage.Empty, at("2026-10-01T02:00"): usage.Missing, at("2026-10-01T03:00"): usage.Settled,
	}
	const half = 30 * time.Minute
	for _, c := range []struct {
		name, from, to, now string
		length              time.Duration
		want                Intervals
	}{
		{"one of each, and one that nobody has asked for", "2026-10-01T00:00", "2026-10-01T03:00", "2026-10-02T00:00", half, Intervals{6, 1, 1, 1, 1, 1, 1}},
		{"those that begin in it", "2026-10-01T00:10", "2026-10-01T01:10", "2026-10-02T00:00", half, Intervals{2, 0, 1, 1, 0, 0, 0}},
		{"none that is not over", "2026-10-01T00:00", "2026-10-01T01:20", "2026-10-01T01:20", half, Intervals{2, 1, 1, 0, 0, 0, 0}},
		{"over by now to the second", "2026-10-01T00:00", "2026-10-01T01:30", "2026-10-01T01:30", half, Intervals{3, 1, 1, 1, 0, 0, 0}},
		{"between two", "2026-10-01T00:10", "2026-10-01T00:20", "2026-10-02T00:00", half, Intervals{}},
		{"of a store that has none", "2026-10-01T00:00", "2026-10-01T03:00", "2026-10-02T00:00", 0, Intervals{}},
		{"longer ones", "2026-10-01T00:00", "2026-10-01T03:00", "2026-10-02T00:00", time.Hour, Intervals{3, 1, 0, 1, 0, 1, 0}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := CountIntervals(known, usage.Period{From: at(c.from), To: at(c.to)}, c.length, at(c.now))
			if got != c.want {
				t.Errorf("got %+v, want %+v", got, c.want)
			}
			if got.answered() != got.Settled+got.Provisional+got.Unpriced+got.Empty {
				t.Errorf("%d are answered of %+v", got.answered(), got)
			}
		})
	}
}
