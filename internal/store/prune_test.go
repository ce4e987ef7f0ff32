// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"errors"
	"fmt"
	"math/rand"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

const keptDays = 8

// pruneAll takes all steps there are, and wants each of them to be short.
func pruneAll(tb testing.TB, s *Store, now time.Time, follower string) (all usage.Pruned) {
	tb.Helper()
	for {
		p, err := s.Prune(tb.Context(), now, keptDays*day, follower)
		if err != nil {
			tb.Fatal(err)
		}
		if all.Waiting = p.Waiting; !p.More {
			return all
		}
		if p.Intervals == 0 || p.Facts > 2*pruneAtOnce {
			tb.Fatalf("a step took %d intervals and %d facts", p.Intervals, p.Facts)
		}
		all.Intervals, all.Facts, all.Until = all.Intervals+p.Intervals, all.Facts+p.Facts, p.Until
	}
}

// settledDay commits some intervals of a day after the epoch, all of them settled.
func settledDay(tb testing.TB, s *Store, d int) {
	tb.Helper()
	for _, n := range []int{0, 1, 20, 47} {
		commit(tb, s, withPrice(threeKeys(at(48*d+n)), 200, usage.Settled))
	}
}

// prunedDays lists the days after the epoch that have something pruned, and says
// of those that have not lost everything.
func prunedDays(tb testing.TB, s *Store) string {
	tb.Helper()
	var days []string
	for _, row := range readRows(tb, s.reader, `SELECT (start - ?) / 86400, sum(pruned), count(*) FROM usage_interval
		WHERE state = 'settled' GROUP BY 1 HAVING sum(pruned) > 0 ORDER BY 1`, epoch.Unix()) {
		name := fmt.Sprint(row[0])
		if row[1] != row[2] {
			name += " in part"
		}
		days = append(days, name)
	}
	return strings.Join(days, ", ")
}

func TestWhichDaysArePruned(t *testing.T) {
	const newest = 20 // the day that goes on
	now := at(48*newest + 30).End()
	for _, tc := range []struct {
		name     string
		change   func(*testing.T, *Store)
		now      time.Time
		follower string
		want     string
		waiting  int
	}{
		{name: "those that ended before what is to be kept", want: "0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11"},
		{
			name: "not one that a clock which runs ahead takes for old", now: now.Add(365 * day),
			want: "0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11",
		},
		{name: "none by a clock that runs behind", now: epoch, want: ""},
		{
			name: "not one that has an interval which may be restated, but those behind it",
			change: func(t *testing.T, s *Store) {
				commit(t, s, withPrice(threeKeys(at(48*3+5)), 200, usage.Provisional), threeKeys(at(48*5+5)))
			},
			want: "0, 1, 2, 4, 6, 7, 8, 9, 10, 11", waiting: 8,
		},
		{
			name: "not one of which something is missing",
			change: func(t *testing.T, s *Store) {
				execute(t, s.writer, "INSERT INTO usage_interval(start, seconds, state) VALUES (?, 1800, 'missing')", at(48*2+7).Start.Unix())
			},
			want: "0, 1, 3, 4, 5, 6, 7, 8, 9, 10, 11", waiting: 4,
		},
		{
			name: "one that is empty in part",
			change: func(t *testing.T, s *Store) {
				commit(t, s, usage.Record{Interval: at(48 + 7), State: usage.Empty, FetchedAt: at(99).Start})
			},
			want: "0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11",
		},
		{name: "nothing before a follower that never began has it", follower: "f", want: "", waiting: 48},
		{
			name: "those that the follower has", follower: "f",
			change: func(t *testing.T, s *Store) {
				replica{}.follow(t, s, "f", 50)
				commit(t, s, with(withPrice(threeKeys(at(48*4+1)), 100, usage.Settled), usage.Policy{Restate: true}))
			},
			want: "0, 1, 2, 3, 5, 6, 7, 8, 9, 10, 11", waiting: 4,
		},
		{
			name: "whatever somebody lacks who is no follower any more", follower: "f",
			change: func(t *testing.T, s *Store) {
				arrived(t, s, "gone", 1)
				replica{}.follow(t, s, "f", 50)
			},
			want: "0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11",
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := newStore(t)
			for d := range newest {
				settledDay(t, s, d)
			}
			commit(t, s, threeKeys(at(48*newest+30)))
			if tc.change != nil {
				tc.change(t, s)
			}
			if tc.now.IsZero() {
				tc.now = now
			}
			done := pruneAll(t, s, tc.now, tc.follower)
			if got := prunedDays(t, s); got != tc.want {
				t.Errorf("pruned are the days %s, want %s", got, tc.want)
			}
			if n := len(readRows(t, s.reader, "SELECT 1 FROM usage_interval WHERE pruned = 1")); done.Intervals != n || done.Facts != 3*n || done.Waiting != tc.waiting {
				t.Errorf("said to be done: %+v, want %d intervals, and %d that wait", done, n, tc.waiting)
			}
			if again := pruneAll(t, s, tc.now, tc.follower); again.Intervals > 0 {
				t.Errorf("again it does %+v", again)
			}
		})
	}
}

