// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package doctor_test

import (
	"encoding/pem"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/e2e/engine"
)

func TestASiteThatIsWell(t *testing.T) {
	_, url := scraped(t, machine{}, machine{labels: map[string]string{"cloud_project_name": "CLF", "user": "ada"}})
	r := examine(t, "prometheus: {url: '"+url+"', matchers: 'job=\"node\"'}")
	for _, f := range r.Findings {
		if f.Level != "ok" && f.Area != "store" {
			t.Errorf("got %+v", f)
		}
	}
	if r.code != 0 || r.stderr != "" {
		t.Errorf("exit code %d: %s", r.code, r.stderr)
	}
	r.wants("ok", "reachable", "Prometheus 3.")
	r.wants("ok", "series", "8 series are selected, by job: node (8)")
	r.wants("ok", "newest interval", "2 exact, 0 interpolated, 0 refused of 2 machines and 4 cores; 2 projects, 1 machine type")
	r.wants("ok", "label project", "2 of 2 machines have the label cloud_project_name, 2 values")
	r.wants("ok", "label user", "1 of 2 machines have the label user")
	r.wants("ok", "drift", "no machine has changed")
	r.wants("ok", "scrape interval", "a sample every 1m, 30 in an interval of 30m")
	r.wants("ok", "cost", "samples of 8 series")
	r.wants("ok", "clock", "agree")
	r.wants("ok", "targets", "2 targets")
	r.wants("warning", "file", "there is no such file")
	r.wants("ok", "static", "100 gCO2eq/kWh for all time, grid contract")
	if strings.Contains(r.String(), "ada") {
		t.Errorf("it names a person:\n%s", r)
	}
}

// TestEveryWayToGetNothing: the words of each name the cause.
func TestEveryWayToGetNothing(t *testing.T) {
	e, address := scraped(t, machine{})
	_, empty := scraped(t)
	behind := func(h http.HandlerFunc) string { return serve(t, h) }
	secure := httptest.NewTLSServer(e.Handler())
	defer secure.Close()
	ca := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: secure.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	_, port, _ := strings.Cut(strings.TrimPrefix(secure.URL, "https://"), ":")
	gone := httptest.NewServer(nil)
	gone.Close()
	sub := serve(t, http.StripPrefix("/prometheus", e.Handler()))
	withPassword := strings.Replace(address, "http://", "http://carbon:hunter2hunter2@", 1)
	for _, test := range []struct {
		name, prometheus string // the section
		level, check     string
		words            string
	}{
		{"the address of the page of graphs", "{url: '" + withPassword + "/graph'}", "failure", "reachable", "set prometheus.url to http://xxxxx@" + strings.TrimPrefix(address, "http://")},
		{"the same with its question", "{url: '" + address + "/graph?g0.expr=up'}", "failure", "file", "prometheus.url: must not have a query or a fragment"},
		{"a prefix is missing", "{url: '" + sub + "'}", "failure", "reachable", "set prometheus.url to " + sub + "/prometheus"},
		{"another path", "{url: '" + address + "/monitoring'}", "failure", "reachable", "set prometheus.url to " + address},
		{"nothing listens", "{url: '" + gone.URL + "'}", "failure", "reachable", "nothing listens at " + strings.TrimPrefix(gone.URL, "http://")},
		{"the page of a proxy", "{url: '" + behind(func(w http.ResponseWriter, _ *http.Request) {
			io.WriteString(w, "<html><title>Sign in to ACME</title>hunter2hunter2")
		}) + "'}", "failure", "reachable", `a web page with the title "Sign in to ACME"`},
		{"no rights", "{url: '" + behind(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) }) + "', basic_auth: {username: carbon, password: hunter2hunter2}}", "failure", "reachable", "does not permit this to our account"},
		{"no login", "{url: '" + behind(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusUnauthorized) }) + "'}", "failure", "reachable", "wants a login"},
		{"another name in the certificate", "{url: 'https://localhost:" + port + "', tls_config: {ca_file: " + ca + "}}", "failure", "reachable", "not for localhost"},
		{"a certificate of nobody", "{url: '" + secure.URL + "'}", "failure", "reachable", "set tls_config.ca_file"},
		{"http for https", "{url: 'http://127.0.0.1:" + port + "'}", "failure", "reachable", "must begin with https://"},
		{"another job", "{url: '" + address + "', matchers: 'job=\"nodes\"'}", "failure", "series", `in job "node"`},
		{"another metric", "{url: '" + address + "', metric: node_cpu_seconds}", "failure", "series", `"node_cpu_seconds_total"`},
		{"an empty server", "{url: '" + empty + "'}", "failure", "series", "the server is empty, it has no series at all: see prometheus.url"},
		{"an empty server, by its targets", "{url: '" + empty + "'}", "warning", "targets", "the server has no targets at all"},
		{"another label of the project", "{url: '" + address + "', labels: {project: tenant}}", "warning", "label project", "100 % of 1 machines have no label tenant"},
		{"another label of the machine type", "{url: '" + address + "', labels: {machine: flavor}}", "warning", "label machine", "set prometheus.labels.machine"},
		{"another label of the host", "{url: '" + address + "', labels: {host: node}}", "failure", "label host", "there are series without the label node"},
		{"another label of the mode", "{url: '" + address + "', labels: {mode: state}}", "warning", "newest interval", "set prometheus.labels.mode"},
		{"matchers that are none", "{url: '" + address + "', matchers: 'job=~\"node'}", "failure", "file", "prometheus.matchers"},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := examine(t, "prometheus: "+test.prometheus, "--only=prometheus")
			r.wants(test.level, test.check, test.words)
			if failed := test.level == "failure"; failed && r.code != 1 {
				t.Errorf("exit code %d", r.code)
			}
		})
	}
}

