// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package exporter

import (
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/simulate/scraped"
)

// counting counts how many requests are answered at the same time, and remembers what was asked.
type counting struct {
	next http.Handler

	mu        sync.Mutex
	now, most int
	asked     strings.Builder
}

func (c *counting) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c.mu.Lock()
	c.now++
	c.most = max(c.most, c.now)
	fmt.Fprintln(&c.asked, r.FormValue("query"), r.FormValue("match[]"))
	c.mu.Unlock()
	time.Sleep(3 * time.Millisecond) // a question that comes meanwhile is seen
	c.next.ServeHTTP(w, r)
	c.mu.Lock()
	c.now--
	c.mu.Unlock()
}

func (c *counting) seen() (most int, asked string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.most, c.asked.String()
}

// Everything in the program that asks Prometheus does so one question at a time: usage, what is
// measured beside it, the directory, carbon intensity and calibration; and so after a reload.
func TestPrometheusIsAskedOneQuestionAtATime(t *testing.T) {
	server := &counting{next: &scraped.Metered{
		Hosts:  map[string][]string{"Muon": {"a:9100", "b:9100"}},
		Meters: map[string]scraped.Meter{"muon_watts": scraped.MeterOf("Muon", scraped.Drawn)},
	}}
	file := filepath.Join(t.TempDir(), "carbon.yml")
	write(t, file, fmt.Sprintf(`prometheus: {url: %s, lag: 0s}
lookback: 1h
carbon_intensity: {sources: [{prometheus: {query: grid_intensity}}]}
directory: {prometheus: {metric: workspace_info, labels: {owner: owner}}}
power:
  pue: {query: site_pue, otherwise: 1.4}
  measured: [{name: ipmi, query: muon_watts}]
  calibrate: daily
`, served(t, server)))
	p := start(t, "--config.file="+file, storage(t))
	all := []string{"node_cpu_seconds_total", "muon_watts", "site_pue", "node_cpu_info", "workspace_info", "grid_intensity"}
	eventually(t, "everything is asked for, and calibration too", func() bool {
		_, asked := server.seen()
		for _, what := range all {
			if !strings.Contains(asked, what) {
				return false
			}
		}
		return strings.Contains(p.stderr.String(), `Calibrated machine types`)
	})
	_, before := server.seen()
	if status, text := ask(t, http.MethodPost, p.url+"/-/reload"); status != http.StatusOK {
		t.Fatalf("reload: status %d: %s", status, text)
	}
	eventually(t, "it asks again after a reload", func() bool {
		_, asked := server.seen()
		return strings.Contains(asked[len(before):], "workspace_info") && strings.Contains(asked[len(before):], "grid_intensity")
	})
	if most, asked := server.seen(); most != 1 {
		t.Errorf("%d questions at the same time:\n%s", most, asked)
	}
}
