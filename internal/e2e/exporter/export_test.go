// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package exporter_test

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/e2e/built"
	"github.com/carbon-exporter/carbon_exporter/internal/e2e/engine"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// What the tool exports of a running exporter's record becomes blocks of a real
// Prometheus, and PromQL reads the same out of them: the series of /metrics as they
// are now, and in between what a report adds up.
func TestHistoryBecomesBlocksOfPrometheus(t *testing.T) {
	t.Parallel()
	promtool := built.Program(t, "promtool")
	s, uk := sharedSite(t), newGrid(t)
	over := spanOf(30*time.Minute, 12*time.Hour)
	where := settings{prometheus: serve(t, s.engine.Handler()).URL, uk: uk.URL}.place(t, over)
	live := start(t, where.args()...).becomesWhole(over)
	from := over.first.Add(150 * time.Minute)
	want := truth(s.cloud, over, uk.price)

	history := func(name string, more ...string) string {
		file, blocks := filepath.Join(t.TempDir(), name+".om"), t.TempDir()
		args := append([]string{
			"export", "openmetrics", "--from=" + from.Format(time.RFC3339), "--to=" + over.end.Format(time.RFC3339), "--output=" + file,
		}, more...)
		if code, stdout, stderr := tool(t, append(args, where.args()...)...); code != 0 || stdout != "" || stderr != "" {
			t.Fatalf("export ends with %d: %s%s", code, stdout, stderr)
		}
		made := exec.Command(promtool, "tsdb", "create-blocks-from", "openmetrics", "--max-block-duration=24h", file, blocks)
		if out, err := made.CombinedOutput(); err != nil {
			t.Fatalf("promtool: %v\n%s", err, out)
		}
		e, err := engine.Open(engine.Options{Dir: blocks})
		if err != nil {
			t.Fatal(err)
		}
		closeLater(t, e)
		return serve(t, e.Handler()).URL
	}
	server := history("all")

	at := func(promql string, when time.Time) string { return fmt.Sprintf("%s @ %d", promql, when.Unix()) }
	for _, family := range []string{"carbon_cpu_seconds", "carbon_energy_kwh", "carbon_emissions_gco2eq", "carbon_power_watts", "carbon_emission_rate_gco2eq_per_hour"} {
		is, was := vector(t, server, at(family, over.end)), live.usage(t, family)
		if len(is) != 2*len(was) {
			t.Errorf("%s: %d series in the history, %d keys on /metrics", family, len(is), len(was))
		}
		for k, v := range was {
			for mode, want := range map[usage.Mode]float64{usage.Busy: v.Busy, usage.Idle: v.Idle} {
				if got, ok := is[sample{k, mode}]; !ok || !near(got, want, 1e-12) {
					t.Errorf("%s of %v %s ends at %v, %v; /metrics has %v", family, k, mode, got, ok, want)
				}
			}
		}
	}

	for project, wants := range reported(t, where, from, over.end) {
		for family, want := range wants {
			got, err := query(server, fmt.Sprintf("sum(%s) - (sum(%s) or vector(0))",
				at(fmt.Sprintf("%s{project=%q}", family, project), over.end), at(fmt.Sprintf("%s{project=%q}", family, project), from)))
			if err != nil || !near(got, want, 1e-9) {
				t.Errorf("%s of %s rises by %v, %v; reported is %v", family, project, got, err, want)
			}
		}
	}

	// Power by time is energy, and energy by intensity is the grams: at any interval.
	i := over.intervals()[11]
	kwh, grams := 0.0, 0.0
	for _, a := range want[i.Start] {
		kwh += a.KWh.Busy + a.KWh.Idle
		grams += a.Grams.Busy + a.Grams.Idle
	}
	for promql, want := range map[string]float64{
		at("sum(carbon_power_watts", i.End()) + ") * 0.5 / 1000":                                                    kwh,
		"sum(" + at("carbon_energy_kwh", i.End()) + ") - sum(" + at("carbon_energy_kwh", i.Start) + ")":             kwh,
		"sum(" + at("carbon_emissions_gco2eq", i.End()) + ") - sum(" + at("carbon_emissions_gco2eq", i.Start) + ")": grams,
		at(`carbon_intensity_gco2eq_per_kwh{kind="actual"}`, i.End()):                                               float64(uk.price(i.Start)),
		at(`carbon_intensity_slot_start_timestamp_seconds{kind="forecast"}`, i.Start):                               float64(i.Start.Unix()),
		at("carbon_pue_ratio", i.End()):                                                                             pue,
		at(`carbon_machine_power_watts{machine="Muon",mode="idle"}`, i.End()):                                       watts("Muon").Idle,
		"count(last_over_time(" + at("carbon_coverage_ratio[35m]", i.End()) + ") > 0.9)":                            float64(len(projectsOf(want[i.Start]))),
	} {
		if got, err := query(server, promql); err != nil || !near(got, want, exact) {
			t.Errorf("%s is %v, %v; want %v", promql, got, err, want)
		}
	}

	// With samples as a scrape leaves them, there is no hole between two intervals.
	dense := history("dense", "--every=5m", "--metric=carbon_energy_kwh")
	for ahead := time.Minute; ahead < 30*time.Minute; ahead += 7 * time.Minute {
		is, err := query(dense, "sum("+at("carbon_energy_kwh", i.End().Add(ahead))+")")
		was, err2 := query(dense, "sum("+at("carbon_energy_kwh", i.End())+")")
		if err != nil || err2 != nil || is != was {
			t.Errorf("%v after an interval energy is %v, %v; it was %v, %v", ahead, is, err, was, err2)
		}
	}
	checkCSV(t, where, over, want)
}

