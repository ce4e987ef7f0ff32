// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package clientgolang

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/source"
	"github.com/carbon-exporter/carbon_exporter/internal/upstream"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// every answers each question with the same bytes.
type every []byte

func (e every) RoundTrip(r *http.Request) (*http.Response, error) {
	return &http.Response{
		StatusCode: http.StatusOK, Header: http.Header{}, Request: r,
		Body: io.NopCloser(bytes.NewReader(e)), ContentLength: int64(len(e)),
	}, nil
}

// whole asks for every instrument.
func whole(answer []byte) *source.Client {
	return &source.Client{
		Upstream: &upstream.Client{HTTP: &http.Client{Transport: every(answer)}, UserAgent: "test", Timeout: time.Minute, MaxBytes: 1 << 30},
		URL:      &url.URL{Scheme: "http", Host: "prometheus.test"},
		Query: source.Query{
			Labels: source.Labels{Project: "cloud_project_name", Machine: "machine_name", Host: "instance", User: "user", CPU: "cpu", Mode: "mode"},
			Instruments: source.Instruments{
				Processors: source.Processors{Query: "node_cpu_info", Model: "model", Package: "package"},
				Meters:     []source.Meter{{Name: "ipmi", Query: "watts"}, {Name: "rapl", Query: "rate(joules[2m])"}},
				Devices:    []source.Device{{Name: "gpu", Query: "energy", Unit: 1e-3}, {Name: "fpga", Query: "watts"}},
				Memory:     source.Memory{Query: "bytes"},
				PUE:        "pue",
				Zones:      []source.Zone{{Name: "hall", Query: "watts"}},
			},
		},
	}
}

// partsOf is an answer with each part of what is asked about power, for a host at the edges of a run.
func partsOf(run []usage.Interval, values map[string]string) []byte {
	var all []string
	for part, v := range values {
		var points []string
		for i := range len(run) + 1 {
			points = append(points, fmt.Sprintf(`[%d,%q]`, run[0].Start.Unix()+int64(i)*1800, v))
		}
		all = append(all, fmt.Sprintf(`{"metric":{"instance":"a","model":"x","package":"0","carbon_exporter_part":%q},"values":[%s]}`, part, strings.Join(points, ",")))
	}
	slices.Sort(all)
	return answer(strings.Join(all, ","))
}

// FuzzInstruments holds what comes of any answer to what may come of it: an answer that is
// accepted is one that client_golang accepts, and no number is one that cannot be.
func FuzzInstruments(f *testing.F) {
	run := intervals(2)
	f.Add([]byte(nothing))
	f.Add(lawful(run))
	f.Add(partsOf(run, map[string]string{"sum": "3000", "least": "100", "most": "100", "points": "30", "value": "100", "number": "1", "present": "240", "threads": "4", "mean": "1.2", "good": "1.2"}))
	f.Add(partsOf(run, map[string]string{"sum": "NaN", "least": "-1", "most": "+Inf", "points": "1e300", "value": "-5", "number": "0", "usual": "3", "present": "-1", "threads": "1e9", "mean": "99", "good": "-1", "first": "7", "last": "3", "alike": "1"}))
	f.Add(answer(fmt.Sprintf(`{"metric":{"UUID":"1","instance":"a"},"values":[[%[1]d,"5"],[%[2]d,"3"]]},{"metric":{"UUID":"1","instance":"a","replica":"x"},"values":[[%[1]d,"1e300"]]}`, run[0].Start.Unix(), run[0].End().Unix())))
	f.Add([]byte(`{"status":"success","warnings":["w"],"data":{"resultType":"matrix","result":[]}}`))
	f.Fuzz(func(t *testing.T, answer []byte) {
		client := whole(answer)
		all, rejects, err := client.Instruments(context.Background(), run, true)
		if err != nil {
			if all != nil || rejects != nil {
				t.Fatalf("%v, and %v, %v", err, all, rejects)
			}
			return
		}
		if rejects["histogram"]+rejects["not_a_number"]+rejects["timestamp"] == 0 && !foldsNames(answer) {
			_, warnings, err := theirs(answer, run)
			warnings = slices.DeleteFunc(warnings, func(w string) bool { return strings.HasPrefix(w, "PromQL info:") })
			if err != nil && !strings.Contains(err.Error(), "out of range") || len(warnings) > 0 {
				t.Fatalf("accepted, but: %v, warnings %v", err, warnings)
			}
		}
		if len(all) != len(run) {
			t.Fatalf("%d pieces, want %d", len(all), len(run))
		}
		for _, i := range all {
			for host, m := range i.Power {
				if !(m.Energy > 0 && m.Covered > 0 && m.Covered <= 1) || float64(m.Energy) > 1e9*1800*1.01 || host == "" {
					t.Errorf("power of %q: %+v", host, m)
				}
			}
			for host, shares := range i.Models {
				sum := 0.0
				for _, s := range shares {
					sum += s.Share
					if !(s.Share >= 0) || s.Threads < 0 || s.Threads > 4096 {
						t.Errorf("processors of %q: %+v", host, s)
					}
				}
				if math.Abs(sum-1) > 1e-9 {
					t.Errorf("processors of %q add up to %v", host, sum)
				}
			}
			for _, d := range i.Devices {
				if !(d.Energy >= 0) || math.IsInf(float64(d.Energy), 0) {
					t.Errorf("device %+v", d)
				}
			}
			for host, m := range i.Memory {
				if !(m > 0) || math.IsInf(float64(m), 0) || host == "" {
					t.Errorf("memory of %q: %v", host, m)
				}
			}
			if i.PUE != nil && !(*i.PUE >= 1 && *i.PUE <= 10) {
				t.Errorf("PUE %v", *i.PUE)
			}
			for _, z := range i.Zones {
				if !(z.Energy > 0) || math.IsInf(float64(z.Energy), 0) {
					t.Errorf("zone %+v", z)
				}
			}
			if len(i.Remarks) > 20 {
				t.Errorf("%d remarks", len(i.Remarks))
			}
			for _, r := range i.Remarks {
				if len(r) > 2000 || strings.ContainsAny(r, "\n\x00") {
					t.Errorf("remark %q", r)
				}
			}
		}
	})
}
