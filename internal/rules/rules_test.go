// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v2"
)

type rule struct {
	Record, Alert, Expr, For string
	KeepFiringFor            string `yaml:"keep_firing_for"`
	Labels, Annotations      map[string]string
}

type ruleFile struct {
	Groups []struct {
		Name  string
		Rules []rule
	}
}

func parse(t *testing.T, text string) ruleFile {
	t.Helper()
	var f ruleFile
	if err := yaml.UnmarshalStrict([]byte(text), &f); err != nil {
		t.Fatal(err)
	}
	return f
}

// all is every rule of every file.
func all(t *testing.T, links Links) []rule {
	t.Helper()
	files, err := Files(links)
	if err != nil {
		t.Fatal(err)
	}
	var rules []rule
	for _, f := range files {
		for _, g := range parse(t, f.Text).Groups {
			rules = append(rules, g.Rules...)
		}
	}
	return rules
}

func alerts(t *testing.T) map[string]rule {
	t.Helper()
	byName := map[string]rule{}
	for _, r := range all(t, Links{}) {
		if r.Alert != "" {
			byName[r.Alert] = r
		}
	}
	return byName
}

// What carbon budgets are as alerts, which docs/alerts.md explains.
func TestAlertsAreThoseThatWereAgreed(t *testing.T) {
	byName := alerts(t)
	spaces := regexp.MustCompile(`\s+`)
	// Of a budget the alert has the group, if the budget is a group's.
	const opened, closed = "label_replace( label_join( ", ` , "group", ";", "scope", "target" ), "group", "$1", "group", "group;(.*)|.*" )`
	for _, want := range []struct{ name, expr, wait, keep, severity string }{
		{
			"CarbonBudgetBurnFast",
			`carbon_budget_burn_ratio{window="1d"} > 3 and ignoring (window) carbon_budget_burn_ratio{window="2h"} > 3`,
			"15m", "30m", "warning",
		},
		{
			"CarbonBudgetBurnSlow",
			`carbon_budget_burn_ratio{window="7d"} > 1.25 and ignoring (window) carbon_budget_burn_ratio{window="1d"} > 1.25`,
			"6h", "", "info",
		},
		{
			"CarbonBudgetProjectedOverrun",
			`carbon_budget_projected_ratio > 1.1 and ( carbon_budget_used_gco2eq / carbon_budget_limit_gco2eq > 0.25 or carbon_budget_used_kwh / carbon_budget_limit_kwh > 0.25 )`,
			"6h", "", "info",
		},
		{
			"CarbonBudgetExhausted",
			`carbon_budget_used_gco2eq / carbon_budget_limit_gco2eq >= 1 or carbon_budget_used_kwh / carbon_budget_limit_kwh >= 1`,
			"", "", "warning",
		},
		{
			"CarbonDataStale",
			`time() - carbon_last_complete_interval_timestamp_seconds > 2 * carbon_interval_seconds + 3600`,
			"15m", "", "warning",
		},
		{
			"CarbonSourceDown",
			`carbon_exporter_source_up == 0 unless on (job, instance, source) label_replace( label_replace(carbon_intensity_source_info, "source", "$1", "provider", "(.*)"), "source", "carbon_intensity_$1", "provider", "(prometheus|carbon_intensity|mongodb|directory|mongodb_usage)" )`,
			"1h", "", "warning",
		},
		{
			"CarbonIntensitySourceDown",
			`carbon_exporter_source_up == 0 and on (job, instance, source) label_replace( label_replace(carbon_intensity_source_info, "source", "$1", "provider", "(.*)"), "source", "carbon_intensity_$1", "provider", "(prometheus|carbon_intensity|mongodb|directory|mongodb_usage)" )`,
			"6h", "", "info",
		},
		{
			"CarbonManySamples",
			`carbon_exporter_exposition_samples > 0.8 * carbon_exporter_exposition_max_samples`,
			"1h", "", "warning",
		},
		{
			"CarbonLakeNotPublishing",
			`sum by (job, instance) (carbon_exporter_lake_pending{state=~"due|refused"}) > 0 or max by (job, instance) (carbon_exporter_source_up{source="lake"}) == 0`,
			"24h", "", "warning",
		},
		{
			"CarbonUnpricedHigh",
			`carbon_unpriced_energy_kwh > on (job, instance) 0.1 * 24 / 1000 * avg_over_time(sum by (job, instance) (carbon_power_watts)[1d:15m])`,
			"24h", "", "info",
		},
		{
			"CarbonPowerByDefault",
			`sum by (job, instance) ( carbon_power_watts and on (job, instance, machine, mode) carbon_machine_power_watts{source="default"} ) / sum by (job, instance) (carbon_power_watts) > 0.5`,
			"24h", "", "info",
		},
		{
			"CarbonUnexplainedEnergy",
			`delta(carbon_unexplained_energy_kwh[1d]) / (delta(carbon_measured_energy_kwh[1d]) > 0) and abs(delta(carbon_unexplained_energy_kwh[1d])) > 0.25 * delta(carbon_measured_energy_kwh[1d])`,
			"24h", "", "info",
		},
	} {
		t.Run(want.name, func(t *testing.T) {
			got := byName[want.name]
			if strings.HasPrefix(want.name, "CarbonBudget") {
				want.expr = opened + want.expr + closed
			}
			if expr := strings.TrimSpace(spaces.ReplaceAllString(got.Expr, " ")); expr != want.expr {
				t.Errorf("expression\n%s\nwant\n%s", expr, want.expr)
			}
			if got.For != want.wait || got.KeepFiringFor != want.keep || got.Labels["severity"] != want.severity {
				t.Errorf("for %q, keep_firing_for %q, severity %q, want %q, %q, %q",
					got.For, got.KeepFiringFor, got.Labels["severity"], want.wait, want.keep, want.severity)
			}
		})
	}
}

