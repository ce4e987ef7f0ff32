// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package dashboards_test

import (
	"bytes"
	"encoding/json"
	"math"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	programs "github.com/carbon-exporter/carbon_exporter/internal/e2e/built"
)

// oldAnswer is what tools/oldprometheus says to a question.
type oldAnswer struct {
	Error  string
	Series []struct {
		Metric map[string]string
		Values []string
	}
}

// The oldest Prometheus that docs/requirements.md names reads the rules, and answers every query of
// a dashboard and of a rule as the newest does.
func TestTheOldestPrometheusAnswersAlike(t *testing.T) {
	s := theSite(t)
	var names []string
	var asked []question
	for _, d := range dashboards(t) {
		for _, p := range d.Panels {
			for _, q := range p.Targets {
				for _, one := range s.questions(t, d, p, q) {
					names, asked = append(names, d.name(p, q)), append(asked, one)
				}
			}
		}
	}
	for _, r := range rulesOf(t) {
		names, asked = append(names, "rule "+r.Alert+r.Record), append(asked, question{Expr: r.Expr, End: s.now})
	}
	for i, old := range s.oldest(t, asked) {
		if old.Error != "" {
			t.Errorf("%s: %s: %s", names[i], old.Error, asked[i].Expr)
			continue
		}
		now, err := s.put(asked[i])
		if err != nil {
			t.Fatal(err)
		}
		compare(t, names[i]+": "+asked[i].Expr, old, now, strings.Contains(asked[i].Expr, "["))
	}
}

// compare wants the same numbers. A sample that is exactly as old as a query looks back counts before
// Prometheus 3 and not since. Where a query looks back on a range, compare wants as many series;
// elsewhere a series may have one value more on the oldest, after its last sample.
func compare(t *testing.T, what string, old oldAnswer, now answer, looksBack bool) {
	t.Helper()
	if len(old.Series) != len(now.Result) {
		t.Errorf("%d series on the oldest, %d on the newest: %s", len(old.Series), len(now.Result), what)
		return
	}
	if looksBack {
		return
	}
	var was []float64
	for _, series := range old.Series {
		for _, text := range series.Values {
			v, err := strconv.ParseFloat(text, 64)
			if err != nil {
				t.Fatal(err)
			}
			was = append(was, v)
		}
	}
	is := now.numbers()
	if more := len(was) - len(is); more > 0 && more <= len(old.Series) {
		return
	}
	if len(was) != len(is) || math.Abs(total(was)-total(is)) > 1e-9*math.Abs(total(is)) {
		t.Errorf("%d values that are %v in all on the oldest, %d and %v on the newest: %s", len(was), total(was), len(is), total(is), what)
	}
}

func total(all []float64) (sum float64) {
	for _, v := range all {
		if !math.IsNaN(v) && !math.IsInf(v, 0) {
			sum += v
		}
	}
	return sum
}

// oldest asks the oldest Prometheus, on the same TSDB.
func (s *site) oldest(t *testing.T, asked []question) []oldAnswer {
	t.Helper()
	var questions bytes.Buffer
	for _, q := range asked {
		if err := json.NewEncoder(&questions).Encode(map[string]any{
			"Expr": q.Expr, "Start": q.Start.UnixMilli(), "End": q.End.UnixMilli(), "Step": q.Step.Milliseconds(),
		}); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.CommandContext(t.Context(), programs.Program(t, "oldprometheus"), append([]string{s.Prometheus()}, ruleFiles(t)...)...)
	var said bytes.Buffer
	cmd.Stdin, cmd.Stderr = &questions, &said
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("oldprometheus: %v: %s", err, said.Bytes())
	}
	all := make([]oldAnswer, len(asked))
	answers := json.NewDecoder(bytes.NewReader(out))
	for i := range all {
		if err := answers.Decode(&all[i]); err != nil {
			t.Fatalf("answer %d of %d: %v", i+1, len(asked), err)
		}
	}
	return all
}
