// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package exporter_test

import (
	"bytes"
	"io"
	"maps"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/e2e/engine"
	"github.com/carbon-exporter/carbon_exporter/internal/simulate"
)

// steady records a host of one core that spends a fixed share of each second in
// each mode.
func steady(t *testing.T, e *engine.Engine, over span, labels map[string]string, shares map[string]float64) {
	t.Helper()
	for mode, share := range shares {
		l := map[string]string{"__name__": "node_cpu_seconds_total", "cpu": "0", "mode": mode}
		maps.Copy(l, labels)
		var samples []engine.Sample
		for at := over.first.Add(-5 * time.Minute); at.Before(over.end.Add(time.Hour)); at = at.Add(time.Minute) {
			samples = append(samples, engine.At(at, 1e5+share*at.Sub(over.first).Seconds()))
		}
		if err := e.Append(background, engine.NewSeries(l), samples...); err != nil {
			t.Fatal(err)
		}
	}
}

// again records every host a second time, as another scraper does that is a few
// seconds late and puts labels of its own on what it finds.
func (s *site) again(t *testing.T, more map[string]string) {
	t.Helper()
	for _, h := range s.cloud.Hosts() {
		for cpu := range h.Cores {
			for _, mode := range simulate.CPUModes() {
				l := map[string]string{
					"__name__": "node_cpu_seconds_total", "cpu": strconv.Itoa(cpu), "mode": mode.String(),
					"cloud_project_name": h.Project, "machine_name": h.Machine, "instance": h.Instance, "user": h.User,
				}
				maps.Copy(l, more)
				s.copyCore(t, h, cpu, mode, engine.NewSeries(l))
			}
		}
	}
}

func (s *site) copyCore(t *testing.T, h *simulate.Host, cpu int, mode simulate.CPUMode, to *engine.Series) {
	t.Helper()
	var samples []engine.Sample
	late := (h.Phase(time.Minute) + 17*time.Second) % time.Minute
	for at := s.from.Add(late); at.Before(s.to); at = at.Add(time.Minute) {
		if v, alive := h.Counter(cpu, mode, at); alive {
			samples = append(samples, engine.At(at, v))
		} else if len(samples) > 0 {
			samples = append(samples, engine.At(at, engine.Stale()))
			break
		}
	}
	if err := s.engine.Append(background, to, samples...); err != nil {
		t.Fatal(err)
	}
}

// questions counts what an engine is asked.
type questions struct {
	next     http.Handler
	refused  atomic.Int64 // as too large
	projects atomic.Int64 // about one project
}

func (q *questions) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	if form, err := url.ParseQuery(string(body)); err == nil && strings.Contains(form.Get("query"), "cloud_project_name=") {
		q.projects.Add(1)
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	seen := &status{ResponseWriter: w}
	q.next.ServeHTTP(seen, r)
	if seen.code == http.StatusUnprocessableEntity {
		q.refused.Add(1)
	}
}

type status struct {
	http.ResponseWriter
	code int
}

func (s *status) WriteHeader(code int) {
	s.code = code
	s.ResponseWriter.WriteHeader(code)
}