// An alert leads to a dashboard that there is, and says there what its variables are to be.
func TestAlertsLeadToDashboards(t *testing.T) {
	for _, a := range all(t, Links{}) {
		if a.Annotations["dashboard_url"] != "" {
			t.Errorf("%s leads to %s, where nobody said where Grafana is", a.Alert, a.Annotations["dashboard_url"])
		}
	}
	template := regexp.MustCompile(`\{\{ \$labels\.(\w+) \| urlquery \}\}`)
	for _, a := range all(t, Links{Grafana: "http://grafana/behind/a/path/"}) {
		if a.Alert == "" {
			continue
		}
		t.Run(a.Alert, func(t *testing.T) {
			link, err := url.Parse(template.ReplaceAllString(a.Annotations["dashboard_url"], "of-$1"))
			if err != nil {
				t.Fatal(err)
			}
			uid, ok := strings.CutPrefix(link.Path, "/behind/a/path/d/")
			if !ok || link.Host != "grafana" || !strings.HasPrefix(link.Query().Get("from"), "now-") || link.Query().Get("to") != "now" {
				t.Errorf("leads to %s", link)
			}
			text, err := os.ReadFile(filepath.Join("..", "..", "dashboards", uid+".json"))
			if err != nil {
				t.Fatal(err)
			}
			for name, value := range link.Query() {
				name, isVariable := strings.CutPrefix(name, "var-")
				if isVariable && (value[0] != "of-"+name || !strings.Contains(string(text), `"name": "`+name+`"`)) {
					t.Errorf("%s has no variable %s, or %q is not its value", uid, name, value)
				}
			}
			if exporter := link.Query().Has("var-job") && link.Query().Has("var-instance"); !exporter && a.Alert != "CarbonExporterAbsent" {
				t.Errorf("%s does not say of which exporter", link)
			}
			if strings.HasPrefix(a.Alert, "CarbonBudget") != link.Query().Has("var-budget") {
				t.Errorf("%s is of a budget, or not", link)
			}
		})
	}
}

// Nobody is paged for carbon, and whoever gets an alert is told what to do.
func TestEveryAlertIsFitForPeople(t *testing.T) {
	for _, a := range all(t, Links{Runbooks: "https://wiki.example.org/carbon/"}) {
		if a.Alert == "" {
			continue
		}
		t.Run(a.Alert, func(t *testing.T) {
			if s := a.Labels["severity"]; s != "warning" && s != "info" {
				t.Errorf("severity %q", s)
			}
			if s := a.Labels["topic"]; s != "budget" && s != "data" && s != "exporter" {
				t.Errorf("topic %q", s)
			}
			if want := "https://wiki.example.org/carbon/" + a.Alert + ".md"; a.Annotations["runbook_url"] != want {
				t.Errorf("runbook_url %s, want %s", a.Annotations["runbook_url"], want)
			}
			for _, annotation := range []string{"summary", "description"} {
				if text := a.Annotations[annotation]; !strings.HasSuffix(text, ".") {
					t.Errorf("%s is no sentence: %q", annotation, text)
				}
			}
		})
	}
}

func TestEveryAlertHasARunbook(t *testing.T) {
	const folder = "../../docs/runbooks"
	parts := []string{"## Meaning", "## Impact", "## Diagnosis", "## Mitigation"}
	var want []string
	for name := range alerts(t) {
		want = append(want, name+".md")
		t.Run(name, func(t *testing.T) {
			text, err := os.ReadFile(filepath.Join(folder, name+".md"))
			if err != nil {
				t.Fatal(err)
			}
			if !strings.HasPrefix(string(text), "# "+name+"\n") {
				t.Errorf("its title is not %s", name)
			}
			rest := string(text)
			for _, part := range parts {
				before, after, found := strings.Cut(rest, "\n"+part+"\n")
				if !found {
					t.Fatalf("has no %q, or not in this order: %q", part, parts)
				}
				if strings.TrimSpace(before) == "" {
					t.Errorf("nothing is said before %q", part)
				}
				rest = after
			}
			if strings.TrimSpace(rest) == "" {
				t.Error("its last part is empty")
			}
		})
	}
	slices.Sort(want)
	var got []string
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		got = append(got, e.Name())
	}
	if !slices.Equal(got, want) {
		t.Errorf("the folder holds %q, the alerts are %q", got, want)
	}
}

