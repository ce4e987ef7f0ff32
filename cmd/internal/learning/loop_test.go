// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package learning

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"math"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/clock"
	"github.com/carbon-exporter/carbon_exporter/internal/config"
	"github.com/carbon-exporter/carbon_exporter/internal/simulate/scraped"
	"github.com/carbon-exporter/carbon_exporter/internal/store"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// rig is a loop on a simulated clock, with a real store and hosts that are measured.
type rig struct {
	t          *testing.T
	clock      *clock.Simulated
	store      *store.Store
	prometheus *scraped.Metered
	down       atomic.Bool
	asked      atomic.Int32
	url        string
	log        *bytes.Buffer
	loop       *Loop
	ready      bool
}

// friday is a day in the middle of a week and of a month.
var friday = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

func newRig(t *testing.T, power string) *rig {
	t.Helper()
	r := &rig{t: t, clock: clock.NewSimulated(friday), log: &bytes.Buffer{}, ready: true}
	r.prometheus = &scraped.Metered{
		Hosts: map[string][]string{"Muon": {"a:9100", "b:9100"}, "SANS": {"c:9100"}, "Quiet": {"d:9100"}},
		Meters: map[string]scraped.Meter{
			"muon_watts": scraped.MeterOf("Muon", scraped.Drawn),
			"sans_watts": scraped.MeterOf("SANS", scraped.Drawn),
		},
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		r.asked.Add(1)
		if r.down.Load() {
			http.Error(w, "out of order", http.StatusServiceUnavailable)
			return
		}
		r.prometheus.ServeHTTP(w, req)
	}))
	t.Cleanup(server.Close)
	r.url = server.URL
	st, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "carbon.db"), store.Options{Interval: usage.SlotLength, Timezone: time.UTC})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { st.Close() })
	r.store = st
	cfg := r.config(power)
	r.loop = &Loop{
		Clock: r.clock, Log: slog.New(slog.NewTextHandler(r.log, nil)), Store: st,
		Config: func() *config.Config { return cfg }, Ready: func() bool { return r.ready },
	}
	return r
}

func (r *rig) config(power string) *config.Config {
	r.t.Helper()
	cfg, err := config.Parse("carbon.yml", fmt.Appendf(nil, "timezone: UTC\nprometheus: {url: %q}\npower: {%s}\n", r.url, power))
	if err != nil {
		r.t.Fatal(err)
	}
	return cfg
}

// goOn lets time pass.
func (r *rig) goOn(d time.Duration) {
	r.t.Helper()
	ctx, cancel := context.WithCancel(r.t.Context())
	r.clock.Run(func() { r.loop.Run(ctx) }, func() {
		r.clock.Sleep(ctx, d, nil)
		cancel()
	})
}

// learned is when an average was learned last.
func (r *rig) learned() time.Time {
	r.t.Helper()
	last, err := r.store.LastLearned(r.t.Context())
	if err != nil {
		r.t.Fatal(err)
	}
	return last.UTC()
}

func (r *rig) busyWatts(machine string, at time.Time) float64 {
	r.t.Helper()
	all, err := r.store.MachineAverages(r.t.Context(), at)
	if err != nil {
		r.t.Fatal(err)
	}
	return float64(all[machine].Watts.Busy)
}

func (r *rig) said(text string) int { return strings.Count(r.log.String(), text) }

// twoMeters are beside watts that no machine type draws: what is learned is news.
const twoMeters = "busy_watts: 12, idle_watts: 1, measured: [{name: ipmi, query: muon_watts, error: 0.01}, {name: pdu, query: sans_watts, error: 0.01}]"

// within reports whether a time is in the hour that begins with another.
func within(at, hour time.Time) bool {
	return !at.Before(hour) && at.Before(hour.Add(time.Hour))
}

func TestTheDaemonLearnsOnTime(t *testing.T) {
	for _, c := range []struct {
		every string
		next  time.Time
	}{
		{config.CalibrateDaily, time.Date(2026, 11, 21, 4, 0, 0, 0, time.UTC)},
		{config.CalibrateWeekly, time.Date(2026, 11, 23, 4, 0, 0, 0, time.UTC)},
		{config.CalibrateMonthly, time.Date(2026, 12, 1, 4, 0, 0, 0, time.UTC)},
	} {
		t.Run(c.every, func(t *testing.T) {
			r := newRig(t, twoMeters+", calibrate: "+c.every)
			r.goOn(10 * time.Minute)
			if got := r.learned(); !within(got, friday) {
				t.Fatalf("after the start it has learned at %v\n%s", got, r.log)
			}
			if v := r.busyWatts("Muon", friday); v != 0 {
				t.Errorf("the interval that was not over has %v W", v)
			}
			for machine, want := range scraped.DrawnWatts {
				if v := r.busyWatts(machine, friday.Add(30*time.Minute)); math.Abs(v-float64(want.Busy)) > 1e-6 {
					t.Errorf("%s has %v W, want %v", machine, v, want.Busy)
				}
			}
			if r.said("Machine type has new watts") != 2 || r.said("level=WARN") != 0 {
				t.Errorf("it says\n%s", r.log)
			}
			asked := r.asked.Load()
			r.goOn(c.next.Sub(r.clock.Now()) - time.Minute)
			if r.asked.Load() != asked {
				t.Error("it asks before its time")
			}
			r.goOn(10 * time.Minute)
			if got := r.learned(); !within(got, c.next) {
				t.Errorf("it has learned at %v, want %v", got, c.next)
			}
			if r.said("Machine type has new watts") != 2 || r.said("Calibrated machine types") != 2 {
				t.Errorf("of what has not changed it says\n%s", r.log)
			}
		})
	}
}

