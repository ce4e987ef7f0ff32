// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

const aLake = "harwell in a bucket"

// wholeDay is a day of settled intervals from the n-th on.
func wholeDay(n int) (records []any) {
	for i := range 48 {
		records = append(records, withPrice(threeKeys(at(n+i)), 200, usage.Settled))
	}
	return records
}

func lakeWork(t *testing.T, s *Store, since int64) usage.LakeWork {
	t.Helper()
	work, err := s.LakeWork(t.Context(), aLake, since)
	if err != nil {
		t.Fatal(err)
	}
	return work
}

// inWords is what there is to do: due days with their intervals, and the numbers of the others.
func inWords(w usage.LakeWork) string {
	var words []string
	for _, d := range w.Due {
		words = append(words, fmt.Sprintf("%s: %d+%d+%d", d.Date, d.Settled, d.Empty, d.Unknown))
	}
	if w.Open > 0 {
		words = append(words, fmt.Sprint(w.Open, " open"))
	}
	if w.Lost > 0 {
		words = append(words, fmt.Sprint(w.Lost, " lost"))
	}
	return strings.Join(words, ", ")
}

func publishAll(t *testing.T, s *Store, work usage.LakeWork) {
	t.Helper()
	for _, d := range work.Due {
		if err := s.LakeDone(t.Context(), aLake, usage.LakeEdition{LakeDay: d, Edition: 1, Generation: 1}); err != nil {
			t.Fatal(err)
		}
	}
}