func TestAStoreWithoutUsageHasNothingToPrune(t *testing.T) {
	s := newStore(t)
	schedule(t, s, at(0), at(99).Start)
	if done := pruneAll(t, s, at(9999).Start, ""); done != (usage.Pruned{}) {
		t.Errorf("done is %+v", done)
	}
}

// All that can be seen without facts at key grain is as it was: sums, by member, by
// day and of all time, states, prices and what numbers were made with.
func TestPruningChangesNoNumber(t *testing.T) {
	for seed, name := range zones[:2] {
		t.Run(name, func(t *testing.T) {
			s := openStore(t, filepath.Join(t.TempDir(), "carbon.db"), Options{Exclusive: true, Interval: half, Timezone: zone(t, name)})
			r := rand.New(rand.NewSource(int64(seed)))
			const intervals = 48 * 14
			for n := range intervals {
				if r.Intn(4) > 0 {
					rec := randomRecord(r, usage.Interval{Start: clockChange.Add(time.Duration(n) * half), Length: half})
					rec = withPrice(rec, 100+float64(n), usage.Settled)
					if r.Intn(300) == 0 {
						rec.State = usage.Provisional
					}
					commit(t, s, rec)
				}
			}
			local := clockChange.In(zone(t, name))
			var days []usage.Period
			for n := range 15 {
				from := time.Date(local.Year(), local.Month(), local.Day()+n-1, 0, 0, 0, 0, local.Location())
				days = append(days, usage.Period{From: from, To: from.AddDate(0, 0, 1)})
			}
			before, was, seen := summary(t, s), keysOf(t, s, days), dump(t, s)
			done := pruneAll(t, s, clockChange.Add(99*day), "")
			if done.Intervals == 0 {
				t.Fatal("nothing was pruned")
			}
			if after := summary(t, s); !reflect.DeepEqual(after, before) {
				t.Errorf("the summary was\n%+v\nit is\n%+v", before, after)
			}
			if is := keysOf(t, s, days); !reflect.DeepEqual(is, was) {
				t.Error("days have other sums")
			}
			// Of the rows, only those of usage_fact, the hosts in doubt, and what says that they are gone.
			differ := map[string]bool{}
			for _, line := range changedLines(seen, dump(t, s)) {
				differ[strings.Fields(line)[0]] = true
			}
			if want := map[string]bool{"usage_fact": true, "usage_interval": true, "pruned_key": true, "interval_doubt": true}; !reflect.DeepEqual(differ, want) {
				t.Errorf("rows differ in %v", differ)
			}
			holdSums(t, s)
			for _, row := range readRows(t, s.reader, `SELECT i.start, i.pruned, EXISTS (SELECT 1 FROM usage_fact f WHERE f.start = i.start)
				FROM usage_interval i WHERE pruned = (SELECT count(*) > 0 FROM usage_fact f WHERE f.start = i.start)`) {
				t.Errorf("pruned and facts do not agree: %v", row)
			}
		})
	}
}

