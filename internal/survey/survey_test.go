// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package survey

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/common/config"

	"github.com/carbon-exporter/carbon_exporter/internal/upstream"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// now is the time of the machine that asks.
var now = time.Date(2026, 10, 1, 12, 0, 0, 0, time.UTC)

// serverTime is an answer to time(), more than a second ahead of us.
const serverTime = `{"status":"success","data":{"resultType":"scalar","result":[1790856001.25,"1790856001.25"]}}`

// vector is an answer about one series.
func vector(metric, value string) string {
	return `{"status":"success","data":{"resultType":"vector","result":[{"metric":{` + metric + `},"value":[1,"` + value + `"]}]}}`
}

// serve answers by path or, for queries, by the query's text. Anything else is not found.
func serve(t *testing.T, answers map[string]string) *Asker {
	t.Helper()
	return asking(t, func(w http.ResponseWriter, r *http.Request) {
		of := r.URL.Path
		if q := r.FormValue("query"); q != "" && strings.HasSuffix(of, "/api/v1/query") {
			of = strings.TrimSuffix(of, "/api/v1/query") + q
		}
		text, ok := answers[of]
		if !ok {
			http.NotFound(w, r)
			return
		}
		io.WriteString(w, text)
	})
}

func asking(t *testing.T, answer http.HandlerFunc) *Asker {
	t.Helper()
	server := httptest.NewServer(answer)
	t.Cleanup(server.Close)
	return askerOf(t, server.URL)
}

func askerOf(t *testing.T, address string) *Asker {
	t.Helper()
	client, err := upstream.NewHTTPClient(config.DefaultHTTPClientConfig, "test")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.CloseIdleConnections)
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	up := &upstream.Client{HTTP: client, UserAgent: "test", Timeout: 30 * time.Second, MaxBytes: 1 << 30}
	return &Asker{Upstream: up, URL: u, Now: func() time.Time { return now }}
}

func TestAsk(t *testing.T) {
	skew, second := 1250*time.Millisecond, 1500*time.Millisecond
	for _, test := range []struct {
		name    string
		answers map[string]string
		want    Server
		words   string
	}{
		{
			name: "Prometheus",
			answers: map[string]string{
				"time()":                     serverTime,
				"count(up)":                  vector("", "7"),
				"count(up == 1)":             vector("", "6"),
				"/api/v1/status/buildinfo":   `{"status":"success","data":{"version":"3.5.0","revision":"abc","goVersion":"go1.26"}}`,
				"/api/v1/status/runtimeinfo": `{"status":"success","data":{"storageRetention":"15d or 512MiB"}}`,
				"/api/v1/status/flags":       `{"status":"success","data":{"storage.tsdb.path":"data","query.max-samples":"50000000","query.timeout":"2m","query.lookback-delta":"5m"}}`,
			},
			want: Server{
				Kind: Prometheus, Version: "3.5.0", Retention: 15 * 24 * time.Hour, RetentionText: "15d or 512MiB",
				MaxSamples: 50000000, QueryTimeout: 2 * time.Minute, Lookback: 5 * time.Minute, Skew: &skew, Targets: &Targets{All: 7, Up: 6},
			},
			words: "Prometheus 3.5.0",
		},
		{
			name: "Prometheus that hides its flags, and keeps by size alone",
			answers: map[string]string{
				"time()":                     serverTime,
				"/api/v1/status/buildinfo":   `{"status":"success","data":{"version":"2.42.0","goVersion":"go1.20"}}`,
				"/api/v1/status/runtimeinfo": `{"status":"success","data":{"storageRetention":"512MiB"}}`,
			},
			want:  Server{Kind: Prometheus, Version: "2.42.0", RetentionText: "512MiB", Skew: &skew},
			words: "Prometheus 2.42.0",
		},
		{
			name: "Thanos, by its version, whose retention is another process's",
			answers: map[string]string{
				"time()":                     serverTime,
				"/api/v1/status/buildinfo":   `{"status":"success","data":{"version":"0.42.4","revision":"abc","goVersion":"go1.26"}}`,
				"/api/v1/status/runtimeinfo": `{"status":"success","data":{"storageRetention":"15d"}}`,
			},
			want:  Server{Kind: Thanos, Version: "0.42.4", Skew: &skew},
			words: "Thanos 0.42.4",
		},
		{
			name: "Thanos, by its flags",
			answers: map[string]string{
				"time()":                   serverTime,
				"/api/v1/status/buildinfo": `{"status":"success","data":{"version":""}}`,
				"/api/v1/status/flags":     `{"status":"success","data":{"query.replica-label":"[replica]","query.timeout":"2m"}}`,
			},
			want:  Server{Kind: Thanos, QueryTimeout: 2 * time.Minute, Skew: &skew},
			words: "Thanos",
		},
		{
			name: "VictoriaMetrics, which gives itself a version of Prometheus",
			answers: map[string]string{
				"time()":                        serverTime,
				"topk(1, vm_app_version)":       vector(`"short_version":"v1.151.0"`, "1"),
				"/api/v1/status/buildinfo":      `{"status":"success","data":{"version":"2.24.0"}}`,
				"/api/v1/status/active_queries": `{"status":"ok","data":[]}`,
			},
			want:  Server{Kind: VictoriaMetrics, Version: "v1.151.0", Skew: &skew},
			words: "VictoriaMetrics v1.151.0",
		},
		{
			name:    "a server that knows seconds only",
			answers: map[string]string{"time()": `{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[1790856001,"1790856001"]}]}}`},
			want:    Server{Skew: &second, SkewWithin: time.Second / 2},
			words:   "a server with Prometheus' API",
		},
		{
			name: "Mimir, without targets",
			answers: map[string]string{
				"time()":                   serverTime,
				"count(up)":                `{"status":"success","data":{"resultType":"vector","result":[]}}`,
				"count(up == 1)":           `{"status":"success","data":{"resultType":"vector","result":[]}}`,
				"/api/v1/status/buildinfo": `{"status":"success","data":{"application":"Grafana Mimir","version":"2.17.0","goVersion":"go1.24"}}`,
			},
			want:  Server{Kind: Mimir, Version: "2.17.0", Skew: &skew, Targets: &Targets{}},
			words: "Grafana Mimir 2.17.0",
		},
		{
			name:    "a server that tells nothing but the time",
			answers: map[string]string{"time()": serverTime},
			want:    Server{Skew: &skew},
			words:   "a server with Prometheus' API",
		},
		{
			name: "pages in place of what it does not have",
			answers: map[string]string{
				"time()": serverTime, "/api/v1/status/buildinfo": "<html>", "/api/v1/status/flags": "{}", "/api/v1/status/runtimeinfo": "[",
				"count(up)": `{"status":"success","data":{"resultType":"vector","result":[{"value":[1,"NaN"]}]}}`,
			},
			want:  Server{Skew: &skew},
			words: "a server with Prometheus' API",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := serve(t, test.answers).Ask(t.Context())
			if err != nil || !reflect.DeepEqual(got, test.want) {
				t.Errorf("got  %+v, %v\nwant %+v", got, err, test.want)
			}
			if got.String() != test.words {
				t.Errorf("got %q, want %q", got, test.words)
			}
		})
	}
}

