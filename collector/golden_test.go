// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	versioncollector "github.com/prometheus/client_golang/prometheus/collectors/version"
	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/version"

	"github.com/carbon-exporter/carbon_exporter/internal/directory"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

var update = flag.Bool("update", false, "rewrite testdata/metrics.prom")

const golden = "testdata/metrics.prom"

// exporter is the whole face of an exporter at now, but for go_* and process_*:
// the snapshot with its workspaces, the grid, and a health that has seen an
// answer of Prometheus, one of the carbon API and a directory, a time-out, a
// refused sample and refused records.
func exporter(t *testing.T) *Exposition {
	t.Helper()
	release(t)
	live := prometheus.NewPedanticRegistry()
	grid := NewGrid(clock)
	grid.Publish(around(outlook()))
	grid.PublishErrors(misses())
	grid.PublishSources(sources())
	live.MustRegister(grid, versioncollector.NewCollector("carbon_exporter"))
	health := NewHealth(live, clock)
	health.Reloaded(nil)
	health.Wrote(nil)
	health.Size(1 << 20)
	health.Requested(usage.SourcePrometheus, 1100*time.Millisecond, nil)
	health.Requested(usage.SourceCarbonIntensity, 200*time.Millisecond, nil)
	health.Requested(usage.SourceCarbonIntensity, 30*time.Second,
		fmt.Errorf("slots: %w", &usage.Failure{Reason: usage.ReasonTimeout, Err: errors.New("deadline exceeded")}))
	health.Rejected(usage.Rejects{"nan": 1})
	health.Watch(usage.SourceMongoDB)
	health.Requested(usage.SourceMongoDB, 40*time.Millisecond, nil)
	health.RejectedRecords([]directory.RecordReject{{Collection: "workspaces", Reason: "no_host", Count: 2}})
	health.Directory(now.Add(-3 * time.Minute))
	health.RollupsPending(48)
	health.Watch(usage.SourceLake)
	health.LakePublished(usage.LakeState{Waiting: 2, Open: 2, Refused: 1, Newest: clock().Truncate(24 * time.Hour)})
	health.Exposed(Size{Samples: 123, Text: 12_345, Zipped: 1_234}, 500_000)
	e := NewExposition(live, slog.New(slog.DiscardHandler), clock)
	s := day()
	s.Workspaces = active()
	e.Show(usageOf(s))
	return e
}

// release fixes what a build says about itself, for the time of a test.
func release(t *testing.T) {
	for name, to := range map[*string]string{
		&version.Version: "1.0.0", &version.Revision: "0123abc", &version.Branch: "main",
		&version.GoVersion: "go1.26.0", &version.GoOS: "linux", &version.GoArch: "amd64",
	} {
		was := *name
		*name = to
		t.Cleanup(func() { *name = was })
	}
}

func TestGolden(t *testing.T) {
	got := body(t, exporter(t))
	if *update {
		if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("the scrape is not what %s has; if it is meant to change, rewrite it with -update and read the difference\n%s",
			golden, differ(samples(parse(t, got)), samples(parse(t, string(want)))))
	}
	problems, err := promlint.New(strings.NewReader(got)).Lint()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
}

