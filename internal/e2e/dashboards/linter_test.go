// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package dashboards_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/prometheus/promql/parser"
	"go.yaml.in/yaml/v3"
)

// The rules of Grafana's dashboard-linter in strict mode, under its names, without target-logql-rule
// and without the linter itself, whose licence is not ours. dashboards/.lint is its own file of exclusions.

// linted is what the rules look at.
type linted struct {
	Title      string
	Editable   bool
	Templating struct {
		List []struct {
			Name, Type, Label, AllValue string
			Query                       any
			Refresh                     int
			Multi                       bool
			Datasource                  source
		}
	}
	Panels []lintedPanel
}

type lintedPanel struct {
	Title, Description, Type string
	Datasource               source
	Targets                  []target
	FieldConfig              struct {
		Defaults struct {
			Unit     string
			Mappings []any
		}
		Overrides []struct {
			Properties []struct {
				ID    string `json:"id"`
				Value any
			}
		}
	}
}

type source struct{ UID string }

// finding is a fault, or in .lint what is to be let pass: there an empty field is any.
type finding struct {
	rule      string
	Dashboard string
	Panel     string
	TargetIdx string `yaml:"targetIdx"`
	said      string
}

func (f finding) passes(fault finding) bool {
	either := func(mine, its string) bool { return mine == "" || mine == its }
	return either(f.Dashboard, fault.Dashboard) && either(f.Panel, fault.Panel) && either(f.TargetIdx, fault.TargetIdx)
}

// lintedUnits are those of Grafana's that are used. It knows more.
var lintedUnits = []string{"watt", "kwatth", "massg", "percentunit", "short", "none", "locale", "s", "bytes", "string", "dateTimeFromNow"}

func TestDashboardsPassTheLinter(t *testing.T) {
	var file struct {
		Exclusions map[string]struct {
			Reason  string
			Entries []finding
		}
	}
	text, err := os.ReadFile("../../../dashboards/.lint")
	if err == nil {
		err = yaml.Unmarshal(text, &file)
	}
	if err != nil {
		t.Fatal(err)
	}
	used := map[string]bool{}
	for _, d := range allLinted(t) {
		for _, fault := range d.faults(t) {
			i := slices.IndexFunc(file.Exclusions[fault.rule].Entries, func(e finding) bool { return e.passes(fault) })
			if i < 0 {
				t.Errorf("%s: %s, %s, target %s: %s", fault.rule, fault.Dashboard, fault.Panel, fault.TargetIdx, fault.said)
				continue
			}
			used[fmt.Sprint(fault.rule, i)] = true
		}
	}
	for rule, x := range file.Exclusions {
		if x.Reason == "" || len(x.Entries) == 0 {
			t.Errorf(".lint excludes %s without a reason, or everywhere", rule)
		}
		for i, e := range x.Entries {
			if !used[fmt.Sprint(rule, i)] {
				t.Errorf(".lint lets pass what is no fault any more: %s, %+v", rule, e)
			}
		}
	}
}

func allLinted(t *testing.T) (all []linted) {
	t.Helper()
	paths, err := filepath.Glob("../../../dashboards/*.json")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no dashboards: %v", err)
	}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, lintable(t, string(text)))
	}
	return all
}

func lintable(t *testing.T, text string) (d linted) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), &d); err != nil {
		t.Fatal(err)
	}
	return d
}

func (d linted) faults(t *testing.T) (all []finding) {
	t.Helper()
	say := func(ok bool, rule string, f finding, said string, args ...any) {
		if !ok {
			f.rule, f.Dashboard, f.said = rule+"-rule", d.Title, fmt.Sprintf(said, args...)
			all = append(all, f)
		}
	}
	say(!d.Editable, "uneditable-dashboard", finding{}, "can be changed where the next import overwrites it")
	has := map[string]bool{}
	for _, v := range d.Templating.List {
		query, _ := v.Query.(string)
		switch v.Name {
		case "datasource":
			has[v.Name] = v.Type == "datasource" && query == "prometheus" && v.Label == "Data source"
		case "job", "instance":
			has[v.Name] = v.Type == "query" && v.Datasource.UID == "${datasource}" && strings.EqualFold(v.Label, v.Name) && v.Multi && v.AllValue == ".+"
		}
		if v.Type == "query" {
			m := labelQuery.FindStringSubmatch(query)
			say(m != nil && parses(m[1]), "template-label-promql", finding{}, "%s asks for %s", v.Name, query)
			say(v.Refresh == 2, "template-on-time-change-reload", finding{}, "%s is not asked for again", v.Name)
		}
	}
	for _, name := range []string{"datasource", "job", "instance"} {
		say(has[name], "template-"+name, finding{}, "there is no such variable")
	}
	for _, p := range d.Panels {
		if !slices.Contains([]string{"stat", "table", "timeseries", "gauge", "bargauge", "barchart", "heatmap", "state-timeline"}, p.Type) {
			continue
		}
		at := finding{Panel: p.Title}
		say(p.Datasource.UID == "${datasource}", "panel-datasource", at, "asks %q", p.Datasource.UID)
		say(p.Title != "" && p.Description != "", "panel-title-description", at, "lacks a title or a description")
		say(len(p.Targets) > 0, "panel-no-targets", at, "asks for nothing")
		if p.Type != "state-timeline" && len(p.FieldConfig.Defaults.Mappings) == 0 { // else values are words
			units := p.units()
			say(len(units) > 0, "panel-units", at, "has no unit")
			for _, u := range units {
				say(slices.Contains(lintedUnits, u), "panel-units", at, "%q is not a unit of Grafana's", u)
			}
		}
		for i, q := range p.Targets {
			at := finding{Panel: p.Title, TargetIdx: strconv.Itoa(i)}
			expr := withoutVariables(q.Expr)
			say(parses(expr), "target-promql", at, "is not PromQL: %s", expr)
			if parses(expr) {
				inspect(expr, func(ok bool, rule, said string) { say(ok, rule, at, "%s", said) })
			}
		}
	}
	return all
}

