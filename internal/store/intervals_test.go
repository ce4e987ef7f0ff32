// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/sqlite"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

func schedule(t *testing.T, s *Store, first usage.Interval, until time.Time) {
	t.Helper()
	if _, err := s.Schedule(t.Context(), first, until); err != nil {
		t.Fatal(err)
	}
}

// due is the number of each interval that is due, with its state and attempts
// where they are not the usual.
func due(t *testing.T, s *Store, now time.Time, limit int) string {
	t.Helper()
	run, err := s.Due(t.Context(), now, limit)
	if err != nil {
		t.Fatal(err)
	}
	var words []string
	for _, d := range run {
		word := fmt.Sprint(int(d.Start.Sub(epoch) / half))
		if d.State != usage.Missing {
			word += string(d.State)
		}
		if d.Attempts > 0 {
			word += fmt.Sprintf("(%d)", d.Attempts)
		}
		words = append(words, word)
	}
	return strings.Join(words, " ")
}

func want(t *testing.T, what, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("%s: %q, want %q", what, got, want)
	}
}

func TestScheduleAndDue(t *testing.T) {
	s := newStore(t)
	now := at(3).End()
	want(t, "before anything is scheduled", due(t, s, now, 9), "")
	schedule(t, s, at(1), now.Add(-time.Second))
	want(t, "a first start begins with the interval given, and the last is not whole", due(t, s, now, 9), "1 2")
	schedule(t, s, at(0), now)
	want(t, "then it goes on after the newest known", due(t, s, now, 9), "1 2 3")
	want(t, "at most so many", due(t, s, now, 2), "1 2")

	commit(t, s, threeKeys(at(2)))
	want(t, "a run ends where something is known", due(t, s, now, 9), "1")
	commit(t, s, threeKeys(at(1)))
	want(t, "and the next begins after it", due(t, s, now, 9), "3")

	later := at(200).Start
	schedule(t, s, at(150), later)
	want(t, "catching up leaves no hole", due(t, s, later, 4), "3 4 5 6")
	if n := summary(t, s).States[usage.Missing]; n != 197 {
		t.Errorf("%d missing, want 197", n)
	}
	before := dump(t, s)
	schedule(t, s, at(150), later)
	if dump(t, s) != before {
		t.Error("scheduling again changed something")
	}
}

