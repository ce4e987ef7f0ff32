// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package power_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"
)

// tooLarge is what Prometheus says of a query that looks at too many samples.
func tooLarge(w http.ResponseWriter) {
	w.WriteHeader(http.StatusUnprocessableEntity)
	_, _ = io.WriteString(w, `{"status":"error","errorType":"execution","error":"query processing would load too many samples into memory in query execution"}`)
}

// points is at how many times a query is evaluated.
func points(r *http.Request) float64 {
	at := func(name string) float64 {
		v, _ := strconv.ParseFloat(r.Form.Get(name), 64)
		return v
	}
	if at("step") == 0 {
		return 1
	}
	return (at("end")-at("start"))/at("step") + 1
}

// meteredHosts is a site of one host with a meter of 100 W that the model has 24 W for.
func meteredHosts(t *testing.T, over span) *site {
	t.Helper()
	s := newSite(t, over.first.Add(-45*time.Minute), over.end.Add(time.Hour))
	h := small("10.5.0.1:9100", "ISIS", "Muon", "")
	s.run(h, nil)
	s.record("ipmi_watts", labels{"node": "10.5.0.1"}, constant(100))
	return s
}

const nodePower = "power:\n  machines: {Muon: {busy_watts: 10, idle_watts: 2}}\n  measured: [{name: ipmi, query: ipmi_watts, hosts: node}]\n"

// A server that finds the queries of a meter too large is asked for less at once.
func TestAMeterThatIsTooMuchAtOnce(t *testing.T) {
	t.Parallel()
	over := spanOf(time.Hour, 4)
	s := meteredHosts(t, over)
	for _, c := range []struct {
		name    string
		refuses func(r *http.Request) bool
	}{
		{"for more than two hours", func(r *http.Request) bool { return points(r) > 5 }},
		{"for more than half an hour", func(r *http.Request) bool { return points(r) > 2 }},
		{"for each minute", func(r *http.Request) bool { return strings.Contains(r.Form.Get("query"), ":1m]") }},
	} {
		t.Run(c.name, func(t *testing.T) {
			s.Before(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
				if strings.Contains(r.Form.Get("query"), "ipmi_watts") && c.refuses(r) {
					tooLarge(w)
					return
				}
				next.ServeHTTP(w, r)
			})
			where := newPlace(t, over.config(s, nodePower))
			where.tool(t, over.backfill()...)
			for _, i := range over.intervals() {
				for _, piece := range i.Pieces() {
					same(t, "energy in "+piece.String(), where.byProject(t, piece), map[string]float64{"ISIS": 0.05}, 1e-6)
				}
			}
		})
	}
}

// While a meter cannot be asked, nothing is booked: what the model has would look like it.
func TestAMeterThatCannotBeAsked(t *testing.T) {
	t.Parallel()
	over := spanOf(halfHour, 3)
	s := meteredHosts(t, over)
	s.Before(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		if strings.Contains(r.Form.Get("query"), "ipmi_watts") {
			http.Error(w, "out of order", http.StatusServiceUnavailable)
			return
		}
		next.ServeHTTP(w, r)
	})
	where := newPlace(t, over.config(s, nodePower))
	e := where.start(t)
	eventually(t, "the source has failed", func() error {
		last := e.scrape()
		if last.by("carbon_exporter_source_errors_total", "source")["prometheus"] == 0 {
			return errors.New("no error")
		}
		if got := last.sum("carbon_energy_kwh"); got != 0 {
			t.Errorf("%v kWh are booked", got)
		}
		if states := last.by("carbon_intervals", "state"); states["missing"] != 3 {
			return fmt.Errorf("intervals by state: %v", states)
		}
		return nil
	})
	s.Before(nil)
	last := e.settled(3)
	same(t, "energy", last.by("carbon_energy_kwh", "project"), map[string]float64{"ISIS": 0.15}, 1e-6)
}

// A meter that somebody adds is for what is not final yet and for what comes; a restatement is for
// the past.
func TestAMeterThatIsAdded(t *testing.T) {
	t.Parallel()
	over := spanOf(halfHour, 3)
	s := meteredHosts(t, over)
	without, _, _ := strings.Cut(nodePower, "  measured")
	where := newPlace(t, over.config(s, without))
	where.tool(t, over.backfill()...)
	e := where.start(t)
	before := e.settled(3)
	same(t, "energy without a meter", before.by("carbon_energy_kwh", "project"), map[string]float64{"ISIS": modelled * 1.5 / 1000}, 1e-6)
	write(t, where.config, over.config(s, nodePower))
	where.tool(t, over.backfill()...)
	if got := e.scrape().sum("carbon_energy_kwh"); !near(got, modelled*1.5/1000, 1e-6) {
		t.Errorf("a backfill has changed what is final: %v kWh", got)
	}
	where.tool(t, append(over.backfill(), "--restate")...)
	eventually(t, "the exporter shows what is restated", func() error {
		after := e.scrape()
		notLess(t, before, after)
		if got := after.sum("carbon_energy_kwh"); !near(got, 0.15, 1e-6) {
			return fmt.Errorf("%v kWh", got)
		}
		return nil
	})
	where.tool(t, "check", "store")
}
