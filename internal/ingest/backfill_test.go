// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package ingest

import (
	"context"
	"database/sql"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/directory"
	"github.com/carbon-exporter/carbon_exporter/internal/intensity"
	"github.com/carbon-exporter/carbon_exporter/internal/simulate"
	"github.com/carbon-exporter/carbon_exporter/internal/source"
	"github.com/carbon-exporter/carbon_exporter/internal/upstream"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// between makes a server fail for questions about a moment in (from, to].
func between(from, to time.Time, status int, body string) func(url.Values) (int, string) {
	return func(form url.Values) (int, string) {
		if touches(form, from, to) {
			return status, body
		}
		return 0, ""
	}
}

// aged is a rig whose site has always been there.
func aged(t *testing.T, change ...func(*Settings)) *rig {
	t.Helper()
	r := newRig(t, change...)
	r.server.truth = steady
	return r
}

func TestWhatIsInARange(t *testing.T) {
	for _, c := range []struct {
		name     string
		over     Range
		interval time.Duration
		from, to string
		all      int
	}{
		{"two days", hours(-48, 0), 30 * time.Minute, "2026-06-29T00:00:00Z", "2026-07-01T00:00:00Z", 96},
		{"those that begin in it", hours(-1.3, -0.2), 30 * time.Minute, "2026-06-30T23:00:00Z", "2026-07-01T00:00:00Z", 2},
		{"a whole one that begins in it and ends behind it", hours(-1.5, -1.25), time.Hour, "2026-06-30T23:00:00Z", "2026-06-30T23:00:00Z", 0},
		{"none begins in it", hours(-0.4, -0.1), 30 * time.Minute, "2026-07-01T00:00:00Z", "2026-07-01T00:00:00Z", 0},
		{"what is not over is left out", hours(-1, 24), 30 * time.Minute, "2026-06-30T23:00:00Z", "2026-07-01T00:00:00Z", 2},
		{"nothing is over yet", hours(0, 24), 30 * time.Minute, "2026-07-01T00:00:00Z", "2026-07-01T00:00:00Z", 0},
		{"days", hours(-48, 0), 24 * time.Hour, "2026-06-29T00:00:00Z", "2026-07-01T00:00:00Z", 2},
		{"days of London are none of UTC", hours(-49, -1), 24 * time.Hour, "2026-06-29T00:00:00Z", "2026-07-01T00:00:00Z", 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := aged(t, func(s *Settings) { s.Interval = c.interval })
			done := r.mustBackfill(c.over)
			from, to := done.Whole.From.Format(time.RFC3339), done.Whole.To.Format(time.RFC3339)
			if from != c.from || done.All > 0 && to != c.to || done.All != c.all {
				t.Errorf("%d intervals from %s to %s, want %d from %s to %s", done.All, from, to, c.all, c.from, c.to)
			}
			if n := r.summary().States; n[usage.Provisional]+n[usage.Settled] != c.all {
				t.Errorf("%v are stored, want %d", n, c.all)
			}
		})
	}
}

// Days of which one has 23 hours, one 25, and the turn of a year: nothing is there
// twice and nothing is left out, by local days as well.
func TestABackfillOverTurnsOfTheClock(t *testing.T) {
	for _, c := range []struct {
		name     string
		from, to time.Time
		day      string
		slots    int
	}{
		{"spring", time.Date(2026, 3, 28, 22, 0, 0, 0, time.UTC), time.Date(2026, 3, 30, 2, 0, 0, 0, time.UTC), "2026-03-29", 46},
		{"autumn", time.Date(2025, 10, 25, 22, 0, 0, 0, time.UTC), time.Date(2025, 10, 27, 2, 0, 0, 0, time.UTC), "2025-10-26", 50},
		{"new year", time.Date(2025, 12, 30, 23, 0, 0, 0, time.UTC), time.Date(2026, 1, 1, 1, 0, 0, 0, time.UTC), "2025-12-31", 48},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := aged(t)
			done := r.mustBackfill(span(c.from, c.to))
			all := int(c.to.Sub(c.from) / (30 * time.Minute))
			wantDone(t, done, map[usage.State]int{usage.Settled: all}, 0, map[error]int{})
			zone := r.store.Timezone()
			day, err := time.ParseInLocation(time.DateOnly, c.day, zone)
			if err != nil {
				t.Fatal(err)
			}
			local := usage.Period{From: day, To: day.AddDate(0, 0, 1)}
			accounts, err := r.store.Accounts(t.Context(), local)
			if err != nil {
				t.Fatal(err)
			}
			var cpu, grams float64
			slots := 0
			for at := local.From.UTC(); at.Before(local.To); at = at.Add(usage.SlotLength) {
				slots++
				for _, used := range steady(usage.Interval{Start: at, Length: usage.SlotLength}) {
					cpu += float64(used.Total())
					grams += (12*float64(used.Busy) + float64(used.Idle)) / 3.6e6 * float64(simulate.Grid{Seed: 7}.Actual(at))
				}
			}
			site := accounts[0].By(usage.ScopeAda)[0]
			if slots != c.slots || !near(float64(site.CPU.Total()), cpu) || !near(float64(site.Emissions.Total()), grams) {
				t.Errorf("%d slots, %v s and %v g; want %d, %v and %v", slots, site.CPU.Total(), site.Emissions.Total(), c.slots, cpu, grams)
			}
		})
	}
}

