// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package engine_test

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/e2e/engine"
)

// Pages that are stored are series of a job, which end when a page lacks them or
// nobody answers; and rules see them at each of the times.
func TestPagesAndRules(t *testing.T) {
	s := serve(t, engine.Options{})
	file := filepath.Join(t.TempDir(), "rules.yml")
	if err := os.WriteFile(file, []byte(`
groups:
  - name: test
    rules:
      - {record: twice, expr: 2 * hot}
      - {alert: Hot, expr: hot > 2, for: 2m}
`), 0o600); err != nil {
		t.Fatal(err)
	}
	rules, err := s.engine.Rules(file)
	if err != nil {
		t.Fatal(err)
	}
	target := s.engine.NewTarget("oven", "127.0.0.1:1")
	ctx := context.Background()
	for minute, page := range []string{"hot 1\ncold 7\n", "hot 3\n", "hot 4\n", "hot 5\n", "", "hot 1\n"} {
		at := start.Add(time.Duration(minute) * time.Minute)
		if page == "" {
			err = target.Down(ctx, at)
		} else {
			err = target.Scrape(ctx, at, []byte(page))
		}
		if err == nil {
			err = rules.Eval(ctx, at)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, tc := range []struct {
		name, query string
		minute      int
		want        string
	}{
		{"a series has the labels of its target", `hot{job="oven",instance="127.0.0.1:1"}`, 1, "[3]"},
		{"a series that a page lacks has ended", "cold", 1, "[]"},
		{"nobody answers", "hot", 4, "[]"},
		{"up says so", "up", 4, "[0]"},
		{"and is there again", "hot + up", 5, "[2]"},
		{"what is recorded", "twice", 3, "[10]"},
		{"an alert waits", `ALERTS{alertstate="pending"}`, 2, "[1]"},
		{"and fires", `ALERTS{alertname="Hot",alertstate="firing"}`, 3, "[1]"},
		{"until it is over", "ALERTS", 4, "[]"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			values := []any{}
			at := start.Add(time.Duration(tc.minute) * time.Minute)
			for _, series := range s.queryRange(t, url.Values{"query": {tc.query}, "start": {unix(at)}, "end": {unix(at)}, "step": {"60"}}) {
				for _, v := range series.Values {
					values = append(values, v[1])
				}
			}
			if got := fmt.Sprint(values); got != tc.want {
				t.Errorf("%s is %s, want %s", tc.query, got, tc.want)
			}
		})
	}
}

func TestPagesAreRefusedAsAWhole(t *testing.T) {
	s := serve(t, engine.Options{})
	target := s.engine.NewTarget("oven", "127.0.0.1:1")
	if err := target.Scrape(context.Background(), start, []byte("hot 1\ncold is not a number\n")); err == nil {
		t.Fatal("taken")
	}
	if got := s.queryRange(t, url.Values{"query": {"hot"}, "start": {unix(start)}, "end": {unix(start)}, "step": {"60"}}); len(got) != 0 {
		t.Errorf("a part of it was stored: %v", got)
	}
}
