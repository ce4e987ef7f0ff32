// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package exporter

import (
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/store"
	"github.com/carbon-exporter/carbon_exporter/internal/store/storetest"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// aged is a store with eleven days of settled usage up to now, the first of which
// is given.
func aged(t *testing.T) (path string, first usage.Interval) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "carbon.db")
	s, err := store.Open(t.Context(), path, store.Options{Interval: usage.SlotLength})
	if err != nil {
		t.Fatal(err)
	}
	first = usage.Interval{Start: usage.SlotAt(time.Now()).Add(-11 * 24 * time.Hour), Length: usage.SlotLength}
	for n := range 11 * 12 {
		i := usage.Interval{Start: first.Start.Add(time.Duration(n) * 2 * time.Hour), Length: usage.SlotLength}
		rec := usage.Record{
			Interval: i, State: usage.Settled, PUE: 1, FetchedAt: i.End(),
			Prices: []usage.PiecePrice{{Start: i.Start, Price: usage.Price{Intensity: 100 + usage.GramsPerKWh(n), Kind: usage.Actual, Provider: "uk", Grid: "GB", SlotFrom: i.Start, FetchedAt: i.End()}}},
		}
		for _, user := range []string{"a", "b"} {
			rec.Facts = append(rec.Facts, usage.Fact{
				Key: usage.Key{Project: "p", Machine: "m", User: user, Group: "g"}, Start: i.Start,
				CPU: usage.BusyIdle[usage.CPUSeconds]{Busy: 100, Idle: 50}, Energy: usage.ByMode[usage.KWh]{Busy: 0.1, Idle: 0.3},
			})
		}
		storetest.Commit(t, s, rec)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return path, first
}

// usageLines are the samples of usage, without those of what is stored of the last
// minutes.
func usageLines(t *testing.T, url string) (lines []string) {
	t.Helper()
	_, text := ask(t, http.MethodGet, url+"/metrics")
	for line := range strings.Lines(text) {
		if slices.ContainsFunc([]string{
			"carbon_cpu_", "carbon_energy_", "carbon_emissions_", "carbon_emission_", "carbon_power_", "carbon_settled_",
			"carbon_month_to_date_", "carbon_year_to_date_", "carbon_last_complete_", `carbon_intervals{state="settled"}`,
		}, func(prefix string) bool { return strings.HasPrefix(line, prefix) }) {
			lines = append(lines, line)
		}
	}
	return lines
}

func TestRetentionMovesNoMetric(t *testing.T) {
	path, first := aged(t)
	args := []string{"--storage.path=" + path, "--config.file=" + configFile(t, "timezone: UTC\n")}
	p := start(t, args...)
	before := usageLines(t, p.url)
	if len(before) < 20 {
		t.Fatalf("usage is %q", before)
	}
	p.quit(t)

	p = start(t, append(args, "--storage.retention=1d")...)
	if said := p.stderr.String(); !strings.Contains(said, "asked=1d kept=8d") {
		t.Errorf("it does not say that budgets need more: %s", said)
	}
	eventually(t, "old rows are deleted", func() bool { return strings.Contains(p.stderr.String(), "Deleted old rows") })
	if after := usageLines(t, p.url); !slices.Equal(after, before) {
		t.Errorf("usage was\n%s\nand is\n%s", strings.Join(before, ""), strings.Join(after, ""))
	}
	p.quit(t)
	p = start(t, args...)
	if after := usageLines(t, p.url); !slices.Equal(after, before) {
		t.Errorf("after a restart usage was\n%s\nand is\n%s", strings.Join(before, ""), strings.Join(after, ""))
	}
	p.quit(t)

	s, err := store.Open(t.Context(), path, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for days, want := range map[int]bool{0: false, 1: false, 4: true, 10: true} {
		i := usage.Interval{Start: first.Start.AddDate(0, 0, days), Length: first.Length}
		if p, err := s.Proof(t.Context(), i); err != nil || p.Pruned == want {
			t.Errorf("%d days after the first: pruned %v, %v", days, p.Pruned, err)
		}
	}
}