func TestABackfillAsksForTheGridInLargeWindows(t *testing.T) {
	r := desert(t, func(s *Settings) { s.Interval = 24 * time.Hour })
	r.now = time.Date(2026, 2, 1, 0, 3, 0, 0, time.UTC)
	from := time.Date(2025, 12, 1, 0, 0, 0, 0, time.UTC)
	done := r.mustBackfill(span(from, r.now))
	if done.Stored[usage.Empty] != 62 || len(done.Windows) != 5 {
		t.Fatalf("%+v", done)
	}
	// 62 days in windows of 13, of which one is cut at new year, where the last slot
	// of a year has a request of its own.
	if n := r.grid.Requests(); n != 5+2 {
		t.Errorf("%d requests for %v", n, done.Windows)
	}
	slots, err := r.store.Slots(t.Context(), "uk", "GB", from, r.now)
	if err != nil || len(slots) != 62*48 {
		t.Errorf("%d slots are known, %v", len(slots), err)
	}
}

func TestABackfillAsksForAsMuchAsIsAnswered(t *testing.T) {
	for _, c := range []struct {
		name         string
		fault        func(url.Values) (int, string)
		most         int
		least, ceils int // questions, three a run of which nothing is known
	}{
		{"all of a day", nil, 0, 3 * 4, 3 * 4},
		{"a limit of samples", nil, 13, 3 * 16, 3 * 40},
		{"a query that takes too long", func(form url.Values) (int, string) {
			if over, _ := run(form); over.To.Sub(over.From) > 6*time.Hour {
				return 503, `{"status":"error","errorType":"timeout","error":"query timed out in expression evaluation"}`
			}
			return 0, ""
		}, 0, 3 * 16, 3 * 40},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := desert(t)
			r.hurry = true
			r.server.fault, r.server.most = c.fault, c.most
			done := r.mustBackfill(hours(-96, 0))
			if done.Stored[usage.Empty] != 192 || len(done.Failed) > 0 {
				t.Errorf("%+v", done)
			}
			if r.server.asked < c.least || r.server.asked > c.ceils {
				t.Errorf("asked %d times, want %d to %d", r.server.asked, c.least, c.ceils)
			}
		})
	}
}

// It grows again behind a stretch that was difficult.
func TestABackfillGrowsAgain(t *testing.T) {
	r := desert(t)
	r.hurry = true
	r.server.fault = between(start.Add(-20*24*time.Hour), start.Add(-19*24*time.Hour), 422,
		`{"status":"error","errorType":"execution","error":"too many samples"}`)
	asked := 0
	r.server.heard = func(*http.Request) { asked++ }
	done := r.mustBackfill(hours(-20*24, -15*24))
	if len(done.Failed) != 1 || done.Failed[0].Intervals != 48 {
		t.Fatalf("%+v", done.Failed)
	}
	if asked > 48*(2+2)+3*(4+3*12)+12 { // a refusal is asked for with less beside it, then by project
		t.Errorf("asked %d times", asked)
	}
}

