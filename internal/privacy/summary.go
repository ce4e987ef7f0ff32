// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package privacy

import (
	"maps"
	"slices"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// View is a summary with the labels to show.
type View struct {
	usage.Summary
	Named map[string]bool // by id; nil: all are
	// Shown must be saved if it has changed, before the view is shown: the next view
	// starts with it.
	Shown   usage.Shown
	Changed bool
}

// Summary gives each user their label and adds up hidden users under Other. Sums over
// users are unchanged, except that settled counters lack what was shown under names
// that are now hidden.
//
// Counters must not decrease when the list of names changes. So usage counted under
// Other stays there when its user becomes named, and usage counted under a name stays
// there, hidden, when its user is no longer named: shown.Elsewhere records it. While
// the first catch-up is running and nothing was chosen yet, the list changes freely.
func (l Labels) Summary(s usage.Summary, shown usage.Shown, caughtUp bool) View {
	named := l.choose(s.Totals, shown.Users)
	v := View{Summary: s, Named: named, Shown: shown}
	if named == nil && shown.Users == nil && l.plain(s.Totals) {
		return v
	}
	if named == nil && shown.Users == nil {
		v.Totals = l.totals(s.Totals, nil, nil)
	} else {
		if shown.Users != nil || caughtUp {
			v.Shown = next(s.Totals, shown, named)
			v.Changed = shown.Users == nil || !maps.Equal(shown.Users, v.Shown.Users)
		}
		v.Totals = l.totals(s.Totals, named, v.Shown.Elsewhere)
	}
	if s.Newest != nil {
		newest := *s.Newest
		newest.Usage = l.usage(s.Newest.Usage, named)
		v.Newest = &newest
	}
	return v
}

// plain says that every label is the id.
func (l Labels) plain(totals []usage.Total) bool {
	return l.Mode == ID && !slices.ContainsFunc(totals, func(t usage.Total) bool { return t.User == Other })
}

// Usage labels the users of sums over another period, with the same list of named
// users.
func (l Labels) Usage(keys []usage.KeyUsage, named map[string]bool) []usage.KeyUsage {
	if named == nil && l.Mode == ID && !slices.ContainsFunc(keys, func(u usage.KeyUsage) bool { return u.User == Other }) {
		return keys
	}
	return l.usage(keys, named)
}

// Active labels the users of active workspaces.
func (l Labels) Active(active []usage.ActiveUsage, named map[string]bool) []usage.ActiveUsage {
	labelled := slices.Clone(active)
	for i := range labelled {
		labelled[i].User = l.label(labelled[i].User, named)
	}
	return labelled
}

// next is what will be counted elsewhere once these users are named: for each user who
// changes, everything counted at the old place.
func next(totals []usage.Total, was usage.Shown, named map[string]bool) usage.Shown {
	is := usage.Shown{Users: map[string]bool{}, Elsewhere: map[usage.Key]usage.SettledUsage{}}
	for _, t := range totals {
		if t.User == usage.Unattributed {
			continue
		}
		now := named == nil || named[t.User]
		if now {
			is.Users[t.User] = true
		}
		elsewhere, kept := was.Elsewhere[t.Key]
		if was.Users != nil && was.Users[t.User] != now {
			elsewhere, kept = less(settled(t), elsewhere), true
		}
		if kept {
			is.Elsewhere[t.Key] = elsewhere
		}
	}
	return is
}

func settled(t usage.Total) usage.SettledUsage {
	return usage.SettledUsage{Energy: t.SettledEnergy, Emissions: t.SettledEmissions, Embodied: t.SettledEmbodied}
}

// less subtracts b from a, but never below 0.
func less(a, b usage.SettledUsage) usage.SettledUsage {
	return usage.SettledUsage{
		Energy: lessByMode(a.Energy, b.Energy), Emissions: lessByMode(a.Emissions, b.Emissions), Embodied: max(a.Embodied-b.Embodied, 0),
	}
}

func lessByMode[T ~float64](a, b usage.ByMode[T]) usage.ByMode[T] {
	return usage.ByMode[T]{Busy: max(a.Busy-b.Busy, 0), Idle: max(a.Idle-b.Idle, 0), Measured: max(a.Measured-b.Measured, 0)}
}
