// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !race

package main

import (
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// sciSite has two intervals of 200 gCO2eq/kWh, each with 0.019 kWh and 9000 CPU seconds of ISIS,
// on Muon, and 0.003 kWh and 7500 CPU seconds of CLF, on SANS; and a Prometheus.
type sciSite struct {
	t           *testing.T
	file, store string
	code        int
	answer      string // the result of any query
	asked       []string
}

func newSCISite(t *testing.T, embodied map[string]usage.GramsPerCoreHour, states ...usage.State) *sciSite {
	t.Helper()
	var recs []usage.Record
	for n, i := range intervalsOf(t, "2026-10-01T00:00:00Z", "2026-10-01T01:00:00Z", usage.SlotLength) {
		rec := recordOf(i, states[n], aliceMuon, bobMuon, nobodys)
		rec.Embodied = embodied
		recs = append(recs, rec)
	}
	s := &sciSite{t: t, file: filepath.Join(t.TempDir(), "carbon.yml"), code: http.StatusOK}
	s.store, _ = storeOf(t, recs...)
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	text := "prometheus: {url: " + server.URL + "}\ntimezone: Europe/London\n"
	if err := os.WriteFile(s.file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *sciSite) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.asked = append(s.asked, r.URL.Path+" "+r.FormValue("query")+" "+r.FormValue("time"))
	w.WriteHeader(s.code)
	fmt.Fprintf(w, `{"status":"success","data":{"resultType":"vector","result":[%s]}}`, s.answer)
}

// report calls for the hour of the site.
func (s *sciSite) report(args ...string) called {
	s.t.Helper()
	return call(append([]string{"report", "--sci", "--config.file", s.file, "--storage.path", s.store, "--from=2026-10-01T01:00", "--to=2026-10-01T02:00"}, args...)...)
}

// vector is an answer of label=name:value.
func vector(label string, values ...string) string {
	var all []string
	for _, v := range values {
		name, number, _ := strings.Cut(v, ":")
		metric := fmt.Sprintf(`{%q:%q}`, label, name)
		if label == "" {
			metric = "{}"
		}
		all = append(all, fmt.Sprintf(`{"metric":%s,"value":[1,%q]}`, metric, number))
	}
	return strings.Join(all, ",")
}

var bothMachines = map[string]usage.GramsPerCoreHour{"Muon": 0.5, "SANS": 0.5}

// What is in the store per hour, of each project.
const (
	isisOperational, isisEmbodied = 2 * 0.019 * 200, 2 * 0.5 * 9000 / 3600.0
	clfOperational, clfEmbodied   = 2 * 0.003 * 200, 2 * 0.5 * 7500 / 3600.0
	siteOperational, siteEmbodied = isisOperational + clfOperational, isisEmbodied + clfEmbodied
)

func TestSCI(t *testing.T) {
	unknown := math.NaN()
	settled := []usage.State{usage.Settled, usage.Settled}
	const byProject = "sum by (cloud_project_name) (increase(jobs_total[$__range]))"
	type want map[string][3]float64 // R, operational and whole grams for each, by row
	for _, c := range []struct {
		name     string
		embodied map[string]usage.GramsPerCoreHour
		states   []usage.State
		args     []string
		answer   string
		asked    int
		want     want
	}{
		{
			name: "a number is R of the site", embodied: bothMachines, states: settled, args: []string{"--scope=site", "--per=20"},
			want: want{"site": {20, siteOperational / 20, (siteOperational + siteEmbodied) / 20}, "total": {20, siteOperational / 20, (siteOperational + siteEmbodied) / 20}},
		},
		{
			name: "and not of its members", embodied: bothMachines, states: settled, args: []string{"--per=20"},
			want: want{"ISIS": {unknown, unknown, unknown}, "CLF": {unknown, unknown, unknown}, "total": {20, siteOperational / 20, (siteOperational + siteEmbodied) / 20}},
		},
		{
			name: "by project, as the label is called there", embodied: bothMachines, states: settled, args: []string{"--per", byProject},
			answer: vector("cloud_project_name", "ISIS:10", "CLF:4"), asked: 1,
			want: want{
				"ISIS":  {10, isisOperational / 10, (isisOperational + isisEmbodied) / 10},
				"CLF":   {4, clfOperational / 4, (clfOperational + clfEmbodied) / 4},
				"total": {14, siteOperational / 14, (siteOperational + siteEmbodied) / 14},
			},
		},
		{
			name: "or as the exporter calls it", embodied: bothMachines, states: settled, args: []string{"--per", byProject},
			answer: vector("project", "ISIS:10", "NOBODY:1"), asked: 1,
			want: want{
				"ISIS": {10, isisOperational / 10, (isisOperational + isisEmbodied) / 10}, "CLF": {unknown, unknown, unknown},
				"total": {11, siteOperational / 11, (siteOperational + siteEmbodied) / 11},
			},
		},
		{
			name: "those without a user", embodied: bothMachines, states: settled, args: []string{"--scope=user", "--per", byProject},
			answer: vector("user", "alice:2", ":6"), asked: 1,
			want: want{
				"alice": {2, 2 * 0.0125 * 200 / 2, (2*0.0125*200 + 2*0.5*5400/3600.0) / 2}, "bob": {unknown, unknown, unknown},
				"unattributed": {6, clfOperational / 6, (clfOperational + clfEmbodied) / 6},
				"total":        {8, siteOperational / 8, (siteOperational + siteEmbodied) / 8},
			},
		},
		{
			name: "the rest of the top", embodied: bothMachines, states: settled, args: []string{"--scope=user", "--top=1", "--per", byProject},
			answer: vector("user", "alice:2", "bob:3", ":5"), asked: 1,
			want: want{
				"alice": {2, 2 * 0.0125 * 200 / 2, (2*0.0125*200 + 2*0.5*5400/3600.0) / 2},
				"other": {8, 2 * 0.0095 * 200 / 8, (2*0.0095*200 + 2*0.5*(3600+7500)/3600.0) / 8},
				"total": {10, siteOperational / 10, (siteOperational + siteEmbodied) / 10},
			},
		},
		{
			name: "one series that names nobody", embodied: bothMachines, states: settled, args: []string{"--per=sum(jobs)"}, answer: vector("", ":5"), asked: 1,
			want: want{"ISIS": {unknown, unknown, unknown}, "CLF": {unknown, unknown, unknown}, "total": {5, siteOperational / 5, (siteOperational + siteEmbodied) / 5}},
		},
		{
			name: "no series", embodied: bothMachines, states: settled, args: []string{"--scope=site", "--per=sum(jobs)"}, asked: 1,
			want: want{"site": {unknown, unknown, unknown}, "total": {unknown, unknown, unknown}},
		},
		{
			name: "0", embodied: bothMachines, states: settled, args: []string{"--scope=site", "--per=0"},
			want: want{"site": {unknown, unknown, unknown}, "total": {unknown, unknown, unknown}},
		},
		{
			name: "what is no number, or negative, is no R", embodied: bothMachines, states: settled, args: []string{"--per", byProject},
			answer: vector("project", "ISIS:NaN", "CLF:-1"), asked: 1,
			want: want{"ISIS": {unknown, unknown, unknown}, "CLF": {unknown, unknown, unknown}, "total": {unknown, unknown, unknown}},
		},
		{
			name: "embodied emissions are not configured", states: settled, args: []string{"--scope=site", "--per=20"},
			want: want{"site": {20, siteOperational / 20, unknown}, "total": {20, siteOperational / 20, unknown}},
		},
		{
			name: "of one machine type of two", embodied: map[string]usage.GramsPerCoreHour{"Muon": 0.5}, states: settled, args: []string{"--per", byProject},
			answer: vector("project", "ISIS:10", "CLF:4"), asked: 1,
			want: want{
				"ISIS": {10, isisOperational / 10, (isisOperational + isisEmbodied) / 10}, "CLF": {4, clfOperational / 4, unknown},
				"total": {14, siteOperational / 14, unknown},
			},
		},
		{
			name: "a paid-off server has 0, which is known", embodied: map[string]usage.GramsPerCoreHour{"Muon": 0, "SANS": 0}, states: settled, args: []string{"--scope=site", "--per=20"},
			want: want{"site": {20, siteOperational / 20, siteOperational / 20}, "total": {20, siteOperational / 20, siteOperational / 20}},
		},
		{
			name: "half of the energy has no price", embodied: bothMachines, states: []usage.State{usage.Settled, usage.Unpriced}, args: []string{"--scope=site", "--per=20"},
			want: want{"site": {20, unknown, unknown}, "total": {20, unknown, unknown}},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newSCISite(t, c.embodied, c.states...)
			s.answer = c.answer
			got := s.report(append(c.args, "--format=json")...)
			if got.code != exitDone || got.stderr != "" || len(s.asked) != c.asked {
				t.Fatalf("asked %q, got %+v", s.asked, got)
			}
			var d struct {
				Rows  []map[string]any
				Total map[string]any
			}
			if err := json.Unmarshal([]byte(got.stdout), &d); err != nil {
				t.Fatal(err)
			}
			rows := slices.Concat(d.Rows, []map[string]any{d.Total})
			if len(rows) != len(c.want) {
				t.Errorf("%d rows, want %d", len(rows), len(c.want))
			}
			for _, row := range rows {
				want := c.want[row["name"].(string)]
				for n, field := range []string{"r", "operational_gco2eq_per_r", "sci_gco2eq_per_r"} {
					v, known := row[field].(float64)
					if known == math.IsNaN(want[n]) || known && !near(v, want[n]) {
						t.Errorf("%s of %s is %v, want %v", field, row["name"], row[field], want[n])
					}
				}
			}
			holdSCIInCSV(t, rows, s.report(append(c.args, "--format=csv")...).stdout)
		})
	}
}

