// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package exporter_test

import (
	"errors"
	"fmt"
	"html"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// landing is the landing page as somebody reads it.
func (p *program) landing() string {
	p.t.Helper()
	_, body := p.page("/", "")
	_, text, _ := strings.Cut(string(body), "<body>")
	text = html.UnescapeString(regexp.MustCompile(`<[^>]*>`).ReplaceAllString(text, " "))
	return strings.Join(strings.Fields(strings.ReplaceAll(text, "\u00a0", " ")), " ")
}

// TestTheLandingPageSaysWhyNothingIsFound: whatever is wrong, within a minute the page names the
// cause before anything else, and never looks healthy.
func TestTheLandingPageSaysWhyNothingIsFound(t *testing.T) {
	e := newEngine(t)
	over := spanOf(30*time.Minute, 2*time.Hour)
	steady(t, e, over, map[string]string{"job": "node", "instance": "10.0.0.1:9100", "cloud_project_name": "CLF", "machine_name": "Muon", "user": "1042"},
		map[string]float64{"user": 0.25, "idle": 0.75})
	site, empty := serve(t, e.Handler()).URL, serve(t, newEngine(t).Handler()).URL
	answers := func(h http.HandlerFunc) string { return serve(t, h).URL }
	for _, test := range []struct{ name, prometheus, says string }{
		{"another job", fmt.Sprintf("{url: %q, matchers: 'job=\"nod\"'}", site), `asked for node_cpu_seconds_total{job="nod"`},
		{"another metric", fmt.Sprintf("{url: %q, metric: cpu_seconds}", site), `"node_cpu_seconds_total"`},
		{"an empty server", fmt.Sprintf("{url: %q}", empty), "the server is empty"},
		{"the page of graphs", fmt.Sprintf("{url: %q}", site+"/graph"), "prometheus.url ends with /graph"},
		{"the page of a proxy", fmt.Sprintf("{url: %q}", answers(func(w http.ResponseWriter, _ *http.Request) {
			io.WriteString(w, "<html><title>Sign in to ACME</title><script>alert(1)</script>")
		})), "Sign in to ACME"},
		{"no rights", fmt.Sprintf("{url: %q}", answers(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) })), "does not permit"},
		{"nobody is there", "{url: 'http://127.0.0.1:1'}", "nothing listens at 127.0.0.1:1"},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			file := filepath.Join(dir, "carbon.yml")
			text := fmt.Sprintf("lookback: %s\nprometheus: %s\ncarbon_intensity: {provider: static, static: {gco2eq_per_kwh: 100}}\n", over.lookback, test.prometheus)
			if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			p := start(t, "--config.file="+file, "--storage.path="+filepath.Join(dir, "carbon.db"))
			eventually(t, time.Minute, "the page names the cause", func() error {
				page := p.landing()
				first, _, _ := strings.Cut(page, "Key figures")
				switch {
				case strings.Contains(page, "All is well"):
					t.Fatalf("the page looks healthy: %s", page)
				case !strings.Contains(first, "Nothing found yet"), !strings.Contains(first, test.says):
					return errors.New(page)
				}
				return nil
			})
			if _, body := p.page("/", ""); strings.Contains(string(body), "<script") {
				t.Error("what the server says is not escaped")
			}
		})
	}
}
