// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package exporter_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/textparse"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// formats are what Prometheus asks for.
var formats = map[string]string{
	"text":        "text/plain;version=0.0.4;escaping=underscores",
	"text, UTF-8": "text/plain;version=1.0.0;escaping=allow-utf-8",
	"OpenMetrics": "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8",
	"protobuf":    "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;escaping=allow-utf-8",
}

func TestPrometheusReadsEveryFormat(t *testing.T) {
	t.Parallel()
	s, uk := sharedSite(t), newGrid(t)
	over := spanOf(30*time.Minute, 6*time.Hour)
	where := settings{prometheus: serve(t, s.engine.Handler()).URL, uk: uk.URL}.place(t, over)
	p := start(t, where.args()...)
	p.becomesWhole(over)
	checkFormats(t, p)

	_, text := p.page("/metrics", "")
	problems, err := promlint.New(bytes.NewReader(text)).Lint()
	if err != nil {
		t.Fatal(err)
	}
	for _, problem := range problems {
		t.Errorf("promlint: %s: %s", problem.Metric, problem.Text)
	}
}

// checkFormats reads every format with Prometheus' own parsers, and wants the
// same usage in each.
func checkFormats(t *testing.T, p *program) {
	t.Helper()
	var first map[string]float64
	for _, name := range slices.Sorted(maps.Keys(formats)) {
		contentType, body := p.page("/metrics", formats[name])
		series, err := readWithPrometheus(contentType, body)
		if err != nil {
			t.Errorf("%s, %s: %v", name, contentType, err)
			continue
		}
		if asked, _, _ := strings.Cut(formats[name], ";"); !strings.HasPrefix(contentType, asked) {
			t.Errorf("%s: the answer is %s", name, contentType)
		}
		maps.DeleteFunc(series, func(name string, _ float64) bool {
			return !strings.Contains(name, `__name__="carbon_`) || strings.Contains(name, `__name__="carbon_exporter_`)
		})
		if first == nil {
			first = series
		}
		if len(series) == 0 || !maps.Equal(first, series) {
			t.Errorf("%s has %d series of usage that differ from the %d of another format", name, len(series), len(first))
		}
	}
}

// readWithPrometheus gives every series of an exposition.
func readWithPrometheus(contentType string, body []byte) (map[string]float64, error) {
	parser, err := textparse.New(body, contentType, labels.NewSymbolTable(), textparse.ParserOptions{})
	if err != nil {
		return nil, err
	}
	all := map[string]float64{}
	for {
		entry, err := parser.Next()
		if errors.Is(err, io.EOF) {
			return all, nil
		}
		if err != nil {
			return nil, err
		}
		if entry != textparse.EntrySeries {
			continue
		}
		_, at, v := parser.Series()
		var l labels.Labels
		parser.Labels(&l)
		if at != nil {
			return nil, fmt.Errorf("%s has a timestamp", l)
		}
		if _, twice := all[l.String()]; twice {
			return nil, fmt.Errorf("%s is there twice", l)
		}
		if math.IsNaN(v) {
			continue // a quantile of nothing, in the metrics of Go itself
		}
		all[l.String()] = v
	}
}

// Names that people give to things come out as they went in, but for those that
// nothing could hold: they are cut or mended, and still differ.
func TestStrangeNamesSurvive(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("é", 32<<10)
	names := []struct {
		name, value string
		mended      bool
	}{
		{"a quote", `the "best" one`, false},
		{"a backslash", `C:\temp\new`, false},
		{"a backslash at the end", `ends in \`, false},
		{"a backslash before a quote", `\"`, false},
		{"a newline", "two\nlines", false},
		{"a carriage return", "two\r\nlines", false},
		{"emoji", "🧪🔬", false},
		{"right to left", "مختبر", false},
		{"braces and commas", `{mode="busy",user="x"} 1`, false},
		{"an operator of a document store", `{"$gt": ""}`, false},
		{"a quote of SQL", `'; DROP TABLE fact_usage; --`, false},
		{"only a space", " ", false},
		{"64 KiB", long, true},
		{"64 KiB that differ in the last letter", long[:len(long)-2] + "è", true},
		{"a NUL", "before\x00after", true},
		{"another NUL", "before\x00\x00after", true},
	}
	over, uk, e := spanOf(30*time.Minute, 2*time.Hour), newGrid(t), newEngine(t)
	spent := over.end.Sub(over.first).Seconds()
	for n, tc := range names {
		share := float64(n+1) / 32
		steady(t, e, over, map[string]string{
			"job": "node", "instance": tc.value, "cloud_project_name": tc.value, "machine_name": tc.value, "user": tc.value,
		}, map[string]float64{"user": share, "idle": 1 - share})
	}
	where := settings{prometheus: serve(t, e.Handler()).URL, uk: uk.URL}.place(t, over)
	p := start(t, where.args()...)
	p.becomesWhole(over)
	checkFormats(t, p)
	for _, round := range []string{"at first", "after a restart"} {
		got := p.scrape().usage(t, "carbon_cpu_seconds")
		if len(got) != len(names) {
			t.Errorf("%s: %d keys, want %d", round, len(got), len(names))
		}
		for n, tc := range names {
			want := spent * float64(n+1) / 32
			key, found := whoSpent(got, want)
			if !found {
				t.Errorf("%s: %s: nobody has %v busy CPU seconds", round, tc.name, want)
				continue
			}
			for _, label := range []string{key.Project, key.Machine, key.User, key.Group} {
				switch {
				case !tc.mended && label != tc.value:
					t.Errorf("%s: %s: %q has become %q", round, tc.name, tc.value, label)
				case tc.mended && (len(label) > 1100 || strings.Contains(label, "\x00") || label[:4] != tc.value[:4]):
					t.Errorf("%s: %s: it has become %q", round, tc.name, label)
				}
			}
		}
		p.terminate()
		if round == "at first" {
			p = start(t, where.args()...)
			p.becomesWhole(over)
		}
	}
}

func whoSpent(all map[usage.Key]usage.BusyIdle[float64], busy float64) (usage.Key, bool) {
	for key, v := range all {
		if near(v.Busy, busy, exact) {
			return key, true
		}
	}
	return usage.Key{}, false
}
