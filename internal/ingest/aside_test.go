// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package ingest

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// An interval that failed on its own is in soon after the server has recovered, not
// when its time is up.
func TestTheFirstGoodAnswerTakesUpWhatWasPutOff(t *testing.T) {
	for _, fault := range []func(url.Values) (int, string){status(500), status(422), broken("<html>")} {
		r := newRig(t, func(s *Settings) { s.Lookback = time.Hour })
		bad := start // the end of the interval
		r.server.fault = func(form url.Values) (int, string) {
			if touches(form, bad.Add(-1), bad) {
				return fault(form)
			}
			return 0, ""
		}
		for range 9 { // many attempts: its next is far away
			r.energy() //nolint:errcheck // failing is the point
			r.now = r.now.Add(3 * time.Minute)
		}
		if n := r.states()[usage.Missing]; n != 1 {
			t.Fatalf("%d intervals are missing, want one", n)
		}
		r.server.fault = nil
		r.now = start.Add(33 * time.Minute)
		for range 2 {
			if err := r.energy(); err != nil {
				t.Fatal(err)
			}
			r.now = r.now.Add(time.Minute)
		}
		if n := r.states()[usage.Missing]; n != 0 {
			t.Errorf("%d intervals are missing two minutes after the server answers again", n)
		}
	}
}

// A backend is away for a minute, and what is left of the server says that every
// question is too large.
func TestAMinuteOfRefusalsDelaysByMinutes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.use(New(r.store, silent{}, quiet, shifted(), r.spine.current()))
		var asked atomic.Int64
		var well atomic.Bool
		r.server.heard = func(*http.Request) { asked.Add(1) }
		r.server.fault = func(form url.Values) (int, string) {
			if well.Load() {
				return 0, ""
			}
			return status(422)(form)
		}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { defer close(done); r.spine.Run(ctx) }()
		time.Sleep(20 * time.Second)
		if n := asked.Load(); n > 30 {
			t.Errorf("%d questions in 20 seconds", n)
		}
		time.Sleep(40 * time.Second)
		well.Store(true)
		time.Sleep(3 * time.Minute)
		cancel()
		<-done
		if n := r.states()[usage.Missing]; n != 0 {
			t.Errorf("%d of 48 intervals are missing three minutes after it is over", n)
		}
		r.store.Close()
	})
}

// The same for a command: of two days, at most the first few intervals are set aside.
func TestAMinuteOfRefusalsDelaysABackfillByMinutes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := aged(t)
		began := time.Now()
		early := 0
		r.server.heard = func(*http.Request) {
			if time.Since(began) < 20*time.Second {
				early++
			}
		}
		r.server.fault = func(form url.Values) (int, string) {
			if time.Since(began) > time.Minute {
				return 0, ""
			}
			return status(422)(form)
		}
		done, err := r.backfill(hours(-48, 0))
		if err != nil || early > 30 {
			t.Errorf("%d questions in 20 seconds, %v", early, err)
		}
		failed := 0
		for _, gap := range done.Failed {
			failed += gap.Intervals
		}
		if failed > fewInARow || time.Since(began) > 3*time.Minute {
			t.Errorf("%d intervals of 96 were set aside; it took %v", failed, time.Since(began))
		}
		if done := r.mustBackfill(hours(-48, 0)); len(done.Failed) > 0 || done.Had != 96-failed {
			t.Errorf("done again: %+v", done)
		}
		r.store.Close()
	})
}

// What fails each time is not asked for with every good answer.
func TestWhatFailsEachTimeIsAskedForMoreAndMoreSeldom(t *testing.T) {
	var a aside
	now := start
	taken := 0
	for range 600 { // one good answer a second, for ten minutes
		if all := a.takeUp(now); len(all) > 0 {
			taken++
		}
		a.add(usage.IntervalAt(start, usage.SlotLength))
		now = now.Add(time.Second)
	}
	if taken < 8 || taken > 14 {
		t.Errorf("taken up %d times in ten minutes", taken)
	}
	for n := range 2 * asideAtOnce {
		a.add(usage.IntervalAt(start.Add(time.Duration(n)*time.Hour), usage.SlotLength))
	}
	if n := len(a.intervals); n > asideAtOnce {
		t.Errorf("%d are remembered", n)
	}
	a.notBefore = now.Add(1000 * time.Hour) // by a clock that ran ahead
	if len(a.takeUp(now)) == 0 {
		t.Error("a clock that was put right leaves them")
	}
}

func TestAClockThatIsWrongAtTheStartWritesNothingDown(t *testing.T) {
	r := newRig(t, func(s *Settings) { s.Lookback = 2 * time.Hour })
	r.both()
	before := r.dump()
	right := r.now
	for _, wrong := range []time.Time{time.Unix(0, 0), right.AddDate(-57, 0, 0), right.AddDate(-2, 0, 0), right.AddDate(0, 0, -3)} {
		r.now = wrong
		r.restart()
		if err := r.energy(); err == nil || !strings.Contains(err.Error(), "the clock is wrong") {
			t.Errorf("at %v: %v", wrong, err)
		}
		if after := r.dump(); after != before {
			t.Errorf("at %v the store has become\n%s", wrong, firstDifference(after, before))
		}
	}
	r.now = right.Add(30 * time.Minute)
	r.restart()
	r.both()
	r.want(map[usage.State]int{usage.Provisional: 5})
}

