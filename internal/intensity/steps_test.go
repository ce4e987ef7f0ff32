// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !race

package intensity

import (
	"testing"
	"time"
)

func TestLengths(t *testing.T) {
	for _, test := range []struct {
		name   string
		starts []string
		alone  time.Duration
		want   []time.Duration // of each start, in minutes
	}{
		{name: "quarters", starts: []string{"12:00", "12:15", "12:30"}, want: []time.Duration{15, 15, 15}},
		{name: "hours", starts: []string{"12:00", "13:00"}, want: []time.Duration{60, 60}},
		{name: "a gap makes no value longer", starts: []string{"12:00", "12:15", "12:30", "14:00", "14:15"}, want: []time.Duration{15, 15, 15, 15, 15}},
		{name: "a value between makes one shorter", starts: []string{"12:00", "13:00", "14:00", "14:15", "15:00", "16:00"}, want: []time.Duration{60, 60, 15, 45, 60, 60}},
		{name: "in any order, and twice", starts: []string{"12:30", "12:00", "12:15", "12:15"}, want: []time.Duration{15, 15, 15, 15}},
		{name: "of two steps the shorter", starts: []string{"12:00", "12:15", "13:15"}, want: []time.Duration{15, 15, 15}},
		{name: "one alone", starts: []string{"12:00"}, alone: 5, want: []time.Duration{5}},
		{name: "one alone, of no known step", starts: []string{"12:00"}, want: []time.Duration{0}},
		{name: "none", alone: 5},
	} {
		t.Run(test.name, func(t *testing.T) {
			var starts []time.Time
			for _, start := range test.starts {
				starts = append(starts, at("2026-06-01T"+start+":00Z"))
			}
			got := lengths(starts, test.alone*time.Minute)
			for i, start := range starts {
				if got[start] != test.want[i]*time.Minute {
					t.Errorf("%s lasts %s, want %d minutes", test.starts[i], got[start], test.want[i])
				}
			}
		})
	}
}
