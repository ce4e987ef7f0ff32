// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package source

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/common/config"

	"github.com/carbon-exporter/carbon_exporter/internal/upstream"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// soon is a deadline for tests that run into it, late one for those that must not.
const (
	soon = 100 * time.Millisecond
	late = 30 * time.Second
)

// noon is when the intervals of the tests begin, noonEnd where the first ends.
var (
	noon         = time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)
	noonEnd      = noon.Add(30 * time.Minute).Unix()
	halfHour     = halfHours(1)
	twoHalfHours = halfHours(2)
)

// halfHours is a run of as many from noon on.
func halfHours(n int) []usage.Interval {
	run := []usage.Interval{{Start: noon, Length: 30 * time.Minute}}
	for len(run) < n {
		run = append(run, run[len(run)-1].Next())
	}
	return run
}

func question() Query {
	return Query{
		Metric: "node_cpu_seconds_total", Matchers: `job="node"`,
		Labels:    Labels{Project: "cloud_project_name", Machine: "machine_name", Host: "instance", User: "user", CPU: "cpu", Mode: "mode"},
		BusyModes: []string{"user", "nice", "system", "irq", "softirq"}, IdleModes: []string{"idle", "iowait"},
		OtherModes: []string{"steal", "guest", "guest_nice"},
	}
}

// The kinds of questions.
const (
	ofCounters = "counters" // at edges
	ofCores    = "cores"    // counted, or by a query that begins with cores
	ofSpread   = "spread"
	ofTimes    = "times"
	ofSeen     = "seen"
	ofRaw      = "raw"
	ofFolded   = "folded"
	ofBusy     = "busy" // given queries
	ofIdle     = "idle"
	ofParts    = "parts" // profiles and measured power
	ofBoots    = "boots"
	ofProjects = "projects"
)

func kindOf(query string) string {
	switch {
	case query == ofProjects:
		return ofProjects
	case strings.HasPrefix(query, "busy"):
		return ofBusy
	case strings.HasPrefix(query, "idle"):
		return ofIdle
	case strings.Contains(query, partLabel):
		return ofParts
	case strings.HasPrefix(query, "(sum by ("):
		return ofFolded
	case strings.HasPrefix(query, "sum by ("):
		return ofCounters
	case strings.HasPrefix(query, "count by (instance) ("):
		return ofSeen
	case strings.HasPrefix(query, "count by ("), strings.HasPrefix(query, "cores"):
		return ofCores
	case strings.HasPrefix(query, "max by (instance) (timestamp("):
		return ofTimes
	case strings.HasPrefix(query, "max by (instance) (max by"):
		return ofSpread
	case strings.HasPrefix(query, "max by ("):
		return ofBoots
	}
	return ofRaw
}

// server is a Prometheus whose answers are set by kind of question. What is not set is answered
// by the fleet or, without one, with nothing.
type server struct {
	counters, cores, spread, seen, raw, folded http.HandlerFunc
	busy, idle, parts, boots, projects         http.HandlerFunc

	fleet *fleet

	mu    sync.Mutex
	asked []string // the queries, and "projects"
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	query := r.FormValue("query")
	if strings.HasSuffix(r.URL.Path, "/values") {
		query = ofProjects
	}
	s.mu.Lock()
	s.asked = append(s.asked, query)
	s.mu.Unlock()
	answer := map[string]http.HandlerFunc{
		ofCounters: s.counters, ofCores: s.cores, ofSpread: s.spread, ofSeen: s.seen, ofRaw: s.raw, ofFolded: s.folded,
		ofBusy: s.busy, ofIdle: s.idle, ofParts: s.parts, ofBoots: s.boots, ofProjects: s.projects,
	}[kindOf(query)]
	switch {
	case answer != nil:
		answer(w, r)
	case s.fleet != nil:
		s.fleet.ServeHTTP(w, r)
	default:
		io.WriteString(w, matrix())
	}
}

// times counts the questions of a kind.
func (s *server) times(kind string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for _, query := range s.asked {
		if kindOf(query) == kind {
			n++
		}
	}
	return n
}

// client asks the server through everything that is between them in use.
func (s *server) client(t testing.TB) *Client {
	t.Helper()
	web := httptest.NewServer(s)
	t.Cleanup(web.Close)
	return clientOf(t, web.URL)
}

// given is a client with queries of the operator.
func (s *server) given(t testing.TB) *Client {
	t.Helper()
	c := s.client(t)
	c.Query.BusyQuery, c.Query.IdleQuery = "busy[$__interval]", "idle[$__interval]"
	return c
}

