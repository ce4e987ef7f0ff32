// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Package clientgolang holds the answers that package source reads against
// what client_golang, the library of Prometheus itself, makes of them, and what
// each of the two costs. It is a module of its own because client_golang's API
// client brings dependencies that the exporter does not have. Start with peers.
package clientgolang

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/prometheus/client_golang/api"
	v1 "github.com/prometheus/client_golang/api/prometheus/v1"
	"github.com/prometheus/common/model"

	"github.com/carbon-exporter/carbon_exporter/internal/source"
	"github.com/carbon-exporter/carbon_exporter/internal/upstream"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// memory is a server without a network: it answers the question about counters with its bytes,
// and every other with nothing.
type memory []byte

const (
	nothing  = `{"status":"success","data":{"resultType":"matrix","result":[]}}`
	counters = "sum by (" // as the question begins
)

func (m memory) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, err
	}
	answer := []byte(m)
	if !strings.HasPrefix(form.Get("query"), counters) {
		answer = []byte(nothing)
	}
	return &http.Response{
		StatusCode: http.StatusOK, Header: http.Header{}, Request: r,
		Body: io.NopCloser(bytes.NewReader(answer)), ContentLength: int64(len(answer)),
	}, nil
}

// modes are what the modes of an answer count as.
var modes = map[string]string{"user": "busy", "system": "busy", "idle": "idle", "iowait": "idle"}

// ours reads an answer as the exporter does: through the upstream client, into
// the table, to readings.
func ours(answer []byte, run []usage.Interval) ([]usage.Reading, usage.Rejects, error) {
	client := &source.Client{
		Upstream: &upstream.Client{HTTP: &http.Client{Transport: memory(answer)}, UserAgent: "test", Timeout: time.Minute, MaxBytes: 1 << 30},
		URL:      &url.URL{Scheme: "http", Host: "prometheus.test"},
		Query: source.Query{
			Metric:    "node_cpu_seconds_total",
			Labels:    source.Labels{Project: "cloud_project_name", Machine: "machine_name", Host: "instance", User: "user", CPU: "cpu", Mode: "mode"},
			BusyModes: []string{"user", "system"}, IdleModes: []string{"idle", "iowait"},
		},
	}
	readings, rejects, err := client.Read(context.Background(), run)
	return readings.All(), rejects, err
}

// theirs reads it as users of client_golang do.
func theirs(answer []byte, run []usage.Interval) (model.Matrix, v1.Warnings, error) {
	client, err := api.NewClient(api.Config{Address: "http://prometheus.test", RoundTripper: memory(answer)})
	if err != nil {
		return nil, nil, err
	}
	value, warnings, _, err := v1.NewAPI(client).QueryRange(context.Background(), counters, v1.Range{
		Start: run[0].Start, End: run[len(run)-1].End(), Step: run[0].Length,
	})
	matrix, _ := value.(model.Matrix)
	return matrix, warnings, err
}

// intervals are adjacent half hours.
func intervals(n int) []usage.Interval {
	run := []usage.Interval{usage.IntervalAt(time.Unix(1_782_864_000, 0), usage.SlotLength)}
	for len(run) < n {
		run = append(run, run[len(run)-1].Next())
	}
	return run
}
