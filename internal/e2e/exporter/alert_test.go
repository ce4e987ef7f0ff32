// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package exporter_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/e2e/built"
)

// turnsIn is when the day ends in the zone of the alert test: time enough for a
// budget to be used up and told of before.
const turnsIn = 75 * time.Second

// A budget that is used up reaches a webhook through the real Prometheus, which
// scrapes with TLS and a password, and the real Alertmanager, which routes by
// group; and it is resolved when the period turns.
func TestAnOverrunReachesAWebhookAndEndsWithItsPeriod(t *testing.T) {
	t.Parallel()
	alertmanager, prometheus := built.Program(t, "alertmanager"), built.Program(t, "prometheus")
	midnight := time.Now().Add(turnsIn).Truncate(time.Second) // a zone knows whole seconds
	zones := "ZONEINFO=" + zoneWithMidnightAt(t, "Test/Soon", midnight)

	s, uk := sharedSite(t), newGrid(t)
	where := emptyPlace(t)
	dir := filepath.Dir(where.config)
	write(t, where.config, fmt.Sprintf(`
timezone: Test/Soon
lookback: 12h
prometheus: {url: %q}
carbon_intensity: {provider: uk, uk: {url: %q}}
budgets:
- {name: idaaas-day, scope: group, target: IDAaaS, period: day, gco2eq: 1}
- {name: clf-day, scope: group, target: CLF, period: day, kwh: 0.001}
- {name: site-day, scope: ada, period: day, gco2eq: 1000000000}
`, serve(t, s.engine.Handler()).URL, uk.URL))
	certificate(t, dir)
	webConfig := filepath.Join(dir, "web.yml")
	write(t, webConfig, "tls_server_config: {cert_file: cert.pem, key_file: key.pem}\nbasic_auth_users: {reader: '"+hash+"'}\n")
	p := startIn(t, []string{zones}, append(where.args(), "--web.config.file="+webConfig)...)

	inbox := &inbox{}
	hook := serve(t, inbox)
	router := built.FreeAddress(t)
	routes := filepath.Join(dir, "alertmanager.yml")
	write(t, routes, fmt.Sprintf(`
route:
  receiver: rest
  group_by: [alertname, budget]
  group_wait: 1s
  group_interval: 1s
  routes:
  - {receiver: idaaas, matchers: ['group="IDAaaS"']}
  - {receiver: clf, matchers: ['group="CLF"']}
receivers:
- {name: rest, webhook_configs: [{url: %[1]q}]}
- {name: idaaas, webhook_configs: [{url: %[2]q}]}
- {name: clf, webhook_configs: [{url: %[3]q}]}
`, hook.URL+"/rest", hook.URL+"/idaaas", hook.URL+"/clf"))
	built.Start(t, exec.Command(alertmanager, "--config.file="+routes, "--storage.path="+filepath.Join(dir, "alertmanager"),
		"--web.listen-address="+router, "--web.external-url=http://"+router, "--cluster.listen-address="))

	rules, err := filepath.Abs(filepath.Join("..", "..", "..", "examples", "prometheus", "rules"))
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "password"), password)
	scrape := filepath.Join(dir, "prometheus.yml")
	write(t, scrape, fmt.Sprintf(`
global: {scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s}
rule_files: [%q]
alerting: {alertmanagers: [{static_configs: [{targets: [%q]}]}]}
scrape_configs:
- job_name: carbon
  scheme: https
  tls_config: {ca_file: cert.pem}
  basic_auth: {username: reader, password_file: password}
  static_configs: [{targets: [%q]}]
`, rules+"/carbon*.yml", router, p.address))
	server := built.FreeAddress(t)
	built.Start(t, exec.Command(prometheus, "--config.file="+scrape, "--storage.tsdb.path="+filepath.Join(dir, "prometheus"), "--web.listen-address="+server))

	for _, want := range []string{
		"/idaaas firing CarbonBudgetExhausted idaaas-day", "/clf firing CarbonBudgetExhausted clf-day",
	} {
		eventually(t, waitFor, want, func() error { return inbox.has(want) })
	}
	if now := time.Now(); !now.Before(midnight) {
		t.Fatalf("all of it took until %v after the turn of the period: the test has shown nothing", now.Sub(midnight))
	}
	for _, want := range []string{
		"/idaaas resolved CarbonBudgetExhausted idaaas-day", "/clf resolved CarbonBudgetExhausted clf-day",
	} {
		eventually(t, turnsIn+waitFor, want, func() error { return inbox.has(want) })
	}
	if now := time.Now(); now.Before(midnight) {
		t.Errorf("resolved %v before the period has turned", midnight.Sub(now))
	}
	for _, got := range inbox.all() {
		if strings.Contains(got, "site-day") {
			t.Errorf("a budget that is far from its limit: %s", got)
		}
	}
}

// inbox takes what Alertmanager posts: receiver, status, alert and budget.
type inbox struct {
	mu   sync.Mutex
	told []string
}

func (i *inbox) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var body struct {
		Alerts []struct {
			Status string            `json:"status"`
			Labels map[string]string `json:"labels"`
		} `json:"alerts"`
	}
	if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	for _, a := range body.Alerts {
		i.told = append(i.told, strings.Join([]string{r.URL.Path, a.Status, a.Labels["alertname"], a.Labels["budget"]}, " "))
	}
}

func (i *inbox) all() []string {
	i.mu.Lock()
	defer i.mu.Unlock()
	return slices.Clone(i.told)
}

func (i *inbox) has(want string) error {
	if told := i.all(); !slices.Contains(told, want) {
		return fmt.Errorf("there are %q", told)
	}
	return nil
}

// zoneWithMidnightAt makes a time zone of which a day ends at a moment, in the form
// of RFC 8536, and gives the directory that it is in.
func zoneWithMidnightAt(t *testing.T, name string, at time.Time) string {
	t.Helper()
	const day = 24 * 60 * 60
	offset := int32(day - at.Unix()%day)
	if offset > day/2 {
		offset -= day
	}
	number := func(n int32) string { return string([]byte{byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)}) }
	file := "TZif" + strings.Repeat("\x00", 16)       // version 1
	for _, count := range []int32{0, 0, 0, 0, 1, 5} { // no transitions, one type of local time, five letters
		file += number(count)
	}
	file += number(offset) + "\x00\x00" + "SOON\x00" // no summer time, the first name
	dir := t.TempDir()
	path := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	write(t, path, file)
	return dir
}