// holdSCIInCSV wants the same in CSV as in JSON: an empty cell for null.
func holdSCIInCSV(t *testing.T, rows []map[string]any, text string) {
	t.Helper()
	lines := strings.Split(strings.TrimSpace(text), "\n")
	fields := strings.Split(lines[0], ",")
	for n, line := range lines[1:] {
		for i, cell := range strings.Split(line, ",") {
			switch v := rows[n][fields[i]].(type) {
			case nil:
				if cell != "" {
					t.Errorf("%s is %q, want nothing", fields[i], cell)
				}
			case float64:
				if f, err := strconv.ParseFloat(cell, 64); err != nil || f != v {
					t.Errorf("%s is %q, want %v", fields[i], cell, v)
				}
			default:
				if cell != v {
					t.Errorf("%s is %q, want %v", fields[i], cell, v)
				}
			}
		}
	}
	if len(lines) != len(rows)+1 || !slices.Contains(fields, "sci_gco2eq_per_r") {
		t.Errorf("got\n%s", text)
	}
}

func TestSCIInWords(t *testing.T) {
	s := newSCISite(t, map[string]usage.GramsPerCoreHour{"Muon": 0.5}, usage.Settled, usage.Unpriced)
	s.answer = vector("cloud_project_name", "ISIS:10")
	const want = `Software Carbon Intensity by project, 2026-10-01 01:00 to 2026-10-01 02:00, Europe/London
2 of 2 intervals collected: 1 settled, 0 provisional, 1 unpriced, 0 empty; 0 missing

PROJECT      kWh  g/kWh  OPERATIONAL g  EMBODIED g  R (jobs)  OPERATIONAL g/R  SCI g/R
ISIS     0.03800  200.0          3.800       2.500     10.00                -        -
CLF      0.00600  200.0          0.600           -         -                -        -
total    0.04400  200.0          4.400           -     10.00                -        -

SCI = (E x I + M) / R by ISO/IEC 21031:2024: E x I is OPERATIONAL g, added up half hour by half hour; M is EMBODIED g.
R: jobs, by sum by (cloud_project_name) (increase(jobs_total[1h])) at 2026-10-01T02:00:00+01:00. That of the total is the sum of all its series.
1 of 2 rows have no positive R and so no SCI; what they used is in the total, whose R is that of the others.
The hardware of 45.5 % of the CPU time is not configured (embodied), so M is unknown, not 0, and there is no SCI where there is any of it: OPERATIONAL g/R is E x I per R alone, which is not an SCI.
50.0 % of the energy has no carbon intensity yet, so E x I is unknown, and with it the SCI, where there is any: OPERATIONAL g is of the rest.
Carbon intensity: uk, grid GB
`
	got := s.report("--per", "sum by (cloud_project_name) (increase(jobs_total[$__range]))", "--per-unit=jobs")
	if got != (called{exitDone, want, ""}) {
		t.Errorf("got\n%s%s\nwant\n%s", got.stdout, got.stderr, want)
	}
	if want := []string{"/api/v1/query sum by (cloud_project_name) (increase(jobs_total[1h])) 1790816400"}; !slices.Equal(s.asked, want) {
		t.Errorf("asked %q, want %q", s.asked, want)
	}
}