// sample names a series of usage.
type sample struct {
	usage.Key
	mode usage.Mode
}

// vector asks for an instant vector of usage.
func vector(t *testing.T, server, promql string) map[sample]float64 {
	t.Helper()
	answer, err := http.Get(server + "/api/v1/query?query=" + url.QueryEscape(promql))
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	var body struct {
		Data struct {
			Result []struct {
				Metric map[string]string `json:"metric"`
				Value  [2]any            `json:"value"`
			} `json:"result"`
		} `json:"data"`
	}
	if err := json.NewDecoder(answer.Body).Decode(&body); err != nil {
		t.Fatal(err)
	}
	all := map[sample]float64{}
	for _, r := range body.Data.Result {
		m := r.Metric
		v, err := strconv.ParseFloat(r.Value[1].(string), 64)
		if err != nil {
			t.Fatal(err)
		}
		all[sample{usage.Key{Project: m["project"], Machine: m["machine"], User: m["user"], Group: m["group"]}, usage.Mode(m["mode"])}] = v
	}
	return all
}

// reported is what the tool reports of each project, by the metric that shows it.
func reported(t *testing.T, where place, from, to time.Time) map[string]map[string]float64 {
	t.Helper()
	code, stdout, stderr := tool(t, append([]string{
		"report", "--scope=project", "--format=json", "--from=" + from.Format(time.RFC3339), "--to=" + to.Format(time.RFC3339),
	}, where.args()...)...)
	var said struct {
		Rows []struct {
			Name      string
			BusyCPU   float64 `json:"busy_cpu_seconds"`
			IdleCPU   float64 `json:"idle_cpu_seconds"`
			Energy    float64 `json:"energy_kwh"`
			Emissions float64 `json:"emissions_gco2eq"`
		}
	}
	if err := json.Unmarshal([]byte(stdout), &said); code != 0 || stderr != "" || err != nil || len(said.Rows) == 0 {
		t.Fatalf("report ends with %d, %v: %s%s", code, err, stdout, stderr)
	}
	all := map[string]map[string]float64{}
	for _, r := range said.Rows {
		all[r.Name] = map[string]float64{
			"carbon_cpu_seconds": r.BusyCPU + r.IdleCPU, "carbon_energy_kwh": r.Energy, "carbon_emissions_gco2eq": r.Emissions,
		}
	}
	return all
}

func projectsOf(keys map[usage.Key]amount) map[string]bool {
	all := map[string]bool{}
	for k := range keys {
		all[k.Project] = true
	}
	return all
}

// checkCSV wants the facts to be the simulation's truth, and those of members to add
// up to the site.
func checkCSV(t *testing.T, where place, over span, want book) {
	t.Helper()
	rows := func(more ...string) [][]string {
		code, stdout, stderr := tool(t, append(append([]string{"export", "csv", "--from=" + over.first.Format(time.RFC3339)}, more...), where.args()...)...)
		all, err := csv.NewReader(strings.NewReader(stdout)).ReadAll()
		if code != 0 || stderr != "" || err != nil {
			t.Fatalf("export csv ends with %d, %v: %s", code, err, stderr)
		}
		return all[1:]
	}
	numbers := func(cells []string) (v [6]float64) {
		for i := range v {
			n, err := strconv.ParseFloat(cells[i], 64)
			if err != nil {
				t.Fatal(err)
			}
			v[i] = n
		}
		return v
	}
	facts := 0
	for _, row := range rows() {
		start, err := time.Parse(time.RFC3339, row[0])
		if err != nil {
			t.Fatal(err)
		}
		is, got := want[start][usage.Key{Project: row[1], Machine: row[2], User: row[3], Group: row[4]}].columns(), numbers(row[6:])
		for i := range got {
			if !near(got[i], is[i], exact) {
				t.Errorf("%v: column %d is %v, truth %v", row[:5], i, got[i], is[i])
			}
		}
		facts++
	}
	keys := 0
	for _, k := range want {
		keys += len(k)
	}
	if facts != keys {
		t.Errorf("%d facts are exported, in truth there are %d", facts, keys)
	}
	sums := map[string][6]float64{}
	for _, row := range rows("--grain=scope") {
		sum := sums[row[1]]
		for i, v := range numbers(row[4:]) {
			sum[i] += v
		}
		sums[row[1]] = sum
	}
	for scope, sum := range sums {
		for i := range sum {
			if !near(sum[i], sums["ada"][i], 1e-9) {
				t.Errorf("column %d of scope %s adds up to %v, the site has %v", i, scope, sum[i], sums["ada"][i])
			}
		}
	}
}
