// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !race

package ingest

import (
	"net/http"
	"testing"
	"time"
)

// docs/high-availability.md says for how long a twin may be without its sources of carbon intensity
// and still end with the numbers of the other, and what mends it after that.
func TestHowLongATwinMayBeWithoutItsSources(t *testing.T) {
	chain := func(forecasts bool) []*station {
		return []*station{
			{name: "first", grain: 30 * time.Minute, truth: wave(100), ahead: forecasts},
			{name: "second", grain: 15 * time.Minute, truth: wave(500)},
		}
	}
	for _, tc := range []struct {
		name     string
		stations []*station
		own      []*station // of the other twin
		away     time.Duration
		differ   bool
	}{
		{"the first of a chain, for less than settle_after", chain(false), chain(false), 20 * time.Hour, false},
		{"the first of a chain, for longer", chain(false), chain(false), 32 * time.Hour, true},
		{"the first of a chain that has forecasts, for longer", chain(true), chain(true), 32 * time.Hour, false},
		{"the only one, for less than twice settle_after", chain(true)[:1], chain(true)[:1], 44 * time.Hour, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			lucky, other := chained(t, 0, tc.stations...), chained(t, 0, tc.own...)
			both := func(d time.Duration) {
				for end := lucky.now.Add(d); lucky.now.Before(end); {
					for _, r := range []*rig{lucky, other} {
						r.now = r.now.Add(4 * time.Hour)
						r.round()
					}
				}
			}
			both(4 * time.Hour)
			tc.own[0].status = http.StatusBadGateway
			both(tc.away)
			if lucky.dump() == other.dump() {
				t.Fatal("while its source is away the other has the same numbers")
			}
			tc.own[0].status = 0
			other.restart()
			both(28 * time.Hour)
			got, want := other.dump(), lucky.dump()
			if (got != want) != tc.differ {
				t.Errorf("in the end they differ is %v: %s", got != want, firstDifference(got, want))
			}
			if !tc.differ {
				return
			}
			other.mustBackfill(hours(-48, 100).restated())
			lucky.mustBackfill(hours(-48, 100).restated()) // reads the same, and changes nothing
			if got, want = other.dump(), lucky.dump(); got != want {
				t.Errorf("once it is restated they differ: %s", firstDifference(got, want))
			}
		})
	}
}
