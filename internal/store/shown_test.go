// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !race

package store

import (
	"reflect"
	"testing"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

func TestWhoIsShownComesBack(t *testing.T) {
	s := newStore(t)
	commit(t, s, threeKeys(at(1)))
	some := usage.SettledUsage{Energy: usage.ByMode[usage.KWh]{Busy: 0.1, Idle: 0.2}, Emissions: usage.ByMode[usage.Grams]{Busy: 3, Idle: 0.4}}
	for _, c := range []struct {
		name  string
		shown usage.Shown
	}{
		{"not chosen yet", usage.Shown{}},
		{"nobody was chosen", usage.Shown{Users: map[string]bool{}}},
		{"some, and a counter of each", usage.Shown{
			Users:     map[string]bool{"a": true, "new": true},
			Elsewhere: map[usage.Key]usage.SettledUsage{muonA: some, nobody: {}, key("p", "m", "new", "g"): some},
		}},
		{"others", usage.Shown{Users: map[string]bool{"b": true}, Elsewhere: map[usage.Key]usage.SettledUsage{muonA: {}}}},
		{"not chosen any more", usage.Shown{}},
	} {
		for range 2 {
			if err := s.SaveShown(t.Context(), c.shown); err != nil {
				t.Fatal(err)
			}
			got, err := s.Shown(t.Context())
			if err != nil || !reflect.DeepEqual(got, c.shown) {
				t.Errorf("%s: got %+v, %v, want %+v", c.name, got, err, c.shown)
			}
		}
	}
}
