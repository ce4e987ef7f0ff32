// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"bytes"
	"go/parser"
	"go/token"
	"log/slog"
	"math"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

func TestUnknownIsNeverZero(t *testing.T) {
	const muon = `group="TDAaaS",machine="Muon",mode="busy",project="TDAaaS",user="unattributed"`
	const laser = `group="ISIS",machine="Laser",mode="busy",project="IDAaaS",user="1042"`
	for _, test := range []struct {
		name    string
		change  func(*Snapshot)
		absent  []string // series, or all of a family
		present []string
	}{
		{
			name:    "a key that has never been priced",
			absent:  []string{"carbon_emissions_gco2eq{" + muon, "carbon_settled_emissions_gco2eq_total{" + muon},
			present: []string{"carbon_energy_kwh{" + muon, "carbon_settled_energy_kwh_total{" + muon},
		},
		{
			name:    "a key without usage in the newest interval",
			absent:  []string{"carbon_power_watts{" + muon, "carbon_emission_rate_gco2eq_per_hour{" + muon},
			present: []string{"carbon_power_watts{" + laser, "carbon_emission_rate_gco2eq_per_hour{" + laser},
		},
		{
			name: "a newest interval that is unpriced",
			change: func(s *Snapshot) {
				s.Newest.Usage[0].Priced, s.Newest.Usage[0].Emissions = false, usage.ByMode[usage.Grams]{}
			},
			absent:  []string{"carbon_emission_rate_gco2eq_per_hour"},
			present: []string{"carbon_power_watts{" + laser},
		},
		{
			name:    "no interval with usage yet",
			change:  func(s *Snapshot) { s.Newest, s.Attended, s.Totals = nil, nil, nil },
			absent:  []string{"carbon_power_watts", "carbon_last_complete_interval", "carbon_coverage_ratio", "carbon_energy_kwh", "carbon_cpu_seconds"},
			present: []string{"carbon_intervals", "carbon_pue_ratio{"},
		},
		{
			name:   "a project whose cores are not known",
			change: func(s *Snapshot) { s.Attended.Coverage["IDAaaS"] = usage.Coverage{Seen: 71280} },
			absent: []string{"carbon_coverage_ratio"}, present: []string{"carbon_power_watts"},
		},
		{
			name:   "an interval that an older program has stored",
			change: func(s *Snapshot) { s.Attended.Attendance = nil },
			absent: []string{"carbon_hosts", "carbon_cores", "carbon_exporter_refused_hosts", "carbon_exporter_unlisted_mode_ratio"}, present: []string{"carbon_coverage_ratio"},
		},
		{
			name:   "hosts whose cores are not known, and a mode that has little",
			change: func(*Snapshot) {},
			absent: []string{`carbon_cores{project="TDAaaS"}`, `carbon_exporter_unlisted_mode_ratio{mode="boost"}`},
			present: []string{
				`carbon_hosts{project="TDAaaS",state="exact"}`, `carbon_hosts{project="TDAaaS",state="refused"}`,
				`carbon_exporter_refused_hosts{reason="leap"}`, `carbon_cores{project="IDAaaS"}`, `carbon_exporter_unlisted_mode_ratio{mode="interrupt"}`,
			},
		},
		{
			name: "a key without devices, of a machine type whose error nobody knows, and without embodied emissions",
			absent: []string{
				`carbon_energy_kwh{group="TDAaaS",machine="Muon",mode="measured"`, `carbon_settled_energy_kwh_total{group="TDAaaS",machine="Muon",mode="measured"`,
				`carbon_machine_power_low_watts{machine="Muon"`, `carbon_energy_low_kwh{project="TDAaaS"`, `carbon_energy_high_kwh{project="TDAaaS"`,
				`carbon_embodied_emissions_gco2eq{group="TDAaaS"`, `carbon_settled_embodied_emissions_gco2eq_total{group="TDAaaS"`,
			},
			present: []string{`carbon_energy_low_kwh{project="IDAaaS"`, "carbon_site_energy_low_kwh"},
		},
		{
			name: "a site without instruments",
			change: func(s *Snapshot) {
				t := &s.Totals[0]
				t.Energy.Measured, t.Emissions.Measured, t.SettledEnergy.Measured, t.SettledEmissions.Measured = 0, 0, 0, 0
				t.Down, t.Up, t.Undoubted, t.Embodied, t.SettledEmbodied, t.Hardware = 0, 0, t.Energy.Total(), 0, 0, 0
				s.Newest.Usage[0].Energy.Measured, s.Newest.Usage[0].Emissions.Measured = 0, 0
				s.Ratings[0].Low, s.Ratings[0].High, s.Zones = nil, nil, nil
			},
			absent: []string{
				"carbon_machine_power_low_watts", "carbon_machine_power_high_watts", "carbon_energy_low_kwh", "carbon_energy_high_kwh",
				"carbon_site_energy_low_kwh", "carbon_site_energy_high_kwh", "carbon_embodied_emissions_gco2eq",
				"carbon_settled_embodied_emissions_gco2eq_total", "carbon_measured_energy_kwh", "carbon_unexplained_energy_kwh",
				`carbon_energy_kwh{group="ISIS",machine="Laser",mode="measured"`, `carbon_power_watts{group="ISIS",machine="Laser",mode="measured"`,
			},
			present: []string{"carbon_energy_kwh{" + laser, "carbon_machine_power_watts"},
		},
		{
			name: "other factors of which one is not known",
			change: func(s *Snapshot) {
				s.Factors.Totals = s.Factors.Totals[1:]
				s.Factors.Unpriced = map[string]usage.KWh{"lifecycle": 0.55, "market": 0}
			},
			absent:  []string{`carbon_factor_emissions_gco2eq{factors="lifecycle"`},
			present: []string{`carbon_factor_emissions_gco2eq{factors="market"`, `carbon_factor_unpriced_energy_kwh{factors="lifecycle"`},
		},
		{
			name:   "without other factors",
			change: func(s *Snapshot) { s.Factors = usage.FactorTotals{} },
			absent: []string{"carbon_factor_emissions_gco2eq", "carbon_factor_unpriced_energy_kwh"}, present: []string{"carbon_emissions_gco2eq"},
		},
		{
			name:   "devices that were taken back: a counter stays where it was",
			change: func(s *Snapshot) { s.Totals[0].Energy.Measured, s.Totals[0].Emissions.Measured = 0, 0 },
			present: []string{
				`carbon_settled_energy_kwh_total{group="ISIS",machine="Laser",mode="measured"`, `carbon_settled_emissions_gco2eq_total{group="ISIS",machine="Laser",mode="measured"`,
			},
		},
		{
			name:    "hardware that is paid off: 0 is known",
			change:  func(s *Snapshot) { s.Totals[0].Embodied, s.Totals[0].SettledEmbodied = 0, 0 },
			present: []string{"carbon_embodied_emissions_gco2eq{", "carbon_settled_embodied_emissions_gco2eq_total{"},
		},
		{
			name:    "hardware that is configured no more: a counter stays where it was",
			change:  func(s *Snapshot) { s.Totals[0].Embodied, s.Totals[0].Hardware = 0, 0 },
			absent:  []string{"carbon_embodied_emissions_gco2eq"},
			present: []string{"carbon_settled_embodied_emissions_gco2eq_total{"},
		},
		{
			name:   "idle energy of zero, which is known",
			change: func(s *Snapshot) { s.Totals[0].Energy.Idle = 0 },
			present: []string{
				`carbon_energy_kwh{group="ISIS",machine="Laser",mode="idle",project="IDAaaS",user="1042"}`,
			},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := day()
			if test.change != nil {
				test.change(s)
			}
			got := samples(gathered(t, usageOf(s)))
			for _, prefix := range test.absent {
				if has(got, prefix) {
					t.Errorf("%s is there", prefix)
				}
			}
			for _, prefix := range test.present {
				if !has(got, prefix) {
					t.Errorf("%s is not there", prefix)
				}
			}
		})
	}
	t.Run("nothing published", func(t *testing.T) {
		if got := gathered(t, usageOf(nil)); len(got) > 0 {
			t.Errorf("shows %v", got)
		}
	})
}

