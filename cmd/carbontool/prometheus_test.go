// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/simulate/scraped"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// prometheus has scraped two hosts of the project CLF and one of ISIS, of one core each that is
// busy half of the time: of a half hour, 900 seconds. The rules busy and idle record as much.
type prometheus struct {
	retention time.Time                         // nothing is known from before
	fault     func(end time.Time) (text string) // of a query for the piece that ends there; "": none
	asked     atomic.Int32
}

func (p *prometheus) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.asked.Add(1)
	if p.fault != nil {
		for _, end := range piecesAsked(r) {
			if text := p.fault(end); text != "" {
				http.Error(w, text, http.StatusUnprocessableEntity)
				return
			}
		}
	}
	recorded := func(at time.Time) float64 {
		if at.Add(-usage.SlotLength).Before(p.retention) {
			return math.NaN()
		}
		return 900
	}
	server := scraped.Server{Retention: p.retention}
	for host, project := range []string{"CLF", "CLF", "ISIS"} {
		server.Hosts = append(server.Hosts, &scraped.Host{
			Series: usage.Series{Project: project, Machine: "Muon", Host: fmt.Sprintf("10.0.0.%d:9100", host), User: "ada"},
			Cores:  1, Modes: []string{"user", "idle"},
			Counter: func(_ int, _ string, at time.Time) float64 {
				return at.Sub(time.Date(2024, 1, 1+host, 0, 0, 0, 0, time.UTC)).Seconds() / 2
			},
			More: map[string]func(time.Time) float64{"busy": recorded, "idle": recorded},
		})
	}
	server.ServeHTTP(w, r)
}

// piecesAsked returns the ends of the pieces for which a question about all hosts is asked. That
// about counters is for one piece more at either end, that about cores for one more at the end.
func piecesAsked(r *http.Request) (ends []time.Time) {
	if !strings.HasSuffix(r.URL.Path, "/query_range") {
		return nil
	}
	at := func(name string) int64 {
		v, err := strconv.ParseInt(r.FormValue(name), 10, 64)
		if err != nil {
			panic(err)
		}
		return v
	}
	first, last, step := at("start"), at("end"), at("step")
	switch query := r.FormValue("query"); {
	case strings.HasPrefix(query, "sum by"):
		first, last = first+2*step, last-step
	case strings.Contains(query, "count_over_time("):
		first, last = first+step, last-step
	case query != "busy" && query != "idle":
		return nil
	}
	for end := first; end <= last; end += step {
		ends = append(ends, time.Unix(end, 0).UTC())
	}
	return ends
}

// newSite is a directory with a configuration that asks a server, and no store.
// FILE and STORE in arguments and texts are its own.
type newSite struct {
	t           *testing.T
	server      *prometheus
	url         string
	file, store string
}

func siteOf(t *testing.T, p *prometheus, more string) *newSite {
	t.Helper()
	server := httptest.NewServer(p)
	t.Cleanup(server.Close)
	s := &newSite{t: t, server: p, url: server.URL}
	s.file, s.store = filepath.Join(t.TempDir(), "carbon.yml"), filepath.Join(t.TempDir(), "carbon.db")
	s.configure(more)
	return s
}

// configure writes the configuration anew. Of a section that is not in it, the
// usual is added.
func (s *newSite) configure(more string) {
	s.t.Helper()
	for section, usual := range map[string]string{
		"prometheus": "prometheus: {url: URL}\n", "carbon_intensity": "carbon_intensity: {provider: static, static: {gco2eq_per_kwh: 100, grid: contract}}\n",
		"power": "power: {busy_watts: 12, idle_watts: 1}\n", "timezone": "timezone: UTC\n",
	} {
		if !strings.Contains(more, section+":") {
			more += usual
		}
	}
	if err := os.WriteFile(s.file, []byte(strings.ReplaceAll(more, "URL", s.url)), 0o600); err != nil {
		s.t.Fatal(err)
	}
}

func (s *newSite) call(args ...string) called {
	s.t.Helper()
	return call(append(args, "--config.file="+s.file, "--storage.path="+s.store)...)
}

// named puts the names of the site into a text.
func (s *newSite) named(text string) string {
	return strings.NewReplacer("FILE", s.file, "STORE", s.store, "URL", s.url).Replace(text)
}

// says wants a call to end so, whatever it says of its progress.
func (s *newSite) says(want called, args ...string) {
	s.t.Helper()
	got := s.call(args...)
	var lines []string
	for line := range strings.Lines(got.stderr) {
		if !strings.Contains(line, " intervals, ") || !strings.Contains(line, "/s, took ") {
			lines = append(lines, line)
		}
	}
	got.stderr = strings.Join(lines, "")
	want.stdout, want.stderr = s.named(want.stdout), s.named(want.stderr)
	if got != want {
		s.t.Errorf("%s\ncode %d, want %d\nstdout\n%s\nwant\n%s\nstderr\n%s\nwant\n%s", args, got.code, want.code, got.stdout, want.stdout, got.stderr, want.stderr)
	}
}