func keysOf(tb testing.TB, s *Store, periods []usage.Period) (all [][]usage.Total) {
	tb.Helper()
	for _, p := range periods {
		all = append(all, account(tb, s, p).Keys())
	}
	return all
}

func changedLines(a, b string) (lines []string) {
	times := map[string]int{}
	for line := range strings.Lines(a) {
		times[line]++
	}
	for line := range strings.Lines(b) {
		times[line]--
	}
	for line, n := range times {
		if n != 0 {
			lines = append(lines, line)
		}
	}
	return lines
}

func TestAPrunedIntervalIsLeftAlone(t *testing.T) {
	s := newStore(t)
	for d := range 12 {
		settledDay(t, s, d)
	}
	pruneAll(t, s, at(48*12).Start, "")
	before := dump(t, s)
	again := with(withPrice(threeKeys(at(1)), 100, usage.Settled), usage.Policy{Restate: true})
	for name, err := range map[string]error{
		"restated":    commitOne(t.Context(), s, again),
		"found empty": commitOne(t.Context(), s, usage.Record{Interval: at(1), State: usage.Empty, FetchedAt: at(9).Start}),
		"given back":  func() error { _, err := recordOf(t, s, at(1)); return err }(),
		"a part of it": func() error {
			_, err := s.Accounts(t.Context(), usage.Period{From: at(1).Start, To: at(90).Start})
			return err
		}(),
	} {
		if !errors.Is(err, usage.ErrPruned) {
			t.Errorf("%s: %v, want that it is pruned", name, err)
		}
	}
	if err := reprice(t.Context(), s, at(1), priced(at(1), 50), usage.Settled); !errors.Is(err, usage.ErrPruned) {
		t.Errorf("priced anew: %v", err)
	}
	if outcomes, err := commitAll(t.Context(), s, again); err != nil || !errors.Is(outcomes[0].Left, usage.ErrPruned) {
		t.Errorf("of a run: %v, %v", outcomes, err)
	}
	if after := dump(t, s); after != before {
		t.Errorf("it was\n%s\nand is\n%s", before, after)
	}
}

// What a backfill adds to a day that was pruned counts, and goes in its turn.
func TestAHoleInAPrunedDayCanBeFilled(t *testing.T) {
	s, whole := newStore(t), newStore(t)
	late := withPrice(threeKeys(at(9)), 200, usage.Settled)
	for d := range 12 {
		settledDay(t, s, d)
		settledDay(t, whole, d)
	}
	commit(t, whole, late)
	now := at(48 * 12).Start
	pruneAll(t, s, now, "")
	commit(t, s, late)
	if got, want := summary(t, s), summary(t, whole); !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if done := pruneAll(t, s, now, ""); done.Intervals != 1 {
		t.Errorf("pruned are %d intervals more, want 1", done.Intervals)
	}
	if got, want := summary(t, s), summary(t, whole); !reflect.DeepEqual(got, want) {
		t.Errorf("pruned: got %+v, want %+v", got, want)
	}
}

// When a key was last used is known also if that usage is not kept, and if usage
// that is newer is taken back.
func TestTheLastUsageOfAKeyIsKnownOnceItIsPruned(t *testing.T) {
	s := newStore(t)
	for d := range 12 {
		settledDay(t, s, d)
	}
	other := key("p", "m", "u", "g")
	last := func(k usage.Key) time.Time {
		totals := summary(t, s).Totals
		i := slices.IndexFunc(totals, func(t usage.Total) bool { return t.Key == k })
		if i < 0 {
			t.Fatalf("%v has no total", k)
		}
		return totals[i].Last
	}
	commit(t, s,
		withPrice(unpriced(at(2), fact(other, at(2).Start, 1, 1)), 200, usage.Settled),
		withPrice(unpriced(at(48*12), fact(other, at(48*12).Start, 1, 1)), 200, usage.Provisional))
	// An older day that waits is no newer for being kept.
	execute(t, s.writer, "INSERT INTO usage_interval(start, seconds, state) VALUES (?, 1800, 'missing')", at(-48).Start.Unix())
	commit(t, s, withPrice(unpriced(at(-47), fact(other, at(-47).Start, 1, 1)), 200, usage.Settled))
	pruneAll(t, s, at(48*12).End(), "")
	if got := last(other); !got.Equal(at(48 * 12).Start) {
		t.Errorf("last was %v", got)
	}
	commit(t, s, withPrice(unpriced(at(48*12), fact(artemisA, at(48*12).Start, 1, 1)), 200, usage.Provisional))
	if got := last(other); !got.Equal(at(2).Start) {
		t.Errorf("once the newest is taken back, last was %v, want %v", got, at(2).Start)
	}
}