func (p lintedPanel) units() (all []string) {
	if u := p.FieldConfig.Defaults.Unit; u != "" {
		all = append(all, u)
	}
	for _, o := range p.FieldConfig.Overrides {
		for _, property := range o.Properties {
			if u, ok := property.Value.(string); ok && property.ID == "unit" {
				all = append(all, u)
			}
		}
	}
	return all
}

// interval stands for $__rate_interval, and is no length that anybody writes.
const interval = 7777 * time.Second

// withoutVariables has variables at a value where PromQL has no string.
func withoutVariables(expr string) string {
	for name, value := range map[string]string{"__range": "1d", "__range_s": "86400", "__interval": "1m", "__rate_interval": interval.String(), "period": "month", "price": "1"} {
		expr = replace(expr, name, value)
	}
	return expr
}

func parses(expr string) bool {
	_, err := parser.NewParser(parser.Options{}).ParseExpr(expr)
	return err == nil
}

// inspect applies the rules of a query.
func inspect(expr string, say func(ok bool, rule, said string)) {
	root, _ := parser.NewParser(parser.Options{}).ParseExpr(expr)
	parser.Inspect(root, func(node parser.Node, path []parser.Node) error {
		switch n := node.(type) {
		case *parser.Call:
			if n.Func.Name == "rate" || n.Func.Name == "irate" {
				m, ok := n.Args[0].(*parser.MatrixSelector)
				say(!ok || m.Range == interval, "target-rate-interval", n.String())
			}
		case *parser.VectorSelector:
			var has []string
			for _, m := range n.LabelMatchers {
				has = append(has, m.String())
			}
			say(slices.Contains(has, `job=~"$job"`), "target-job", n.String())
			say(slices.Contains(has, `instance=~"$instance"`), "target-instance", n.String())
			counter := slices.ContainsFunc([]string{"_total", "_sum", "_count", "_bucket"}, func(end string) bool { return strings.HasSuffix(n.Name, end) })
			say(!counter || slices.ContainsFunc(path, counts), "target-counter-agg", n.String())
		}
		return nil
	})
}

func counts(node parser.Node) bool {
	c, ok := node.(*parser.Call)
	return ok && slices.Contains([]string{"increase", "rate", "irate"}, c.Func.Name)
}

// Each rule finds the fault that it is for.
func TestTheLinterFindsFaults(t *testing.T) {
	d := lintable(t, `{"title": "Faulty", "editable": true,
		"templating": {"list": [{"name": "job", "type": "query", "query": "label_values(up{, job)", "refresh": 1}]},
		"panels": [
			{"type": "stat", "title": "A"},
			{"type": "stat", "title": "B", "fieldConfig": {"defaults": {"unit": "furlong"}}, "targets": [{"expr": "sum("}, {"expr": "rate(a_total[5m]) + a_total"}]}]}`)
	var found []string
	for _, f := range d.faults(t) {
		found = append(found, strings.TrimSuffix(f.rule, "-rule"))
	}
	slices.Sort(found)
	want := []string{
		"panel-datasource", "panel-no-targets", "panel-title-description", "panel-units", "target-counter-agg", "target-instance", "target-job",
		"target-promql", "target-rate-interval", "template-datasource", "template-instance", "template-job", "template-label-promql",
		"template-on-time-change-reload", "uneditable-dashboard",
	}
	if found = slices.Compact(found); !slices.Equal(found, want) {
		t.Errorf("found %v", found)
	}
	d = lintable(t, `{"panels": [{"type": "stat", "title": "A", "targets": [{"expr": "rate(a_total[$__rate_interval])"}]}]}`)
	for _, f := range d.faults(t) {
		if f.rule == "target-rate-interval-rule" || f.rule == "target-counter-agg-rule" {
			t.Errorf("found %+v", f)
		}
	}
}