func clientOf(t testing.TB, address string) *Client {
	t.Helper()
	h, err := upstream.NewHTTPClient(config.DefaultHTTPClientConfig, "test")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(h.CloseIdleConnections)
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	return &Client{
		Upstream: &upstream.Client{HTTP: h, UserAgent: "carbon_exporter/test", Timeout: late, MaxBytes: 1 << 28},
		URL:      u, Query: question(),
	}
}

// says answers 200 with a text, status another with it.
func says(text string) http.HandlerFunc { return status(http.StatusOK, text) }

func status(code int, text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(code)
		io.WriteString(w, text)
	}
}

// matrix is a good answer of the given series.
func matrix(series ...string) string {
	return `{"status":"success","data":{"resultType":"matrix","result":[` + strings.Join(series, ",") + `]}}`
}

// host is a series with one point, at the end of the half hour. value is as in
// JSON, without quotes.
func host(name, value string) string {
	return series(name, "", fmt.Sprintf(`[%d,"%s"]`, noonEnd, value))
}

func series(name, moreLabels, points string) string {
	return fmt.Sprintf(`{"metric":{"cloud_project_name":"ISIS","machine_name":"Muon","instance":"%s","user":"ada"%s},"values":[%s]}`, name, moreLabels, points)
}

// atEdges is a counter of a mode at 11:30, 12:00 and so on. Where a value is "" it is not seen.
func atEdges(name, mode string, values ...string) string {
	return series(name, `,"mode":"`+mode+`"`, every(noonEnd-3600, values))
}

// inPieces is a number of cores in the pieces from 11:30, 12:00 and so on, at their ends.
func inPieces(name string, values ...string) string {
	return series(name, "", every(noonEnd-1800, values))
}

// steady is the counters of a host that grow by the same in each of n half hours around noon.
func steady(name string, user, idle float64, n int) string {
	var users, idles []string
	for i := range n + 1 {
		users, idles = append(users, fmt.Sprint(user*float64(i))), append(idles, fmt.Sprint(idle*float64(i)))
	}
	return atEdges(name, "user", users...) + "," + atEdges(name, "idle", idles...)
}

// every is points of half an hour, leaving out what is "".
func every(at int64, values []string) string {
	var points []string
	for _, v := range values {
		if v != "" {
			points = append(points, fmt.Sprintf(`[%d,"%s"]`, at, v))
		}
		at += 1800
	}
	return strings.Join(points, ",")
}

// sample is what the source makes of host in both modes.
func sample(name string, busy, idle usage.CPUSeconds) usage.Sample {
	return usage.Sample{
		Series: usage.Series{Project: "ISIS", Machine: "Muon", Host: name, User: "ada"},
		CPU:    usage.BusyIdle[usage.CPUSeconds]{Busy: busy, Idle: idle},
	}
}

// failure reads what is expected to fail, and sees that nothing is returned.
func failure(t *testing.T, c *Client, run []usage.Interval) (*usage.Failure, error) {
	t.Helper()
	answer, rejects, err := c.Read(t.Context(), run)
	readings := answer.All()
	var f *usage.Failure
	if !errors.As(err, &f) {
		t.Fatalf("got %v and error %v, want a failure", readings, err)
	}
	if readings != nil || rejects != nil {
		t.Errorf("returns %v and %v beside its error", readings, rejects)
	}
	if len(err.Error()) > 2000 || strings.Contains(err.Error(), "\n") {
		t.Errorf("an error is for one line of a log: %d bytes, %.300q", len(err.Error()), err)
	}
	return f, err
}

// read reads one half hour that is expected to be good.
func read(t *testing.T, c *Client) (usage.Reading, usage.Rejects) {
	t.Helper()
	answer, rejects, err := c.Read(t.Context(), halfHour)
	readings := answer.All()
	if err != nil || len(readings) != 1 {
		t.Fatalf("got %d readings, %v", len(readings), err)
	}
	if again := answer.At(0); !reflect.DeepEqual(again, readings[0]) {
		t.Errorf("made again, a reading is another: %+v, at first %+v", again, readings[0])
	}
	return readings[0], rejects
}

// readRun reads a run that is expected to be good.
func readRun(t *testing.T, c *Client, run []usage.Interval) []usage.Reading {
	t.Helper()
	answer, _, err := c.Read(t.Context(), run)
	readings := answer.All()
	if err != nil {
		t.Fatal(err)
	}
	if again := answer.All(); !reflect.DeepEqual(again, readings) {
		t.Errorf("made again, readings are others: %+v, at first %+v", again, readings)
	}
	return readings
}
