// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !race

package store

import (
	"context"
	"errors"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// dearer makes an interval anew with twice the busy energy.
func dearer(was usage.Stored) (usage.Record, usage.Policy, error) {
	r, err := was.Record()
	if len(r.Facts) == 0 {
		return r, usage.Policy{Leave: true}, err
	}
	return doubled(r), usage.Policy{Why: usage.BecauseRecost, Restate: true}, err
}

func doubled(r usage.Record) usage.Record {
	facts := make([]usage.Fact, len(r.Facts))
	for i, f := range r.Facts {
		f.Energy.Busy *= 2
		facts[i] = f
	}
	r.Facts = facts
	return r
}

func TestUpdateMakesRecordsAnew(t *testing.T) {
	s, want := newStore(t), newStore(t)
	schedule(t, s, at(0), at(9).Start)
	schedule(t, want, at(0), at(9).Start)
	for n, state := range []usage.State{usage.Provisional, usage.Settled} {
		rec := withPrice(threeKeys(at(n)), 200, state)
		commit(t, s, rec)
		commit(t, want, with(doubled(rec), usage.Policy{Why: usage.BecauseRecost, Restate: true}))
	}
	commit(t, s, usage.Record{Interval: at(2), State: usage.Empty, FetchedAt: at(3).Start})
	commit(t, want, usage.Record{Interval: at(2), State: usage.Empty, FetchedAt: at(3).Start})
	execute(t, s.writer, "UPDATE usage_interval SET retry_at = 7, attempts = 2, error = 'x' WHERE start = ?", at(0).Start.Unix())
	execute(t, want.writer, "UPDATE usage_interval SET retry_at = 7, attempts = 2, error = 'x' WHERE start = ?", at(0).Start.Unix())
	outcomes, err := s.Update(t.Context(), []usage.Interval{at(0), at(1), at(2), at(7), at(99)}, dearer)
	if err != nil {
		t.Fatal(err)
	}
	if want := []usage.Outcome{
		{Interval: at(0), State: usage.Provisional, Changed: true},
		{Interval: at(1), State: usage.Settled, Changed: true},
		{Interval: at(2), State: usage.Empty},
		{Interval: at(7), State: usage.Missing},
		{Interval: at(99), State: usage.Missing},
	}; !reflect.DeepEqual(outcomes, want) {
		t.Errorf("outcomes are %+v", outcomes)
	}
	execute(t, s.writer, "UPDATE usage_interval SET revision = start WHERE revision IS NOT NULL")
	execute(t, want.writer, "UPDATE usage_interval SET revision = start WHERE revision IS NOT NULL")
	if got, want := dump(t, s), dump(t, want); got != want {
		t.Errorf("reworked it is\n%s\nnot\n%s", got, want)
	}
}

func TestUpdateLeavesWhatIsFinal(t *testing.T) {
	s := newStore(t)
	commit(t, s, withPrice(threeKeys(at(0)), 200, usage.Settled), withPrice(threeKeys(at(1)), 200, usage.Settled))
	execute(t, s.writer, "UPDATE usage_interval SET pruned = 1 WHERE start = ?", at(1).Start.Unix())
	before := dump(t, s)
	outcomes, err := s.Update(t.Context(), []usage.Interval{at(0), at(1)}, func(was usage.Stored) (usage.Record, usage.Policy, error) {
		r, policy, err := dearer(was)
		policy.Restate = false
		return r, policy, err
	})
	if err != nil || len(outcomes) != 2 || !errors.Is(outcomes[0].Left, usage.ErrSettled) || !errors.Is(outcomes[1].Left, usage.ErrPruned) {
		t.Errorf("%+v, %v", outcomes, err)
	}
	refused := errors.New("refused")
	if _, err := s.Update(t.Context(), []usage.Interval{at(0)}, func(usage.Stored) (usage.Record, usage.Policy, error) {
		return usage.Record{}, usage.Policy{}, refused
	}); !errors.Is(err, refused) {
		t.Errorf("got %v", err)
	}
	if _, err := s.Update(t.Context(), []usage.Interval{at(0)}, func(was usage.Stored) (usage.Record, usage.Policy, error) {
		r, err := was.Record()
		r.Prices = nil
		return r, usage.Policy{}, err
	}); err == nil {
		t.Error("a settled interval without a price is stored")
	}
	if after := dump(t, s); after != before {
		t.Errorf("was\n%s\nis\n%s", before, after)
	}
}

// Between the reading and the writing nobody else writes: what another program has
// to say of an interval is not overwritten by what was read before.
func TestUpdateLosesNothingOfAnotherProgram(t *testing.T) {
	path := filepath.Join(t.TempDir(), "carbon.db")
	s, other := openStore(t, path, Options{Interval: half}), openStore(t, path, Options{Interval: half})
	commit(t, s, threeKeys(at(0)))
	tried := false
	if _, err := s.Update(t.Context(), []usage.Interval{at(0)}, func(was usage.Stored) (usage.Record, usage.Policy, error) {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		defer cancel()
		if err := commitOne(ctx, other, withPrice(threeKeys(at(0)), 100, usage.Provisional)); err == nil {
			t.Error("another program writes in between")
		}
		tried = true
		r, err := was.Record()
		return r, usage.Policy{}, err
	}); err != nil || !tried {
		t.Fatal(err)
	}
	commit(t, other, withPrice(threeKeys(at(0)), 100, usage.Provisional))
}

func TestWhatBecameOfRecords(t *testing.T) {
	project, nobody := "CDAaaS", "nobody"
	about := func(rec usage.Record, p *string) given { return with(rec, usage.Policy{Project: p}) }
	again := func(rec any) given {
		a := newAnswer(rec)
		a.Again = true
		return a
	}
	own := fact(artemisA, at(1).Start, 0, 0.001)
	empty := usage.Record{Interval: at(1), State: usage.Empty, FetchedAt: at(2).Start}
	for _, c := range []struct {
		name  string
		have  []usage.Record
		rec   any
		state usage.State
		left  error
	}{
		{"the first", nil, threeKeys(at(1)), usage.Unpriced, nil},
		{"one without a price in place of one that has", []usage.Record{withPrice(threeKeys(at(1)), 9, usage.Provisional)}, threeKeys(at(1)), usage.Provisional, nil},
		{"in place of a settled one", []usage.Record{withPrice(threeKeys(at(1)), 9, usage.Settled)}, threeKeys(at(1)), usage.Settled, usage.ErrSettled},
		{"empty in place of one that has facts", []usage.Record{threeKeys(at(1))}, empty, usage.Unpriced, usage.ErrForgotten},
		{"empty again", []usage.Record{empty}, empty, usage.Empty, nil},
		{"less than the first time", []usage.Record{threeKeys(at(1))}, again(unpriced(at(1), own)), usage.Unpriced, usage.ErrForgotten},
		{"one project of nothing", nil, about(unpriced(at(1), own), &project), usage.Missing, usage.ErrNoWhole},
		{"one project, as much as before", []usage.Record{threeKeys(at(1))}, again(about(unpriced(at(1), ownOf(t, project)...), &project)), usage.Unpriced, nil},
		{"one project, less than before", []usage.Record{threeKeys(at(1))}, again(about(unpriced(at(1), own), &project)), usage.Unpriced, usage.ErrForgotten},
		{"one project that has nothing any more", []usage.Record{threeKeys(at(1))}, about(empty, &project), usage.Unpriced, usage.ErrForgotten},
		{"one project that never had anything", []usage.Record{threeKeys(at(1))}, about(empty, &nobody), usage.Unpriced, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newStore(t)
			commit(t, s, anySlice(c.have)...)
			before := summary(t, s)
			outcomes, err := commitAll(t.Context(), s, c.rec)
			if err != nil {
				t.Fatal(err)
			}
			if got := outcomes[0]; got.State != c.state || !errors.Is(got.Left, c.left) || got.Interval != at(1) {
				t.Errorf("it is %s, left because of %v; want %s, %v", got.State, got.Left, c.state, c.left)
			}
			if after := summary(t, s); c.left != nil && !reflect.DeepEqual(after, before) {
				t.Errorf("what was left is\n%+v\nnot\n%+v", after, before)
			}
			holdTotals(t, s)
			holdSums(t, s)
		})
	}
}

