// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !race

package source

import (
	"math"
	"slices"
	"testing"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// What a share did in a hole is spread over it, by half hours from noon on.
func TestSharesBridgeAHole(t *testing.T) {
	for _, test := range []struct {
		name           string
		hole           [2]float64 // minutes after noon
		busy, reserved []float64
		rate           []float64
		wantBusy       []float64
		wantReserved   []float64
	}{
		{
			"over one edge",
			[2]float64{20, 40},
			[]float64{600, 1200, 900},
			[]float64{1200, 1200, 1800},
			[]float64{1, 1, 1},
			[]float64{600 + 1200*10/40.0, 1200 * 30 / 40.0, 900},
			[]float64{1800, 1800, 1800},
		},
		{
			"over a whole piece",
			[2]float64{20, 70},
			[]float64{600, 0, 2100},
			[]float64{1200, 0, 1200},
			[]float64{1, 0, 1},
			[]float64{600 + 300, 900, 900},
			[]float64{1800, 1800, 1800},
		},
		{
			"within a piece",
			[2]float64{35, 50},
			[]float64{600, 1200, 900},
			[]float64{1800, 900, 1800},
			[]float64{1, 1, 1},
			[]float64{600, 1200, 900},
			[]float64{1800, 1800, 1800},
		},
		{
			"that has not ended",
			[2]float64{80, 200},
			[]float64{600, 1200, 900},
			[]float64{1800, 1800, 1200},
			[]float64{1, 1, 1},
			[]float64{600, 1200, 900},
			[]float64{1800, 1800, 1200},
		},
		{
			"that reaches back further than the counter is looked for",
			[2]float64{-200, 40},
			[]float64{0, 400, 900},
			[]float64{0, 1200, 1800},
			[]float64{0, 1, 1},
			[]float64{0, 400, 900},
			[]float64{1800, 1800, 1800},
		},
		{
			"of a share that ended in it",
			[2]float64{20, 40},
			[]float64{600, 0, 0},
			[]float64{600, 0, 0},
			[]float64{1, 0, 0},
			[]float64{600, 0, 0},
			[]float64{600 + 600, 0, 0},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := &share{busy: slices.Clone(test.busy), after: test.busy, reserved: slices.Clone(test.reserved), rate: test.rate}
			all := &allShares{byHost: map[string][]*share{"h": {s}}}
			all.bridge("h", []span{{minute(test.hole[0]), minute(test.hole[1])}}, halfHours(3))
			near := func(a, b float64) bool { return math.Abs(a-b) < 1e-6 }
			if !slices.EqualFunc(s.busy, test.wantBusy, near) {
				t.Errorf("busy %v, want %v", s.busy, test.wantBusy)
			}
			if !slices.EqualFunc(s.reserved, test.wantReserved, near) {
				t.Errorf("reserved %v, want %v", s.reserved, test.wantReserved)
			}
		})
	}
}

func TestPiecesInWhichHolesEnd(t *testing.T) {
	row := halfHours(2)
	for _, test := range []struct {
		name  string
		holes map[string][]span
		want  int
	}{
		{"no hole", nil, 2},
		{"one that ends in them", map[string][]span{"a": {{minute(20), minute(50)}}}, 2},
		{"one that ends in the next", map[string][]span{"a": {{minute(50), minute(70)}}}, 3},
		{"one that ends in a week", map[string][]span{"a": {{minute(50), minute(10_000)}}}, 2 + mostBeside},
	} {
		if got := piecesTo(row, test.holes); len(got) != test.want || !slices.Equal(got[:2], row) {
			t.Errorf("%s: %d pieces, want %d", test.name, len(got), test.want)
		}
	}
}

// The cores of a host are scraped together, so their holes are one.
func TestHolesOverAnEdge(t *testing.T) {
	core := func() *story { return tell(unit{1, lifeFrom(-60, 5000).runs(20).unseen(40).see().runs(120).moments}) }
	c := &closeUp{units: []*story{core(), core()}}
	for _, test := range []struct {
		from, to float64
		want     []span
	}{
		{-30, 0, nil},
		{0, 30, []span{{minute(20), minute(40)}}},
		{30, 60, []span{{minute(20), minute(40)}}},
		{0, 60, nil}, // within: the counters say what was used
	} {
		if got := c.holesIn(minute(test.from), minute(test.to)); !slices.Equal(got, test.want) {
			t.Errorf("from minute %v to %v: %v, want %v", test.from, test.to, got, test.want)
		}
	}
	table := newEdges(question(), []usage.Interval{{Start: noon, Length: halfHour[0].Length}}, true, 1)
	table.names = []string{"a", "b"}
	got := table.holes(map[spot]outcome{{"a", 1}: {holes: []span{{minute(20), minute(40)}}}})
	if len(got) != 1 || !slices.Equal(got["a"], []span{{minute(20), minute(40)}}) {
		t.Errorf("of hosts: %v", got)
	}
}
