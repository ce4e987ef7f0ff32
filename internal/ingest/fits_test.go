// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !race

package ingest

import (
	"context"
	"reflect"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// short is a source that has room for few intervals at once, and of which one reading fails.
type short struct {
	Source
	most, reads, fails int
	longest            int // that was asked for
}

func (s *short) Fits(run []usage.Interval) int { return min(len(run), s.most) }

func (s *short) Read(ctx context.Context, run []usage.Interval) (usage.Readings, usage.Rejects, error) {
	s.longest = max(s.longest, len(run))
	if s.reads++; s.reads == s.fails {
		return usage.Readings{}, nil, &usage.Failure{Reason: usage.ReasonConnection, Detail: "refused"}
	}
	return s.Source.Read(ctx, run)
}

// A site of which a day does not fit in memory is read in several runs. What was read before one of
// them fails is stored, and all is as if it had been read at once.
func TestARunThatDoesNotFitIsReadInParts(t *testing.T) {
	at := newRig(t)
	at.both()
	want := at.summary()
	for _, most := range []int{1, 5, 47} {
		r := newRig(t)
		set := r.spine.current()
		s := &short{Source: set.Source, most: most, fails: 3}
		set.Source = s
		r.spine.Reload(set)
		failed := r.energy()
		stored := 48 - r.states()[usage.Missing]
		for range 5 {
			r.both()
		}
		got := r.summary()
		if got.States[usage.Missing] != 0 || s.longest > most {
			t.Fatalf("%d at once: %d are missing, up to %d were read at once", most, got.States[usage.Missing], s.longest)
		}
		if most == 5 && (failed == nil || stored == 0 || stored > 2*most) {
			t.Errorf("after a failure (%v) %d are stored", failed, stored)
		}
		if !reflect.DeepEqual(got.Totals, want.Totals) {
			t.Errorf("%d at once: the totals are %v, want %v", most, got.Totals, want.Totals)
		}
	}
}

// The same holds for a backfill, which asks for whole days.
func TestABackfillThatDoesNotFitIsReadInParts(t *testing.T) {
	r := newRig(t)
	r.both()
	want := r.summary()
	set := r.spine.current()
	s := &short{Source: set.Source, most: 7}
	c := newCollector(r.store, silent{}, at{func() time.Time { return r.now }}, quiet, r.live.collector.book)
	set.Source = s
	var due []usage.Due
	for i := usage.IntervalAt(start.Add(-24*time.Hour), set.Interval); i.Start.Before(start); i = i.Next() {
		due = append(due, usage.Due{Interval: i, State: usage.Provisional})
	}
	done, err := c.collect(t.Context(), set, due, treatLive)
	if err != nil || len(done.outcomes) != len(due) || s.longest != 7 {
		t.Fatalf("%d of %d, up to %d at once: %v", len(done.outcomes), len(due), s.longest, err)
	}
	if got := r.summary(); !reflect.DeepEqual(got.Totals, want.Totals) {
		t.Errorf("the totals are %v, want %v", got.Totals, want.Totals)
	}
}