func TestAnIntervalThatCannotBeHadIsSetAsideAndNoted(t *testing.T) {
	for _, c := range []struct {
		name, body string
		status     int
	}{
		{"too large on its own", `{"status":"error","errorType":"execution","error":"too many samples"}`, 422},
		{"a block that cannot be read", "bad block", 500},
		{"a proxy that refuses old times", "too old", 400},
		{"a store of the upstream that always warns", `{"status":"success","warnings":["x"],"data":{"resultType":"matrix","result":[]}}`, 200},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := aged(t, func(s *Settings) { s.Lookback = time.Hour })
				r.both()
				bad := usage.Interval{Start: start.Add(-27 * time.Hour), Length: 30 * time.Minute}
				r.server.fault = between(bad.Start, bad.End(), c.status, c.body)
				done := r.mustBackfill(hours(-30, -20))
				if len(done.Failed) != 1 || done.Failed[0].Intervals != 1 || !done.Failed[0].From.Equal(bad.Start) || done.Failed[0].Error == "" {
					t.Errorf("%+v", done.Failed)
				}
				r.want(map[usage.State]int{usage.Settled: 11, usage.Provisional: 10, usage.Missing: 1})
				if p := r.proof(bad); p.State != usage.Missing || p.Error != done.Failed[0].Error {
					t.Errorf("the ledger has %s because of %q", p.State, p.Error)
				}
				// Whoever comes first has it, the exporter or the same command again.
				r.server.fault = nil
				if err := r.energy(); err != nil {
					t.Fatal(err)
				}
				r.want(map[usage.State]int{usage.Settled: 12, usage.Provisional: 10})
				r.store.Close()
			})
		})
	}
}

// An answer that did not come is no part of the record, and a range that is given
// up goes on where it was.
func TestASourceThatIsAwayEndsABackfillThatGoesOnLater(t *testing.T) {
	down := doer(func(*http.Request) error {
		return &usage.Failure{Reason: usage.ReasonConnection, Err: errors.New("refused")}
	})
	for _, c := range []struct {
		name   string
		fault  func(url.Values) (int, string)
		client source.Doer
		longer time.Duration // than which it does not try
	}{
		{name: "nobody answers", client: down, longer: 6 * time.Minute},
		{name: "it never wants to be asked", fault: status(429), longer: 6 * time.Minute},
		{name: "a proxy says so", fault: status(502), longer: 10 * time.Minute},
		{name: "the password is wrong", fault: status(401), longer: time.Second},
		{name: "the question is wrong", fault: status(400), longer: time.Minute},
		{name: "no answer is whole", fault: broken("<html>"), longer: 10 * time.Minute},
		{name: "it hangs", client: doer(func(*http.Request) error {
			time.Sleep(2 * time.Minute)
			return &usage.Failure{Reason: usage.ReasonTimeout, TooLarge: true}
		}), longer: 30 * time.Minute},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := aged(t)
				r.mustBackfill(hours(-30, -28))
				r.server.fault = c.fault
				began := time.Now()
				done, err := r.backfill(hours(-30, 0), func(s *Settings) {
					if c.client != nil {
						was := s.Source.(*source.Client)
						s.Source = &source.Client{Upstream: c.client, URL: was.URL, Query: was.Query}
					}
				})
				if err == nil || !strings.Contains(err.Error(), "from 2026-06-") {
					t.Errorf("it ends with %v", err)
				}
				if took := time.Since(began); took > c.longer {
					t.Errorf("it has tried for %v", took)
				}
				if done.Had != 4 || done.Finished < 4 || done.Finished == done.All {
					t.Errorf("%+v", done)
				}
				r.server.fault = nil
				rest := r.mustBackfill(hours(-30, 0))
				if rest.Had != 4 || rest.Stored[usage.Settled]+rest.Stored[usage.Provisional] != 56 {
					t.Errorf("the rest is %+v", rest)
				}
				r.store.Close()
			})
		})
	}
}

// doer is an upstream that fails.
type doer func(*http.Request) error

func (d doer) Do(r *http.Request) (io.ReadCloser, error) { return nil, d(r) }

func (d doer) Failed(what string, err error) error { return (&upstream.Client{}).Failed(what, err) }

