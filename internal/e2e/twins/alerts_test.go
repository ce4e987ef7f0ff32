// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package twins_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/e2e/built"
	"github.com/carbon-exporter/carbon_exporter/internal/simulate"
)

var examples = filepath.Join("..", "..", "..", "examples")

// Each twin is scraped by a Prometheus of its own with the example for pairs. Both fire the alert on
// a budget, Alertmanager has one and tells of it once; and it goes on when one Prometheus dies.
func TestAlertsOfTwinsArriveOnce(t *testing.T) {
	t.Parallel()
	over := spanOf(4 * time.Hour)
	prometheus := newDoor(t, newSite(t, over).Handler())
	uk := newDoor(t, simulate.NewUKAPI(11, time.Now))
	told := &inbox{}
	alertmanager := startAlertmanager(t, told)
	servers := map[string]string{}
	processes := map[string]*built.Process{}
	for _, name := range []string{"a", "b"} {
		w := newTwin(t, name, func(string) string { return configuration(over, prometheus.URL, uk.URL) })
		w.start()
		servers[name], processes[name] = startPrometheus(t, name, strings.TrimPrefix(w.URL, "http://"), alertmanager, t.TempDir())
	}
	for name, server := range servers {
		eventually(t, waitFor, "prometheus "+name+" has sent the alert", func() error {
			alerts, err := ask(server, `ALERTS{alertname="CarbonBudgetExhausted",alertstate="firing",instance="carbon"}`)
			if err == nil && len(alerts) != 1 {
				err = fmt.Errorf("its alerts are %v", alerts)
			}
			if err != nil {
				return err
			}
			return sent(server)
		})
	}
	eventually(t, waitFor, "the alert arrives", func() error {
		if all := told.all(); len(all) == 0 {
			return fmt.Errorf("nothing was told")
		}
		return nil
	})
	processes["a"].End(os.Kill)
	<-time.After(8 * time.Second) // what a has sent last holds for four
	if all := told.all(); len(all) != 1 || all[0] != "firing CarbonBudgetExhausted site-of-now" {
		t.Errorf("what was told is %q", all)
	}
	known := alertsOf(t, alertmanager, "CarbonBudgetExhausted")
	if len(known) != 1 || known[0]["replica"] != "" || known[0]["instance"] != "carbon" {
		t.Errorf("alertmanager has %v", known)
	}
}

// Behind a proxy that asks the second twin when the first does not answer, one Prometheus sees one
// exporter: when the first dies nothing is missing, no counter falls and no alert is over.
func TestTwinsBehindOneAddress(t *testing.T) {
	t.Parallel()
	over := spanOf(4 * time.Hour)
	prometheus := newDoor(t, newSite(t, over).Handler())
	now := time.Now()
	uk := newDoor(t, simulate.NewUKAPI(11, func() time.Time { return now }))
	var twins []*twin
	for _, name := range []string{"a", "b"} {
		w := newTwin(t, name, func(string) string { return configuration(over, prometheus.URL, uk.URL) + "settle_after: 1h\n" })
		w.start()
		w.says(`carbon_intervals{state="missing"} 0`, `carbon_intervals{state="unpriced"} 0`)
		twins = append(twins, w)
	}
	eventually(t, waitFor, "the twins are alike", func() error {
		if got, want := twins[1].shown(), twins[0].shown(); got != want {
			return fmt.Errorf("%s", firstOf(got, want))
		}
		return nil
	})
	proxy := newDoor(t, firstThatAnswers(twins))
	told := &inbox{}
	server, _ := startPrometheus(t, "a", strings.TrimPrefix(proxy.URL, "http://"), startAlertmanager(t, told), t.TempDir())
	eventually(t, waitFor, "the alert arrives", func() error {
		if len(told.all()) == 0 {
			return fmt.Errorf("nothing was told")
		}
		return nil
	})
	twins[0].kill()
	<-time.After(5 * time.Second)
	for promql, want := range map[string]int{
		`min_over_time(up{job="carbon"}[1m]) == 0`:                   0,
		`resets(carbon_settled_energy_kwh_total[1m]) > 0`:            0,
		`resets(carbon_settled_emissions_gco2eq_total[1m]) > 0`:      0,
		`changes(carbon_emissions_gco2eq[1m]) > 0`:                   0,
		`changes(carbon_budget_used_kwh[1m]) > 0`:                    0,
		`count(carbon_settled_energy_kwh_total) > 0`:                 1,
		`changes(process_start_time_seconds{job="carbon"}[1m]) == 1`: 1,
	} {
		got, err := ask(server, promql)
		if err != nil {
			t.Fatal(err)
		}
		if len(got) != want {
			t.Errorf("%s has %d results, want %d: %v", promql, len(got), want, got)
		}
	}
	if all := told.all(); len(all) != 1 || all[0] != "firing CarbonBudgetExhausted site-of-now" {
		t.Errorf("what was told is %q", all)
	}
}

// firstThatAnswers is a proxy that asks one twin after the other.
type firstThatAnswers []*twin

func (f firstThatAnswers) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	for _, twin := range f {
		answer, err := http.Get(twin.URL + r.URL.Path)
		if err != nil {
			continue
		}
		defer answer.Body.Close()
		w.Header().Set("Content-Type", answer.Header.Get("Content-Type"))
		_, _ = io.Copy(w, answer.Body) // prometheus sees an answer that breaks off
		return
	}
	w.WriteHeader(http.StatusBadGateway)
}

