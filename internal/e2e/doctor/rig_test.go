// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Package doctor_test runs carbontool doctor against Prometheus' own engine, a server that speaks
// MongoDB's protocol and servers in front of them that are wrong in every way that operators meet.
// It knows the program by its flags and its output. Start with TestEveryWayToGetNothing.
package doctor_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/e2e/built"
	"github.com/carbon-exporter/carbon_exporter/internal/e2e/engine"
	"github.com/carbon-exporter/carbon_exporter/internal/e2e/engine/enginetest"
)

// programs is the directory with carbontool.
var programs string

func TestMain(m *testing.M) { os.Exit(built.Main(m, &programs, "carbontool")) }

// machine is a host of two cores, a quarter of which is busy.
type machine struct {
	labels map[string]string // more of them, or others; empty: none of that name
	before map[string]string // labels that it had until two hours ago; nil: the same
	every  time.Duration     // between scrapes; 0: a minute
	lasts  time.Duration     // since when it is scraped; 0: more than a day
	model  string            // of its processor; empty: a usual one
	mute   bool              // it does not say its processor
	draws  float64           // what its meter shows, in watts; 0: it has none
}

// now is when the tests run.
var now = time.Now().Truncate(time.Second)

// scrape fills an engine with the machines.
func scrape(t *testing.T, e *engine.Engine, machines ...machine) {
	t.Helper()
	for n, m := range machines {
		every, lasts := m.every, m.lasts
		if every == 0 {
			every = time.Minute
		}
		if lasts == 0 {
			lasts = 26 * time.Hour
		}
		from, until := now.Add(-lasts), now.Add(-time.Second)
		if m.before != nil {
			changed := now.Add(-2 * time.Hour)
			m.cores(t, e, n, m.before, from, changed, every)
			from = changed.Add(every)
		}
		m.cores(t, e, n, m.labels, from, until, every)
	}
}

func (m machine) cores(t *testing.T, e *engine.Engine, n int, more map[string]string, from, until time.Time, every time.Duration) {
	t.Helper()
	labels := map[string]string{
		"job": "node", "instance": fmt.Sprintf("10.0.0.%d:9100", n+1), "cloud_project_name": "ISIS", "machine_name": "Muon",
	}
	maps.Copy(labels, more)
	series := func(name string, more ...string) *engine.Series {
		all := map[string]string{"__name__": name}
		maps.Copy(all, labels)
		for i := 0; i < len(more); i += 2 {
			all[more[i]] = more[i+1]
		}
		return engine.NewSeries(all)
	}
	up := series("up")
	every1 := func(one *engine.Series, v float64) {
		var samples []engine.Sample
		for at := from; !at.After(until); at = at.Add(every) {
			samples = append(samples, engine.At(at, v))
		}
		if err := e.Append(t.Context(), one, samples...); err != nil {
			t.Fatal(err)
		}
	}
	if m.draws != 0 {
		every1(series("ipmi_dcmi_power_consumption_watts", "job", "ipmi", "node", strings.TrimSuffix(labels["instance"], ":9100"), "instance", "bmc-"+labels["instance"]), m.draws)
	}
	for cpu := range 2 {
		if !m.mute {
			every1(series("node_cpu_info", "cpu", fmt.Sprint(cpu), "package", "0", "model_name", cmp.Or(m.model, "AMD EPYC 9354 32-Core Processor")), 1)
		}
	}
	booted := now.Add(-time.Duration(1000+n) * time.Hour) // not all at once
	for cpu := range 2 {
		for mode, share := range map[string]float64{"user": 0.25, "idle": 0.75} {
			one := series("node_cpu_seconds_total", "cpu", fmt.Sprint(cpu), "mode", mode)
			var samples []engine.Sample
			for at := from; !at.After(until); at = at.Add(every) {
				samples = append(samples, engine.At(at, share*at.Sub(booted).Seconds()))
			}
			if err := e.Append(t.Context(), one, samples...); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := e.Append(t.Context(), up, engine.At(until, 1)); err != nil {
		t.Fatal(err)
	}
}

// scraped is an engine with these machines, and its address.
func scraped(t *testing.T, machines ...machine) (*engine.Engine, string) {
	t.Helper()
	e, url := enginetest.Serve(t, engine.Options{})
	scrape(t, e, machines...)
	return e, url
}

// finding is one of the findings in the output as JSON.
type finding struct {
	Area, Check, Level, Seen string
	Do                       string `json:"to_do"`
}

// report is what the program says.
type report struct {
	t        *testing.T
	code     int
	stderr   string
	Findings []finding
}

// examine writes a configuration, and calls doctor.
func examine(t *testing.T, config string, args ...string) *report {
	t.Helper()
	dir := t.TempDir()
	file := filepath.Join(dir, "carbon.yml")
	if !strings.Contains(config, "carbon_intensity:") {
		config += "\ncarbon_intensity: {provider: static, static: {gco2eq_per_kwh: 100, grid: contract}}\n"
	}
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	args = append([]string{"doctor", "--format=json", "--config.file=" + file, "--storage.path=" + filepath.Join(dir, "carbon.db")}, args...)
	got := built.Run(t, exec.Command(filepath.Join(programs, "carbontool"), args...))
	r := &report{t: t, code: got.Code, stderr: got.Stderr}
	if err := json.Unmarshal([]byte(got.Stdout), r); err != nil {
		t.Fatalf("%v: %s%s", err, got.Stdout, got.Stderr)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 {
		t.Errorf("files were written: %v, %v", entries, err)
	}
	if strings.Contains(got.Stdout+got.Stderr, "hunter2") {
		t.Error("it shows a secret")
	}
	return r
}

// wants looks for a finding of a level whose text has some words.
func (r *report) wants(level, check, words string) {
	r.t.Helper()
	for _, f := range r.Findings {
		if f.Level == level && f.Check == check && strings.Contains(f.Seen+"; to do: "+f.Do, words) {
			return
		}
	}
	r.t.Errorf("no %s of %s says %q:\n%s", level, check, words, r)
}

func (r *report) String() string {
	text := ""
	for _, f := range r.Findings {
		text += fmt.Sprintf("%s %s %s: %s; to do: %s\n", f.Area, f.Level, f.Check, f.Seen, f.Do)
	}
	return text + r.stderr
}

// serve serves a handler until the end of the test.
func serve(t *testing.T, h http.Handler) string {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.URL
}
