// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package exporter

import (
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
)

func TestPages(t *testing.T) {
	_, server := prepared(t, "--config.file="+configFile(t, ""))
	for _, test := range []struct {
		method, path string
		status       int
		want         []string
	}{
		{"GET", "/", 200, []string{"carbon_exporter", `href="/metrics"`, `href="/config"`, "Nothing found yet"}},
		{"GET", "/metrics", 200, []string{"carbon_interval_seconds 1800", "go_goroutines ", "process_cpu_seconds_total ", "carbon_exporter_build_info{", "carbon_exporter_store_writable 1"}},
		{"HEAD", "/metrics", 200, nil},
		{"POST", "/metrics", 405, nil},
		{"GET", "/-/healthy", 200, []string{"carbon_exporter is healthy.\n"}},
		{"GET", "/-/ready", 200, []string{"carbon_exporter is ready.\n"}},
		{"HEAD", "/-/ready", 200, nil},
		{"GET", "/config", 200, []string{"interval: 30m"}},
		{"GET", "/metrics/", 404, nil},
		{"GET", "/api/v1/report", 404, []string{"the API is off; start carbon_exporter with --web.enable-api"}},
		{"GET", "/index.html", 404, nil},
		{"GET", "/debug/pprof/", 404, nil},
		{"GET", "/%2e%2e/etc/passwd", 404, nil},

		{"GET", "/-/reload", 403, []string{"--web.enable-lifecycle"}},
		{"POST", "/-/reload", 403, []string{"--web.enable-lifecycle"}},
		{"POST", "/-/quit", 403, []string{"--web.enable-lifecycle"}},
	} {
		t.Run(test.method+" "+test.path, func(t *testing.T) {
			status, text := ask(t, test.method, server.URL+test.path)
			if status != test.status {
				t.Errorf("status %d, want %d", status, test.status)
			}
			for _, want := range test.want {
				if !strings.Contains(text, want) {
					t.Errorf("does not have %q:\n%s", want, text)
				}
			}
		})
	}
}

func TestTelemetryPath(t *testing.T) {
	_, server := prepared(t, "--config.file="+configFile(t, ""), "--web.telemetry-path=/carbon/metrics")
	if status, text := ask(t, "GET", server.URL+"/carbon/metrics"); status != 200 || !strings.Contains(text, "carbon_pue_ratio 1") {
		t.Errorf("status %d", status)
	}
	if status, _ := ask(t, "GET", server.URL+"/metrics"); status != 404 {
		t.Errorf("/metrics: status %d", status)
	}
	if _, text := ask(t, "GET", server.URL+"/"); !strings.Contains(text, `href="/carbon/metrics"`) {
		t.Errorf("the landing page does not lead there: %s", text)
	}
}

func TestNoSecretIsShown(t *testing.T) {
	path := filepath.Join(t.TempDir(), "carbon.yml")
	write(t, path, `
prometheus:
  url: http://reader:hunter2@127.0.0.1:1
  authorization: {credentials: hunter2}
  http_headers: {X-Scope-OrgID: {values: [hunter2]}}
mongodb: {uri: "mongodb://ada:hunter2@mongo.example.org/ada"}
carbon_intensity: {provider: static, static: {gco2eq_per_kwh: 210.89, grid: GB}}
`)
	p := start(t, storage(t), "--config.file="+path, "--log.level=debug")
	eventually(t, "Prometheus was asked", func() bool {
		_, text := ask(t, "GET", p.url+"/metrics")
		return strings.Contains(text, `carbon_exporter_source_up{source="prometheus"} 0`)
	})
	for _, page := range []string{"/", "/config", "/metrics"} {
		status, text := ask(t, "GET", p.url+page)
		if status != 200 || strings.Contains(text, "hunter2") {
			t.Errorf("%s: status %d: %s", page, status, text)
		}
	}
	write(t, path, "prometheus: {authorization: {credentials: hunter2, type: [hunter2]}}\n")
	if status, text := ask(t, "POST", p.url+"/-/reload"); status != 500 || strings.Contains(text, "hunter2") {
		t.Errorf("reload: status %d: %s", status, text)
	}
	p.quit(t)
	if strings.Contains(p.stderr.String(), "hunter2") {
		t.Errorf("the log has it: %s", p.stderr)
	}
}

func TestBasicAuth(t *testing.T) {
	web := filepath.Join(t.TempDir(), "web.yml")
	// The password is "scrape me".
	write(t, web, "basic_auth_users: {prometheus: $2a$04$4JCIzuSkrYwfxMMxMW8/ieer.ChnoPTPnHVcB14uyJzuTFefhti76}\n")
	p := start(t, storage(t), "--config.file="+configFile(t, ""), "--web.config.file="+web, "--web.enable-api")
	for _, test := range []struct {
		name, user, password string
		status               int
	}{
		{"nobody", "", "", 401},
		{"another password", "prometheus", "let me in", 401},
		{"the right one", "prometheus", "scrape me", 200},
	} {
		for _, page := range []string{"/metrics", "/config", "/", "/api/v1/report", "/api/v1/openapi.yml"} {
			req, err := http.NewRequest("GET", p.url+page, nil)
			if err != nil {
				t.Fatal(err)
			}
			if test.user != "" {
				req.SetBasicAuth(test.user, test.password)
			}
			resp, err := http.DefaultClient.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			io.Copy(io.Discard, resp.Body)
			resp.Body.Close()
			if resp.StatusCode != test.status {
				t.Errorf("%s: %s: status %d, want %d", test.name, page, resp.StatusCode, test.status)
			}
		}
	}
	req, _ := http.NewRequest("POST", p.url+"/-/quit", nil)
	req.SetBasicAuth("prometheus", "scrape me")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if code := p.end(t); code != exitDone {
		t.Errorf("exit code %d", code)
	}
}

// TestServerLimits: exporter-toolkit sets none.
func TestServerLimits(t *testing.T) {
	d, server := prepared(t, "--config.file="+configFile(t, ""))
	s := d.server()
	if s.ReadHeaderTimeout <= 0 || s.ReadTimeout <= 0 || s.WriteTimeout <= 0 || s.IdleTimeout <= 0 {
		t.Errorf("a time-out is not set: %+v", s)
	}
	req, err := http.NewRequest("GET", server.URL+"/metrics", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("X-Large", strings.Repeat("x", 200<<10))
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusRequestHeaderFieldsTooLarge {
		t.Errorf("200 KiB of headers: status %d", resp.StatusCode)
	}
}