func TestBeforeRetentionIsEmptyAndNeverZero(t *testing.T) {
	r := aged(t)
	r.server.retention = start.Add(-27 * time.Hour)
	over := hours(-30, -20)
	wantDone(t, r.mustBackfill(over), map[usage.State]int{usage.Empty: 6, usage.Settled: 6, usage.Provisional: 8}, 0, map[error]int{})
	if n := len(r.scope("ada")); n != 14 {
		t.Errorf("%d intervals have usage, want 14", n)
	}
	before := r.dump()
	wantDone(t, r.mustBackfill(over), map[usage.State]int{usage.Empty: 6}, 14, map[error]int{})
	// What the source forgets later takes nothing away, whoever asks.
	r.server.retention = start.Add(-23 * time.Hour)
	wantDone(t, r.mustBackfill(over.restated()), map[usage.State]int{usage.Empty: 6, usage.Provisional: 6}, 0,
		map[error]int{usage.ErrForgotten: 8})
	if got := r.dump(); got != before {
		t.Errorf("the record differs:\n%s", firstDifference(got, before))
	}
	// An empty one is asked for once more by the exporter, and then no more.
	r.server.retention = time.Time{}
	r.now = r.now.Add(61 * time.Minute)
	r.both()
	if n := r.states()[usage.Empty]; n != 0 {
		t.Errorf("%d are empty after their second chance", n)
	}
}

func TestWhatIsSettledChangesByRestateAlone(t *testing.T) {
	r := aged(t)
	over := hours(-28, -20)
	r.mustBackfill(over)
	before := r.dump()
	double := func(i usage.Interval) map[usage.Series]usage.BusyIdle[usage.CPUSeconds] {
		all := steady(i)
		for s, cpu := range all {
			all[s] = cpu.Plus(cpu)
		}
		return all
	}
	r.server.truth = double
	wantDone(t, r.mustBackfill(over), map[usage.State]int{}, 16, map[error]int{})
	if got := r.dump(); got != before {
		t.Errorf("without --restate the record differs:\n%s", firstDifference(got, before))
	}
	was, _, _ := r.site()
	wantDone(t, r.mustBackfill(over.restated()), map[usage.State]int{usage.Settled: 8, usage.Provisional: 8}, 0, map[error]int{})
	if is, _, _ := r.site(); !near(float64(is), 2*float64(was)) {
		t.Errorf("the site used %v kWh, %v before", is, was)
	}
	first := usage.Interval{Start: start.Add(-28 * time.Hour), Length: 30 * time.Minute}
	changes := r.proof(first).Changes
	if len(changes) != 1 || changes[0].Why != usage.BecauseRestate || !near(float64(changes[0].EnergyIs), 2*float64(changes[0].EnergyWas)) {
		t.Errorf("changes are %+v", changes)
	}
}

func TestOneProjectIsDoneAgainAndTheOthersStay(t *testing.T) {
	r := aged(t, func(s *Settings) { s.Lookback = 4 * time.Hour })
	r.both()
	r.mustBackfill(hours(-30, -28))
	more := func(i usage.Interval) map[usage.Series]usage.BusyIdle[usage.CPUSeconds] {
		all := steady(i)
		for s, cpu := range all {
			all[s] = cpu.Plus(cpu)
		}
		return all
	}
	byProject := func() map[string]float64 {
		all := map[string]float64{}
		for _, t := range r.summary().Totals {
			all[t.Project] += float64(t.Energy.Total())
		}
		return all
	}
	was := byProject()
	r.server.truth = more
	over := hours(-30, 0)
	wantDone(t, r.mustBackfill(over.of("CLF")), map[usage.State]int{usage.Provisional: 8}, 0,
		map[error]int{usage.ErrSettled: 4, usage.ErrNoWhole: 48})
	wantDone(t, r.mustBackfill(over.of("CLF").restated()), map[usage.State]int{usage.Provisional: 8, usage.Settled: 4}, 0,
		map[error]int{usage.ErrNoWhole: 48})
	is := byProject()
	if !near(is["CLF"], 2*was["CLF"]) || is["IDAaaS"] != was["IDAaaS"] {
		t.Errorf("projects have %v, had %v", is, was)
	}
	before := r.dump()
	r.server.truth = steady
	wantDone(t, r.mustBackfill(over.of("CLF")), map[usage.State]int{}, 0,
		map[error]int{usage.ErrSettled: 4, usage.ErrNoWhole: 48, usage.ErrForgotten: 8})
	wantDone(t, r.mustBackfill(over.of("nobody").restated()), map[usage.State]int{usage.Provisional: 8, usage.Settled: 4}, 0,
		map[error]int{usage.ErrNoWhole: 48})
	if got := r.dump(); got != before {
		t.Errorf("an answer that has less, or nothing, changes the record:\n%s", firstDifference(got, before))
	}
	costly := func(s *Settings) { s.PUE = 2 }
	wantDone(t, r.mustBackfill(over.of("CLF").restated(), costly), map[usage.State]int{}, 0,
		map[error]int{usage.ErrNoWhole: 48, usage.ErrOtherFactors: 12})
}

