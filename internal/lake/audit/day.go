// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package audit

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/budget"
	"github.com/carbon-exporter/carbon_exporter/internal/lake"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// manifest looks at a day by its manifest.
func (a *Audit) manifest(ctx context.Context, f *findings, m *lake.Manifest) error {
	f.days++
	a.calendar(f, m)
	for i := range m.Revisions {
		r := &m.Revisions[i]
		if err := a.revision(ctx, f, m, r); err != nil {
			return err
		}
	}
	present := m.Present()
	f.settled, f.empty, f.unknown = f.settled+present.Intervals.Settled, f.empty+present.Intervals.Empty, f.unknown+present.Intervals.Unknown
	if present.Intervals.Unknown > 0 {
		f.note(Intervals, "%s: %d intervals are unknown: %s of usage were never read", m.Day, present.Intervals.Unknown, time.Duration(present.Intervals.UnknownSeconds())*time.Second)
	}
	if a.Store != nil {
		return a.compare(ctx, f, m)
	}
	return nil
}

// calendar checks that a day is its date in its time zone: the intervals that begin on that.
func (a *Audit) calendar(f *findings, m *lake.Manifest) {
	zone, err := time.LoadLocation(m.Timezone)
	if err != nil {
		f.fault(Days, "%s: its time zone %q is unknown", m.Day, m.Timezone)
		return
	}
	date := m.Day.Date()
	from, until := ceil(budget.DayStart(date, zone), lengthOf(m)), ceil(budget.DayStart(date.AddDate(0, 0, 1), zone), lengthOf(m))
	if !m.From.Equal(from) || !m.Until.Equal(until) {
		f.fault(Days, "%s: it is from %s until %s, and the intervals of that day in %s are from %s until %s", m.Day, at(m.From), at(m.Until), m.Timezone, at(from), at(until))
	}
}

func at(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// join checks that a day begins where the one before it has ended, in time and in intervals.
func join(f *findings, before, m *lake.Manifest) {
	if before.Day.Next() != m.Day {
		return // the hole is a fault of its own
	}
	end, start := lastEnd(before), firstStart(m)
	switch {
	case m.From.Before(before.Until) || start.Before(end):
		f.fault(Days, "%s and %s overlap: one is until %s, the other from %s", before.Day, m.Day, at(usage.Later(before.Until, end)), at(usage.Earlier(m.From, start)))
	case m.From.After(before.Until) || start.After(end):
		f.fault(Days, "between %s and %s is a hole, from %s until %s", before.Day, m.Day, at(usage.Earlier(before.Until, end)), at(usage.Later(m.From, start)))
	}
}

func lengthOf(m *lake.Manifest) time.Duration {
	return time.Duration(m.Present().Intervals.Seconds) * time.Second
}

// firstStart is when the first interval begins that begins in a day.
func firstStart(m *lake.Manifest) time.Time { return ceil(m.From, lengthOf(m)) }

// lastEnd is when the last one ends.
func lastEnd(m *lake.Manifest) time.Time { return ceil(m.Until, lengthOf(m)) }

func ceil(t time.Time, length time.Duration) time.Time {
	if length <= 0 {
		return t
	}
	i := usage.IntervalAt(t, length)
	if i.Start.Before(t) {
		return i.End()
	}
	return i.Start
}

// revision looks at one edition of a day.
func (a *Audit) revision(ctx context.Context, f *findings, m *lake.Manifest, r *lake.Revision) error {
	f.revisions++
	name := fmt.Sprintf("%s, revision %d", m.Day, r.Revision)
	isPresent := r.Revision == m.Revision
	if r.Gone != "" {
		if isPresent {
			f.fault(Objects, "%s: it is the present one, and its objects are not there: %s", name, r.Gone)
		} else {
			f.note(Objects, "%s: its objects are not there any more: %s", name, r.Gone)
		}
		return nil
	}
	aside := [2]string{
		lake.SupersededPath(m.Site, m.Day, r.Revision, r.Erasures, "facts.parquet"),
		lake.SupersededPath(m.Site, m.Day, r.Revision, r.Erasures, "members.parquet"),
	}
	is := [2]string{r.Facts.Path, r.Members.Path}
	switch {
	case isPresent && is == [2]string{lake.FactsPath(m.Site, m.Day), lake.MembersPath(m.Site, m.Day)}, !isPresent && is == aside:
	case isPresent && (is[0] == aside[0] || is[1] == aside[1]):
		f.fault(Objects, "%s: a restatement has begun and not ended, so that those who read files may find other numbers; the exporter that publishes the site ends it", name)
	default:
		f.fault(Objects, "%s: its objects are not where they belong: %s and %s", name, is[0], is[1])
	}
	starts := intervals(f, name, m.When(r), r.Intervals)
	return a.rows(ctx, f, name, r, starts)
}

// intervals checks that intervals cover a day, and returns the starts of those with usage.
func intervals(f *findings, name string, day lake.Calendar, n lake.Intervals) map[int64]bool {
	length := time.Duration(n.Seconds) * time.Second
	if length <= 0 || n.Settled < 0 || n.Empty < 0 || n.Unknown < 0 {
		f.fault(Intervals, "%s: intervals of %d seconds, of which %d are settled, %d empty and %d unknown", name, n.Seconds, n.Settled, n.Empty, n.Unknown)
		return nil
	}
	first, end := ceil(day.From, length), ceil(day.Until, length)
	if most := day.Until.Sub(day.From) / length; most > 1<<20 {
		f.fault(Intervals, "%s: %d intervals in a day", name, most)
		return nil
	}
	starts := map[int64]bool{}
	for at := first; at.Before(end); at = at.Add(length) {
		starts[at.Unix()] = true
	}
	if all := n.Settled + n.Empty + n.Unknown; all != len(starts) {
		f.fault(Intervals, "%s: it has %d intervals of %s, and the day has %d", name, all, length, len(starts))
	}
	count := map[string]int{}
	next := first
	for _, h := range n.Holes {
		if h.From.Before(next) || !h.From.Before(h.Until) || h.Until.After(end) || !ceil(h.From, length).Equal(h.From) || !ceil(h.Until, length).Equal(h.Until) {
			f.fault(Intervals, "%s: the hole from %s until %s overlaps another, or is not of whole intervals of the day", name, at(h.From), at(h.Until))
			continue
		}
		next = h.Until
		for at := h.From; at.Before(h.Until); at = at.Add(length) {
			delete(starts, at.Unix())
			count[h.State]++
		}
	}
	if count["empty"] != n.Empty || count["unknown"] != n.Unknown || len(count) > 2 {
		f.fault(Intervals, "%s: its holes are %v, and it says %d empty and %d unknown", name, count, n.Empty, n.Unknown)
	}
	return starts
}

// object says what is wrong with one, or returns the error of the bucket.
func object(f *findings, name string, err error) error {
	if damaged, ok := errors.AsType[*lake.DamagedError](err); ok {
		f.fault(Objects, "%s: %v", name, damaged)
		return nil
	}
	return err
}

// sample is the beginning of a list, for people.
func sample(all []string) string {
	slices.Sort(all)
	if len(all) > 3 {
		return fmt.Sprintf("%s and %d more", joined(all[:3]), len(all)-3)
	}
	return joined(all)
}
