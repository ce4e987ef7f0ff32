// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package examples

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/promql/parser"

	"github.com/carbon-exporter/carbon_exporter/internal/config"
	"github.com/carbon-exporter/carbon_exporter/internal/e2e/engine"
	"github.com/carbon-exporter/carbon_exporter/internal/e2e/engine/enginetest"
)

// recorded is the configuration that reads what rules-upstream.yml records.
func recorded(t *testing.T) config.Prometheus {
	t.Helper()
	c, err := config.Load(example("carbon-recorded.yml"))
	if err != nil {
		t.Fatal(err)
	}
	return c.Prometheus
}

// TestTheRulesForALargePrometheusAreThoseThatAreAskedFor: a recording rule that is
// spelled otherwise than what carbon-recorded.yml asks for gives an empty answer.
func TestTheRulesForALargePrometheusAreThoseThatAreAskedFor(t *testing.T) {
	rules, errs := rulefmt.Parse(read(t, example("prometheus/rules-upstream.yml")), false, model.UTF8Validation,
		parser.NewParser(parser.Options{}), slog.New(slog.DiscardHandler))
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	p := recorded(t)
	key := []string{p.Labels.Project, p.Labels.Machine, p.Labels.Host, p.Labels.User}
	cores, inWindow := strings.CutSuffix(strings.TrimPrefix(p.CoresQuery, "max_over_time("), "[$__interval])")
	if !inWindow {
		t.Errorf("cores_query is %s, without a window", p.CoresQuery)
	}
	want := map[string][]string{p.Metric: append(slices.Clone(key), p.Labels.Mode), cores: key}
	for _, group := range rules.Groups {
		// Several fit into the five minutes for which a sample is seen: one may be missed.
		if every := time.Duration(group.Interval); every <= 0 || every > 2*time.Minute {
			t.Errorf("%s is evaluated every %s", group.Name, every)
		}
		for _, r := range group.Rules {
			labels, asked := want[r.Record]
			if !asked {
				t.Errorf("nobody asks for %s", r.Record)
				continue
			}
			delete(want, r.Record)
			expr, err := parser.NewParser(parser.Options{}).ParseExpr(r.Expr)
			if err != nil {
				t.Fatal(err)
			}
			sum, ok := expr.(*parser.AggregateExpr)
			if !ok || sum.Without || !slices.Equal(sum.Grouping, labels) {
				t.Errorf("%s is %s, not by %v", r.Record, expr, labels)
			}
		}
	}
	if len(want) > 0 {
		t.Errorf("no rule records %v", want)
	}
}

// TestRecordedCountersLoseNothing holds the rules to what they promise, with the engine
// of Prometheus: an evaluation that is missed loses nothing, and a machine is recorded
// whole or not at all.
func TestRecordedCountersLoseNothing(t *testing.T) {
	e, server, rules := recording(t)

	// Two cores, a quarter busy. Another job sees the same machine.
	start := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	const instance = "172.16.100.5:9100"
	node, other := e.NewTarget("node", instance), e.NewTarget("other", instance)
	for minute := range 65 {
		at := start.Add(time.Duration(minute) * time.Minute)
		var page strings.Builder
		for core := range 2 {
			for mode, perMinute := range map[string]int{"user": 15, "idle": 45} {
				fmt.Fprintf(&page, "node_cpu_seconds_total{cloud_project_name=\"IDAaaS\",machine_name=\"Muon\",cpu=\"%d\",mode=%q} %d\n",
					core, mode, 1000*(core+1)+perMinute*minute)
			}
		}
		if err := other.Scrape(t.Context(), at, []byte(page.String())); err != nil {
			t.Fatal(err)
		}
		var err error
		if minute == 15 {
			err = node.Down(t.Context(), at)
		} else {
			err = node.Scrape(t.Context(), at, []byte(page.String()))
		}
		if err != nil {
			t.Fatal(err)
		}
		// Over the edge of a half hour the rules are not evaluated.
		if minute < 25 || minute > 36 {
			if err := rules.Eval(t.Context(), at.Add(20*time.Second)); err != nil {
				t.Fatal(err)
			}
		}
	}

	p := recorded(t)
	ask := func(query string, minute int) map[string]string {
		t.Helper()
		return instant(t, server, query, start.Add(time.Duration(minute)*time.Minute))
	}
	counters, cores := p.Metric+"{"+p.Matchers+"}", strings.ReplaceAll(p.CoresQuery, "$__interval", "30m")
	key := fmt.Sprintf("%s=IDAaaS,%s=%s,%s=Muon", p.Labels.Project, p.Labels.Host, instance, p.Labels.Machine)
	user, idle := key+","+p.Labels.Mode+"=user", key+","+p.Labels.Mode+"=idle"
	for _, test := range []struct {
		name, query string
		minute      int
		want        map[string]string
	}{
		{"both cores of a machine", counters, 1, map[string]string{user: "3000", idle: "3000"}},
		{"their number", cores, 1, map[string]string{key: "2"}},
		{"a failed scrape: nothing, not a part", counters, 16, map[string]string{}},
		{"the next scrape has what was missed", counters, 17, map[string]string{user: "3480", idle: "4440"}},
		{"the newest evaluation before a hole", counters, 29, map[string]string{user: "3720", idle: "5160"}},
		{"a hole over the edge", counters, 30, map[string]string{}},
		{"and the number of cores before it", cores, 30, map[string]string{key: "2"}},
		{"an hour of two cores, with all that was missed", counters, 61, map[string]string{user: "4800", idle: "8400"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := ask(test.query, test.minute); fmt.Sprint(got) != fmt.Sprint(test.want) {
				t.Errorf("%s at minute %d: got %v, want %v", test.query, test.minute, got, test.want)
			}
		})
	}
}

// instant is the answer to an instant query: values by labels, without the name.
func instant(t *testing.T, server, query string, at time.Time) map[string]string {
	t.Helper()
	response, err := http.PostForm(server+"/api/v1/query", url.Values{"query": {query}, "time": {at.Format(time.RFC3339)}})
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var answer struct {
		Error string
		Data  struct {
			Result []struct {
				Metric map[string]string
				Value  [2]any
			}
		}
	}
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil || answer.Error != "" {
		t.Fatalf("%s: %v %s", query, err, answer.Error)
	}
	values := map[string]string{}
	for _, series := range answer.Data.Result {
		var labels []string
		for name, value := range series.Metric {
			if name != model.MetricNameLabel {
				labels = append(labels, name+"="+value)
			}
		}
		slices.Sort(labels)
		values[strings.Join(labels, ",")] = fmt.Sprint(series.Value[1])
	}
	return values
}

// recording is Prometheus' engine, the URL of its API and the rules of rules-upstream.yml in it.
func recording(t *testing.T) (*engine.Engine, string, *engine.Rules) {
	t.Helper()
	e, url := enginetest.Serve(t, engine.Options{})
	rules, err := e.Rules(example("prometheus/rules-upstream.yml"))
	if err != nil {
		t.Fatal(err)
	}
	return e, url, rules
}
