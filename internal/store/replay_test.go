// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !race

package store

import (
	"errors"
	"math/rand"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// What is given back in the order of time is all there is: it makes the same record
// again, and what came before is what an account has of it.
func TestAReplayIsTheWholeRecord(t *testing.T) {
	r := rand.New(rand.NewSource(2))
	s, again := newStore(t), newStore(t)
	const intervals = 120
	for n := range intervals {
		if r.Intn(6) == 0 {
			continue
		}
		rec := randomRecord(r, at(n))
		if r.Intn(9) == 0 {
			rec = usage.Record{Interval: at(n), State: usage.Empty, FetchedAt: at(n).End()}
		}
		commit(t, s, rec)
	}
	from := at(37).Start
	var last time.Time
	whole := func(before []usage.Total) error {
		if len(before) > 0 {
			t.Errorf("before all of it there was %v", before)
		}
		return nil
	}
	if err := s.Replay(t.Context(), usage.Period{From: at(0).Start, To: at(intervals).Start}, whole, func(rec usage.Record) error {
		if !rec.Interval.Start.After(last) || len(rec.Facts) == 0 {
			t.Errorf("%s comes after %s with %d facts", rec.Interval, last, len(rec.Facts))
		}
		last = rec.Interval.Start
		return commitOne(t.Context(), again, rec)
	}); err != nil {
		t.Fatal(err)
	}
	if got, want := summary(t, again).Totals, summary(t, s).Totals; !reflect.DeepEqual(got, want) {
		t.Errorf("again it is\n%+v\nwant\n%+v", got, want)
	}

	var before []usage.Total
	n := 0
	if err := s.Replay(t.Context(), usage.Period{From: from, To: at(intervals).Start}, func(was []usage.Total) error {
		before = was
		return nil
	}, func(rec usage.Record) error {
		if rec.Interval.Start.Before(from) {
			t.Errorf("%s is of before", rec.Interval)
		}
		n++
		return nil
	}); err != nil || n == 0 {
		t.Fatal(n, err)
	}
	for i := range before {
		if !before[i].Last.Before(from) {
			t.Errorf("%v was last used at %v", before[i].Key, before[i].Last)
		}
		before[i].Last = time.Time{}
	}
	if want := account(t, s, usage.Period{From: at(0).Start, To: from}).Keys(); !reflect.DeepEqual(before, want) {
		t.Errorf("before it was\n%+v\nwant\n%+v", before, want)
	}
}

func TestAReplayEndsWithTheFirstError(t *testing.T) {
	s := newStore(t)
	commit(t, s, threeKeys(at(0)), threeKeys(at(1)))
	all := usage.Period{From: at(0).Start, To: at(9).Start}
	full, n := errors.New("full"), 0
	if err := s.Replay(t.Context(), all, nil, func(usage.Record) error { n++; return full }); !errors.Is(err, full) || n != 1 {
		t.Errorf("%v after %d", err, n)
	}
	n = 0
	if err := s.ReplayMembers(t.Context(), all, func(usage.Member) error { n++; return full }); !errors.Is(err, full) || n != 1 {
		t.Errorf("%v after %d", err, n)
	}
}

// A pruned day ends what there is by key, not what there is by member, and what
// came before is known all the same.
func TestAReplayOfWhatIsPruned(t *testing.T) {
	s := openStore(t, filepath.Join(t.TempDir(), "carbon.db"), Options{Exclusive: true, Interval: half, Timezone: zone(t, "Asia/Kathmandu")})
	for d := range 14 {
		settledDay(t, s, d)
	}
	all := usage.Period{From: at(0).Start, To: at(48 * 14).Start}
	var before []usage.Member
	if err := s.ReplayMembers(t.Context(), all, func(m usage.Member) error { before = append(before, m); return nil }); err != nil {
		t.Fatal(err)
	}
	sums := account(t, s, usage.Period{From: all.From, To: at(48*10 + 7).Start}).Keys()
	pruneAll(t, s, all.To, "")

	want := "interval is pruned: per-key rows are complete from 2025-09-16T10:30:00Z on"
	given := false
	err := s.Replay(t.Context(), all, func([]usage.Total) error { given = true; return nil }, func(usage.Record) error { given = true; return nil })
	if !errors.Is(err, usage.ErrPruned) || err.Error() != want || given {
		t.Errorf("got %v (given something: %v), want %s", err, given, want)
	}
	if err := s.Kept(t.Context(), all); err == nil || err.Error() != want {
		t.Errorf("got %v", err)
	}
	late := usage.Period{From: at(48*10 + 7).Start, To: all.To}
	if err := s.Kept(t.Context(), late); err != nil {
		t.Error(err)
	}
	var was []usage.Total
	if err := s.Replay(t.Context(), late, func(totals []usage.Total) error { was = totals; return nil }, func(usage.Record) error { return nil }); err != nil {
		t.Fatal(err)
	}
	for i := range was {
		was[i].Last = time.Time{}
	}
	if !reflect.DeepEqual(was, sums) {
		t.Errorf("before it was\n%+v\nwant\n%+v", was, sums)
	}
	var after []usage.Member
	if err := s.ReplayMembers(t.Context(), all, func(m usage.Member) error { after = append(after, m); return nil }); err != nil || !reflect.DeepEqual(after, before) {
		t.Errorf("%v; members were\n%+v\nand are\n%+v", err, before, after)
	}
}