func TestEmptyIsAskedOnceMore(t *testing.T) {
	s := newStore(t)
	now := at(2).End()
	schedule(t, s, at(1), now)
	empty := with(usage.Record{Interval: at(1), State: usage.Empty, FetchedAt: now}, usage.Policy{AskAgain: now.Add(time.Hour)})
	commit(t, s, empty)
	want(t, "not at once", due(t, s, now, 9), "2")
	want(t, "but an hour later", due(t, s, now.Add(time.Hour), 9), "1empty 2")
	if err := s.Failed(t.Context(), []usage.Interval{at(1)}, errors.New("refused"), now.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	want(t, "a failure is no answer", due(t, s, now.Add(time.Hour), 9), "1empty(1) 2")
	empty.AskAgain = time.Time{}
	commit(t, s, empty)
	want(t, "never a third time", due(t, s, now.Add(48*time.Hour), 9), "2")
	if n := len(readRows(t, s.reader, "SELECT 1 FROM fact_usage")) + len(readRows(t, s.reader, "SELECT 1 FROM usage_fact")); n != 0 {
		t.Errorf("an empty interval has %d rows", n)
	}
	commit(t, s, threeKeys(at(1)))
	if state, _ := stateOf(t, s, at(1)); state != usage.Unpriced {
		t.Errorf("with facts it is %s", state)
	}
}

func TestFailedIsTriedAgain(t *testing.T) {
	s := newStore(t)
	now := at(2).End()
	schedule(t, s, at(1), now)
	fail := func(i usage.Interval, retry time.Time) {
		t.Helper()
		if err := s.Failed(t.Context(), []usage.Interval{i}, errors.New("connection refused"), retry); err != nil {
			t.Fatal(err)
		}
	}
	fail(at(1), now.Add(time.Minute))
	want(t, "put off for a minute", due(t, s, now, 9), "2")
	want(t, "the minute is over", due(t, s, now.Add(time.Minute), 9), "1(1) 2")
	if state, why := stateOf(t, s, at(1)); state != usage.Missing || why != "connection refused" {
		t.Errorf("state %s because of %q", state, why)
	}
	fail(at(1), now.Add(24*time.Hour))
	want(t, "put off by a clock that ran ahead", due(t, s, now, 9), "1(2) 2")
	commit(t, s, threeKeys(at(1)))
	if _, why := stateOf(t, s, at(1)); why != "" {
		t.Errorf("an answer leaves the error %q behind", why)
	}
	before := dump(t, s)
	fail(at(1), now)
	if dump(t, s) != before {
		t.Error("a late failure has changed an interval that has facts")
	}
}

func TestAClockAheadLeavesNoFuture(t *testing.T) {
	s := newStore(t)
	now := at(2).End()
	schedule(t, s, at(1), now)
	commit(t, s, threeKeys(at(1)), threeKeys(at(2)))
	ahead := now.Add(24 * time.Hour)
	schedule(t, s, at(1), ahead)
	commit(t, s, with(usage.Record{Interval: at(3), State: usage.Empty, FetchedAt: ahead}, usage.Policy{AskAgain: ahead.Add(time.Hour)}))
	schedule(t, s, at(1), now)
	if rows := readRows(t, s.reader, "SELECT start FROM usage_interval WHERE start >= ?", now.Unix()); len(rows) != 0 {
		t.Errorf("%d intervals of the future", len(rows))
	}
	schedule(t, s, at(1), at(4).End())
	want(t, "their time comes as if nothing had been", due(t, s, at(4).End(), 9), "3 4")
}

func TestPendingIsWhatMayStillChange(t *testing.T) {
	s := newStore(t)
	schedule(t, s, at(0), at(4).End())
	commit(t, s,
		withPrice(threeKeys(at(3)), 200, usage.Provisional), threeKeys(at(1)), withPrice(threeKeys(at(2)), 150, usage.Settled),
		usage.Record{Interval: at(4), State: usage.Empty, FetchedAt: at(5).Start})
	pending, err := s.Pending(t.Context())
	if err != nil || len(pending) != 2 {
		t.Fatalf("%+v, %v", pending, err)
	}
	if p := pending[0]; p.Interval != at(1) || p.State != usage.Unpriced || p.Prices != nil {
		t.Errorf("first %+v", p)
	}
	if p := pending[1]; p.Interval != at(3) || p.State != usage.Provisional || len(p.Prices) != 1 || p.Prices[0] != priced(at(3), 200)[0] {
		t.Errorf("second %+v", p)
	}
	sum := summary(t, s)
	for _, state := range usage.States() {
		if sum.States[state] != 1 {
			t.Errorf("%d %s, want 1", sum.States[state], state)
		}
	}
}

// stateOf is the state of an interval and why the last attempt to fetch it failed.
func stateOf(t *testing.T, s *Store, i usage.Interval) (usage.State, string) {
	t.Helper()
	p, err := s.Proof(t.Context(), i)
	if err != nil {
		t.Fatal(err)
	}
	return p.State, p.Error
}

func TestAnIntervalThatNobodyKnows(t *testing.T) {
	s := newStore(t)
	if state, why := stateOf(t, s, at(1)); state != usage.Unasked || why != "" {
		t.Errorf("it is %s because of %q", state, why)
	}
	if sum := summary(t, s); sum.Newest != nil || len(sum.Totals) != 0 || sum.Unpriced != 0 {
		t.Errorf("an empty store knows %+v", sum)
	}
}

// recordOf is an interval as stored; usage.ErrPruned if its per-key rows were deleted.
func recordOf(t *testing.T, s *Store, i usage.Interval) (rec usage.Record, err error) {
	t.Helper()
	err = s.read(t.Context(), func(tx *sqlite.Tx) error {
		naming, err := s.names.in(t.Context(), tx)
		if err != nil {
			return err
		}
		rec, err = readRecord(t.Context(), tx, naming, i)
		return err
	})
	return rec, err
}
