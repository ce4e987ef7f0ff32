// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !race

package store

import (
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

func pruneMembers(t *testing.T, s *Store, now time.Time, follower string) (all usage.Pruned) {
	t.Helper()
	for {
		p, err := s.PruneMembers(t.Context(), now, 8*day, follower)
		if err != nil {
			t.Fatal(err)
		}
		if all.Waiting = p.Waiting; !p.More {
			return all
		}
		all.Intervals, all.Facts, all.Until = all.Intervals+p.Intervals, all.Facts+p.Facts, p.Until
	}
}

// memberDays lists the days after the epoch that have rows of fact_usage.
func memberDays(t *testing.T, s *Store) (days int, first any) {
	t.Helper()
	rows := readRows(t, s.reader, "SELECT DISTINCT (unixepoch(ts) - ?) / 86400 FROM fact_usage ORDER BY 1", epoch.Unix())
	if len(rows) == 0 {
		return 0, nil
	}
	return len(rows), rows[0][0]
}

// Deleting rows of fact_usage changes no sum, and the store is still found to be right. What is
// asked of a deleted interval is not known, which is not 0.
func TestMembersThatAreDeletedChangeNoNumber(t *testing.T) {
	s := newStore(t)
	const newest = 20
	for d := range newest {
		settledDay(t, s, d)
	}
	commit(t, s, threeKeys(at(48*newest+30)))
	now := at(48*newest + 30).End()
	before, whole := summary(t, s), usage.Period{From: epoch, To: now}
	power, err := s.PowerUsed(t.Context(), whole)
	if err != nil {
		t.Fatal(err)
	}
	done := pruneMembers(t, s, now, "")
	if days, first := memberDays(t, s); days != 9 || first != int64(12) || done.Intervals != 48 || !done.Until.Equal(at(48*11+47).End()) {
		t.Errorf("%d days are left, from day %v on; done is %+v", days, first, done)
	}
	if after := summary(t, s); !reflect.DeepEqual(after, before) {
		t.Errorf("the summary was\n%+v\nit is\n%+v", before, after)
	}
	holdSums(t, s)
	verdicts, err := Verify(t.Context(), s.path, now, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range verdicts {
		if v.Count > 0 || v.Check == "scopes" && !strings.HasSuffix(v.Found, ", those of 48 intervals deleted") {
			t.Errorf("%s: %s, %v", v.Check, v.Found, v.Faults)
		}
	}
	if work, err := s.LakeWork(t.Context(), "a lake", 0); err != nil || work.Lost > 0 || len(work.Due) != newest {
		t.Errorf("%d days can be published, %d cannot, %v; want all %d: their members are sums of the rows by key", len(work.Due), work.Lost, err, newest)
	}
	if again := pruneMembers(t, s, now, ""); again.Intervals > 0 {
		t.Errorf("again it does %+v", again)
	}

	if _, _, err := s.ProjectUsage(t.Context(), "p", at(0)); !errors.Is(err, usage.ErrPruned) {
		t.Errorf("a project's usage of a deleted interval: %v", err)
	}
	if _, used, err := s.ProjectUsage(t.Context(), "p", at(48*15+5)); used || err != nil {
		t.Errorf("a project's usage of an interval that it did not use: %v, %v", used, err)
	}
	is, err := s.PowerUsed(t.Context(), whole)
	if err != nil {
		t.Fatal(err)
	}
	var sum, was, deleted usage.KWh
	for _, p := range power {
		was += p.Energy
	}
	for _, p := range is {
		if sum += p.Energy; p.Source == usage.PowerDeleted {
			deleted = p.Energy
		}
	}
	if !close9(float64(sum), float64(was)) || deleted == 0 || deleted >= sum {
		t.Errorf("the energy by source was %v, it is %v, of which %v is of deleted intervals", was, sum, deleted)
	}

	// One that is restated has its rows again, until the next step.
	commit(t, s, with(withPrice(threeKeys(at(20)), 100, usage.Settled), usage.Policy{Restate: true}))
	holdSums(t, s)
	if _, first := memberDays(t, s); first != int64(0) {
		t.Errorf("a restated interval has no rows: they begin on day %v", first)
	}
	if again := pruneMembers(t, s, now, ""); again.Intervals != 1 {
		t.Errorf("after a restatement it does %+v", again)
	}
	from, err := s.MembersFrom(t.Context())
	if err != nil || !from.Equal(done.Until) {
		t.Errorf("rows are whole from %v on, want %v: %v", from, done.Until, err)
	}
}

func TestMembersWait(t *testing.T) {
	const newest = 20
	now := at(48*newest + 30).End()
	for _, c := range []struct {
		name     string
		change   func(*Store)
		follower string
		first    int64 // day that is left
	}{
		{name: "for nobody", first: 12},
		{name: "for the facts, which have a retention of their own", change: func(s *Store) { pruneAll(t, s, now, "") }, first: 12},
		{name: "before an interval that may be restated", change: func(s *Store) { commit(t, s, withPrice(threeKeys(at(48*3+5)), 200, usage.Provisional)) }, first: 3},
		{name: "for a follower", follower: "f", first: 0},
		{name: "for the lake", change: func(s *Store) {
			if _, err := s.LakeBegin(t.Context(), aLake); err != nil {
				t.Fatal(err)
			}
		}, first: 0},
		{name: "for the lake, whether or not the facts are gone", change: func(s *Store) {
			pruneAll(t, s, now, "")
			if _, err := s.LakeBegin(t.Context(), aLake); err != nil {
				t.Fatal(err)
			}
		}, first: 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newStore(t)
			for d := range newest {
				settledDay(t, s, d)
			}
			commit(t, s, threeKeys(at(48*newest+30)))
			if c.change != nil {
				c.change(s)
			}
			done := pruneMembers(t, s, now, c.follower)
			if _, first := memberDays(t, s); first != c.first || (done.Waiting > 0) != (c.first < 12) {
				t.Errorf("rows begin on day %v, want %d: %+v", first, c.first, done)
			}
			if faults := verify(t, s.path, now); len(faults) > 0 {
				t.Errorf("the check finds %v", faults)
			}
		})
	}
}
