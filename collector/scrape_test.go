// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

// usageOf is what the snapshot shows.
func usageOf(s *Snapshot) *Usage { return NewUsage(s) }

// exposition shows the snapshot, with nothing live.
func exposition(s *Snapshot) *Exposition {
	e := NewExposition(prometheus.NewRegistry(), slog.New(slog.DiscardHandler), clock)
	e.Show(usageOf(s))
	return e
}

// get asks the handler as a client with these headers would.
func get(t *testing.T, h http.Handler, headers ...string) *http.Response {
	t.Helper()
	r := httptest.NewRequest(http.MethodGet, "/metrics", nil)
	for _, header := range headers {
		name, value, _ := strings.Cut(header, ": ")
		r.Header.Add(name, value)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result()
}

func read(t *testing.T, r io.Reader) string {
	t.Helper()
	text, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// body is a 200 in plain text.
func body(t *testing.T, h http.Handler) string {
	t.Helper()
	resp := get(t, h)
	text := read(t, resp.Body)
	if resp.StatusCode != http.StatusOK {
		t.Fatalf("status %d: %s", resp.StatusCode, text)
	}
	return text
}

func parse(t *testing.T, text string) map[string]*dto.MetricFamily {
	t.Helper()
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(strings.NewReader(text))
	if err != nil {
		t.Fatalf("parse: %v\n%s", err, text)
	}
	return families
}

// gathered is everything a gatherer has, by family.
func gathered(t *testing.T, g prometheus.Gatherer) map[string]*dto.MetricFamily {
	t.Helper()
	list, err := prometheus.Gatherers{g}.Gather() // which checks for series that are there twice
	if err != nil {
		t.Fatal(err)
	}
	families := map[string]*dto.MetricFamily{}
	for _, f := range list {
		families[f.GetName()] = f
	}
	return families
}

func value(m *dto.Metric) float64 {
	switch {
	case m.Gauge != nil:
		return m.Gauge.GetValue()
	case m.Counter != nil:
		return m.Counter.GetValue()
	case m.Untyped != nil:
		return m.Untyped.GetValue()
	default:
		return float64(m.Histogram.GetSampleCount())
	}
}

func label(m *dto.Metric, name string) string { return labelOf(m, name).GetValue() }

func labelOf(m *dto.Metric, name string) *dto.LabelPair {
	for _, l := range m.Label {
		if l.GetName() == name {
			return l
		}
	}
	return nil
}

// samples is the values by series, written as in PromQL; of a histogram, how
// many it has counted.
func samples(families map[string]*dto.MetricFamily) map[string]float64 {
	all := map[string]float64{}
	for name, f := range families {
		for _, m := range f.Metric {
			var labels []string
			for _, l := range m.Label {
				labels = append(labels, fmt.Sprintf("%s=%q", l.GetName(), l.GetValue()))
			}
			slices.Sort(labels)
			all[name+"{"+strings.Join(labels, ",")+"}"] = value(m)
		}
	}
	return all
}

// differ says where two sets of samples are not the same.
func differ(got, want map[string]float64) string {
	var out bytes.Buffer
	for _, name := range slices.Sorted(maps.Keys(want)) {
		if v, ok := got[name]; !ok {
			fmt.Fprintf(&out, "no %s\n", name)
		} else if v != want[name] {
			fmt.Fprintf(&out, "%s is %v, want %v\n", name, v, want[name])
		}
	}
	for _, name := range slices.Sorted(maps.Keys(got)) {
		if _, ok := want[name]; !ok {
			fmt.Fprintf(&out, "unexpected %s\n", name)
		}
	}
	return out.String()
}