func TestEnergyDoesNotWaitForTheGridAndIsPricedOnceItIsBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := aged(t)
		r.grid.SetFault(simulate.Down)
		done := r.mustBackfill(hours(-28, -20))
		if done.NoCarbon == nil || done.Unpriced != 16 {
			t.Errorf("%+v", done)
		}
		wantDone(t, done, map[usage.State]int{usage.Unpriced: 16}, 0, map[error]int{})
		if n := r.grid.Requests(); n > 3 {
			t.Errorf("a grid that is away was asked %d times", n)
		}
		r.grid.SetFault(simulate.Healthy)
		done = r.mustBackfill(hours(-28, -20))
		if done.Priced != 16 || done.Unpriced != 0 || done.NoCarbon != nil {
			t.Errorf("%+v", done)
		}
		r.want(map[usage.State]int{usage.Settled: 8, usage.Provisional: 8})

		// Back while it goes on.
		other := aged(t)
		other.grid.SetFault(simulate.Down)
		other.server.heard = func(*http.Request) { other.grid.SetFault(simulate.Healthy) }
		wantDone(t, other.mustBackfill(hours(-28, -20)), map[usage.State]int{usage.Settled: 8, usage.Provisional: 8}, 0, map[error]int{})
		if got, want := other.dump(), r.dump(); got != want {
			t.Errorf("the record differs:\n%s", firstDifference(got, want))
		}
		r.store.Close()
		other.store.Close()
	})
}

// A mistyped address is told of soon; a server that has answered may be restarting.
func TestHowLongAServerThatIsNotThereIsWaitedFor(t *testing.T) {
	for _, c := range []struct {
		name           string
		answers        int
		longer, within time.Duration
	}{
		{name: "it never was", longer: 5 * time.Second, within: 20 * time.Second},
		{name: "it has answered", answers: 6, longer: time.Minute, within: 6 * time.Minute},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := aged(t)
				began := time.Now()
				done, err := r.backfill(hours(-96, 0), func(s *Settings) {
					was := s.Source.(*source.Client)
					s.Source = &source.Client{Upstream: &leaving{was.Upstream, c.answers}, URL: was.URL, Query: was.Query}
				})
				if took := time.Since(began); took < c.longer || took > c.within {
					t.Errorf("given up after %v", took)
				}
				f := usage.FailureOf(err)
				if f == nil || f.Reason != usage.ReasonConnection || done.Finished == done.All || (done.Finished > 0) != (c.answers > 0) {
					t.Errorf("%+v, %v", done, err)
				}
				r.store.Close()
			})
		})
	}
}

// leaving is an upstream that is gone after some answers.
type leaving struct {
	source.Doer
	answers int
}

func (l *leaving) Do(r *http.Request) (io.ReadCloser, error) {
	if l.answers--; l.answers < 0 {
		return nil, &usage.Failure{Reason: usage.ReasonConnection, Err: errors.New("refused")}
	}
	return l.Doer.Do(r)
}

func TestADryRunAsksNobodyAndWritesNothing(t *testing.T) {
	r := aged(t)
	r.mustBackfill(hours(-72, -68))
	asked, grid, before := r.server.asked, r.grid.Requests(), r.dump()
	r.server.most = 1
	done := r.mustBackfill(hours(-24*20, 0).dry())
	if done.Had != 8 || done.Runs != 17+1+2 || len(done.Windows) != 2 || len(done.Stored) > 0 {
		t.Errorf("%+v", done)
	}
	if r.server.asked != asked || r.grid.Requests() != grid {
		t.Errorf("asked %d and %d times", r.server.asked-asked, r.grid.Requests()-grid)
	}
	if got := r.dump(); got != before {
		t.Errorf("the record differs:\n%s", firstDifference(got, before))
	}
}

func TestProgressIsTold(t *testing.T) {
	r := aged(t)
	r.server.most = 3
	tool := r.tool()
	var steps []Done
	tool.Step = func(d Done) { steps = append(steps, d) }
	done, err := tool.Backfill(t.Context(), hours(-9.2, -0.2))
	if err != nil || done.All != 18 {
		t.Fatalf("%+v, %v", done, err)
	}
	finished := 0
	for _, s := range steps {
		if s.Finished < finished || s.Finished > s.All || !s.At.Equal(s.Whole.From.Add(time.Duration(s.Finished)*30*time.Minute)) {
			t.Fatalf("%d of %d are done at %v after %d", s.Finished, s.All, s.At, finished)
		}
		finished = s.Finished
	}
	if len(steps) < 6 || finished != 18 {
		t.Errorf("%d steps to %d", len(steps), finished)
	}
}

