// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !race

package ingest

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"regexp"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/intensity"
	"github.com/carbon-exporter/carbon_exporter/internal/simulate"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

var anyActual = regexp.MustCompile(`"actual":[0-9.]+`)

// counting counts what was refused.
type counting struct {
	silent
	rejected usage.Rejects
}

func (c *counting) Rejected(all usage.Rejects) { c.rejected.Add(all) }

// lossy lets the API of the rig lose its actuals as real ones do: it says 0. It does so while the
// switch is on.
func (r *rig) lossy() (lost *bool, heard *counting) {
	r.t.Helper()
	lost, heard = new(true), &counting{rejected: usage.Rejects{}}
	set := r.spine.current()
	set.Grid = Chain{&intensity.UK{
		Upstream: local(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
			answer := httptest.NewRecorder()
			r.grid.ServeHTTP(answer, req)
			body := answer.Body.Bytes()
			if *lost {
				body = anyActual.ReplaceAll(body, []byte(`"actual":0`))
			}
			w.WriteHeader(answer.Code)
			_, _ = bytes.NewReader(body).WriteTo(w)
		})),
		URL: "http://grid.test", Now: func() time.Time { return r.now },
	}}
	r.use(New(r.store, heard, quiet, at{func() time.Time { return r.now }}, set))
	return lost, heard
}

func TestADoubtfulZeroIsNoPriceUntilItIsSaidAgain(t *testing.T) {
	for _, c := range []struct {
		name     string
		restored bool // whether the second reading has the actuals
	}{{"the API finds its data again", true}, {"it really is 0", false}} {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t)
			lost, heard := r.lossy()
			r.both()
			n := heard.rejected[RejectDoubtfulZero]
			if n < 40 {
				t.Errorf("%d actuals were refused, want those of a day", n)
			}
			i := usage.Interval{Start: start.Add(-12 * time.Hour), Length: 30 * time.Minute}
			p := r.proof(i)
			if p.State != usage.Provisional || len(p.Prices) != 1 || p.Prices[0].Kind != usage.Forecast || p.Prices[0].Quality != usage.QualityForecast || p.Prices[0].Intensity < 10 {
				t.Fatalf("is %s with %+v", p.State, p.Prices)
			}
			*lost = !c.restored
			r.now = r.now.Add(61 * time.Minute)
			r.both()
			p = r.proof(i)
			if len(p.Prices) != 1 || p.Prices[0].Kind != usage.Actual || (p.Prices[0].Intensity == 0) == c.restored {
				t.Errorf("an hour later: %+v", p.Prices)
			}
			if c.restored && heard.rejected[RejectDoubtfulZero] != n {
				t.Errorf("%d more were refused", heard.rejected[RejectDoubtfulZero]-n)
			}
		})
	}
}

// A backfill reads slots for the first time that would settle at once.
func TestABackfillDoesNotSettleADoubtfulZero(t *testing.T) {
	r := newRig(t)
	r.lossy()
	r.mustBackfill(hours(-50, -49))
	i := usage.Interval{Start: start.Add(-50 * time.Hour), Length: 30 * time.Minute}
	if p := r.proof(i); p.State != usage.Provisional || len(p.Prices) != 1 || p.Prices[0].Kind != usage.Forecast {
		t.Fatalf("is %s with %+v", p.State, p.Prices)
	}
	r.both() // and neither does whoever comes next
	if p := r.proof(i); p.State != usage.Provisional || p.Prices[0].Kind != usage.Forecast {
		t.Fatalf("a round later: is %s with %+v", p.State, p.Prices)
	}
	r.now = r.now.Add(61 * time.Minute)
	r.both()
	if p := r.proof(i); p.State != usage.Settled || p.Prices[0].Kind != usage.Actual || p.Prices[0].Intensity != 0 || p.Prices[0].Quality != usage.QualityFinal {
		t.Errorf("an hour later: is %s with %+v", p.State, p.Prices)
	}
}

func TestADoubtDoesNotKeepAnIntervalOpenForEver(t *testing.T) {
	r := newRig(t)
	lost, _ := r.lossy()
	r.mustBackfill(hours(-50, -49))
	*lost = false
	r.grid.SetFault(simulate.Down) // it never answers again
	r.now = r.now.Add(25 * time.Hour)
	_ = r.carbon()
	i := usage.Interval{Start: start.Add(-50 * time.Hour), Length: 30 * time.Minute}
	if p := r.proof(i); p.State != usage.Settled || p.Prices[0].Kind != usage.Forecast || p.Prices[0].Quality != usage.QualityForecast {
		t.Errorf("is %s with %+v", p.State, p.Prices)
	}
}
