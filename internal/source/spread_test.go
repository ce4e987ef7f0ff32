// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !race

package source

import (
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

func TestAGivenQueryWithAWindowOfItsOwnIsAskedByTheInterval(t *testing.T) {
	hours := []usage.Interval{
		usage.IntervalAt(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), time.Hour),
		usage.IntervalAt(time.Date(2026, 1, 1, 1, 0, 0, 0, time.UTC), time.Hour),
	}
	for _, test := range []struct {
		name  string
		query Query
		want  int // evaluations
	}{
		{"a recording rule of an hour", Query{BusyQuery: "ada:busy_1h", IdleQuery: "ada:idle_1h"}, 2},
		{"a query with $__interval", Query{BusyQuery: "sum(increase(x[$__interval]))", IdleQuery: "sum(increase(y[$__interval]))"}, 4},
		{"the built queries", Query{}, 4},
	} {
		c := Client{Query: test.query}
		if got := len(c.windows(hours)); got != test.want {
			t.Errorf("%s: %d evaluations for two hours, want %d", test.name, got, test.want)
		}
	}
}

func TestSpreadKeepsTheSum(t *testing.T) {
	whole := usage.Reading{
		Piece:    usage.IntervalAt(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), time.Hour),
		Samples:  []usage.Sample{{CPU: usage.BusyIdle[usage.CPUSeconds]{Busy: 1000, Idle: 2600}}},
		Coverage: map[string]usage.Coverage{"ISIS": {Seen: 3600, Capacity: 7200}},
		Present:  map[string]usage.Presence{"ISIS": {Hosts: 1, Cores: 2}}, Final: true,
	}
	halves := spread([]usage.Reading{whole})
	if len(halves) != 2 {
		t.Fatalf("an hour has %d pieces, want 2", len(halves))
	}
	sum := halves[0].Samples[0].CPU.Plus(halves[1].Samples[0].CPU)
	if sum != whole.Samples[0].CPU {
		t.Errorf("the halves are %v together, the hour was %v", sum, whole.Samples[0].CPU)
	}
	for _, half := range halves {
		if half.Coverage["ISIS"] != (usage.Coverage{Seen: 1800, Capacity: 3600}) || half.Present["ISIS"].Cores != 2 || !half.Final {
			t.Errorf("of the hour's cores a half has %+v", half)
		}
	}
	if halves[1].Piece.Start != whole.Piece.Start.Add(30*time.Minute) {
		t.Errorf("the second half begins at %v", halves[1].Piece.Start)
	}
}
