// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package exporter_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/e2e/built"
)

// What promtool lints and the real server scrapes, by its own negotiation, is
// what the exporter says.
func TestPromtoolAndPrometheusTakeTheExposition(t *testing.T) {
	t.Parallel()
	promtool, prometheus := built.Program(t, "promtool"), built.Program(t, "prometheus")
	s, uk := sharedSite(t), newGrid(t)
	over := spanOf(30*time.Minute, 4*time.Hour)
	p := start(t, settings{prometheus: serve(t, s.engine.Handler()).URL, uk: uk.URL}.place(t, over).args()...)
	seen := p.becomesWhole(over)

	_, body := p.page("/metrics", "")
	lint := exec.Command(promtool, "check", "metrics")
	lint.Stdin = bytes.NewReader(body)
	if out, err := lint.CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("promtool check metrics: %v\n%s", err, out)
	}

	server := scraping(t, prometheus, p.URL[len("http://"):])
	var want float64
	for _, v := range seen.usage(t, "carbon_energy_kwh") {
		want += v.Total()
	}
	eventually(t, waitFor, "prometheus has scraped the exporter", func() error {
		got, err := query(server, "sum(carbon_energy_kwh)")
		if err != nil {
			return err
		}
		if !near(got, want, 1e-9) {
			return fmt.Errorf("sum(carbon_energy_kwh) is %v in prometheus, %v in the exporter", got, want)
		}
		return nil
	})
	if up, err := query(server, `min(up{job="carbon"})`); err != nil || up != 1 {
		t.Errorf("up is %v, %v", up, err)
	}
}

// scraping starts a real prometheus that scrapes one address every second.
func scraping(t *testing.T, program, target string) string {
	t.Helper()
	dir := t.TempDir()
	config := filepath.Join(dir, "prometheus.yml")
	write(t, config, fmt.Sprintf(`
global: {scrape_interval: 1s, scrape_timeout: 1s}
scrape_configs:
  - job_name: carbon
    static_configs: [{targets: [%q]}]
`, target))
	address := built.FreeAddress(t)
	built.Start(t, exec.Command(program, "--config.file="+config, "--storage.tsdb.path="+filepath.Join(dir, "data"), "--web.listen-address="+address))
	return "http://" + address
}

// query asks for the one value of an instant vector.
func query(server, promql string) (float64, error) {
	answer, err := http.Get(server + "/api/v1/query?query=" + url.QueryEscape(promql))
	if err != nil {
		return 0, err
	}
	defer answer.Body.Close()
	var body struct {
		Data struct {
			Result []struct {
				Value [2]any `json:"value"`
			} `json:"result"`
		} `json:"data"`
	}
	if err := json.NewDecoder(answer.Body).Decode(&body); err != nil {
		return 0, err
	}
	if len(body.Data.Result) != 1 {
		return 0, fmt.Errorf("%s has %d results", promql, len(body.Data.Result))
	}
	text, _ := body.Data.Result[0].Value[1].(string)
	return strconv.ParseFloat(text, 64)
}