func TestARestartLearnsOnlyWhatIsDue(t *testing.T) {
	r := newRig(t, twoMeters+", calibrate: weekly")
	r.goOn(time.Hour)
	asked, first := r.asked.Load(), r.learned()
	restart := func() {
		l := *r.loop
		r.loop = &Loop{Clock: l.Clock, Log: l.Log, Store: l.Store, Config: l.Config, Ready: l.Ready}
	}
	restart()
	r.goOn(24 * time.Hour)
	if r.asked.Load() != asked || !r.learned().Equal(first) {
		t.Error("it has learned again")
	}
	r.clock.Sleep(t.Context(), 4*24*time.Hour, nil) // it does not run on Monday
	restart()
	r.goOn(time.Hour)
	if !r.learned().After(first) {
		t.Error("what was due while it did not run is not made up for")
	}
}

func TestOffAsksNothing(t *testing.T) {
	r := newRig(t, twoMeters)
	r.goOn(40 * 24 * time.Hour)
	if r.asked.Load() != 0 || r.log.Len() != 0 {
		t.Errorf("%d queries; it says %s", r.asked.Load(), r.log)
	}
}

func TestUsageComesFirst(t *testing.T) {
	r := newRig(t, twoMeters+", calibrate: daily")
	r.ready = false
	r.goOn(24 * time.Hour)
	if r.asked.Load() != 0 {
		t.Error("it asks while there is usage to collect")
	}
	r.ready = true
	r.goOn(time.Hour)
	if r.learned().IsZero() {
		t.Error("it does not learn afterwards")
	}
}

func TestAFailureIsSaidOnceAndTriedAgain(t *testing.T) {
	r := newRig(t, twoMeters+", calibrate: weekly")
	r.down.Store(true)
	r.goOn(5 * time.Hour)
	if n := r.said("Calibrating machine types failed; trying again every hour"); n != 1 || !r.learned().IsZero() {
		t.Errorf("said %d times:\n%s", n, r.log)
	}
	if n := r.asked.Load(); n < 4 || n > 40 {
		t.Errorf("it has asked %d times", n)
	}
	r.down.Store(false)
	r.goOn(time.Hour + time.Minute)
	if r.learned().IsZero() {
		t.Errorf("it has not learned\n%s", r.log)
	}
}

func TestWhatCannotBeLearnedIsSaidOnceAPeriod(t *testing.T) {
	r := newRig(t, "measured: [{name: ipmi, query: muon_watts}, {name: pdu, query: sans_watts}, {name: ups, query: stuck_watts}], calibrate: daily")
	r.prometheus.Meters["sans_watts"] = scraped.MeterOf("SANS", func(string, float64) float64 { return 120 })
	r.prometheus.Meters["stuck_watts"] = scraped.MeterOf("Nobody", scraped.Drawn)
	r.goOn(20 * time.Hour)
	for _, text := range []string{
		`"Machine type was not calibrated" machine=SANS reason="the measured power is the same in every interval, whatever the load; it is a constant, not a measurement"`,
		`"Meter was not used to calibrate" reason="power.measured[2] (ups) has no data in this range; check the query"`,
	} {
		if n := r.said(text); n != 2 { // at the start, and the next morning
			t.Errorf("%d times %s in\n%s", n, text, r.log)
		}
	}
	if r.busyWatts("SANS", r.clock.Now().Add(time.Hour)) != 0 || r.busyWatts("Muon", r.clock.Now().Add(time.Hour)) == 0 {
		t.Error("what was wrong was stored, or what was right was not")
	}
}

func TestWhatIsSurprisingIsAWarning(t *testing.T) {
	r := newRig(t, twoMeters+", machines: {Muon: {busy_watts: 9}}, calibrate: daily")
	r.goOn(time.Hour)
	if n := r.said("which count before power.machines of the configuration"); n != 1 || r.said("machine=Muon") != 1 {
		t.Errorf("said %d times\n%s", n, r.log)
	}
	r.prometheus.Meters["muon_watts"] = scraped.MeterOf("Muon", func(m string, busy float64) float64 { return 1.5 * scraped.Drawn(m, busy) })
	r.goOn(24 * time.Hour)
	if n := r.said("by more than chance can explain"); n != 1 {
		t.Errorf("said %d times\n%s", n, r.log)
	}
	if v := r.busyWatts("Muon", r.clock.Now().Add(time.Hour)); math.Abs(v-1.5*7.25) > 1e-6 {
		t.Errorf("the newest does not count, but %v W", v)
	}
}
