// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Package mixin holds the mixin in mixin/ to the rules and dashboards that it is made of. It must
// not know what they say. Start with TestTheRulesAreThoseOfTheRepository.
package mixin

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-jsonnet"
	"go.yaml.in/yaml/v3"

	"github.com/carbon-exporter/carbon_exporter/internal/rules"
)

const root = "../../.."

// evaluate returns the value of a program in which $ is the mixin with more configuration.
func evaluate(t *testing.T, config, program string, into any) {
	t.Helper()
	vm := jsonnet.MakeVM()
	vm.Importer(&jsonnet.FileImporter{JPaths: []string{root}})
	out, err := vm.EvaluateAnonymousSnippet("test.jsonnet", `local mixin = (import 'mixin/mixin.libsonnet') + { _config+:: `+config+` }; `+program)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(out), into); err != nil {
		t.Fatal(err)
	}
}

type group struct {
	Name  string           `json:"name"`
	Rules []map[string]any `json:"rules"`
}

// written are the groups of `carbontool generate rules` with these links.
func written(t *testing.T, links rules.Links) []group {
	t.Helper()
	files, err := rules.Files(links)
	if err != nil {
		t.Fatal(err)
	}
	var plain struct{ Groups []any }
	if err := yaml.Unmarshal([]byte(rules.Joined(files)), &plain); err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(plain.Groups)
	if err != nil {
		t.Fatal(err)
	}
	var groups []group
	if err := json.Unmarshal(text, &groups); err != nil {
		t.Fatal(err)
	}
	return groups
}

func TestTheRulesAreThoseOfTheRepository(t *testing.T) {
	for _, c := range []struct {
		name, config string
		links        rules.Links
	}{
		{"as they are", "{}", rules.Links{}},
		{"runbooks of a site", "{ runbookURL: 'https://wiki.example.org/carbon' }", rules.Links{Runbooks: "https://wiki.example.org/carbon"}},
		{"with a slash at the end", "{ runbookURL: 'https://wiki.example.org/carbon/' }", rules.Links{Runbooks: "https://wiki.example.org/carbon"}},
		{"dashboards of a site", "{ grafanaURL: 'https://g.example.org/x/' }", rules.Links{Grafana: "https://g.example.org/x"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var got []group
			evaluate(t, c.config, "mixin.prometheusAlerts.groups + mixin.prometheusRules.groups", &got)
			want := written(t, c.links)
			byName := func(a, b group) int { return strings.Compare(a.Name, b.Name) }
			slices.SortFunc(got, byName)
			slices.SortFunc(want, byName)
			if !reflect.DeepEqual(got, want) {
				t.Errorf("the mixin has\n%v\nthe repository has\n%v", got, want)
			}
		})
	}
}

func TestAlertsAndRecordingRulesAreApart(t *testing.T) {
	for _, c := range []struct{ of, key string }{{"prometheusAlerts", "alert"}, {"prometheusRules", "record"}} {
		var groups []group
		evaluate(t, "{}", "mixin."+c.of+".groups", &groups)
		if len(groups) == 0 {
			t.Errorf("%s has no group", c.of)
		}
		for _, g := range groups {
			for _, r := range g.Rules {
				if r[c.key] == nil {
					t.Errorf("%s has %v", c.of, r)
				}
			}
		}
	}
}

func TestDashboardsAreThoseOfTheRepository(t *testing.T) {
	var got map[string]any
	evaluate(t, "{}", "mixin.grafanaDashboards", &got)
	paths, err := filepath.Glob(filepath.Join(root, "dashboards", "*.json"))
	if err != nil || len(paths) != len(got) {
		t.Fatalf("%v: %d dashboards, and %d in the mixin", err, len(paths), len(got))
	}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		var want any
		if err := json.Unmarshal(text, &want); err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(got[filepath.Base(path)], want) {
			t.Errorf("%s is another in the mixin", path)
		}
	}
}

func TestWhatIsConfiguredIsAdded(t *testing.T) {
	const config = "{ alertLabels: { team: 'green' }, dashboardTags: ['site'] }"
	var groups []group
	evaluate(t, config, "mixin.prometheusAlerts.groups", &groups)
	for _, g := range groups {
		for _, r := range g.Rules {
			labels, ok := r["labels"].(map[string]any)
			if !ok || labels["team"] != "green" || labels["severity"] == nil {
				t.Errorf("%v has the labels %v", r["alert"], labels)
			}
		}
	}
	var boards map[string]struct{ Tags []string }
	evaluate(t, config, "mixin.grafanaDashboards", &boards)
	for name, board := range boards {
		if !slices.Contains(board.Tags, "site") || !slices.Contains(board.Tags, "carbon") {
			t.Errorf("%s has the tags %q", name, board.Tags)
		}
	}
}

// A site puts mixins together; none may replace what another has.
func TestTwoMixinsAreTogether(t *testing.T) {
	const other = "{ prometheusAlerts+:: { groups+: [{ name: 'other', rules: [] }] }, grafanaDashboards+:: { 'other.json': {} } }"
	var both struct {
		Groups []group
		Boards map[string]any
	}
	evaluate(t, "{}", "local both = "+other+" + mixin + "+other+"; { Groups: both.prometheusAlerts.groups, Boards: both.grafanaDashboards }", &both)
	names := map[string]int{}
	for _, g := range both.Groups {
		names[g.Name]++
	}
	if names["other"] != 2 || names["carbon-budgets"] != 1 || both.Boards["other.json"] == nil || both.Boards["carbon-year.json"] == nil {
		t.Errorf("groups %v, %d dashboards", names, len(both.Boards))
	}
}
