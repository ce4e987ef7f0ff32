// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package exporter_test

import (
	"encoding/json"
	"regexp"
	"strconv"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

var explained = regexp.MustCompile(`(busy|idle)  ([0-9.]+) s x ([0-9.]+) W / 3600000 x ([0-9.]+) = [0-9.]+ kWh; x ([0-9.]+) = `)

// What the tool reports and explains beside a running exporter is the
// simulation's truth.
func TestReportsAndExplanationsAreTrue(t *testing.T) {
	t.Parallel()
	s, uk := sharedSite(t), newGrid(t)
	over := spanOf(30*time.Minute, 4*time.Hour)
	where := settings{prometheus: serve(t, s.engine.Handler()).URL, uk: uk.URL}.place(t, over)
	want := truth(s.cloud, over, uk.price)
	start(t, where.args()...).becomesWhole(over)

	for scope, member := range map[string]func(usage.Key) string{
		"ada":     func(usage.Key) string { return "ada" },
		"project": func(k usage.Key) string { return k.Project },
		"machine": func(k usage.Key) string { return k.Machine },
		"user":    func(k usage.Key) string { return k.User },
		"group":   func(k usage.Key) string { return k.Group },
	} {
		checkReport(t, where, over, scope, want.rollUp(member, false))
	}
	checkExplanations(t, where, over.intervals()[5], want)
}

func checkReport(t *testing.T, where place, over span, scope string, want map[row]amount) {
	t.Helper()
	code, stdout, stderr := tool(t, append([]string{
		"report", "--scope=" + scope, "--format=json", "--from=" + over.first.Format(time.RFC3339), "--to=" + over.end.Format(time.RFC3339),
	}, where.args()...)...)
	var said struct {
		Intervals struct{ All, Settled, Provisional int }
		Rows      []struct {
			Name      string
			BusyCPU   float64 `json:"busy_cpu_seconds"`
			IdleCPU   float64 `json:"idle_cpu_seconds"`
			BusyKWh   float64 `json:"busy_kwh"`
			IdleKWh   float64 `json:"idle_kwh"`
			BusyGrams float64 `json:"busy_gco2eq"`
			IdleGrams float64 `json:"idle_gco2eq"`
		}
	}
	if err := json.Unmarshal([]byte(stdout), &said); code != 0 || stderr != "" || err != nil {
		t.Fatalf("report by %s ends with %d, %v: %s", scope, code, err, stderr)
	}
	if said.Intervals.All != 8 || said.Intervals.Settled+said.Intervals.Provisional != 8 || len(said.Rows) != len(want) {
		t.Errorf("by %s: %d rows, want %d; intervals %+v", scope, len(said.Rows), len(want), said.Intervals)
	}
	for _, r := range said.Rows {
		got, is := [6]float64{r.BusyCPU, r.IdleCPU, r.BusyKWh, r.IdleKWh, r.BusyGrams, r.IdleGrams}, want[row{"", r.Name}].columns()
		for i := range got {
			if !near(got[i], is[i], exact) {
				t.Errorf("by %s: column %d of %s is %v, truth %v", scope, i, r.Name, got[i], is[i])
			}
		}
	}
}

// checkExplanations multiplies what each project is explained by.
func checkExplanations(t *testing.T, where place, i usage.Interval, want book) {
	t.Helper()
	projects := map[string]amount{}
	for k, a := range want[i.Start] {
		projects[k.Project] = projects[k.Project].plus(a)
	}
	for project, is := range projects {
		code, stdout, stderr := tool(t, append([]string{
			"explain", "--ts=" + i.Start.Add(7*time.Minute).Format(time.RFC3339), "--project=" + project,
		}, where.args()...)...)
		if code != 0 || stderr != "" {
			t.Fatalf("explain ends with %d: %s", code, stderr)
		}
		var kwh, grams usage.BusyIdle[float64]
		for _, m := range explained.FindAllStringSubmatch(stdout, -1) {
			product := 1.0 / 3_600_000
			for _, text := range m[2:5] {
				v, err := strconv.ParseFloat(text, 64)
				if err != nil {
					t.Fatal(err)
				}
				product *= v
			}
			price, err := strconv.ParseFloat(m[5], 64)
			if err != nil {
				t.Fatal(err)
			}
			if m[1] == "busy" {
				kwh.Busy, grams.Busy = kwh.Busy+product, grams.Busy+product*price
			} else {
				kwh.Idle, grams.Idle = kwh.Idle+product, grams.Idle+product*price
			}
		}
		for _, pair := range [][2]float64{{kwh.Busy, is.KWh.Busy}, {kwh.Idle, is.KWh.Idle}, {grams.Busy, is.Grams.Busy}, {grams.Idle, is.Grams.Idle}} {
			if !near(pair[0], pair[1], exact) {
				t.Errorf("%s: the factors give %v, truth is %v:\n%s", project, pair[0], pair[1], stdout)
			}
		}
	}
}
