// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Package scraped answers the HTTP API of Prometheus as a server would that has scraped some
// hosts, whose counters are functions of time. It must not know internal/source: it evaluates
// the part of PromQL that is asked of it, whoever asks. Start with Server; eval.go has the
// meaning of each expression.
package scraped

import (
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// Host is a machine whose cores are scraped.
type Host struct {
	usage.Series
	Cores int
	Modes []string
	// Begin and End bound the scrapes: the first comes after Begin, the last at End at the
	// latest, so that of two machines that follow each other at one address one is scraped at a
	// time. Zero is forever.
	Begin, End time.Time
	Phase      time.Duration // when in each scrape interval it is scraped
	// Counter returns the CPU seconds of a core in a mode since it booted.
	Counter func(core int, mode string, at time.Time) float64
	// Missed reports whether the server missed a scrape; nil: it never did.
	Missed func(at time.Time) bool
	// More are metrics by their names, one series each: of exporters, such as
	// node_boot_time_seconds, or of recording rules. NaN: there is no sample.
	More map[string]func(at time.Time) float64
}

// Labels names the labels of the series.
type Labels struct{ Project, Machine, Host, User, CPU, Mode string }

// Usual are the labels that the exporter expects by default.
var Usual = Labels{Project: "cloud_project_name", Machine: "machine_name", Host: "instance", User: "user", CPU: "cpu", Mode: "mode"}

// cpuMetric is what node_exporter calls the counters.
const cpuMetric = "node_cpu_seconds_total"

// job is the scrape job of all hosts.
const job = "node"

// Server is a Prometheus that has scraped hosts.
type Server struct {
	Hosts     []*Host
	Every     time.Duration    // between two scrapes; 0: a minute
	Retention time.Time        // no sample is left from before
	Now       func() time.Time // no scrape was after; nil: it has seen the future
}

// maxPoints is Prometheus' limit of evaluations per query.
const maxPoints = 11000

// ServeHTTP answers query, query_range and the values of a label.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var data []byte
	var err error
	switch label, isValues := strings.CutSuffix(strings.TrimPrefix(r.URL.Path, "/api/v1/label/"), "/values"); {
	case r.URL.Path == "/api/v1/query_range":
		data, err = s.queryRange(r)
	case r.URL.Path == "/api/v1/query":
		data, err = s.query(r)
	case isValues:
		data, err = s.values(r, label)
	default:
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		_ = json.NewEncoder(w).Encode(map[string]string{"status": "error", "errorType": "bad_data", "error": err.Error()})
		return
	}
	for _, part := range []string{`{"status":"success","data":`, string(data), "}"} {
		if _, err := w.Write([]byte(part)); err != nil {
			return // the client has gone
		}
	}
}

func (s *Server) queryRange(r *http.Request) ([]byte, error) {
	start, err1 := millis(r, "start")
	end, err2 := millis(r, "end")
	step, err3 := millis(r, "step")
	for _, err := range []error{err1, err2, err3} {
		if err != nil {
			return nil, err
		}
	}
	if step <= 0 || end < start {
		return nil, fmt.Errorf("no steps from %d to %d by %d", start, end, step)
	}
	if (end-start)/step+1 > maxPoints {
		return nil, fmt.Errorf("exceeded maximum resolution of %d points per timeseries", maxPoints)
	}
	e, err := parse(r.FormValue("query"))
	if err != nil {
		return nil, err
	}
	if _, ok := e.(*window); ok {
		return nil, fmt.Errorf("a range vector cannot be evaluated in steps: %s", r.FormValue("query"))
	}
	var times []int64
	for at := start; at <= end; at += step {
		times = append(times, at)
	}
	return matrix(pointsOf(e.eval(s, times), times)), nil
}

func (s *Server) query(r *http.Request) ([]byte, error) {
	at, err := millis(r, "time")
	if err != nil {
		return nil, err
	}
	e, err := parse(r.FormValue("query"))
	if err != nil {
		return nil, err
	}
	if w, ok := e.(*window); ok {
		return matrix(w.points(s, at)), nil
	}
	return vector(pointsOf(e.eval(s, []int64{at}), []int64{at})), nil
}

// values lists the values of a label of series that were scraped in a period.
func (s *Server) values(r *http.Request, label string) ([]byte, error) {
	start, err1 := millis(r, "start")
	end, err2 := millis(r, "end")
	if err1 != nil || err2 != nil {
		return nil, fmt.Errorf("start or end is no time")
	}
	e, err := parse(r.FormValue("match[]"))
	sel, ok := e.(*selector)
	if err != nil || !ok {
		return nil, fmt.Errorf("no selector: %q", r.FormValue("match[]"))
	}
	all := []string{}
	for _, one := range sel.series(s, start-1, end) {
		value := one.labels.get(label)
		if value != "" && !slices.Contains(all, value) && one.count(s, start-1, end) > 0 {
			all = append(all, value)
		}
	}
	slices.Sort(all)
	return json.Marshal(all)
}

func millis(r *http.Request, name string) (int64, error) {
	v, err := strconv.ParseFloat(r.FormValue(name), 64)
	if err != nil {
		return 0, fmt.Errorf("%s: %w", name, err)
	}
	return int64(math.Round(v * 1000)), nil
}

// points are the samples of one series in an answer.
type points struct {
	labels labels
	at     []int64 // milliseconds
	v      []float64
}

// pointsOf leaves out where a row has no value, and rows that have none.
func pointsOf(rows []row, times []int64) []points {
	var all []points
	for _, r := range rows {
		p := points{labels: r.labels}
		for i, v := range r.v {
			if !math.IsNaN(v) {
				p.at, p.v = append(p.at, times[i]), append(p.v, v)
			}
		}
		if p.at != nil {
			all = append(all, p)
		}
	}
	return all
}

func matrix(all []points) []byte {
	b := []byte(`{"resultType":"matrix","result":[`)
	for i, p := range all {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(p.labels.json(b), `,"values":[`...)
		for j := range p.at {
			if j > 0 {
				b = append(b, ',')
			}
			b = sample(b, p.at[j], p.v[j])
		}
		b = append(b, "]}"...)
	}
	return append(b, "]}"...)
}

func vector(all []points) []byte {
	b := []byte(`{"resultType":"vector","result":[`)
	for i, p := range all {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(p.labels.json(b), `,"value":`...)
		b = append(sample(b, p.at[0], p.v[0]), '}')
	}
	return append(b, "]}"...)
}

func sample(b []byte, at int64, v float64) []byte {
	b = append(b, '[')
	b = strconv.AppendFloat(b, float64(at)/1000, 'f', -1, 64)
	b = append(b, `,"`...)
	b = strconv.AppendFloat(b, v, 'f', -1, 64)
	return append(b, `"]`...)
}
