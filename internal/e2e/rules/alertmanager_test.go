// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package rules_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/e2e/built"
	"github.com/carbon-exporter/carbon_exporter/internal/e2e/child"
)

var alertmanagerYML = filepath.Join(examples, "alertmanager", "alertmanager.yml")

func TestAmtoolHasNothingToSayAboutTheExample(t *testing.T) {
	said := says(t, built.Program(t, "amtool"), "check-config", alertmanagerYML)
	if !strings.Contains(said, " - 1 templates\n") {
		t.Errorf("its templates were not found:\n%s", said)
	}
}

func TestAlertsGoToThoseWhoCanDoSomething(t *testing.T) {
	amtool := built.Program(t, "amtool")
	for _, c := range []struct {
		name, receiver string
		labels         []string
	}{
		{"a group's budget goes to the group", "isis", []string{"topic=budget", "group=ISIS", "scope=group", "target=ISIS", "budget=isis-monthly"}},
		{"so does that of one of its projects", "isis", []string{"topic=budget", "scope=project", "target=TDAaaS", "budget=tda"}},
		{"that of a group without a route", "carbon-office", []string{"topic=budget", "group=CLF", "scope=group", "target=CLF", "budget=clf"}},
		{"that of the whole site", "carbon-office", []string{"topic=budget", "scope=ada", "budget=site-2026"}},
		{"a machine type of a project's name is no project", "carbon-office", []string{"topic=budget", "scope=machine", "target=TDAaaS", "budget=m"}},
		{"data", "operators", []string{"topic=data", "alertname=CarbonDataStale", "severity=warning"}},
		{"the exporter", "operators", []string{"topic=exporter", "alertname=CarbonSourceDown", "source=mongodb"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			says(t, amtool, append([]string{"config", "routes", "test", "--config.file=" + alertmanagerYML, "--verify.receivers=" + c.receiver}, c.labels...)...)
		})
	}
}

// notification is what a template gets: one alert that fires, and one that is over.
const notification = `{
  "status": "firing", "receiver": "isis", "externalURL": "http://alertmanager.example.org",
  "groupLabels": {"group": "ISIS", "budget": "isis-monthly"},
  "commonLabels": {"group": "ISIS", "budget": "isis-monthly", "topic": "budget"},
  "commonAnnotations": {},
  "alerts": [
    {"status": "firing", "startsAt": "2026-03-29T10:15:00+01:00", "generatorURL": "http://prometheus.example.org/graph",
     "labels": {"alertname": "CarbonBudgetBurnFast", "severity": "warning", "group": "ISIS", "budget": "isis-monthly"},
     "annotations": {"summary": "Carbon budget isis-monthly burns 3.1 times as fast as planned.",
       "description": "In the last day group <ISIS> used too much.", "runbook_url": "https://wiki.example.org/CarbonBudgetBurnFast.md",
       "dashboard_url": "https://grafana.example.org/d/carbon-budgets?var-budget=isis"}},
    {"status": "resolved", "startsAt": "2026-03-28T00:00:00Z", "endsAt": "2026-03-29T09:00:00Z",
     "labels": {"alertname": "CarbonBudgetProjectedOverrun", "severity": "info", "group": "ISIS", "budget": "isis-monthly"},
     "annotations": {"summary": "Carbon budget isis-monthly is heading for 125% of its limit."}}
  ]
}`

