// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !race

package source

import (
	"fmt"
	"testing"
)

// Containers without a view of their own show the counters of the machine they run on.
func TestHostsWithTheSameCounters(t *testing.T) {
	for _, test := range []struct {
		name string
		make func(f *fleet)
		want string
	}{
		{"three containers of one machine", func(f *fleet) {
			for _, name := range []string{"c1", "c2", "c3"} {
				f.machine(name, 8, 900_000).runs(-40, 70)
			}
			f.machine("vm", 8, 400_000).runs(-40, 70)
		}, "[[c1 c2 c3]]"},
		{"machines that booted together and have hardly worked", func(f *fleet) {
			f.machine("a", 1, 120).runs(-1, 31)
			f.machine("b", 1, 120).runs(-1, 31)
		}, "[]"},
		{"as old, and with unlike work", func(f *fleet) {
			f.machine("a", 8, 900_000).runs(-40, 70)
			f.machine("b", 8, 900_090).runs(-40, 70)
		}, "[]"},
		{"the same counters of fewer cores", func(f *fleet) {
			f.machine("a", 8, 900_000).runs(-40, 70)
			f.machine("b", 4, 900_000).runs(-40, 70)
		}, "[]"},
	} {
		t.Run(test.name, func(t *testing.T) {
			f := &fleet{}
			test.make(f)
			reading, _ := read(t, (&server{fleet: f}).client(t))
			if got := fmt.Sprint(reading.Alike); got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}