func has(samples map[string]float64, prefix string) bool {
	for name := range samples {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return false
}

func TestKeyLeavesWhenUnused(t *testing.T) {
	usageFamilies := []string{
		"carbon_cpu_seconds", "carbon_energy_kwh", "carbon_emissions_gco2eq", "carbon_settled_energy_kwh_total",
		"carbon_settled_emissions_gco2eq_total", "carbon_power_watts", "carbon_emission_rate_gco2eq_per_hour",
	}
	for _, test := range []struct {
		name        string
		since       time.Time
		laser, muon bool
	}{
		{"both were used lately", now.Add(-24 * time.Hour), true, true},
		{"used for the last time just then", now.Add(-100 * time.Minute), true, true},
		{"one was used for the last time a second before", now.Add(-100*time.Minute + time.Second), true, false},
		{"nothing was stored for so long", now, false, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := day()
			s.Since = test.since
			got := gathered(t, usageOf(s))
			for machine, want := range map[string]bool{"Laser": test.laser, "Muon": test.muon} {
				there := false
				for _, name := range usageFamilies {
					for _, m := range got[name].GetMetric() {
						there = there || label(m, "machine") == machine
					}
				}
				if there != want {
					t.Errorf("%s is shown: %v, want %v", machine, there, want)
				}
			}
			if got["carbon_intervals"] == nil || got["carbon_last_complete_interval_timestamp_seconds"] == nil {
				t.Error("what is of no key has left, too")
			}
		})
	}
}

func TestStatesAreAllThere(t *testing.T) {
	s := day()
	s.States = map[usage.State]int{usage.Settled: 3}
	want := map[string]float64{
		`carbon_intervals{state="settled"}`: 3, `carbon_intervals{state="provisional"}`: 0,
		`carbon_intervals{state="unpriced"}`: 0, `carbon_intervals{state="empty"}`: 0, `carbon_intervals{state="missing"}`: 0,
	}
	got := gathered(t, usageOf(s))
	for name := range got {
		if name != "carbon_intervals" {
			delete(got, name)
		}
	}
	if d := differ(samples(got), want); d != "" {
		t.Error(d)
	}
}