func published(t *testing.T, s *Store) (days []string) {
	t.Helper()
	all, err := s.LakePublished(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range all {
		days = append(days, p.From.Format(time.DateOnly))
	}
	return days
}

func TestADayIsPublishedOnceItIsOverAndFinal(t *testing.T) {
	s := newStore(t)
	if got := inWords(lakeWork(t, s, 0)); got != "" {
		t.Errorf("an empty store: %s", got)
	}
	if got := published(t, s); got != nil {
		t.Errorf("published before there was a lake: %v", got)
	}
	begin(t, s)
	commit(t, s, wholeDay(0)[:47]...)
	if got := inWords(lakeWork(t, s, 0)); got != "" {
		t.Errorf("a day that is not over: %s", got)
	}
	commit(t, s, withPrice(threeKeys(at(47)), 200, usage.Provisional))
	if got := inWords(lakeWork(t, s, 0)); got != "1 open" {
		t.Errorf("a day that may still change: %s", got)
	}
	commit(t, s, withPrice(threeKeys(at(47)), 210, usage.Settled))
	work := lakeWork(t, s, 0)
	if got := inWords(work); got != "2025-09-11: 48+0+0" {
		t.Errorf("a day that is final: %s", got)
	}
	publishAll(t, s, work)
	if got := inWords(lakeWork(t, s, 0)); got != "" || lakeWork(t, s, 0).Newest.From != epoch {
		t.Errorf("a day that was published: %s", got)
	}
	if got := published(t, s); !slices.Equal(got, []string{"2025-09-11"}) {
		t.Errorf("published: %v", got)
	}
	if again := begin(t, s); again != begin(t, s) {
		t.Error("its id there is another each time")
	}
}

func begin(t *testing.T, s *Store) string {
	t.Helper()
	id, err := s.LakeBegin(t.Context(), aLake)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func TestAHoleIsToldFromATimeInWhichNothingRan(t *testing.T) {
	s := newStore(t)
	schedule(t, s, at(0), at(48).Start)
	commit(t, s, wholeDay(0)[10:40]...)
	for n := range 10 {
		commit(t, s, usage.Record{Interval: at(n), State: usage.Empty, FetchedAt: at(n).End()})
	}
	if got := inWords(lakeWork(t, s, 0)); got != "1 open" {
		t.Errorf("eight intervals are due: %s", got)
	}
	execute(t, s.writer, "DELETE FROM usage_interval WHERE state = 'missing'")
	execute(t, s.writer, "UPDATE usage_interval SET retry_at = NULL")
	commit(t, s, wholeDay(48)[0])
	work := lakeWork(t, s, 0)
	if got := inWords(work); got != "2025-09-11: 30+10+8" {
		t.Errorf("a day with holes: %s", got)
	}
	holes := work.Due[0].Holes
	if len(holes) != 2 || holes[0].State != usage.Empty || holes[0].Intervals != 10 || holes[1].State != usage.Missing ||
		!holes[1].From.Equal(at(40).Start) || !holes[1].To.Equal(at(48).Start) {
		t.Errorf("holes: %+v", holes)
	}
}

func TestARestatedDayIsDueAgain(t *testing.T) {
	s := newStore(t)
	begin(t, s)
	commit(t, s, wholeDay(0)...)
	commit(t, s, wholeDay(48)...)
	work := lakeWork(t, s, 0)
	publishAll(t, s, work)
	commit(t, s, with(withPrice(threeKeys(at(50)), 300, usage.Settled), usage.Policy{Restate: true, Why: usage.BecauseRestate}))
	if got := inWords(lakeWork(t, s, work.Revised)); got != "2025-09-12: 48+0+0" {
		t.Errorf("restated: %s", got)
	}
	if got := published(t, s); !slices.Equal(got, []string{"2025-09-11"}) {
		t.Errorf("published as it is: %v", got)
	}
	if got := inWords(lakeWork(t, s, lakeWork(t, s, 0).Revised)); got != "" {
		t.Errorf("nothing changed since: %s", got)
	}
	publishAll(t, s, lakeWork(t, s, 0))
	was, _, _ := s.LakeEdition(t.Context(), aLake, "2025-09-11")
	err := s.LakeGone(t.Context(), aLake, []string{"2025-09-11"})
	if got := inWords(lakeWork(t, s, 0)); err != nil || got != "2025-09-11: 48+0+0" {
		t.Errorf("a lake that has lost a day gets %s, %v", got, err)
	}
	if is, _, _ := s.LakeEdition(t.Context(), aLake, "2025-09-11"); is.Edition != was.Edition || is.Generation != was.Generation {
		t.Errorf("it was revision %d, generation %d, and is %d, %d", was.Edition, was.Generation, is.Edition, is.Generation)
	}
	if got := published(t, s); !slices.Equal(got, []string{"2025-09-12"}) {
		t.Errorf("published as it is: %v", got)
	}
}

func TestPruningWaitsForTheLake(t *testing.T) {
	s := newStore(t)
	begin(t, s)
	for day := range 4 {
		commit(t, s, wholeDay(48*day)...)
	}
	now, keep := at(48*4).Start, 25*time.Hour
	prune := func() (n int) {
		for {
			done, err := s.Prune(t.Context(), now, keep, "")
			if err != nil {
				t.Fatal(err)
			}
			if !done.More {
				return n
			}
			n += done.Intervals
		}
	}
	if n := prune(); n != 0 {
		t.Errorf("%d intervals were pruned that nobody else has", n)
	}
	work := lakeWork(t, s, 0)
	publishAll(t, s, usage.LakeWork{Due: work.Due[1:2]})
	if n := prune(); n != 48 {
		t.Errorf("%d intervals were pruned of one day that the lake has", n)
	}
	if err := s.LakeEnd(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := prune(); n != 48 {
		t.Errorf("%d intervals of another day were pruned without a lake", n)
	}
	if got := inWords(lakeWork(t, s, 0)); got != "2025-09-13: 48+0+0, 2025-09-14: 48+0+0, 1 lost" {
		t.Errorf("what is left to publish: %s", got)
	}
	_, err := s.ReplayDay(t.Context(), usage.Period{From: epoch, To: epoch.Add(day)}, func(usage.Record) error { return nil }, nil)
	if !errors.Is(err, usage.ErrPruned) {
		t.Errorf("a pruned day: %v", err)
	}
}

func TestADayIsReplayedAsOfOneMoment(t *testing.T) {
	s := newStore(t)
	commit(t, s, wholeDay(0)...)
	facts, members := 0, 0
	d, err := s.ReplayDay(t.Context(), usage.Period{From: epoch, To: epoch.Add(day)}, func(rec usage.Record) error {
		if facts == 0 { // a change meanwhile is not seen
			commit(t, s, with(withPrice(threeKeys(at(40)), 300, usage.Settled), usage.Policy{Restate: true}))
		}
		facts += len(rec.Facts)
		return nil
	}, func(m usage.Member) error {
		if m.Scope == usage.ScopeAda && *m.Intensity != 200 {
			return fmt.Errorf("%s has an intensity of %v", m.Interval, *m.Intensity)
		}
		members++
		return nil
	})
	if err != nil || facts != 3*48 || members == 0 || d.Settled != 48 || d.Date != "2025-09-11" {
		t.Errorf("%d facts, %d members, %+v, %v", facts, members, d, err)
	}
	if got := lakeWork(t, s, 0).Due[0]; got.Same(d) {
		t.Error("the change makes no difference")
	}
}

func TestForgottenPeopleAreErasedFromALakeOnce(t *testing.T) {
	s := newStore(t)
	begin(t, s)
	commit(t, s, wholeDay(0)...)
	publishAll(t, s, lakeWork(t, s, 0))
	forgetNow(t, s, "a")
	forgotten, erased, isGone, err := s.LakeErasures(t.Context(), aLake)
	if err != nil || forgotten != 1 || erased != 0 || !isGone("a") || isGone("b") {
		t.Errorf("%d forgotten, %d erased, %v", forgotten, erased, err)
	}
	if got := inWords(lakeWork(t, s, 0)); got != "2025-09-11: 48+0+0" {
		t.Errorf("their day is due again: %s", got)
	}
	if err := s.LakeErased(t.Context(), aLake, 1); err != nil {
		t.Fatal(err)
	}
	if _, erased, _, _ := s.LakeErasures(t.Context(), aLake); erased != 1 {
		t.Errorf("%d erased", erased)
	}
}
