// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package engine_test

import (
	"compress/gzip"
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/e2e/engine"
)

func TestRefusals(t *testing.T) {
	for _, tc := range []struct {
		name    string
		options engine.Options
		form    url.Values
		status  int
		kind    string
		says    string
	}{
		{
			"more samples than allowed",
			engine.Options{MaxSamples: 20},
			at30(`increase(node_cpu_seconds_total[30m])`),
			http.StatusUnprocessableEntity, "execution", "query processing would load too many samples into memory in query execution",
		},
		{
			"longer than allowed",
			engine.Options{Timeout: time.Nanosecond},
			at30(`increase(node_cpu_seconds_total[30m])`),
			http.StatusServiceUnavailable, "timeout", "query timed out in ",
		},
		{
			"more than 11 000 points",
			engine.Options{},
			url.Values{"query": {"up"}, "start": {"0"}, "end": {"11001"}, "step": {"1"}},
			http.StatusBadRequest, "bad_data", "exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the query resolution (?step=XX)",
		},
		{
			"a query that is none",
			engine.Options{},
			at30(`increase(`),
			http.StatusBadRequest, "bad_data", `invalid parameter "query": 1:10: parse error: unclosed left parenthesis`,
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			server := serve(t, tc.options)
			server.add(t, cpuSeries(nil), minutes(0, 30, 0)...)
			status, got := server.ask(t, "/api/v1/query_range", tc.form)
			if status != tc.status || got.ErrorType != tc.kind || !strings.HasPrefix(got.Error, tc.says) {
				t.Errorf("http status %d: %+v", status, got)
			}
		})
	}
}

func TestAllowedJustBelowTheLimits(t *testing.T) {
	server := serve(t, engine.Options{MaxSamples: 40})
	server.add(t, cpuSeries(nil), minutes(0, 30, 0)...)
	if got := server.queryRange(t, at30(`increase(node_cpu_seconds_total[30m])`)); len(got) != 1 {
		t.Errorf("40 samples allowed: got %v", got)
	}
	server.queryRange(t, url.Values{"query": {"up"}, "start": {"0"}, "end": {"11000"}, "step": {"1"}})
}

// Go's client adds Accept-Encoding and hides the answer's encoding; here both
// are to be seen.
func TestCompression(t *testing.T) {
	server := serve(t, engine.Options{})
	server.add(t, cpuSeries(nil), minutes(0, 30, 0)...)
	client := &http.Client{Transport: &http.Transport{DisableCompression: true}}
	defer client.CloseIdleConnections()
	for _, tc := range []struct{ name, accept, want string }{
		{"gzip", "gzip", "gzip"},
		{"any of two", "br, gzip", "gzip"},
		{"none asked for", "", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			request, err := http.NewRequestWithContext(context.Background(), http.MethodPost,
				server.url+"/api/v1/query_range", strings.NewReader(at30("node_cpu_seconds_total").Encode()))
			if err != nil {
				t.Fatal(err)
			}
			request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			request.Header.Set("Accept", "*/*")
			if tc.accept != "" {
				request.Header.Set("Accept-Encoding", tc.accept)
			}
			response, err := client.Do(request)
			if err != nil {
				t.Fatal(err)
			}
			if got := response.Header.Get("Content-Encoding"); got != tc.want {
				t.Errorf("encoding %q, want %q", got, tc.want)
			}
			if tc.want == "gzip" {
				plain, err := gzip.NewReader(response.Body)
				if err != nil {
					t.Fatal(err)
				}
				response.Body = plain
			}
			if got := decode(t, response); got.Status != "success" {
				t.Errorf("answer %+v", got)
			}
		})
	}
}

func TestLabelsComeBackAsTheyAre(t *testing.T) {
	values := []string{`say "hi"`, `C:\cloud`, "two\nlines", "🌍 Grüße", "nul\x00byte", strings.Repeat("long", 1<<14)}
	server := serve(t, engine.Options{})
	for _, v := range values {
		server.add(t, cpuSeries(map[string]string{"cloud_project_name": v}), minutes(0, 30, 0)...)
	}
	got := make(map[string]bool)
	for _, series := range server.queryRange(t, at30(`sum by (cloud_project_name) (increase(node_cpu_seconds_total[30m]))`)) {
		got[series.Metric["cloud_project_name"]] = true
	}
	for _, v := range values {
		if !got[v] {
			t.Errorf("%.20q is not among %d projects", v, len(got))
		}
	}
}

func TestRoutes(t *testing.T) {
	server := serve(t, engine.Options{})
	server.add(t, cpuSeries(nil), minutes(0, 30, 0)...)
	end := "&start=" + unix(start) + "&end=" + unix(start.Add(30*time.Minute))
	for _, tc := range []struct{ name, path, want string }{
		{"query", "/api/v1/query?query=count(node_cpu_seconds_total)&time=" + unix(start), `{"resultType":"vector","result":[{"metric":{},"value":[1772442000,"1"]}]}`},
		{"query_range", "/api/v1/query_range?query=count(node_cpu_seconds_total)&step=3600" + end, `{"resultType":"matrix","result":[{"metric":{},"values":[[1772442000,"1"]]}]}`},
		{"labels", "/api/v1/labels?" + end, `["__name__","cpu","instance","job","mode"]`},
		{"values of a label", "/api/v1/label/instance/values?" + end, `["172.16.100.5:9100"]`},
		{"series", "/api/v1/series?match[]=node_cpu_seconds_total" + end, `[{"__name__":"node_cpu_seconds_total","cpu":"0","instance":"172.16.100.5:9100","job":"node","mode":"user"}]`},
		{"targets", "/api/v1/targets", `{"activeTargets":[],"droppedTargets":[],"droppedTargetCounts":null}`},
		{"rules", "/api/v1/rules", `{"groups":[]}`},
		{"alerts", "/api/v1/alerts", `{"alerts":[]}`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			response, err := http.Get(server.url + tc.path)
			if err != nil {
				t.Fatal(err)
			}
			var got, want any
			a := decode(t, response)
			if err := json.Unmarshal(a.Data, &got); err != nil {
				t.Fatalf("%v: %+v", err, a)
			}
			if err := json.Unmarshal([]byte(tc.want), &want); err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(got, want) {
				t.Errorf("got %s, want %s", a.Data, tc.want)
			}
		})
	}
}

func TestAppendRefusesWhatPrometheusRefuses(t *testing.T) {
	server := serve(t, engine.Options{})
	server.add(t, cpuSeries(nil), minutes(0, 30, 0)...)
	err := server.engine.Append(context.Background(), cpuSeries(nil), minutes(10, 10, 7)...)
	const want = `append to {__name__="node_cpu_seconds_total", cpu="0", instance="172.16.100.5:9100", job="node", mode="user"}: out of order sample`
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestALogKeepsSamplesForTheNextOpen(t *testing.T) {
	dir := t.TempDir()
	first, err := engine.Open(engine.Options{Dir: dir, WAL: true})
	if err != nil {
		t.Fatal(err)
	}
	if err := first.Append(context.Background(), cpuSeries(nil), minutes(0, 30, 0)...); err != nil {
		t.Fatal(err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	second := serve(t, engine.Options{Dir: dir, WAL: true})
	result := second.queryRange(t, at30(`increase(node_cpu_seconds_total[30m])`))
	if len(result) != 1 || !near(result[0].Values[0].value(t), 1800) {
		t.Errorf("got %v, want 1800", result)
	}
}
