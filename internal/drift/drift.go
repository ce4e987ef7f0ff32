// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Package drift finds projects that have lost their series, or a label that identifies
// their users. It must not know where that was observed or how it is reported. Start with
// Find.
package drift

import (
	"cmp"
	"slices"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

const (
	day = 24 * time.Hour
	// steady is the number of days on which something must have been seen before its
	// loss is reported: intermittent use is not drift.
	steady = 3
	// week is the period in which these days lie, and how long a loss is reported: a
	// project that has ended must not be reported for ever.
	week = 7 * day
	// enough is the share of a day for which a project must have been seen: a project
	// that only runs at night is not lost by day.
	enough = 0.9
)

// Find lists every project seen in the last week, by name, and what it has lost. Usage
// without a project is ignored.
func Find(s usage.Sightings) []usage.Drift {
	byProject := map[string][]usage.Sighting{}
	for _, d := range s.Days {
		if d.Project != usage.Unknown {
			byProject[d.Project] = append(byProject[d.Project], d)
		}
	}
	var all []usage.Drift
	for project, days := range byProject {
		slices.SortFunc(days, func(a, b usage.Sighting) int { return a.Day.Compare(b.Day) })
		last := days[len(days)-1]
		if s.Newest.Sub(last.Last) > week {
			continue
		}
		d := usage.Drift{Project: project, Since: last.Last}
		if now, here := s.Now[project]; here {
			d.Lost, d.Since = lostLabels(days, now, s.Newest)
		} else if was(days, func(d usage.Sighting) bool { return d.Share >= enough }).lately(last.Last) {
			d.Lost = []string{usage.LostSeries}
		}
		all = append(all, d)
	}
	slices.SortFunc(all, func(a, b usage.Drift) int { return cmp.Compare(a.Project, b.Project) })
	return all
}

// lostLabels lists the labels that the series of a project no longer have, and when
// they last had all of them.
func lostLabels(days []usage.Sighting, now usage.LabelPresence, newest time.Time) (lost []string, since time.Time) {
	since = newest
	for _, label := range []struct {
		name string
		of   func(usage.LabelPresence) bool
	}{
		{usage.LostProject, func(l usage.LabelPresence) bool { return l.Project }},
		{usage.LostMachine, func(l usage.LabelPresence) bool { return l.Machine }},
		{usage.LostHost, func(l usage.LabelPresence) bool { return l.Host }},
		{usage.LostUser, func(l usage.LabelPresence) bool { return l.User }},
	} {
		had := was(days, func(d usage.Sighting) bool { return label.of(d.LabelPresence) })
		if label.of(now) || !had.lately(newest) {
			continue
		}
		lost = append(lost, label.name)
		if last := had[len(had)-1].Last; last.Before(since) {
			since = last
		}
	}
	return lost, since
}

// there lists the days on which something was seen, in order.
type there []usage.Sighting

func was(days []usage.Sighting, is func(usage.Sighting) bool) (t there) {
	for _, d := range days {
		if is(d) {
			t = append(t, d)
		}
	}
	return t
}

// lately reports whether something was last seen at most a week before a time, and on enough
// days of the week before that.
func (t there) lately(at time.Time) bool {
	if len(t) < steady {
		return false
	}
	last := t[len(t)-1]
	return at.Sub(last.Last) <= week && last.Day.Sub(t[len(t)-steady].Day) < week
}
