// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package engine_test

import (
	"context"
	"encoding/json"
	"maps"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/e2e/engine"
	"github.com/carbon-exporter/carbon_exporter/internal/e2e/engine/enginetest"
)

// server is an engine behind HTTP, for one test.
type server struct {
	engine *engine.Engine
	url    string
}

func serve(t *testing.T, o engine.Options) server {
	t.Helper()
	e, url := enginetest.Serve(t, o)
	return server{engine: e, url: url}
}

func (s server) add(t *testing.T, series *engine.Series, samples ...engine.Sample) {
	t.Helper()
	if err := s.engine.Append(context.Background(), series, samples...); err != nil {
		t.Fatal(err)
	}
}

// cpuSeries is one core in mode user, with more labels or others.
func cpuSeries(more map[string]string) *engine.Series {
	l := map[string]string{
		"__name__": "node_cpu_seconds_total", "job": "node",
		"instance": "172.16.100.5:9100", "cpu": "0", "mode": "user",
	}
	maps.Copy(l, more)
	return engine.NewSeries(l)
}

// answer is what the API says.
type answer struct {
	Status, ErrorType, Error string
	Data                     json.RawMessage
	Warnings                 []string
}

type rangeSeries struct {
	Metric map[string]string
	Values []point
}

// point is [time, "value"].
type point [2]any

func (p point) value(t *testing.T) float64 {
	t.Helper()
	v, err := strconv.ParseFloat(p[1].(string), 64)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// ask posts a form, as the exporter does.
func (s server) ask(t *testing.T, path string, form url.Values) (int, answer) {
	t.Helper()
	response, err := http.PostForm(s.url+path, form)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, decode(t, response)
}

func decode(t *testing.T, response *http.Response) answer {
	t.Helper()
	defer response.Body.Close()
	var a answer
	if err := json.NewDecoder(response.Body).Decode(&a); err != nil {
		t.Fatal(err)
	}
	return a
}

func (s server) queryRange(t *testing.T, form url.Values) []rangeSeries {
	t.Helper()
	status, a := s.ask(t, "/api/v1/query_range", form)
	if status != http.StatusOK || a.Status != "success" || len(a.Warnings) != 0 {
		t.Fatalf("http status %d: %+v", status, a)
	}
	var data struct {
		ResultType string
		Result     []rangeSeries
	}
	if err := json.Unmarshal(a.Data, &data); err != nil || data.ResultType != "matrix" {
		t.Fatalf("%v: %s", err, a.Data)
	}
	return data.Result
}

// at30 asks for one evaluation, at the end of the first half hour.
func at30(query string) url.Values {
	end := unix(start.Add(30 * time.Minute))
	return url.Values{"query": {query}, "start": {end}, "end": {end}, "step": {"1800"}}
}

func unix(t time.Time) string { return strconv.FormatInt(t.Unix(), 10) }

func near(got, want float64) bool { return math.Abs(got-want) <= 1e-9*math.Abs(want) }