func TestWhatIsNoServer(t *testing.T) {
	for _, test := range []struct {
		name   string
		answer http.HandlerFunc
		reason string
		words  string
	}{
		{"nothing at this path", http.NotFound, usage.ReasonBadRequest, "http status 404"},
		{"a page of a proxy", func(w http.ResponseWriter, _ *http.Request) {
			io.WriteString(w, "\n<!doctype html><title>Sign in</title>")
		}, usage.ReasonMalformed, "the answer is a web page"},
		{"no rights", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) }, usage.ReasonAuth, "http status 403"},
		{"something else", func(w http.ResponseWriter, _ *http.Request) {
			io.WriteString(w, `{"status":"success","data":{"resultType":"scalar","result":["x"]}}`)
		}, usage.ReasonMalformed, "not one of the API"},
		{"an answer without end", func(w http.ResponseWriter, _ *http.Request) {
			for range maxAnswer {
				if _, err := io.WriteString(w, strings.Repeat(" ", 100)); err != nil {
					return
				}
			}
		}, usage.ReasonLimit, "more than"},
		{"no answer", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, usage.ReasonTimeout, "no complete answer within 100ms"},
	} {
		t.Run(test.name, func(t *testing.T) {
			a := asking(t, test.answer)
			if test.reason == usage.ReasonTimeout {
				a.patience = 100 * time.Millisecond
			}
			_, err := a.Ask(t.Context())
			f := usage.FailureOf(err)
			if f == nil || f.Reason != test.reason || !strings.Contains(err.Error(), test.words) {
				t.Errorf("got %v, want %s and %q", err, test.reason, test.words)
			}
		})
	}
}

// A server that is slow with one thing is still asked for the others, each within its time.
func TestWhatTakesTooLongIsNotKnown(t *testing.T) {
	a := asking(t, func(w http.ResponseWriter, r *http.Request) {
		if r.FormValue("query") == "time()" {
			io.WriteString(w, serverTime)
			return
		}
		<-r.Context().Done()
	})
	a.patience = 100 * time.Millisecond
	got, err := a.Ask(t.Context())
	if want := (Server{Skew: got.Skew}); err != nil || got.Skew == nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestInstead(t *testing.T) {
	for _, test := range []struct {
		name, has, configured, want string
	}{
		{"the address of the page of graphs", "", "/graph", ""},
		{"a page under a prefix", "/prometheus", "/prometheus/classic/graph/", "/prometheus"},
		{"the address of the API itself", "", "/api/v1/query", ""},
		{"a prefix that is missing", "/prometheus", "", "/prometheus"},
		{"a cluster of VictoriaMetrics", "/select/0/prometheus", "/", "/select/0/prometheus"},
		{"any other path", "", "/monitoring", ""},
		{"nothing", "/elsewhere", "/graph", "none"},
	} {
		t.Run(test.name, func(t *testing.T) {
			a := serve(t, map[string]string{test.has + "time()": serverTime})
			server := a.URL.String()
			a.URL.Path, a.URL.RawQuery = test.configured, "g0.expr=up"
			got := "none"
			if u := a.Instead(t.Context()); u != nil {
				got = strings.TrimPrefix(u.String(), server)
			}
			if got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestOtherPathsAreFewAndNew(t *testing.T) {
	for _, path := range []string{"", "/", "/graph", "/a/graph", "/api/v1/query_range", "/prometheus"} {
		got := others(path)
		if len(got) > 2+len(prefixes) || slices.Contains(got, strings.TrimRight(path, "/")) {
			t.Errorf("instead of %q: %q", path, got)
		}
	}
}

func TestSecretsAreNotShown(t *testing.T) {
	a := asking(t, func(w http.ResponseWriter, r *http.Request) {
		user, password, _ := r.BasicAuth()
		fmt.Fprintf(w, `{"status":"success","data":"%s %s"}`, user, password)
	})
	a.URL.User = url.UserPassword("carbon", "hunter2hunter2")
	_, err := a.Ask(t.Context())
	if err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("got %v", err)
	}
}
