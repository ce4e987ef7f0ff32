// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package ingest

import (
	"context"
	"math"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/simulate"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

func near(a, b float64) bool { return math.Abs(a-b) <= 1e-9*math.Max(math.Abs(a), math.Abs(b)) }

func TestFirstStartReachesBackAndIsExact(t *testing.T) {
	r := newRig(t)
	r.both()
	r.want(map[usage.State]int{usage.Provisional: 48})
	wantKWh, _ := r.truth(start.Add(-24*time.Hour), start)
	if kwh, settled, _ := r.site(); !near(float64(kwh), float64(wantKWh)) || settled != 0 {
		t.Errorf("site used %v kWh, settled %v; want %v and none", kwh, settled, wantKWh)
	}
	if r.server.asked != 10 {
		t.Errorf("a day took %d queries, want what there is, its busy modes, counters, cores, times, two searches for the host that came and went, two looks at it, and boot times", r.server.asked)
	}
	// Nothing is due: nothing is asked.
	asked := r.server.asked
	if err := r.energy(); err != nil || r.server.asked != asked {
		t.Errorf("asked %d times more with nothing due, error %v", r.server.asked-asked, err)
	}
	// The interval is asked for when it and the lag are over, not before.
	r.now = start.Add(31 * time.Minute)
	r.both()
	r.want(map[usage.State]int{usage.Provisional: 47, usage.Settled: 1})
	r.now = start.Add(32 * time.Minute)
	r.both()
	r.want(map[usage.State]int{usage.Provisional: 48, usage.Settled: 1})
}

func TestForecastIsRestatedByTheActualAndSettles(t *testing.T) {
	r := newRig(t, func(s *Settings) { s.Lookback = time.Hour })
	r.both()
	// Every slot is seen as forecast, as actual and, at settle_after, for the
	// last time.
	for range 30 {
		r.now = r.now.Add(time.Hour)
		r.both()
	}
	states := r.states()
	if states[usage.Settled] != 2+12 || states[usage.Provisional] != 48 {
		t.Errorf("states after thirty hours: %v, want 14 settled and 48 provisional", states)
	}
	kwh, grams := r.truth(start.Add(-time.Hour), start.Add(6*time.Hour))
	var settledKWh, settledGrams float64
	for _, total := range r.summary().Totals {
		settledKWh += float64(total.SettledEnergy.Total())
		settledGrams += float64(total.SettledEmissions.Total())
	}
	if !near(settledKWh, float64(kwh)) || !near(settledGrams, float64(grams)) {
		t.Errorf("settled %v kWh and %v g, want %v and the final actuals' %v", settledKWh, settledGrams, kwh, grams)
	}
}

func TestPrometheusOutageDelaysAndDropsNothing(t *testing.T) {
	r := newRig(t)
	r.both()
	r.server.fault = func(url.Values) (int, string) { return 500, "down" }
	for range 6 {
		r.now = r.now.Add(time.Hour)
		if err := r.energy(); err == nil {
			t.Fatal("an outage must be an error")
		}
		if err := r.carbon(); err != nil {
			t.Fatalf("carbon must not care: %v", err)
		}
	}
	r.want(map[usage.State]int{usage.Provisional: 36, usage.Settled: 12, usage.Missing: 12})
	oldest := usage.Interval{Start: start, Length: 30 * time.Minute}
	if why := r.proof(oldest).Error; !strings.Contains(why, "500") {
		t.Errorf("the ledger says %q; want the status", why)
	}
	r.server.fault = nil
	r.restart()
	r.both()
	r.want(map[usage.State]int{usage.Provisional: 48, usage.Settled: 12})
	want, _ := r.truth(start.Add(-24*time.Hour), start.Add(6*time.Hour))
	if kwh, _, _ := r.site(); !near(float64(kwh), float64(want)) {
		t.Errorf("site used %v kWh after the outage, want %v", kwh, want)
	}
}

func TestCarbonOutageNeverDelaysEnergy(t *testing.T) {
	for _, fault := range []simulate.Fault{
		simulate.Down, simulate.RateLimited, simulate.HTMLPage, simulate.EmptyObject, simulate.EmptyData, simulate.NoValues,
	} {
		r := newRig(t)
		r.grid.SetFault(fault)
		if err := r.energy(); err != nil {
			t.Fatal(err)
		}
		if err := r.carbon(); err == nil && fault != simulate.NoValues {
			t.Errorf("fault %v: no error", fault)
		}
		r.want(map[usage.State]int{usage.Unpriced: 48})
		want, _ := r.truth(start.Add(-24*time.Hour), start)
		sum := r.summary()
		if !near(float64(sum.Unpriced), float64(want)) {
			t.Errorf("fault %v: %v kWh unpriced, want %v", fault, sum.Unpriced, want)
		}
		for _, total := range sum.Totals {
			if total.Priced || total.Emissions.Total() != 0 {
				t.Errorf("fault %v: %v has emissions", fault, total.Key)
			}
		}
		r.grid.SetFault(simulate.Healthy)
		r.now = r.now.Add(2 * time.Minute)
		r.both()
		r.want(map[usage.State]int{usage.Provisional: 48})
		if sum := r.summary(); sum.Unpriced != 0 {
			t.Errorf("fault %v: %v kWh still unpriced", fault, sum.Unpriced)
		}
	}
}

func TestNullActualIsForecastThenRestated(t *testing.T) {
	r := newRig(t)
	r.grid.SetFault(simulate.NoActuals)
	r.both()
	prices := func() (forecasts, actuals int) {
		pending, err := r.store.Pending(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range pending {
			if p.Prices[0].Kind == usage.Actual {
				actuals++
			} else {
				forecasts++
			}
		}
		return forecasts, actuals
	}
	if f, a := prices(); f != 48 || a != 0 {
		t.Fatalf("%d forecasts and %d actuals in force, want 48 and 0", f, a)
	}
	r.grid.SetFault(simulate.Healthy)
	r.now = r.now.Add(10 * time.Minute)
	r.both()
	if f, a := prices(); a != 47 || f != 1 { // the last slot ended 13 minutes ago
		t.Errorf("%d forecasts and %d actuals in force, want 1 and 47", f, a)
	}
}

func TestSettlesWithAForecastWhenThereIsNoActual(t *testing.T) {
	r := newRig(t, func(s *Settings) { s.Lookback = time.Hour })
	r.grid.SetFault(simulate.NoActuals)
	r.both()
	r.want(map[usage.State]int{usage.Provisional: 2})
	r.server.fault = func(url.Values) (int, string) { return 503, "" } // no new intervals
	r.now = start.Add(24 * time.Hour)
	if err := r.carbon(); err != nil {
		t.Fatal(err)
	}
	r.want(map[usage.State]int{usage.Settled: 2})
}

func TestAnActualFromBeforeAnOutageDoesNotSettle(t *testing.T) {
	r := newRig(t, func(s *Settings) { s.Lookback = 4 * time.Hour })
	r.both()
	r.grid.SetFault(simulate.Down)
	r.server.fault = func(url.Values) (int, string) { return 503, "" }
	r.now = start.Add(30 * time.Hour)
	if err := r.carbon(); err == nil {
		t.Error("an outage must be an error")
	}
	r.want(map[usage.State]int{usage.Provisional: 8})
	r.grid.SetFault(simulate.Healthy)
	r.now = start.Add(31 * time.Hour)
	if err := r.carbon(); err != nil {
		t.Fatal(err)
	}
	r.want(map[usage.State]int{usage.Settled: 8})
	_, want := r.truth(start.Add(-4*time.Hour), start)
	if _, _, grams := r.site(); !near(float64(grams), float64(want)) {
		t.Errorf("settled at %v g, want the final actuals' %v", grams, want)
	}
}

func TestOldIntervalsAreAskedForBeyondTheWindow(t *testing.T) {
	r := newRig(t, func(s *Settings) { s.Lookback = 60 * time.Hour })
	r.both()
	r.want(map[usage.State]int{usage.Provisional: 48, usage.Settled: 120 - 48})
	// What is settled is not asked for again, and what never comes not all the time.
	asked := r.grid.Requests()
	r.now = r.now.Add(time.Minute)
	r.both()
	if n := r.grid.Requests() - asked; n != 0 {
		t.Errorf("%d requests a minute later, want none", n)
	}
}

func TestALargeQuestionIsHalvedUntilItIsAnswered(t *testing.T) {
	r := newRig(t)
	r.server.most = 5
	r.both()
	r.want(map[usage.State]int{usage.Provisional: 48})
	if r.server.asked > 3*(48/3+8) {
		t.Errorf("%d queries for 48 intervals of at most 5 a query", r.server.asked)
	}
}

func TestAPieceThatStaysTooLargeIsLeftMissingAndTheOthersAreStored(t *testing.T) {
	r := newRig(t)
	bad := start.Add(-5 * time.Hour) // the end of the interval, as a query has it
	r.server.fault = func(form url.Values) (int, string) {
		if touches(form, bad.Add(-1), bad) {
			return 422, `{"status":"error","errorType":"execution","error":"too many samples"}`
		}
		return 0, ""
	}
	r.both()
	r.want(map[usage.State]int{usage.Provisional: 47, usage.Missing: 1})
	if p := r.proof(usage.Interval{Start: bad.Add(-30 * time.Minute), Length: 30 * time.Minute}); p.State != usage.Missing || !strings.Contains(p.Error, "too many samples") {
		t.Errorf("the interval is %s because of %q", p.State, p.Error)
	}
	r.server.fault = nil
	r.now = r.now.Add(2 * time.Minute)
	r.both()
	r.want(map[usage.State]int{usage.Provisional: 48})
}

func TestAnIntervalTooLargeForOneQueryIsReadByProject(t *testing.T) {
	r := newRig(t, func(s *Settings) { s.Lookback = time.Hour })
	r.server.fault = func(form url.Values) (int, string) {
		if _, ok := run(form); ok && !strings.Contains(form.Get("query"), "cloud_project_name=") {
			return 422, `{"status":"error","errorType":"execution","error":"too many samples"}`
		}
		return 0, ""
	}
	r.both()
	r.want(map[usage.State]int{usage.Provisional: 2})
	want, _ := r.truth(start.Add(-time.Hour), start)
	if kwh, _, _ := r.site(); !near(float64(kwh), float64(want)) {
		t.Errorf("site used %v kWh, want %v", kwh, want)
	}
}

func TestEmptyIsNotZeroAndIsAskedOnceMore(t *testing.T) {
	r := newRig(t, func(s *Settings) { s.Lookback = time.Hour })
	r.server.retention = start.Add(-30 * time.Minute)
	r.both()
	r.want(map[usage.State]int{usage.Empty: 1, usage.Provisional: 1})
	asked := r.server.asked
	r.now = r.now.Add(25 * time.Minute)
	r.both()
	if r.server.asked != asked {
		t.Error("an empty interval was asked for again too early")
	}
	r.now = r.now.Add(40 * time.Minute)
	r.both()
	asked = r.server.asked
	r.now = r.now.Add(20 * time.Minute)
	r.both()
	if r.server.asked != asked {
		t.Error("an empty interval was asked for a third time")
	}
	if n := r.states()[usage.Empty]; n != 1 {
		t.Errorf("%d empty intervals, want 1", n)
	}
}

func TestAnEmptyIntervalThatFillsIsStored(t *testing.T) {
	r := newRig(t, func(s *Settings) { s.Lookback = time.Hour })
	r.server.retention = start.Add(-30 * time.Minute)
	r.both()
	r.server.retention = time.Time{}
	r.now = r.now.Add(61 * time.Minute)
	r.both()
	if n := r.states()[usage.Empty]; n != 0 {
		t.Errorf("%d empty intervals after the second chance, want 0", n)
	}
	want, _ := r.truth(start.Add(-time.Hour), start.Add(time.Hour))
	if kwh, _, _ := r.site(); !near(float64(kwh), float64(want)) {
		t.Errorf("site used %v kWh, want %v", kwh, want)
	}
}

func TestAPartialAnswerStoresNothing(t *testing.T) {
	r := newRig(t)
	r.server.fault = func(url.Values) (int, string) {
		return 200, `{"status":"success","warnings":["a store is down"],"data":{"resultType":"matrix","result":[
			{"metric":{"cloud_project_name":"CLF"},"values":[[1782864000,"1"]]}]}}`
	}
	if err := r.energy(); err == nil {
		t.Error("a partial answer must be an error")
	}
	r.want(map[usage.State]int{usage.Missing: 48})
}

func TestAClockThatJumpsMakesNoFactsOfTheFuture(t *testing.T) {
	r := newRig(t)
	r.server.truth = func(i usage.Interval) map[usage.Series]usage.BusyIdle[usage.CPUSeconds] {
		if i.Start.After(start.Add(time.Hour)) {
			return nil // Prometheus has the right time
		}
		return r.cloud.Truth(i)
	}
	r.both()
	r.now = r.now.Add(24 * time.Hour)
	r.both()
	if n := r.states()[usage.Empty]; n == 0 {
		t.Error("no empty intervals while the clock is ahead")
	}
	r.server.truth = r.cloud.Truth
	r.now = r.now.Add(-22 * time.Hour)
	r.both()
	if n := r.states()[usage.Empty]; n != 0 {
		t.Errorf("%d intervals of the future are left, want 0", n)
	}
	for range 9 {
		r.now = r.now.Add(3 * time.Hour)
		r.both()
	}
	want, _ := r.truth(start.Add(-24*time.Hour), usage.FloorEpoch(r.now, 30*time.Minute))
	if kwh, _, _ := r.site(); !near(float64(kwh), float64(want)) {
		t.Errorf("site used %v kWh after all, want %v", kwh, want)
	}
}

func TestIntervalsOfOtherLengthsAddUpTheSame(t *testing.T) {
	want := newRig(t)
	want.now = want.now.Add(3 * time.Hour)
	want.both()
	kwh, _, grams := want.site()
	for _, length := range []time.Duration{10 * time.Minute, 45 * time.Minute, time.Hour, 24 * time.Hour} {
		r := newRig(t, func(s *Settings) { s.Interval = length; s.Lookback = 24 * time.Hour })
		r.now = want.now
		r.both()
		// The same stretch of time, as far as whole intervals cover it.
		sum := r.summary()
		from := usage.IntervalAt(r.now.Add(-24*time.Hour), length).Start
		to := usage.FloorEpoch(r.now.Add(-2*time.Minute), length)
		truth := r.truthOf(from, to)
		got, _, g := r.site()
		if !near(float64(got), float64(truth)) {
			t.Errorf("interval %v: %v kWh, want %v", length, got, truth)
		}
		if sum.Unpriced != 0 || g <= 0 {
			t.Errorf("interval %v: %v kWh unpriced, %v g", length, sum.Unpriced, g)
		}
		if per, all := float64(g)/float64(got), float64(grams)/float64(kwh); math.Abs(per-all) > 60 {
			t.Errorf("interval %v: %v g/kWh, the half hours have %v", length, per, all)
		}
	}
}

// truthOf is truth for borders that are not on half hours.
func (r *rig) truthOf(from, to time.Time) usage.KWh {
	var kwh usage.KWh
	for at := from; at.Before(to); at = at.Add(5 * time.Minute) {
		for _, cpu := range r.cloud.Truth(usage.Interval{Start: at, Length: 5 * time.Minute}) {
			kwh += usage.KWh((12*float64(cpu.Busy) + float64(cpu.Idle)) / 3_600_000)
		}
	}
	return kwh
}

// A stretch of time that Prometheus can no longer answer whole, or at all, is no
// dam before the others.
func TestAnIntervalThatAlwaysFailsDoesNotStopTheOthers(t *testing.T) {
	for _, test := range []struct {
		name string
		code int
		body string
	}{
		{"a store of the upstream that always warns", 200, `{"status":"success","warnings":["x"],"data":{"resultType":"matrix","result":[]}}`},
		{"a block that cannot be read", 500, "bad block"},
		{"a proxy that refuses old times", 400, "too old"},
		{"an answer that is cut off", 200, `{"status":"success","da`},
	} {
		r := newRig(t)
		bad := start.Add(-20 * time.Hour)
		r.server.fault = func(form url.Values) (int, string) {
			if touches(form, bad.Add(-1), bad) {
				return test.code, test.body
			}
			return 0, ""
		}
		for range 12 { // rounds, each of which ends with a pause
			if r.energy() == nil {
				break
			}
		}
		if n := r.states()[usage.Missing]; n != 1 {
			t.Errorf("%s: %d intervals are missing, want the one", test.name, n)
		}
	}
}

func TestSettlesByAgeWhenTheProviderSaysNoMore(t *testing.T) {
	r := newRig(t, func(s *Settings) { s.Lookback = time.Hour })
	r.both()
	r.server.fault = func(url.Values) (int, string) { return 503, "" }
	r.grid.SetFault(simulate.Down)
	r.now = start.Add(47 * time.Hour)
	r.carbon() //nolint:errcheck // it is down
	r.want(map[usage.State]int{usage.Provisional: 2})
	r.now = start.Add(48 * time.Hour)
	r.carbon() //nolint:errcheck // likewise
	r.want(map[usage.State]int{usage.Settled: 2})
}