// What an exporter would have kept by host, had it been there, is kept.
func TestABackfillKeepsUsageOfWorkspacesByHost(t *testing.T) {
	by := func(r *rig) map[string]usage.ActiveUsage {
		all, err := r.store.Active(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		active := map[string]usage.ActiveUsage{}
		for _, a := range all {
			active[a.Host] = a
		}
		return active
	}
	g := &registry{}
	g.census = directory.Census{People: people("ada"), Workspaces: []directory.Workspace{
		{Document: "1", Host: "10.0.0.1", Owner: "ada", Created: start.Add(-8 * time.Hour)},
		{Document: "2", Host: "10.0.0.2", Owner: "ada", Created: start.Add(-5 * time.Hour)},
		{Document: "3", Host: "10.0.0.3", Owner: "ada", Created: start.Add(-90 * time.Hour)},
	}}
	live := aged(t, g.settings, func(s *Settings) { s.Lookback = 12 * time.Hour })
	late := aged(t, g.settings, func(s *Settings) { s.Lookback = time.Hour })
	for _, r := range []*rig{live, late} {
		if err := r.learn(); err != nil {
			t.Fatal(err)
		}
		r.both()
	}
	late.mustBackfill(hours(-12, 0))
	late.now = late.now.Add(30 * time.Minute)
	live.now = late.now
	live.both()
	late.both()
	want, got := by(live), by(late)
	if len(want) != 3 {
		t.Fatalf("%d workspaces", len(want))
	}
	for host, w := range want {
		if g := got[host]; g.Energy != w.Energy || g.Estimated != 0 || !g.Started.Equal(w.Started) {
			t.Errorf("%s has %+v, want %+v", host, g, w)
		}
	}
}

func TestCancelledAnywhereItGoesOn(t *testing.T) {
	want := aged(t)
	want.mustBackfill(hours(-5, 0))
	r := aged(t)
	r.server.most = 3
	for n := 1; ; n++ {
		done, err := r.backfillUntil(r.cancelledAt(n), hours(-5, 0))
		if err == nil {
			if done.Had == 0 {
				t.Error("nothing was there before the last of many")
			}
			break
		}
		if !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
	}
	if got, want := r.dump(), want.dump(); got != want {
		t.Errorf("the record differs:\n%s", firstDifference(got, want))
	}
}

// Another program that writes for longer than is waited for does not end it.
func TestAStoreThatIsLockedForAWhileIsWaitedFor(t *testing.T) {
	t.Parallel() // it takes the five seconds that are waited
	r := aged(t)
	grid := &intensity.Static{Intensity: 1, GridName: "x", Now: func() time.Time { return r.now }}
	tool := r.tool(func(s *Settings) { s.Grid = Chain{grid} })
	slots, _, _ := grid.Slots(t.Context(), start.Add(-72*time.Hour), start)
	if _, err := r.store.SaveSlots(t.Context(), slots); err != nil { // so that the first that it writes is usage
		t.Fatal(err)
	}
	db, err := sql.Open("sqlite", "file:"+r.path+"?_txlock=immediate")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	tx, err := db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback() //nolint:errcheck // it was, long before
	tool.Log = slog.New(slog.NewTextHandler(writer(func(line string) {
		if strings.Contains(line, "trying again") {
			tx.Rollback() //nolint:errcheck // the test would not end well
		}
	}), nil))
	done, err := tool.Backfill(t.Context(), hours(-72, -70))
	if err != nil || done.Stored[usage.Settled] != 4 {
		t.Errorf("%+v, %v", done, err)
	}
}

type writer func(string)

func (w writer) Write(p []byte) (int, error) {
	w(string(p))
	return len(p), nil
}

func TestAShortIntervalIsNotAskedForByTheDay(t *testing.T) {
	r := desert(t, func(s *Settings) { s.Interval = time.Minute })
	if done := r.mustBackfill(hours(-10, 0)); done.Runs != 3 || done.Stored[usage.Empty] != 600 {
		t.Errorf("%+v", done)
	}
}
