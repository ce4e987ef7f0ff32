// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !race

package source

import "testing"

// A site without the metric is looked at by its fallback, as it is read.
func TestALookFallsBackAsAReadingDoes(t *testing.T) {
	for _, c := range []struct {
		name     string
		fallback *Fallback
		hosts    int
	}{
		{"without a fallback", nil, 0},
		{"with one", &Fallback{BusyQuery: "busy", IdleQuery: "idle", Host: "instance"}, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			client := (&server{busy: says(matrix(host("a", "1")))}).client(t)
			client.Query = question()
			client.Query.Fallback = c.fallback
			s, err := client.Look(t.Context(), noon)
			if err != nil || s.Hosts != c.hosts || (s.Instead == "") != (c.hosts > 0) {
				t.Errorf("%d hosts, instead %q, error %v; want %d hosts", s.Hosts, s.Instead, err, c.hosts)
			}
		})
	}
}