func TestWhatIsNotAsItShouldBe(t *testing.T) {
	tenth := map[string]string{"cloud_project_name": ""}
	for _, test := range []struct {
		name     string
		machines []machine
		more     string // of the section prometheus
		top      string // of the file
		check    string
		words    string
	}{
		{"a machine without its project", []machine{{}, {}, {labels: tenth}}, "", "", "label project", "33 % of 3 machines have no label cloud_project_name and count as unknown (prometheus.labels.project), such as 10.0.0.3:9100"},
		{"a label that was lost today", []machine{{}, {labels: tenth, before: map[string]string{}}}, "", "", "drift", "1 machine had the label cloud_project_name within the last day and have lost it: 10.0.0.2:9100"},
		{"a machine that was another project's", []machine{{before: map[string]string{"cloud_project_name": "CLF"}}}, "", "", "drift", "another value of cloud_project_name within the last day: 10.0.0.1:9100"},
		{"few scrapes", []machine{{every: 4 * time.Minute}}, "", "interval: 10m", "scrape interval", "scrape more often, or set interval to at least "},
		{"fewer scrapes than the server looks back", []machine{{every: 20 * time.Minute, lasts: 26*time.Hour - 10*time.Minute}}, "", "", "scrape interval", "none is there now: they are scraped less often than the server looks back"},
		{"a new server", []machine{{every: time.Second, lasts: min(10*time.Minute, now.Sub(now.UTC().Truncate(24*time.Hour)))}}, "", "interval: 24h", "newest interval", "no machine had CPU seconds then, but some have now"},
		{"a mode that is in no list", []machine{{labels: map[string]string{}}}, "busy_modes: [system]", "", "newest interval", "modes that are in no list"},
		{"a machine type and a project that nobody has", []machine{{}}, "", "power: {machines: {Moun: {busy_watts: 9}}}\nattribution: {groups: [{name: g, projects: [ISIS, ISSI]}]}", "names", "power.machines names machine types that no machine had in the last day: Moun"},
		{"a project that nobody has", []machine{{}}, "", "attribution: {groups: [{name: g, projects: [ISIS, ISSI]}]}", "names", "attribution.groups names projects that no machine had in the last day: ISSI"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, url := scraped(t, test.machines...)
			section := "prometheus:\n  url: '" + url + "'\n"
			if test.more != "" {
				section += "  " + test.more + "\n"
			}
			r := examine(t, section+test.top, "--only=prometheus,config")
			r.wants("warning", test.check, test.words)
		})
	}
}

// TestALabelOfOursThatIsRenamed has our metrics as a scrape without honor_labels leaves them.
func TestALabelOfOursThatIsRenamed(t *testing.T) {
	e, url := scraped(t, machine{})
	append1 := func(labels map[string]string) {
		if err := e.Append(t.Context(), engine.NewSeries(labels), engine.At(now.Add(-time.Second), 1)); err != nil {
			t.Fatal(err)
		}
	}
	append1(map[string]string{"__name__": "carbon_exporter_build_info", "job": "carbon", "project": "monitoring"})
	config := "prometheus: {url: '" + url + "'}"
	examine(t, config).wants("ok", "honor_labels", "the server has our metrics with our labels")
	append1(map[string]string{"__name__": "carbon_energy_kwh", "job": "carbon", "project": "monitoring", "exported_project": "ISIS", "machine": "Muon"})
	examine(t, config).wants("warning", "honor_labels", "set honor_labels: true in the scrape job of carbon_exporter")
}

// TestADeadServerDoesNotHideTheOthers: each area is asked for itself.
func TestADeadServerDoesNotHideTheOthers(t *testing.T) {
	_, address := scraped(t, machine{})
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	gone := httptest.NewServer(nil)
	gone.Close()
	r := examine(t, "prometheus: {url: '"+u.String()+"'}\nmongodb: {uri: 'mongodb://carbon:hunter2hunter2@"+strings.TrimPrefix(gone.URL, "http://")+"', timeout: 1s}\n"+
		"carbon_intensity: {uk: {url: '"+gone.URL+"'}}\n")
	r.wants("ok", "newest interval", "1 exact")
	r.wants("failure", "reachable", "check mongodb")
	r.wants("failure", "uk", "nothing listens at")
	r.wants("warning", "file", "there is no such file")
	if r.code != 1 || !strings.Contains(r.stderr, "2 of ") {
		t.Errorf("exit code %d: %s", r.code, r.stderr)
	}
}

// TestAServerThatHangs: the others are asked meanwhile, and it ends.
func TestAServerThatHangs(t *testing.T) {
	hang := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // until then a server does not notice that its client has gone
		<-r.Context().Done()
	}))
	defer hang.Close()
	began := time.Now()
	r := examine(t, "prometheus: {url: '"+hang.URL+"'}")
	r.wants("failure", "reachable", "gave no complete answer within 5s")
	r.wants("ok", "static", "100 gCO2eq/kWh")
	if took := time.Since(began); took > 30*time.Second {
		t.Errorf("took %s", took)
	}
}
