// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package exporter_test

import (
	"bytes"
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/url"
	"slices"
	"testing"
	"time"

	"github.com/golang/snappy"
	"github.com/prometheus/prometheus/prompb"

	"github.com/carbon-exporter/carbon_exporter/internal/e2e/engine"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// receiver is where a server takes remote write. Every server that is not Prometheus' own
// engine is given its samples so: the same that the engine has, to the last stale marker.
type receiver struct {
	url    string
	header http.Header
	keep   func(labels map[string]string, s engine.Sample) bool // nil: all
}

// give sends what an engine holds of [from, to), half an hour at a time: receivers refuse what
// is much older than the newest that they have.
func (r receiver) give(t *testing.T, e *engine.Engine, from, to time.Time) {
	t.Helper()
	for at := from; at.Before(to); at = at.Add(usage.SlotLength) {
		var all prompb.WriteRequest
		if err := e.Raw(background, at, usage.Earlier(at.Add(usage.SlotLength), to), func(labels map[string]string, samples []engine.Sample) error {
			all.Timeseries = append(all.Timeseries, r.series(labels, samples))
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		if err := r.send(background, &all); err != nil {
			t.Fatal(err)
		}
	}
}

func (r receiver) series(labels map[string]string, samples []engine.Sample) prompb.TimeSeries {
	var s prompb.TimeSeries
	for name, value := range labels {
		s.Labels = append(s.Labels, prompb.Label{Name: name, Value: value})
	}
	slices.SortFunc(s.Labels, func(a, b prompb.Label) int { return cmp.Compare(a.Name, b.Name) })
	for _, sample := range samples {
		if r.keep == nil || r.keep(labels, sample) {
			s.Samples = append(s.Samples, prompb.Sample{Timestamp: sample.T, Value: sample.V})
		}
	}
	return s
}

func (r receiver) send(ctx context.Context, all *prompb.WriteRequest) error {
	all.Timeseries = slices.DeleteFunc(all.Timeseries, func(s prompb.TimeSeries) bool { return len(s.Samples) == 0 })
	if len(all.Timeseries) == 0 {
		return nil
	}
	raw, err := all.Marshal()
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, r.url, bytes.NewReader(snappy.Encode(nil, raw)))
	if err != nil {
		return err
	}
	if r.header != nil {
		request.Header = r.header.Clone()
	}
	request.Header.Set("Content-Type", "application/x-protobuf")
	request.Header.Set("Content-Encoding", "snappy")
	request.Header.Set("X-Prometheus-Remote-Write-Version", "0.1.0")
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return fmt.Errorf("remote write: %w", err)
	}
	defer answer.Body.Close()
	said, err := io.ReadAll(answer.Body)
	if err != nil {
		return fmt.Errorf("remote write: %w", err)
	}
	if answer.StatusCode/100 != 2 {
		return fmt.Errorf("remote write to %s: %s: %s", r.url, answer.Status, said)
	}
	return nil
}

// scrapeInterval is how often the sites of these tests are scraped.
const scrapeInterval = time.Minute

// checkShifted compares fact_usage with the truth where a server, or a reading, counts from
// sample to sample and not from border to border: up to one scrape interval of a core's time
// then stands in the interval beside its own. Over a longer time nothing is lost, so no more
// than that at each of the two ends is wrong in the sum. What is made of the seconds is exact.
func checkShifted(t *testing.T, path string, truth book, price func(time.Time) usage.GramsPerKWh) {
	t.Helper()
	facts := scopesOf(t, path)
	for scope, member := range scopes {
		checkSeconds(t, "fact_usage of scope "+scope, facts[scope], truth.rollUp(member, true), 1)
		sums := map[row][6]sql.NullFloat64{}
		for r, v := range facts[scope] {
			sum := sums[row{member: r.member}]
			for i := range v {
				sum[i] = sql.NullFloat64{Float64: sum[i].Float64 + v[i].Float64, Valid: true}
			}
			sums[row{member: r.member}] = sum
		}
		checkSeconds(t, "the sum of fact_usage of scope "+scope, sums, truth.rollUp(member, false), 2/float64(len(truth)))
	}
	checkSums(t, facts)
	for r, v := range facts["machine"] {
		at, err := time.Parse(time.RFC3339, r.ts)
		if err != nil {
			t.Fatal(err)
		}
		w, grams := watts(r.member), float64(price(at))
		busy, idle := v[0].Float64*w.Busy*pue/3.6e6, v[1].Float64*w.Idle*pue/3.6e6
		for i, want := range []float64{busy, idle, busy * grams, idle * grams} {
			if got := v[2+i]; !got.Valid || !near(got.Float64, want, exact) {
				t.Errorf("%v: %v are made of %v and %v seconds, column %d should be %v", r, v, v[0].Float64, v[1].Float64, 2+i, want)
			}
		}
	}
}

// checkSeconds wants CPU seconds to be the truth but for a scrape interval in each half hour, or
// in so many of a half hour's.
func checkSeconds(t *testing.T, what string, got map[row][6]sql.NullFloat64, want map[row]amount, of float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%s has %d rows, want %d", what, len(got), len(want))
	}
	for r, a := range want {
		have, slack := got[r], of*a.CPU.Total()*scrapeInterval.Seconds()/usage.SlotLength.Seconds()
		for i, w := range []float64{a.CPU.Busy, a.CPU.Idle} {
			if !have[i].Valid || math.Abs(have[i].Float64-w) > slack {
				t.Errorf("%s: %v has %v seconds, truth %v: off by more than %v", what, r, have[:2], a.CPU, slack)
				break
			}
		}
	}
}

// ask sends a question as a form, and wants an answer.
func ask(t *testing.T, server, path string, form url.Values) string {
	t.Helper()
	answer, err := http.PostForm(server+path, form)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
