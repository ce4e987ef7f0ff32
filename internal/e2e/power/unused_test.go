// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package power_test

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

// plainSite has two machine types with processors and memory that nobody asks for.
func plainSite(t *testing.T, over span) *site {
	t.Helper()
	s := newSite(t, over.first.Add(-5*time.Minute), over.end.Add(time.Hour))
	for i, machine := range []string{"Muon", "Laser"} {
		h := host{
			labels:   labels{"instance": fmt.Sprintf("10.0.0.%d:9100", i), "machine_name": machine, "cloud_project_name": "ISIS"},
			packages: 1, threads: 4, busy: 0.25, model: "AMD EPYC 7763 64-Core Processor",
		}
		s.run(h, nil)
		s.record("node_memory_MemTotal_bytes", h.labels, constant(16<<30))
		s.record("ipmi_watts", h.labels, constant(100))
	}
	return s
}

// config has a static intensity, and intervals that are final at once.
func (s span) config(site *site, more string) string {
	return fmt.Sprintf(`interval: %ds
lookback: %ds
prometheus: {url: %s, lag: %ds, reread_after: 0s}
carbon_intensity: {provider: static, static: {gco2eq_per_kwh: 100}}
%s`, int(s.interval.Seconds()), int(s.lookback.Seconds()), site.URL, int(s.lag.Seconds()), more)
}

func (s span) backfill() []string {
	return []string{"backfill", "--from=" + s.first.Format(time.RFC3339), "--to=" + s.end.Format(time.RFC3339)}
}

const bothTypes = "machines: {Muon: {busy_watts: 9, idle_watts: 2}, Laser: {busy_watts: 12, idle_watts: 1}}"

// What a site does not use costs it no query.
func TestWhatPowerAsks(t *testing.T) {
	t.Parallel()
	over := spanOf(halfHour, 3)
	s := plainSite(t, over)
	asked := func(power string) []string {
		s.Asked()
		newPlace(t, over.config(s, power)).tool(t, over.backfill()...)
		var all []string
		for _, r := range s.Asked() {
			all = append(all, r.Query)
		}
		return slices.Sorted(slices.Values(all))
	}
	never := asked("power: {cpu_models: off, " + bothTypes + "}")
	if len(never) < 2 {
		t.Fatalf("a backfill asks %q", never)
	}
	for _, c := range []struct {
		name  string
		power string
		more  int
	}{
		{"watts of every machine type are configured", "power: {" + bothTypes + "}", 0},
		{"those of one type are not: the processors", "power: {machines: {Muon: {busy_watts: 9}}}", 1},
		{"nothing is configured", "", 1},
		{"watts of memory: how much there is", "power: {memory_watts_per_gib: 0.3, " + bothTypes + "}", 1},
		{"a meter: its integral and its edges", "power: {measured: [{name: ipmi, query: ipmi_watts}], " + bothTypes + "}", 2},
		{"a meter that nobody has: only whether there is one", "power: {measured: [{name: ipmi, query: none_watts}], " + bothTypes + "}", 1},
		{"embodied emissions are in no Prometheus", "power: {" + bothTypes + "}\nembodied: {default: {kgco2eq: 1000, years: 4, cores: 64}}", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := asked(c.power)
			if len(got) != len(never)+c.more {
				t.Errorf("%d queries, %d without; want %d more:\n%s", len(got), len(never), c.more, strings.Join(got, "\n"))
			}
			if c.more == 0 && !slices.Equal(got, never) {
				t.Errorf("it asks %q, without %q", got, never)
			}
		})
	}
}

// What a site does not use is neither on /metrics nor in its store.
func TestASiteThatUsesNoneOfIt(t *testing.T) {
	t.Parallel()
	over := spanOf(halfHour, 3)
	s := plainSite(t, over)
	queries := map[string][]string{}
	families := func(power string) (place, []string) {
		where := newPlace(t, over.config(s, power))
		s.Asked()
		e := where.start(t)
		last := e.whole(3)
		e.End(os.Interrupt)
		for _, r := range s.Asked() {
			queries[power] = append(queries[power], r.Query)
		}
		if modes := last.by("carbon_energy_kwh", "mode"); len(modes) != 2 {
			t.Errorf("the modes are %v", modes)
		}
		return where, slices.Sorted(maps.Keys(last))
	}
	const auto, off = "power: {" + bothTypes + "}", "power: {cpu_models: off, " + bothTypes + "}"
	where, with := families(auto)
	_, without := families(off)
	for _, q := range queries[auto] {
		// When hosts booted is asked after the intervals are stored: the exporter may have ended.
		if !strings.Contains(q, "boot_time") && !slices.Contains(queries[off], q) {
			t.Errorf("only an exporter that would take models of processors asks %q", q)
		}
	}
	if !slices.Equal(with, without) {
		t.Errorf("the families are %q, without models of processors %q", with, without)
	}
	for _, name := range with {
		for _, word := range []string{"measured", "unexplained", "embodied", "_low_", "_high_"} {
			if strings.HasPrefix(name, "carbon_") && strings.Contains(name, word) {
				t.Errorf("/metrics has %s", name)
			}
		}
	}
	for _, table := range []string{
		"usage_beside", "usage_device", "workspace_beside", "interval_power_bounds", "interval_processor", "processor", "interval_pue",
		"interval_embodied", "interval_zone", "usage_total WHERE more IS NOT NULL", "usage_day WHERE more IS NOT NULL",
	} {
		if rows := where.rows(t, "SELECT * FROM "+table); len(rows) > 0 {
			t.Errorf("%s has %q", table, rows)
		}
	}
	if facts := where.rows(t, "SELECT * FROM usage_fact"); len(facts) != 6 {
		t.Errorf("%d facts, want those of 2 machine types in 3 half hours", len(facts))
	}
}
