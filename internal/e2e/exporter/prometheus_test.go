// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package exporter_test

import (
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/e2e/built"
	"github.com/carbon-exporter/carbon_exporter/internal/e2e/engine"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

func TestAPrometheusThatIsNotThereYet(t *testing.T) {
	t.Parallel()
	s, uk := sharedSite(t), newGrid(t)
	address := built.FreeAddress(t)
	over := spanOf(30*time.Minute, 12*time.Hour)
	where := settings{prometheus: "http://" + address, uk: uk.URL}.place(t, over)
	p := start(t, where.args()...)
	p.says(0, "carbon_exporter_source_errors_total", "source", "prometheus", "reason", "connection")
	checkNothingYet(t, p, over)

	listener, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	serveOn(t, listener, s.engine.Handler())
	checkCaughtUp(t, p, where, over, truth(s.cloud, over, uk.price))
}

func TestAPrometheusThatIsOutOfOrder(t *testing.T) {
	for _, status := range []int{http.StatusInternalServerError, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusTooManyRequests} {
		t.Run(http.StatusText(status), func(t *testing.T) {
			t.Parallel()
			s, uk := sharedSite(t), newGrid(t)
			prometheus := serve(t, s.engine.Handler())
			prometheus.status.Store(int32(status))
			over := spanOf(30*time.Minute, 12*time.Hour)
			where := settings{prometheus: prometheus.URL, uk: uk.URL}.place(t, over)
			p := start(t, where.args()...)
			eventually(t, waitFor, "the error is counted", func() error {
				return p.scrape().sum(0, "carbon_exporter_source_errors_total", "source", "prometheus")
			})
			checkNothingYet(t, p, over)

			prometheus.status.Store(0)
			checkCaughtUp(t, p, where, over, truth(s.cloud, over, uk.price))
		})
	}
}

// checkNothingYet wants a program that is up and knows that it knows nothing.
func checkNothingYet(t *testing.T, p *program, over span) {
	t.Helper()
	p.page("/-/ready", "")
	seen := p.scrape()
	if up, ok := seen.value("carbon_exporter_source_up", "source", "prometheus"); !ok || up != 0 {
		t.Errorf("carbon_exporter_source_up is %v, %v", up, ok)
	}
	want := len(over.intervals())
	eventually(t, waitFor, "what is missing is shown", func() error {
		n, err := p.scrape().states()
		if err == nil && n["missing"] != want {
			err = fmt.Errorf("intervals by state are %v, want %d missing", n, want)
		}
		return err
	})
	for _, family := range []string{"carbon_cpu_seconds", "carbon_energy_kwh"} {
		if n := len(seen[family].GetMetric()); n != 0 {
			t.Errorf("%d samples of %s and no answer yet", n, family)
		}
	}
}

// checkCaughtUp wants everything, exactly.
func checkCaughtUp(t *testing.T, p *program, where place, over span, want book) {
	t.Helper()
	p.becomesWhole(over).checkUsage(t, want.total())
	p.terminate()
	checkStore(t, where.store, want)
	checkIntervals(t, where.store, over)
}

// A server that takes no more than few samples a query is asked for less: first
// for a shorter time, then for one project after the other.
func TestAServerThatTakesLittleIsAskedForLess(t *testing.T) {
	for _, tc := range []struct {
		name       string
		maxSamples int
		splits     bool // by project, too
	}{
		{"for a shorter time", 500, false},
		{"for one project at a time", 250, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, 4, engine.Options{MaxSamples: tc.maxSamples})
			uk := newGrid(t)
			asked := &questions{next: s.engine.Handler()}
			over := spanOf(30*time.Minute, 12*time.Hour)
			where := settings{prometheus: serve(t, asked).URL, uk: uk.URL}.place(t, over)
			p := start(t, where.args()...)
			checkCaughtUp(t, p, where, over, truth(s.cloud, over, uk.price))
			if asked.refused.Load() == 0 {
				t.Error("no question was refused")
			}
			if got := asked.projects.Load() > 0; got != tc.splits {
				t.Errorf("asked by project: %v", got)
			}
		})
	}
}

// Two scrapers of one host are one host.
func TestAHostThatIsScrapedTwiceCountsOnce(t *testing.T) {
	for _, tc := range []struct {
		name string
		more map[string]string
	}{
		{"by two jobs", map[string]string{"job": "node-too"}},
		{"by a pair of servers", map[string]string{"job": "node", "replica": "b"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, 4, engine.Options{})
			s.again(t, tc.more)
			uk := newGrid(t)
			over := spanOf(30*time.Minute, 4*time.Hour)
			where := settings{prometheus: serve(t, s.engine.Handler()).URL, uk: uk.URL}.place(t, over)
			p := start(t, where.args()...)
			seen := p.becomesWhole(over)
			if n, ok := seen.value("carbon_exporter_rejected_samples_total", "reason", "duplicate"); !ok || n == 0 {
				t.Error("no duplicate is counted")
			}
			checkCaughtUp(t, p, where, over, truth(s.cloud, over, uk.price))
		})
	}
}

// A host that another one on the same metal keeps waiting shows little time of
// its own: twice that is less than its cores have.
func TestAHostWithStealThatIsScrapedTwiceCountsOnce(t *testing.T) {
	t.Parallel()
	over, uk := spanOf(30*time.Minute, 4*time.Hour), newGrid(t)
	e := newEngine(t)
	shares := map[string]float64{"user": 0.25, "idle": 0.125, "steal": 0.625}
	for _, job := range []string{"node", "node-too"} {
		steady(t, e, over, map[string]string{
			"job": job, "instance": "172.16.100.5:9100", "cloud_project_name": "IDAaaS", "machine_name": "SANS", "user": "1042",
		}, shares)
	}
	where := settings{prometheus: serve(t, e.Handler()).URL, uk: uk.URL}.place(t, over)
	p := start(t, where.args()...)
	seen := p.becomesWhole(over)
	got := seen.usage(t, "carbon_cpu_seconds")[usage.Key{Project: "IDAaaS", Machine: "SANS", User: "1042", Group: "Facilities"}]
	spent := over.end.Sub(over.first).Seconds()
	if !near(got.Busy, spent*shares["user"], exact) || !near(got.Idle, spent*shares["idle"], exact) {
		t.Errorf("CPU seconds are %v, truth {%v %v}", got, spent*shares["user"], spent*shares["idle"])
	}
}

// Only the one job that the matchers name is counted; nothing is a duplicate.
func TestMatchersChooseTheJob(t *testing.T) {
	t.Parallel()
	s := newSite(t, 4, engine.Options{})
	s.again(t, map[string]string{"job": "node-too"})
	uk := newGrid(t)
	over := spanOf(30*time.Minute, 4*time.Hour)
	where := settings{prometheus: serve(t, s.engine.Handler()).URL, uk: uk.URL, section: `  matchers: 'job="node"'`}.place(t, over)
	p := start(t, where.args()...)
	p.becomesWhole(over)
	if lines := p.lines("carbon_exporter_rejected_samples_total"); strings.Contains(lines, "duplicate") {
		t.Errorf("duplicates: %s", lines)
	}
	checkCaughtUp(t, p, where, over, truth(s.cloud, over, uk.price))
}