func TestNotificationsReadWell(t *testing.T) {
	amtool, dir := built.Program(t, "amtool"), t.TempDir()
	several := filepath.Join(dir, "several.json")
	single := filepath.Join(dir, "single.json")
	var one map[string]any
	if err := json.Unmarshal([]byte(notification), &one); err != nil {
		t.Fatal(err)
	}
	one["alerts"] = one["alerts"].([]any)[1:]
	one["status"] = "resolved"
	one["commonAnnotations"] = map[string]string{"runbook_url": "https://wiki.example.org/CarbonBudgetProjectedOverrun.md"}
	text, err := json.Marshal(one)
	if err != nil {
		t.Fatal(err)
	}
	for file, text := range map[string][]byte{several: []byte(notification), single: text} {
		if err := os.WriteFile(file, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct{ name, template, kind, data, want string }{
		{"several in a title", "carbon.title", "text", several, "2 carbon alerts on budget isis-monthly"},
		{"one in a title", "carbon.title", "text", single, "Resolved: Carbon budget isis-monthly is heading for 125% of its limit."},
		{"a link to what they have in common", "carbon.link", "text", single, "https://wiki.example.org/CarbonBudgetProjectedOverrun.md"},
		{"a link where they have no runbook in common", "carbon.link", "text", several, "http://alertmanager.example.org"},
		{"mail as text", "carbon.text", "text", several, `Carbon budget isis-monthly burns 3.1 times as fast as planned.
In the last day group <ISIS> used too much.
Since 2026-03-29 09:15 UTC. What to do: https://wiki.example.org/CarbonBudgetBurnFast.md
Dashboard: https://grafana.example.org/d/carbon-budgets?var-budget=isis

Resolved at 2026-03-29 09:00 UTC: Carbon budget isis-monthly is heading for 125% of its limit.

http://alertmanager.example.org
Carbon intensity: National Energy System Operator, Carbon Intensity API, CC BY 4.0.
`},
		{"chat", "carbon.chat.text", "text", several, `:warning: In the last day group <ISIS> used too much. <https://wiki.example.org/CarbonBudgetBurnFast.md|What to do>
:white_check_mark: Over since 2026-03-29 09:00 UTC: Carbon budget isis-monthly is heading for 125% of its limit.
`},
		{"mail", "carbon.email.html", "html", several, `<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><title>2 carbon alerts on budget isis-monthly</title></head>
<body style="font-family: sans-serif; max-width: 40em">
<h3 style="margin-bottom: 0">Carbon budget isis-monthly burns 3.1 times as fast as planned.</h3>
<p>In the last day group &lt;ISIS&gt; used too much.</p>
<p>warning, since 2026-03-29 09:15 UTC · <a href="https://wiki.example.org/CarbonBudgetBurnFast.md">What to do</a> · <a href="https://grafana.example.org/d/carbon-budgets?var-budget=isis">Dashboard</a> · <a href="http://prometheus.example.org/graph">Graph</a></p>
<h3 style="margin-bottom: 0; color: #3a7d44">Resolved: Carbon budget isis-monthly is heading for 125% of its limit.</h3>
<p>Over since 2026-03-29 09:00 UTC.</p>
<p style="color: #777; font-size: small"><a href="http://alertmanager.example.org">Alertmanager</a> · Carbon intensity: National Energy System Operator, Carbon Intensity API, CC BY 4.0.</p>
</body>
</html>
`},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := says(t, amtool, "template", "render", "--template.type="+c.kind, "--template.data="+c.data,
				"--template.glob="+filepath.Join(examples, "alertmanager", "templates", "*.tmpl"),
				"--template.text={{ template \""+c.template+"\" . }}")
			if got != c.want {
				t.Errorf("got\n%s\nwant\n%s", got, c.want)
			}
		})
	}
}

// alert is an alert as the API has it.
type alert struct {
	Labels map[string]string `json:"labels"`
	Status struct {
		InhibitedBy []string `json:"inhibitedBy"`
	} `json:"status,omitzero"`
}

// fired is an alert of the exporter a, unless the labels say otherwise.
func fired(labels ...string) alert {
	a := alert{Labels: map[string]string{"job": "carbon", "instance": "a"}}
	for _, l := range labels {
		name, value, _ := strings.Cut(l, "=")
		a.Labels[name] = value
	}
	return a
}

