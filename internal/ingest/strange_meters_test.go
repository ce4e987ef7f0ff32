// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !race

package ingest

import (
	"strings"
	"testing"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

func TestMetersOfNoMachineAreSaid(t *testing.T) {
	for _, c := range []struct {
		name           string
		hosts          []string
		power          map[string]usage.Metering
		want, wantHost string // in the only remark; empty: there is none
	}{
		{name: "no meter", hosts: []string{"a"}},
		{name: "no machine has CPU time", power: map[string]usage.Metering{"b": {Meter: "ipmi"}}},
		{name: "the same host on another port", hosts: []string{"a:9100"}, power: map[string]usage.Metering{"A:9290": {Meter: "ipmi"}}},
		{name: "one of two hosts", hosts: []string{"a"}, power: map[string]usage.Metering{"a": {Meter: "ipmi"}, "b": {Meter: "ipmi"}}},
		{name: "servers of guests", hosts: []string{"vm-2", "vm-1"}, power: map[string]usage.Metering{"kvm-2": {Meter: "ipmi"}, "kvm-1": {Meter: "ipmi"}}, want: `"ipmi"`, wantHost: `"kvm-1", and the machines are such as "vm-1"`},
		{name: "one of two meters", hosts: []string{"a"}, power: map[string]usage.Metering{"a": {Meter: "ipmi"}, "b": {Meter: "plug"}}, want: `"plug"`, wantHost: `"b"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			var parts []usage.Part
			for _, h := range c.hosts {
				parts = append(parts, usage.Part{Series: usage.Series{Host: h}})
			}
			said := strangeMeters(parts, c.power)
			if c.want == "" {
				if len(said) > 0 {
					t.Errorf("says %q", said)
				}
				return
			}
			if len(said) != 1 || !strings.Contains(said[0], c.want) || !strings.Contains(said[0], c.wantHost) {
				t.Errorf("says %q", said)
			}
		})
	}
}