// What promtool is asked for each alert: a time at which it fires, and the minute
// before, at which it does not.
func TestEveryAlertIsTriedToTheMinute(t *testing.T) {
	files, err := filepath.Glob("../../examples/prometheus/rules/tests/*.yml")
	if err != nil {
		t.Fatal(err)
	}
	type try struct {
		alert string
		file  string
		group int
		at    time.Duration
	}
	fires, silent := map[try]bool{}, map[try]bool{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var tests struct {
			Tests []struct {
				Tries []struct {
					At     string `yaml:"eval_time"`
					Alert  string `yaml:"alertname"`
					Alerts []any  `yaml:"exp_alerts"`
				} `yaml:"alert_rule_test"`
			}
		}
		if err := yaml.Unmarshal(text, &tests); err != nil {
			t.Fatal(err)
		}
		for i, group := range tests.Tests {
			for _, one := range group.Tries {
				at, err := time.ParseDuration(one.At)
				if err != nil {
					t.Fatal(err)
				}
				if len(one.Alerts) > 0 {
					fires[try{one.Alert, file, i, at}] = true
				} else {
					silent[try{one.Alert, file, i, at}] = true
				}
			}
		}
	}
	tried := map[string]bool{}
	for f := range fires {
		before := f
		before.at -= time.Minute
		tried[f.alert] = tried[f.alert] || silent[before]
	}
	for name := range alerts(t) {
		if !tried[name] {
			t.Errorf("%s: no test has it silent in one minute and firing in the next", name)
		}
	}
}

// forthcoming are metrics of the contract that the golden scrape does not show yet.
var forthcoming = []string{"carbon_exporter_label_drift"}

func TestRulesAndPagesUseOnlyMetricsThatThereAre(t *testing.T) {
	golden, err := os.ReadFile("../../collector/testdata/metrics.prom")
	if err != nil {
		t.Fatal(err)
	}
	there := map[string]bool{}
	for _, line := range regexp.MustCompile(`(?m)^# TYPE (\S+)`).FindAllStringSubmatch(string(golden), -1) {
		there[line[1]] = true
	}
	for _, name := range forthcoming {
		there[name] = true
	}
	metric := regexp.MustCompile(`\bcarbon_[a-z0-9_]+`)
	used := map[string]bool{}
	for _, r := range all(t, Links{}) {
		for _, name := range metric.FindAllString(r.Expr, -1) {
			used[name] = true
		}
	}
	pages, err := filepath.Glob("../../docs/runbooks/*.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, page := range append(pages, "../../docs/alerts.md") {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range metric.FindAllString(string(text), -1) {
			used[name] = true
		}
	}
	for _, name := range []string{"carbon_exporter", "carbon_intensity", "carbon_intensity_"} { // the program, a source, and how others begin
		delete(used, name)
	}
	for _, name := range slices.Sorted(maps.Keys(used)) {
		if !there[name] {
			t.Errorf("%s is used in a rule or a page and exported by nobody", name)
		}
	}
}

func TestJoinedIsAllFilesInOne(t *testing.T) {
	files, err := Files(Links{})
	if err != nil {
		t.Fatal(err)
	}
	var want ruleFile
	for _, f := range files {
		want.Groups = append(want.Groups, parse(t, f.Text).Groups...)
	}
	got := parse(t, Joined(files))
	names := func(f ruleFile) (names []string) {
		for _, g := range f.Groups {
			for _, r := range g.Rules {
				names = append(names, g.Name+" "+r.Alert+r.Record)
			}
		}
		return names
	}
	if !slices.Equal(names(got), names(want)) {
		t.Errorf("got %q, want %q", names(got), names(want))
	}
}

func TestCheckURL(t *testing.T) {
	for _, c := range []struct {
		name, url string
		good      bool
	}{
		{"the default", Runbooks, true},
		{"a host of one's own", "http://wiki", true},
		{"with a slash at the end", "https://wiki.example.org/carbon/", true},
		{"nothing", "", false},
		{"no scheme", "wiki.example.org", false},
		{"another scheme", "ftp://wiki.example.org", false},
		{"no host", "https:///", false},
		{"a space", "https://wiki.example.org/our carbon", false},
		{"what YAML would read as a comment", "https://wiki.example.org/ #carbon", false},
		{"what Prometheus would read as a template", "https://wiki.example.org/{{ $labels.budget }}", false},
		{"a line end", "https://wiki.example.org\n", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			if err := CheckURL(c.url); (err == nil) != c.good {
				t.Errorf("%q: %v", c.url, err)
			}
		})
	}
}