// A real Alertmanager with the example: what holds back what, and what comes in one
// notification.
func TestAlertmanagerHoldsBackWhatSaysNothing(t *testing.T) {
	url := alertmanager(t)
	post(t, url+"/api/v2/alerts", []alert{
		fired("alertname=CarbonDataStale", "topic=data", "severity=warning"),
		fired("alertname=CarbonBudgetBurnFast", "topic=budget", "severity=warning", "budget=isis", "group=ISIS"),
		fired("alertname=CarbonUnpricedHigh", "topic=data", "severity=info"),
		fired("alertname=CarbonSourceDown", "topic=exporter", "severity=warning", "source=prometheus"),
		fired("alertname=CarbonBudgetExhausted", "topic=budget", "severity=warning", "budget=isis", "group=ISIS", "instance=b"),
		fired("alertname=CarbonBudgetProjectedOverrun", "topic=budget", "severity=info", "budget=isis", "group=ISIS", "instance=b"),
		fired("alertname=CarbonBudgetProjectedOverrun", "topic=budget", "severity=info", "budget=site", "instance=b"),
		fired("alertname=CarbonBudgetBurnFast", "topic=budget", "severity=warning", "budget=clf", "group=CLF", "instance=b"),
		fired("alertname=CarbonBudgetBurnSlow", "topic=budget", "severity=info", "budget=clf", "group=CLF", "instance=b"),
		fired("alertname=CarbonBudgetBurnSlow", "topic=budget", "severity=info", "budget=isis", "group=ISIS", "instance=b"),
		// Of twins, one is stale; what both say of budgets is that of the other, too.
		fired("alertname=CarbonDataStale", "topic=data", "severity=warning", "instance=twins", "replica=a"),
		fired("alertname=CarbonCoverageLow", "topic=data", "severity=info", "instance=twins", "replica=a"),
		fired("alertname=CarbonBudgetExhausted", "topic=budget", "severity=warning", "budget=site", "instance=twins"),
	})
	want := []string{
		"carbon-office {clf} CarbonBudgetBurnFast of b",
		"carbon-office {clf} CarbonBudgetBurnSlow of b held back",
		"carbon-office {site} CarbonBudgetExhausted of twins",
		"carbon-office {site} CarbonBudgetProjectedOverrun of b",
		"isis {isis} CarbonBudgetBurnFast of a held back",
		"isis {isis} CarbonBudgetBurnSlow of b",
		"isis {isis} CarbonBudgetExhausted of b",
		"isis {isis} CarbonBudgetProjectedOverrun of b held back",
		"operators {CarbonCoverageLow} CarbonCoverageLow of twins held back",
		"operators {CarbonDataStale} CarbonDataStale of a",
		"operators {CarbonDataStale} CarbonDataStale of twins",
		"operators {CarbonSourceDown} CarbonSourceDown of a",
		"operators {CarbonUnpricedHigh} CarbonUnpricedHigh of a held back",
	}
	// It groups and holds back in its own time.
	var got []string
	for patience := time.Now().Add(time.Minute); time.Now().Before(patience); <-time.After(100 * time.Millisecond) {
		if got = groups(t, url); slices.Equal(got, want) {
			return
		}
	}
	t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
}

// groups says of each alert who gets it, in which group, and whether it is held back.
func groups(t *testing.T, url string) []string {
	t.Helper()
	var groups []struct {
		Labels   map[string]string `json:"labels"`
		Receiver struct {
			Name string `json:"name"`
		} `json:"receiver"`
		Alerts []alert `json:"alerts"`
	}
	get(t, url+"/api/v2/alerts/groups", &groups)
	var all []string
	for _, g := range groups {
		for _, a := range g.Alerts {
			held := ""
			if len(a.Status.InhibitedBy) > 0 {
				held = " held back"
			}
			all = append(all, fmt.Sprintf("%s {%s%s} %s of %s%s",
				g.Receiver.Name, g.Labels["budget"], g.Labels["alertname"], a.Labels["alertname"], a.Labels["instance"], held))
		}
	}
	slices.Sort(all)
	return all
}

// alertmanager starts a real one with the example, whose mail goes nowhere.
func alertmanager(t *testing.T) string {
	t.Helper()
	program, dir := built.Program(t, "alertmanager"), t.TempDir()
	text, err := os.ReadFile(alertmanagerYML)
	if err != nil {
		t.Fatal(err)
	}
	templates, err := filepath.Abs(filepath.Join(examples, "alertmanager", "templates"))
	if err != nil {
		t.Fatal(err)
	}
	local := strings.NewReplacer("smtp.example.org:587", "127.0.0.1:9", "templates/*.tmpl", templates+"/*.tmpl").Replace(string(text))
	config := filepath.Join(dir, "alertmanager.yml")
	if err := os.WriteFile(config, []byte(local), 0o600); err != nil {
		t.Fatal(err)
	}
	address := built.FreeAddress(t)
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	c, err := child.Start(log, program, "--config.file="+config, "--storage.path="+filepath.Join(dir, "data"),
		"--web.listen-address="+address, "--cluster.listen-address=")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.End(); err != nil {
			t.Error(err)
		}
	})
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := c.Until(ctx, "http://"+address+"/-/ready"); err != nil {
		t.Fatal(err)
	}
	return "http://" + address
}

func post(t *testing.T, url string, body any) {
	t.Helper()
	text, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := http.Post(url, "application/json", bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		t.Fatalf("POST %s: %s", url, answer.Status)
	}
}

func get(t *testing.T, url string, v any) {
	t.Helper()
	answer, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if err := json.NewDecoder(answer.Body).Decode(v); err != nil {
		t.Fatal(err)
	}
}
