// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !race

package source

import (
	"testing"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

func TestTwoMachinesOfOneName(t *testing.T) {
	of := func(project string) *track { return &track{series: usage.Series{Project: project, Host: "a"}} }
	runs := func(on *track, from, to, busy float64) *story {
		w := worksFrom(from, 5000)
		w.moments[0].track, w.track = on, on
		return tellBusy(unit{2, w.until(to, busy).moments})
	}
	for _, test := range []struct {
		name string
		a, b *story
		want bool
	}{
		{"both are busy all the time", runs(of("x"), -5, 40, 30), runs(of("x"), -5, 40, 20), true},
		{"it moves", runs(of("x"), -5, 17, 30), runs(of("x"), 10, 40, 30), false},
		{"it is received for long", runs(of("x"), -5, 28, 30), runs(of("x"), 4, 40, 30), false},
		{"one of them waits", runs(of("x"), -5, 40, 30), runs(of("x"), -5, 40, 0), false},
		{"in two projects", runs(of("x"), -5, 17, 30), runs(of("y"), 10, 40, 0), true},
		{"one of them names no project", runs(of("x"), -5, 17, 30), runs(of(""), 10, 40, 0), false},
	} {
		c := &closeUp{busy: true, units: []*story{test.a, test.b}}
		if got := c.severalIn(minute(0), minute(30)); got != test.want {
			t.Errorf("%s: %v, want %v", test.name, got, test.want)
		}
	}
}
