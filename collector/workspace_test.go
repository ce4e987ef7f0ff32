// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"bytes"
	"log/slog"
	"math"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

func TestWorkspaces(t *testing.T) {
	const laser, pool = `host="172.16.100.5:9100"`, `host="pool-7.example.org"`
	const energy, emissions = "carbon_workspace_energy_kwh{", "carbon_workspace_emissions_gco2eq{"
	const estimated = "carbon_workspace_estimated_ratio{"
	for _, test := range []struct {
		name   string
		change func([]usage.ActiveUsage) []usage.ActiveUsage
		want   map[string]float64
		absent []string
	}{
		{
			name: "one with everything, one unpriced",
			want: map[string]float64{
				`carbon_workspace_info{group="ISIS",` + laser + `,machine="Laser",project="IDAaaS",user="1042"}`:         1,
				`carbon_workspace_info{group="TDAaaS",` + pool + `,machine="Muon",project="TDAaaS",user="unattributed"}`: 1,
				"carbon_workspace_start_timestamp_seconds{" + laser + "}":                                                float64(now.Unix() - 26*3600),
				energy + laser + `,mode="busy"}`:    0.12,
				energy + laser + `,mode="idle"}`:    0.03,
				energy + pool + `,mode="busy"}`:     0.095,
				emissions + laser + `,mode="busy"}`: 6.3,
				estimated + laser + "}":             0.2,
				estimated + pool + "}":              0,
			},
			absent: []string{emissions + pool},
		},
		{
			name:   "none are to be shown",
			change: func([]usage.ActiveUsage) []usage.ActiveUsage { return nil },
			absent: []string{"carbon_workspace_"},
		},
		{
			name: "one without any energy has no share that was estimated",
			change: func(all []usage.ActiveUsage) []usage.ActiveUsage {
				all[1].Energy = usage.ByMode[usage.KWh]{}
				return all
			},
			want:   map[string]float64{energy + pool + `,mode="busy"}`: 0},
			absent: []string{estimated + pool},
		},
		{
			name: "two share a host: its usage is there once, and the first in the list is its owner",
			change: func(all []usage.ActiveUsage) []usage.ActiveUsage {
				second := all[0]
				second.User, second.Project = "2042", "other project"
				return append(all, second)
			},
			want: map[string]float64{
				`carbon_workspace_info{group="ISIS",` + laser + `,machine="Laser",project="IDAaaS",user="1042"}`: 1,
				energy + laser + `,mode="busy"}`: 0.12,
			},
			absent: []string{`carbon_workspace_info{group="ISIS",` + laser + `,machine="Laser",project="other project"`},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := day()
			s.Workspaces = active()
			if test.change != nil {
				s.Workspaces = test.change(s.Workspaces)
			}
			got := samples(parse(t, body(t, exposition(s))))
			for name, want := range test.want {
				if v, ok := got[name]; !ok || math.Abs(v-want) > 1e-12 {
					t.Errorf("%s is %v (there: %v), want %v", name, v, ok, want)
				}
			}
			for _, prefix := range test.absent {
				if has(got, prefix) {
					t.Errorf("%s is there", prefix)
				}
			}
		})
	}
}

// TestWorkspacesWithOddLabels: what a host or user is called stays as it came,
// and one that no label can hold is left out alone.
func TestWorkspacesWithOddLabels(t *testing.T) {
	odd := []string{
		`{"$gt":""}`, "$where", ".*", "[2001:db8::1]:9100", "first\nsecond", `C:\n\`, `a{b="c"},d`, "🌍 Ökostrom", "a\x00b", "",
		strings.Repeat("x", 64<<10),
	}
	s := day()
	for _, name := range odd {
		w := active()[0]
		w.Host, w.User, w.Group = name, name, name
		s.Workspaces = append(s.Workspaces, w)
	}
	bad := active()[1]
	bad.Host = "a\xffb"
	s.Workspaces = append(s.Workspaces, bad)
	var said bytes.Buffer
	e := NewExposition(prometheus.NewRegistry(), slog.New(slog.NewTextHandler(&said, nil)), clock)
	e.Show(usageOf(s))
	families := parse(t, body(t, e))
	seen := map[string]bool{}
	for _, m := range families["carbon_workspace_info"].GetMetric() {
		host := label(m, "host")
		seen[host] = true
		if label(m, "user") != host || label(m, "group") != host {
			t.Errorf("host %.99q, user %.99q, group %.99q", host, label(m, "user"), label(m, "group"))
		}
	}
	for _, name := range odd {
		if !seen[name] {
			t.Errorf("no workspace %.99q", name)
		}
	}
	if len(seen) != len(odd) || !strings.Contains(said.String(), "UTF-8") {
		t.Errorf("%d workspaces, want %d; the log says %.200q", len(seen), len(odd), said.String())
	}
	if families["carbon_energy_kwh"] == nil {
		t.Error("the other metrics are gone, too")
	}
}