// TestSumsOverAnyLabel holds that a family has its parts and no total beside
// them: added up by whatever label, its samples are the snapshot's whole.
func TestSumsOverAnyLabel(t *testing.T) {
	s := cloud(50)
	want := map[string]float64{}
	for _, x := range s.Totals {
		want["carbon_cpu_seconds"] += float64(x.CPU.Total())
		want["carbon_energy_kwh"] += float64(x.Energy.Total())
		want["carbon_emissions_gco2eq"] += float64(x.Emissions.Total())
		want["carbon_settled_energy_kwh_total"] += float64(x.SettledEnergy.Total())
		want["carbon_settled_emissions_gco2eq_total"] += float64(x.SettledEmissions.Total())
	}
	for _, x := range s.Newest.Usage {
		want["carbon_power_watts"] += float64(x.Energy.Total()) * 1000 / s.Newest.Interval.Length.Hours()
		want["carbon_emission_rate_gco2eq_per_hour"] += float64(x.Emissions.Total()) / s.Newest.Interval.Length.Hours()
	}
	families := gathered(t, usageOf(s))
	for name, whole := range want {
		for _, by := range []string{"project", "machine", "user", "group", "mode"} {
			parts := map[string]float64{}
			for _, m := range families[name].GetMetric() {
				if label(m, by) == "" {
					t.Errorf("%s: a sample without %s", name, by)
				}
				parts[label(m, by)] += value(m)
			}
			sum := 0.0
			for _, part := range parts {
				sum += part
			}
			if math.Abs(sum-whole) > 1e-9*whole {
				t.Errorf("%s by %s is %v, want %v", name, by, sum, whole)
			}
		}
	}
}

func TestLabelsOfAnyKind(t *testing.T) {
	for _, test := range []struct{ name, value string }{
		{"quotes", `the "new" one`},
		{"a backslash", `C:\n\`},
		{"a newline", "first\nsecond"},
		{"an emoji", "🌍 Ökostrom"},
		{"braces and commas", `a{b="c"},d`},
		{"NUL", "a\x00b"},
		{"nothing", ""},
		{"64 KiB", strings.Repeat("x", 64<<10)},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := day()
			s.Totals[0].Project = test.value
			families := parse(t, body(t, exposition(s)))
			for _, m := range families["carbon_energy_kwh"].Metric {
				if label(m, "machine") == "Laser" && label(m, "project") != test.value {
					t.Errorf("project is %.99q, want %.99q", label(m, "project"), test.value)
				}
			}
			if d := differ(samples(families), samples(gathered(t, usageOf(s)))); d != "" {
				t.Error(d)
			}
		})
	}
}

// TestWhatCannotBeShown: a series that Prometheus would refuse is named in the
// log, and the others are scraped on.
func TestWhatCannotBeShown(t *testing.T) {
	for _, test := range []struct {
		name   string
		change func(*Snapshot)
		said   string
	}{
		{"invalid UTF-8", func(s *Snapshot) { s.Totals[1].Project = "a\xffb" }, "UTF-8"},
		{"the same key twice", func(s *Snapshot) { s.Totals = append(s.Totals, s.Totals[1]) }, "was collected before"},
	} {
		t.Run(test.name, func(t *testing.T) {
			var said bytes.Buffer
			s := day()
			test.change(s)
			e := NewExposition(prometheus.NewRegistry(), slog.New(slog.NewTextHandler(&said, nil)), clock)
			e.Show(usageOf(s))
			got := samples(parse(t, body(t, e)))
			if !has(got, `carbon_energy_kwh{group="ISIS"`) || !has(got, "carbon_power_watts") || !has(got, "carbon_intervals") {
				t.Error("what could be shown is not there")
			}
			if !strings.Contains(said.String(), test.said) {
				t.Errorf("log is %q, want it to say %q", said.String(), test.said)
			}
		})
	}
}

// TestCollectingDoesNoIO: what cannot reach a file, a network or a database
// cannot wait for one.
func TestCollectingDoesNoIO(t *testing.T) {
	for _, file := range []string{"collector.go", "overview.go", "columns.go", "family.go", "grid.go", "grid_outlook.go", "health.go", "todate.go", "budgets.go"} {
		f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
		if err != nil {
			t.Fatal(err)
		}
		for _, i := range f.Imports {
			switch path, _ := strconv.Unquote(i.Path.Value); path {
			case "cmp", "errors", "fmt", "math", "slices", "strconv", "strings", "unicode/utf8", "github.com/prometheus/client_model/go", "sync/atomic", "time", "github.com/prometheus/client_golang/prometheus",
				"github.com/carbon-exporter/carbon_exporter/internal/usage":
			default:
				t.Errorf("%s imports %s", file, path)
			}
		}
	}
}
