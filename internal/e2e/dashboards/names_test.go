// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package dashboards_test

import (
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/promql/parser"
)

// Dashboards and rules may ask only for what the golden scrape shows, what rules
// record, and for Prometheus' own series of alerts.
func TestQueriesAskOnlyForWhatThereIs(t *testing.T) {
	known := goldenNames(t)
	known["ALERTS"] = true
	for name := range recorded(t) {
		known[name] = true
	}
	asked := map[string]bool{}
	for _, d := range dashboards(t) {
		for _, p := range d.Panels {
			for _, q := range p.Targets {
				for _, expr := range d.written(t, q.Expr, map[string]string{"__range": "1d", "__range_s": "86400", "__interval": "1m", "__rate_interval": "5m"}) {
					for _, name := range metrics(t, d.name(p, q), expr) {
						asked[name] = true
						if !known[name] {
							t.Errorf("%s asks for %s, which there is not: %s", d.name(p, q), name, expr)
						}
					}
				}
			}
		}
		for _, v := range d.Templating.List {
			if v.Type == "query" {
				if metric, _, ok := labelValues(d, v); !ok || !known[strings.Split(metric, "{")[0]] {
					t.Errorf("%s: variable %s asks for %v", d.Title, v.Name, v.Query)
				}
			}
		}
	}
	if len(asked) < 30 {
		t.Errorf("only %d metrics are asked for", len(asked))
	}
}

// metrics are the names in an expression, which must be PromQL.
func metrics(t *testing.T, where, expr string) (names []string) {
	t.Helper()
	parsed, err := parser.NewParser(parser.Options{}).ParseExpr(expr)
	if err != nil {
		t.Errorf("%s: %v: %s", where, err, expr)
		return nil
	}
	parser.Inspect(parsed, func(node parser.Node, _ []parser.Node) error {
		if s, ok := node.(*parser.VectorSelector); ok {
			names = append(names, s.Name)
		}
		return nil
	})
	return names
}

// Operational and embodied emissions are two accounts: no query makes one number of both.
func TestEmbodiedEmissionsAreNotAdded(t *testing.T) {
	found := 0
	for _, d := range dashboards(t) {
		for _, p := range d.Panels {
			for _, q := range p.Targets {
				if !strings.Contains(q.Expr, "embodied") {
					continue
				}
				found++
				for _, expr := range d.written(t, q.Expr, map[string]string{"__range": "1d"}) {
					parsed, err := parser.NewParser(parser.Options{}).ParseExpr(expr)
					if err != nil {
						t.Fatal(err)
					}
					parser.Inspect(parsed, func(node parser.Node, _ []parser.Node) error {
						if b, ok := node.(*parser.BinaryExpr); ok && !b.Op.IsSetOperator() {
							t.Errorf("%s reckons with embodied emissions: %s", d.name(p, q), b)
						}
						return nil
					})
				}
			}
		}
	}
	if found == 0 {
		t.Error("no panel has embodied emissions")
	}
}

// goldenNames are the names of series in the golden scrape.
func goldenNames(t *testing.T) map[string]bool {
	t.Helper()
	text, err := os.ReadFile("../../../collector/testdata/metrics.prom")
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)^([a-zA-Z_:][\w:]*)`).FindAllStringSubmatch(string(text), -1) {
		names[m[1]] = true
	}
	return names
}

// rulesOf are the example rules.
func rulesOf(t *testing.T) (all []rulefmt.Rule) {
	t.Helper()
	for _, path := range ruleFiles(t) {
		groups, errs := rulefmt.ParseFile(path, false, model.UTF8Validation, parser.NewParser(parser.Options{}), slog.New(slog.DiscardHandler))
		if len(errs) > 0 {
			t.Fatal(errs)
		}
		for _, g := range groups.Groups {
			all = append(all, g.Rules...)
		}
	}
	return all
}

// recorded are the names that the example rules record.
func recorded(t *testing.T) map[string]bool {
	t.Helper()
	names := map[string]bool{}
	for _, r := range rulesOf(t) {
		if r.Record != "" {
			names[r.Record] = true
		}
	}
	return names
}

func ruleFiles(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("../../../examples/prometheus/rules/*.yml")
	if err != nil {
		t.Fatal(err)
	}
	return files
}

var labelQuery = regexp.MustCompile(`^label_values\((.+), (\w+)\)$`)

// labelValues takes a variable's query apart, other variables at all their values.
func labelValues(d dashboard, v variable) (metric, label string, ok bool) {
	text, _ := v.Query.(string)
	for _, other := range d.Templating.List {
		if other.AllValue != "" {
			text = replace(text, other.Name, other.AllValue)
		}
	}
	m := labelQuery.FindStringSubmatch(text)
	if m == nil {
		return "", "", false
	}
	return m[1], m[2], true
}
