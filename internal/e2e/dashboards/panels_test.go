// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package dashboards_test

import (
	"fmt"
	"math"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/common/model"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// A panel that says "No data" on the demo would say so for a newcomer too. What needs a
// configuration that the demo does not have may be empty there, but is no error.
func TestEveryQueryHasAnAnswerOnTheDemo(t *testing.T) {
	s := theSite(t)
	for _, d := range dashboards(t) {
		for _, p := range d.Panels {
			for _, q := range p.Targets {
				t.Run(d.name(p, q), func(t *testing.T) { s.answers(t, d, p, q, !needsConfiguration.MatchString(q.Expr)) })
			}
		}
	}
}

// answers asks a query in every way in which it may be asked, and wants an answer if there must
// be one.
func (s *site) answers(t *testing.T, d dashboard, p panel, q target, must bool) {
	t.Helper()
	for _, asked := range s.questions(t, d, p, q) {
		got, err := s.put(asked)
		if err != nil {
			t.Fatalf("%v: %s", err, asked.Expr)
		}
		finite := 0
		for _, v := range got.numbers() {
			if !math.IsNaN(v) && !math.IsInf(v, 0) {
				finite++
			}
		}
		if must && finite == 0 {
			t.Errorf("nothing finite in %d series: %s", len(got.Result), asked.Expr)
		}
	}
}

// question is PromQL at one time, End, or in steps from another.
type question struct {
	Expr       string
	Start, End time.Time
	Step       time.Duration // 0: at End
}

// questions are what Grafana asks: an instant query at the end, a range in steps that are as long
// as the panel is wide or as the query wants them, on multiples of theirs; with every value of the
// variables.
func (s *site) questions(t *testing.T, d dashboard, p panel, q target) (all []question) {
	t.Helper()
	from, to := d.span(t, p, s.now)
	builtIn := map[string]string{
		"__range": fmt.Sprintf("%ds", int(to.Sub(from).Seconds())), "__range_s": fmt.Sprint(int(to.Sub(from).Seconds())), "__interval": "5m", "__rate_interval": "20m",
	}
	points := p.MaxDataPoints
	if points == 0 {
		points = 500
	}
	step := time.Duration(float64(to.Sub(from)) / points).Round(time.Minute)
	if q.Step != "" {
		step = max(step, duration(t, q.Step))
	}
	step = max(step, time.Minute)
	for _, expr := range d.written(t, q.Expr, builtIn) {
		asked := question{Expr: expr, End: to}
		if !q.Instant {
			asked = question{Expr: expr, Start: usage.FloorEpoch(from, step), End: usage.FloorEpoch(to, step), Step: step}
		}
		all = append(all, asked)
	}
	return all
}

// put asks a question once: two tests want its answer.
func (s *site) put(q question) (a answer, err error) {
	if a, ok := s.answered[q]; ok {
		return a, nil
	}
	if q.Step == 0 {
		a, err = s.instant(q.Expr, q.End)
	} else {
		a, err = s.ranged(q.Expr, q.Start, q.End, q.Step)
	}
	if err == nil && s.answered != nil {
		s.answered[q] = a
	}
	return a, err
}

// span is the time range of a panel. One that ends with the week ends in the
// future, and is not for instant queries.
func (d dashboard) span(t *testing.T, p panel, now time.Time) (from, to time.Time) {
	t.Helper()
	ago := strings.TrimPrefix(d.Time.From, "now-")
	to = now
	switch {
	case p.TimeFrom != "":
		ago = p.TimeFrom
	case d.Time.To == "now/w":
		to = now.AddDate(0, 0, 7-(int(now.Weekday())+6)%7).Truncate(24 * time.Hour)
	case d.Time.To != "now":
		t.Fatalf("%s ends at %s", d.Title, d.Time.To)
	}
	return now.Add(-duration(t, strings.TrimSuffix(ago, "/w"))), to
}

func duration(t *testing.T, text string) time.Duration {
	t.Helper()
	d, err := model.ParseDuration(text)
	if err != nil {
		t.Fatal(err)
	}
	return time.Duration(d)
}

func TestVariablesHaveValues(t *testing.T) {
	s := theSite(t)
	for _, d := range dashboards(t) {
		for _, v := range d.Templating.List {
			if v.Type != "query" {
				if v.Type != "datasource" && v.choices(t)[0] == "" {
					t.Errorf("%s: %s is empty", d.Title, v.Name)
				}
				continue
			}
			metric, label, _ := labelValues(d, v)
			var values []string
			err := s.ask("/api/v1/label/"+label+"/values", url.Values{
				"match[]": {metric}, "start": {stamp(s.now.AddDate(0, 0, -2))}, "end": {stamp(s.now)},
			}, &values)
			// An external label, which a single Prometheus does not have: All is what is chosen at
			// first, and takes in series without it.
			optional := v.Name == "site" && v.IncludeAll && v.AllValue == ".*" && v.Current.Value == "$__all"
			if err != nil || len(values) == 0 && !optional {
				t.Errorf("%s: %s has no values: %v", d.Title, v.Name, err)
			}
		}
	}
}