// startPrometheus starts one of a pair with the example for pairs, changed as far as its addresses
// and its patience. It scrapes one twin. data is its TSDB.
func startPrometheus(t *testing.T, replica, target, alertmanager, data string) (url string, p *built.Process) {
	t.Helper()
	dir, address := t.TempDir(), built.FreeAddress(t)
	if err := os.CopyFS(dir, os.DirFS(filepath.Join(examples, "prometheus"))); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(dir, "ha.yml"))
	if err != nil {
		t.Fatal(err)
	}
	changed := string(text)
	for _, c := range [][2]string{
		{": 1m\n", ": 1s\n"}, {"localhost:9977", target}, {"localhost:9093", strings.TrimPrefix(alertmanager, "http://")}, {"replica: a\n", "replica: " + replica + "\n"},
	} {
		if !strings.Contains(changed, c[0]) {
			t.Fatalf("the example has no %q", c[0])
		}
		changed = strings.ReplaceAll(changed, c[0], c[1])
	}
	write(t, filepath.Join(dir, "ha.yml"), changed)
	p = built.Start(t, exec.Command(built.Program(t, "prometheus"), "--config.file="+filepath.Join(dir, "ha.yml"), "--storage.tsdb.path="+data,
		"--web.listen-address="+address, "--rules.alert.resend-delay=1s", "--storage.tsdb.min-block-duration=2h", "--storage.tsdb.max-block-duration=2h"))
	ready(t, "http://"+address)
	return "http://" + address, p
}

func ready(t *testing.T, server string) {
	t.Helper()
	eventually(t, waitFor, server+" is ready", func() error {
		answer, err := http.Get(server + "/-/ready")
		if err != nil {
			return err
		}
		answer.Body.Close()
		if answer.StatusCode != http.StatusOK {
			return fmt.Errorf("it answers %s", answer.Status)
		}
		return nil
	})
}

// startAlertmanager starts a real one that tells an inbox.
func startAlertmanager(t *testing.T, told *inbox) (url string) {
	t.Helper()
	dir, address := t.TempDir(), built.FreeAddress(t)
	hook := httptest.NewServer(told)
	t.Cleanup(hook.Close)
	write(t, filepath.Join(dir, "alertmanager.yml"), fmt.Sprintf(`
route:
  receiver: nobody
  routes: [{receiver: inbox, matchers: ['topic="budget"'], group_by: [group, budget], group_wait: 1s, group_interval: 1s}]
receivers: [{name: nobody}, {name: inbox, webhook_configs: [{url: %q}]}]
`, hook.URL))
	built.Start(t, exec.Command(built.Program(t, "alertmanager"), "--config.file="+filepath.Join(dir, "alertmanager.yml"),
		"--storage.path="+filepath.Join(dir, "data"), "--web.listen-address="+address, "--cluster.listen-address="))
	ready(t, "http://"+address)
	return "http://" + address
}

// inbox takes what Alertmanager posts: status, alert and budget.
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
		i.told = append(i.told, a.Status+" "+a.Labels["alertname"]+" "+a.Labels["budget"])
	}
}

func (i *inbox) all() []string {
	i.mu.Lock()
	defer i.mu.Unlock()
	return append([]string(nil), i.told...)
}

// alertsOf are the labels of the alerts of a name that Alertmanager has.
func alertsOf(t *testing.T, alertmanager, name string) (all []map[string]string) {
	t.Helper()
	answer, err := http.Get(alertmanager + "/api/v2/alerts?filter=" + url.QueryEscape(`alertname="`+name+`"`))
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	var alerts []struct {
		Labels map[string]string `json:"labels"`
	}
	if err := json.NewDecoder(answer.Body).Decode(&alerts); err != nil {
		t.Fatal(err)
	}
	for _, a := range alerts {
		all = append(all, a.Labels)
	}
	return all
}

// ask evaluates an expression now, and returns the values by their labels.
func ask(server, promql string, more ...string) (map[string]string, error) {
	form := url.Values{"query": {promql}}
	for _, m := range more {
		name, value, _ := strings.Cut(m, "=")
		form.Set(name, value)
	}
	answer, err := http.PostForm(server+"/api/v1/query", form)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	var body struct {
		Error    string
		Warnings []string
		Data     struct {
			Result []struct {
				Metric map[string]string
				Value  [2]any
			}
		}
	}
	if err := json.NewDecoder(answer.Body).Decode(&body); err != nil {
		return nil, err
	}
	if body.Error != "" || len(body.Warnings) > 0 {
		return nil, fmt.Errorf("%s: %s %q", promql, body.Error, body.Warnings)
	}
	all := map[string]string{}
	for _, r := range body.Data.Result {
		all[fmt.Sprint(r.Metric)], _ = r.Value[1].(string)
	}
	return all, nil
}

// sent is an error until Prometheus has sent alerts.
func sent(server string) error {
	answer, err := http.Get(server + "/metrics")
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	var text strings.Builder
	if err := answer.Write(&text); err != nil {
		return err
	}
	for line := range strings.Lines(text.String()) {
		if strings.HasPrefix(line, "prometheus_notifications_sent_total{") && !strings.HasSuffix(line, " 0\n") {
			return nil
		}
	}
	return fmt.Errorf("it has sent nothing")
}
