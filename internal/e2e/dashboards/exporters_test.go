// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package dashboards_test

import (
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/prometheus/promql/parser"

	"github.com/carbon-exporter/carbon_exporter/internal/e2e/engine"
	"github.com/carbon-exporter/carbon_exporter/internal/e2e/engine/enginetest"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// chosenExporters are the matchers that choose exporters.
var chosenExporters = []string{`job=~"$job"`, `instance=~"$instance"`, `site=~"$site"`}

// ofNoExporter is the one selector without them: of alerts that say that an exporter has gone.
const ofNoExporter = `ALERTS{job=~".*",alertname=~"Carbon(Exporter|Site)Absent",alertstate="firing"}`

// parsed is a query as PromQL has it. Variables between quotes stand as they are, others at a value.
func parsed(t *testing.T, expr string) parser.Expr {
	t.Helper()
	for name, value := range map[string]string{"__range": "1d", "__range_s": "86400", "__interval": "1m", "__rate_interval": "5m", "period": "month", "price": "1"} {
		expr = replace(expr, name, value)
	}
	tree, err := parser.NewParser(parser.Options{}).ParseExpr(expr)
	if err != nil {
		t.Fatalf("%v: %s", err, expr)
	}
	return tree
}

// No query and no list of choices takes in an exporter that is not chosen.
func TestEverySelectorIsOfTheChosenExporters(t *testing.T) {
	selectors := 0
	check := func(where, expr string, want []string) {
		parser.Inspect(parsed(t, expr), func(node parser.Node, _ []parser.Node) error {
			s, ok := node.(*parser.VectorSelector)
			if !ok || s.String() == parsed(t, ofNoExporter).String() {
				return nil
			}
			selectors++
			var has []string
			for _, m := range s.LabelMatchers {
				has = append(has, m.String())
			}
			for _, m := range want {
				if !slices.Contains(has, m) {
					t.Errorf("%s: %s has no %s", where, s, m)
				}
			}
			return nil
		})
	}
	for _, d := range dashboards(t) {
		for _, p := range d.Panels {
			for _, q := range p.Targets {
				check(d.name(p, q), q.Expr, chosenExporters)
			}
		}
		before := map[string]bool{} // a choice is narrowed by those on its left
		for _, v := range d.Templating.List {
			if v.Type != "query" {
				continue
			}
			text, _ := v.Query.(string)
			m := labelQuery.FindStringSubmatch(text)
			if m == nil {
				t.Fatalf("%s: variable %s asks for %v", d.Title, v.Name, v.Query)
			}
			var want []string
			for _, one := range chosenExporters {
				if name, _, _ := strings.Cut(one, "="); before[name] {
					want = append(want, one)
				}
			}
			check(d.Title+", "+v.Name, m[1], want)
			before[v.Name] = true
		}
	}
	if selectors < 150 {
		t.Errorf("only %d selectors", selectors)
	}
}

// Grafana begins with one exporter: with All it would begin if there were one.
func TestOneExporterIsChosenAtFirst(t *testing.T) {
	for _, d := range dashboards(t) {
		for _, name := range []string{"job", "instance"} {
			i := slices.IndexFunc(d.Templating.List, func(v variable) bool { return v.Name == name })
			if i < 0 {
				t.Fatalf("%s has no choice of the %s", d.Title, name)
			}
			if v := d.Templating.List[i]; v.IncludeAll || !v.Multi || v.Current.Value != nil {
				t.Errorf("%s begins with %s %v (All: %v), several may be chosen: %v", d.Title, name, v.Current.Value, v.IncludeAll, v.Multi)
			}
		}
	}
}

// exporterOf is who publishes the golden scrape in these tests.
type exporterOf struct{ job, instance, site string }

// beside is a Prometheus that has scraped several exporters for two hours, which all show what the
// golden scrape does.
func beside(t *testing.T, all ...exporterOf) *site {
	t.Helper()
	golden, err := os.ReadFile("../../../collector/testdata/metrics.prom")
	if err != nil {
		t.Fatal(err)
	}
	e, address := enginetest.Serve(t, engine.Options{})
	s := &site{now: usage.FloorEpoch(when, day)}
	begin := s.now.Add(-2 * time.Hour)
	targets := map[exporterOf]*engine.Target{}
	for at := begin; !at.After(s.now); at = at.Add(5 * time.Minute) {
		page := upToDate(scaled(t, golden, at.Sub(begin).Hours()/2), at)
		for _, one := range all {
			if targets[one] == nil {
				targets[one] = e.NewTarget(one.job, one.instance)
			}
			if err := targets[one].Scrape(t.Context(), at, ofSite(page, one.site)); err != nil {
				t.Fatal(err)
			}
		}
	}
	s.url = address
	return s
}

// ofSite is a page with the label of a site, which a centre gets from the site's Prometheus.
func ofSite(page []byte, name string) []byte {
	if name == "" {
		return page
	}
	label := `site="` + name + `"`
	page = regexp.MustCompile(`(?m)^([a-z_:]+)\{`).ReplaceAll(page, []byte("$1{"+label+","))
	return regexp.MustCompile(`(?m)^([a-z_:]+) `).ReplaceAll(page, []byte("$1{"+label+"} "))
}

// Whatever stands beside an exporter in a Prometheus, a dashboard says of it what it says where it
// is alone. And if several are chosen, every query has an answer: none joins what has two partners.
func TestExportersAreNotAddedUpUnlessChosen(t *testing.T) {
	a := exporterOf{job: "carbon", instance: "a:9977"}
	others := []exporterOf{
		{job: "carbon", instance: "b:9977"},
		{job: "trial", instance: "a:9977"},
		{job: "carbon", instance: "a:9977", site: "harwell"},
	}
	alone, together := beside(t, a), beside(t, append(others, a)...)
	asked, answered, more := 0, 0, 0
	for _, d := range dashboards(t) {
		for _, p := range d.Panels {
			for _, q := range p.Targets {
				choose := func(job, instance, place string) string {
					expr := q.Expr
					for name, value := range map[string]string{"job": job, "instance": instance, "site": place} {
						expr = replace(expr, name, value)
					}
					return d.written(t, expr, map[string]string{"__range": "2h", "__range_s": "7200", "__interval": "5m", "__rate_interval": "20m"})[0]
				}
				ask := func(s *site, expr string) answer {
					got, err := s.instant(expr, s.now)
					if err != nil {
						t.Fatalf("%s: %v: %s", d.name(p, q), err, expr)
					}
					return got
				}
				asked++
				want := ask(alone, choose("carbon", "a:9977", ".*"))
				if len(want.Result) > 0 {
					answered++
				}
				// The one without a site: another exporter of the same job and instance is not its.
				if got := ask(together, choose("carbon", "a:9977", "")); !reflect.DeepEqual(sorted(got), sorted(want)) {
					t.Errorf("%s: beside others %v, alone %v", d.name(p, q), got, want)
				}
				if all := ask(together, choose(".+", ".+", ".*")); !reflect.DeepEqual(sorted(all), sorted(want)) {
					more++
				}
			}
		}
	}
	if answered < asked/2 || more < asked/4 {
		t.Errorf("of %d queries %d have an answer, and %d another one for all exporters", asked, answered, more)
	}
}

// sorted is an answer in an order of its own, as values and their labels.
func sorted(a answer) []string {
	var all []string
	for _, r := range a.Result {
		var labels []string
		for name, value := range r.Metric {
			labels = append(labels, name+"="+value)
		}
		slices.Sort(labels)
		text, _ := r.Value[1].(string)
		all = append(all, strings.Join(labels, ",")+" "+text)
	}
	slices.Sort(all)
	return all
}