// ownOf are the facts that threeKeys has of a project.
func ownOf(t *testing.T, project string) (own []usage.Fact) {
	for _, f := range threeKeys(at(1)).Facts {
		if f.Project == project {
			own = append(own, f)
		}
	}
	if len(own) == 0 {
		t.Fatalf("no facts of %s", project)
	}
	return own
}

func TestAFactOfAnotherProjectIsRefused(t *testing.T) {
	s := newStore(t)
	project := "CDAaaS"
	rec := with(threeKeys(at(1)), usage.Policy{Project: &project})
	if _, err := commitAll(t.Context(), s, rec); err == nil {
		t.Error("it is stored")
	}
}

func TestMissedIsWrittenDown(t *testing.T) {
	s := newStore(t)
	now := at(9).Start
	miss := func(n int) {
		t.Helper()
		if err := s.Missed(t.Context(), at(n), errors.New("too many samples"), now); err != nil {
			t.Fatal(err)
		}
	}
	miss(1)
	miss(1)
	want(t, "it is due, and counts its attempts", due(t, s, now, 9), "1(2)")
	if state, why := stateOf(t, s, at(1)); state != usage.Missing || why != "too many samples" {
		t.Errorf("%s because of %q", state, why)
	}
	commit(t, s, threeKeys(at(2)))
	before := dump(t, s)
	miss(2)
	if after := dump(t, s); after != before {
		t.Errorf("what is there was not missed\n%s\n%s", before, after)
	}
}