// TestCatalogue holds the names, types and labels that users rely on. A metric
// that is not in this list is not to be shown, and the other way round.
func TestCatalogue(t *testing.T) {
	const key = "group machine mode project user"
	want := map[string]string{
		"carbon_cpu_seconds":                                           "GAUGE " + key,
		"carbon_energy_kwh":                                            "GAUGE " + key,
		"carbon_emissions_gco2eq":                                      "GAUGE " + key,
		"carbon_power_watts":                                           "GAUGE " + key,
		"carbon_emission_rate_gco2eq_per_hour":                         "GAUGE " + key,
		"carbon_settled_energy_kwh_total":                              "COUNTER " + key,
		"carbon_settled_emissions_gco2eq_total":                        "COUNTER " + key,
		"carbon_intensity_gco2eq_per_kwh":                              "GAUGE grid kind provider",
		"carbon_intensity_slot_start_timestamp_seconds":                "GAUGE grid kind provider",
		"carbon_intensity_index_info":                                  "GAUGE grid index kind provider",
		"carbon_intensity_info":                                        "GAUGE basis grid kind provider quality",
		"carbon_intensity_source_info":                                 "GAUGE basis credit grid licence link provider",
		"carbon_intensity_source_ratio":                                "GAUGE provider",
		"carbon_intensity_basis_ratio":                                 "GAUGE basis",
		"carbon_intensity_forecast_gco2eq_per_kwh":                     "GAUGE ahead grid provider",
		"carbon_intensity_best_window_start_timestamp_seconds":         "GAUGE grid provider window",
		"carbon_intensity_best_window_gco2eq_per_kwh":                  "GAUGE grid provider window",
		"carbon_intensity_forecast_error_gco2eq_per_kwh":               "GAUGE ahead grid provider",
		"carbon_intensity_forecast_error_pairs":                        "GAUGE ahead grid provider",
		"carbon_machine_power_watts":                                   "GAUGE machine mode source",
		"carbon_pue_ratio":                                             "GAUGE",
		"carbon_interval_seconds":                                      "GAUGE",
		"carbon_last_complete_interval_timestamp_seconds":              "GAUGE",
		"carbon_intervals":                                             "GAUGE state",
		"carbon_unpriced_energy_kwh":                                   "GAUGE",
		"carbon_embodied_emissions_gco2eq":                             "GAUGE group machine project user",
		"carbon_settled_embodied_emissions_gco2eq_total":               "COUNTER group machine project user",
		"carbon_energy_low_kwh":                                        "GAUGE project",
		"carbon_energy_high_kwh":                                       "GAUGE project",
		"carbon_site_energy_low_kwh":                                   "GAUGE",
		"carbon_site_energy_high_kwh":                                  "GAUGE",
		"carbon_machine_power_low_watts":                               "GAUGE machine mode source",
		"carbon_machine_power_high_watts":                              "GAUGE machine mode source",
		"carbon_measured_energy_kwh":                                   "GAUGE zone",
		"carbon_unexplained_energy_kwh":                                "GAUGE zone",
		"carbon_factor_emissions_gco2eq":                               "GAUGE factors group project",
		"carbon_factor_unpriced_energy_kwh":                            "GAUGE factors",
		"carbon_coverage_ratio":                                        "GAUGE project",
		"carbon_hosts":                                                 "GAUGE project state",
		"carbon_cores":                                                 "GAUGE project",
		"carbon_exporter_refused_hosts":                                "GAUGE reason",
		"carbon_exporter_unlisted_mode_ratio":                          "GAUGE mode",
		"carbon_workspace_info":                                        "GAUGE group host machine project user",
		"carbon_workspace_start_timestamp_seconds":                     "GAUGE host",
		"carbon_workspace_energy_kwh":                                  "GAUGE host mode",
		"carbon_workspace_emissions_gco2eq":                            "GAUGE host mode",
		"carbon_workspace_estimated_ratio":                             "GAUGE host",
		"carbon_day_to_date_energy_kwh":                                "GAUGE group machine project user",
		"carbon_day_to_date_emissions_gco2eq":                          "GAUGE group machine project user",
		"carbon_month_to_date_energy_kwh":                              "GAUGE group machine project user",
		"carbon_month_to_date_emissions_gco2eq":                        "GAUGE group machine project user",
		"carbon_year_to_date_energy_kwh":                               "GAUGE group machine project user",
		"carbon_year_to_date_emissions_gco2eq":                         "GAUGE group machine project user",
		"carbon_budget_limit_gco2eq":                                   "GAUGE budget scope target",
		"carbon_budget_used_gco2eq":                                    "GAUGE budget scope target",
		"carbon_budget_limit_kwh":                                      "GAUGE budget scope target",
		"carbon_budget_used_kwh":                                       "GAUGE budget scope target",
		"carbon_budget_period_start_timestamp_seconds":                 "GAUGE budget scope target",
		"carbon_budget_period_end_timestamp_seconds":                   "GAUGE budget scope target",
		"carbon_budget_burn_ratio":                                     "GAUGE budget scope target window",
		"carbon_budget_projected_ratio":                                "GAUGE budget scope target",
		"carbon_exporter_label_drift":                                  "GAUGE project",
		"carbon_exporter_source_up":                                    "GAUGE source",
		"carbon_exporter_source_errors_total":                          "COUNTER reason source",
		"carbon_exporter_source_request_duration_seconds":              "HISTOGRAM source",
		"carbon_exporter_source_last_success_timestamp_seconds":        "GAUGE source",
		"carbon_exporter_rejected_samples_total":                       "COUNTER reason",
		"carbon_exporter_rejected_records_total":                       "COUNTER collection reason",
		"carbon_exporter_directory_timestamp_seconds":                  "GAUGE",
		"carbon_exporter_usage_writer_pending_intervals":               "GAUGE",
		"carbon_exporter_exposition_samples":                           "GAUGE",
		"carbon_exporter_exposition_max_samples":                       "GAUGE",
		"carbon_exporter_exposition_bytes":                             "GAUGE coding",
		"carbon_exporter_lake_pending":                                 "GAUGE state",
		"carbon_exporter_lake_published_until_timestamp_seconds":       "GAUGE",
		"carbon_exporter_store_writable":                               "GAUGE",
		"carbon_exporter_store_size_bytes":                             "GAUGE",
		"carbon_exporter_config_last_reload_successful":                "GAUGE",
		"carbon_exporter_config_last_reload_success_timestamp_seconds": "GAUGE",
		"carbon_exporter_build_info":                                   "GAUGE branch goarch goos goversion revision tags version",
	}
	families := parse(t, body(t, exporter(t)))
	for name, shape := range want {
		if f := families[name]; f == nil {
			t.Errorf("no %s", name)
		} else if got := shapeOf(f); got != shape {
			t.Errorf("%s is %s, want %s", name, got, shape)
		}
	}
	for name := range families {
		if _, ok := want[name]; !ok {
			t.Errorf("%s is not in the catalogue", name)
		}
	}
}

// TestEachFamilyOnce: the two halves of a scrape come from two registries, which
// cannot see each other's names.
func TestEachFamilyOnce(t *testing.T) {
	seen := map[string]bool{}
	for line := range strings.Lines(body(t, exporter(t))) {
		if name, ok := strings.CutPrefix(line, "# TYPE "); ok {
			name, _, _ = strings.Cut(name, " ")
			if seen[name] {
				t.Errorf("%s twice", name)
			}
			seen[name] = true
		}
	}
}

func shapeOf(f *dto.MetricFamily) string {
	labels := map[string]bool{}
	for _, m := range f.Metric {
		for _, l := range m.Label {
			labels[l.GetName()] = true
		}
	}
	names := slices.Sorted(maps.Keys(labels))
	return strings.TrimSpace(f.GetType().String() + " " + strings.Join(names, " "))
}