func TestWhoFollowsLaterGetsWhatIsKept(t *testing.T) {
	s := newStore(t)
	for d := range 12 {
		settledDay(t, s, d)
	}
	followed := replica{}
	followed.follow(t, s, "f", 9)
	pruneAll(t, s, at(48*12).Start, "f")
	late := replica{}
	late.follow(t, s, "late", 7)
	if len(followed) != 48 || len(late) != 48-4*4 {
		t.Errorf("%d intervals followed, later %d", len(followed), len(late))
	}
	for start, p := range late {
		if !reflect.DeepEqual(p, followed[start]) {
			t.Errorf("%s: %+v, want %+v", start, p, followed[start])
		}
	}
	// A person who is forgotten revises also what is not there any more.
	forgetNow(t, s, "a")
	if n, err := s.RollupsPending(t.Context(), "f"); err != nil || n != 48-4*4 {
		t.Errorf("%d to send on, %v, want those that are kept", n, err)
	}
	for _, p := range postings(t, s, "f", 99) {
		if len(p.Users) == 0 {
			t.Errorf("%s would be made nobody's", p.Interval)
		}
	}
}

func TestAnotherTimezoneIsRefusedOnceDaysArePruned(t *testing.T) {
	path := filepath.Join(t.TempDir(), "carbon.db")
	s := openStore(t, path, Options{Exclusive: true, Interval: half, Timezone: zone(t, "Europe/London")})
	for d := range 12 {
		settledDay(t, s, d)
	}
	pruneAll(t, s, at(48*12).Start, "")
	before := summary(t, s)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	_, err := Open(t.Context(), path, Options{Exclusive: true, Interval: half, Timezone: zone(t, "Asia/Kathmandu")})
	if err == nil || !strings.HasSuffix(err.Error(), "timezone: the store has daily sums in Europe/London and cannot compute them again, because the per-key rows of some days were deleted") {
		t.Errorf("got %v", err)
	}
	s = openStore(t, path, Options{Exclusive: true, Interval: half, Timezone: zone(t, "Europe/London")})
	if after := summary(t, s); !reflect.DeepEqual(after, before) {
		t.Errorf("the summary was %+v, it is %+v", before, after)
	}
}

func TestFreedPagesAreUsedAgain(t *testing.T) {
	s := newStore(t)
	pages := func(pragma string) int64 { return readRows(t, s.reader, "PRAGMA "+pragma)[0][0].(int64) }
	r := rand.New(rand.NewSource(1))
	month := func(from int) {
		for n := range 48 * 12 {
			commit(t, s, withPrice(randomRecord(r, at(from+n)), 200, usage.Settled))
		}
	}
	month(0)
	before := pages("page_count")
	pruneAll(t, s, at(48*12).Start, "")
	if free := pages("freelist_count"); free < before/20 {
		t.Fatalf("%d of %d pages are free", free, before)
	}
	free := pages("freelist_count")
	commit(t, s, withPrice(randomRecord(r, at(48*12)), 200, usage.Settled), withPrice(randomRecord(r, at(48*12+1)), 200, usage.Settled))
	if is := pages("page_count"); is != before || pages("freelist_count") >= free {
		t.Errorf("of %d pages with %d free it went to %d with %d", before, free, is, pages("freelist_count"))
	}
}