func TestAClockThatRanAheadLeavesNothingForEver(t *testing.T) {
	r := newRig(t, func(s *Settings) { s.Lookback = 2 * time.Hour })
	r.both()
	right := r.now
	var said bytes.Buffer
	r.use(New(r.store, silent{}, slog.New(slog.NewTextHandler(&said, nil)), r.spine.Clock, r.spine.current()))
	r.server.fault = status(http.StatusInternalServerError)
	r.now = right.AddDate(2, 0, 0)
	r.energy() //nolint:errcheck // nobody has anything of then
	if n := r.states()[usage.Missing]; n > 5 {
		t.Errorf("%d intervals of two years are missing, want those of the lookback", n)
	}
	if !strings.Contains(said.String(), "carbontool backfill") {
		t.Errorf("said is %q", said.String())
	}
	r.server.fault = nil
	r.now = right.Add(30 * time.Minute)
	r.restart()
	r.both()
	r.want(map[usage.State]int{usage.Provisional: 5})
}

// An outage that is long, but can be one, is caught up with.
func TestAnOutageOfWeeksIsCaughtUpWith(t *testing.T) {
	r := aged(t, func(s *Settings) { s.Lookback = time.Hour })
	r.both()
	r.now = r.now.Add(20 * 24 * time.Hour)
	r.restart()
	r.both()
	if n := r.states()[usage.Missing]; n != 0 {
		t.Errorf("%d are missing", n)
	}
	if n := r.states()[usage.Settled] + r.states()[usage.Provisional]; n != 2+20*48 {
		t.Errorf("%d intervals have usage", n)
	}
}

func TestNothingBeginsBeforeTheProgramWasBuilt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		clock := shifted()
		var asked, said atomic.Int64
		r.server.heard = func(*http.Request) { asked.Add(1) }
		log := slog.New(slog.NewTextHandler(writes(func(line string) {
			if strings.Contains(line, "The clock is wrong") {
				said.Add(1)
			}
		}), nil))
		s := New(r.store, silent{}, log, clock, r.spine.current())
		s.Built = clock.Now().Add(clockMargin + time.Hour)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { defer close(done); s.Run(ctx) }()
		time.Sleep(50 * time.Minute)
		if asked.Load() > 0 || said.Load() != 1 {
			t.Errorf("asked %d times; said so %d times", asked.Load(), said.Load())
		}
		time.Sleep(20 * time.Minute) // it is set
		if asked.Load() == 0 {
			t.Error("a clock that is right now is still waited for")
		}
		cancel()
		<-done
		r.store.Close()
	})
}

// writes is told of each line of a log.
type writes func(line string)

func (w writes) Write(line []byte) (int, error) {
	w(string(line))
	return len(line), nil
}

// A clock that ran ahead has fetched intensity of intervals that were open: what it
// knew then was a forecast, which must not be taken for the last word once the clock
// is right, and is asked for again.
func TestIntensityThatWasFetchedInTheFutureIsNotFinal(t *testing.T) {
	r := newRig(t, func(s *Settings) { s.Lookback = 2 * time.Hour })
	r.both()
	r.want(map[usage.State]int{usage.Provisional: 4})
	set, right := r.spine.current(), r.now
	open := usage.Period{From: right.Add(-2 * time.Hour), To: right}
	slots, err := r.store.Slots(t.Context(), set.Grid[0].Provider(), set.Grid[0].Grid(), open.From, open.To)
	if err != nil || len(slots) == 0 {
		t.Fatal(slots, err)
	}
	for i := range slots {
		wrong := usage.GramsPerKWh(999)
		slots[i].Forecast, slots[i].FetchedAt = &wrong, right.AddDate(2, 0, 0)
	}
	if _, err := r.store.SaveSlots(t.Context(), slots); err != nil {
		t.Fatal(err)
	}
	r.restart()
	if _, err := r.spine.carbonLoop().pricer.reprice(t.Context(), set, func(usage.Interval) bool { return true }); err != nil {
		t.Fatal(err)
	}
	r.want(map[usage.State]int{usage.Provisional: 4})
	w := &windows{fetcher: &fetcher{store: r.store, observer: silent{}, clock: r.spine.Clock}, set: set}
	if w.final(t.Context(), open) {
		t.Error("a backfill would not ask again")
	}
	r.now = right.Add(time.Minute)
	r.restart()
	r.both()
	slots, err = r.store.Slots(t.Context(), set.Grid[0].Provider(), set.Grid[0].Grid(), open.From, open.To)
	if err != nil {
		t.Fatal(err)
	}
	for _, slot := range slots {
		if *slot.Forecast == 999 || slot.FetchedAt.After(r.now) {
			t.Errorf("after the clock was put right the slot of %v has forecast %v, fetched at %v", slot.From, *slot.Forecast, slot.FetchedAt)
		}
	}
}
