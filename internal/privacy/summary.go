package privacy

import (
	"maps"
	"slices"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// View is a summary as it may be shown.
type View struct {
	usage.Summary
	Named map[string]bool // by id; nil: all are
	// Shown is to be kept when it has changed, before the view is shown: the next
	// one begins with it.
	Shown   usage.Shown
	Changed bool
}

// Summary gives every user the label that is due, and adds up under Other who is
// not named. Sums over users stay what they are; those of the settled counters
// lack what was once shown under a name that has left.
//
// A counter must not fall when the list of names changes. So what a user had
// under Other stays there when they come to be named, and what they had under
// their own name stays there, hidden, when they no longer are: shown.Elsewhere
// holds it. While the record is still catching up and nothing was chosen yet, the
// list changes freely.
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
		newest.Usage = l.newest(s.Newest.Usage, named)
		v.Newest = &newest
	}
	return v
}

// plain says that every label is the id.
func (l Labels) plain(totals []usage.Total) bool {
	return l.Mode == ID && !slices.ContainsFunc(totals, func(t usage.Total) bool { return t.User == Other })
}

// Totals gives users their labels in sums over another time than the summary's, by
// the list of those who are named there.
func (l Labels) Totals(totals []usage.Total, named map[string]bool) []usage.Total {
	if named == nil && l.plain(totals) {
		return totals
	}
	return l.totals(totals, named, nil)
}

// Active gives the users of active workspaces their labels.
func (l Labels) Active(active []usage.ActiveUsage, named map[string]bool) []usage.ActiveUsage {
	labelled := slices.Clone(active)
	for i := range labelled {
		labelled[i].User = l.label(labelled[i].User, named)
	}
	return labelled
}

// next is what is shown elsewhere once these users are named: for everybody who
// changes places, all that was shown where they were.
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
	return usage.SettledUsage{Energy: t.SettledEnergy, Emissions: t.SettledEmissions}
}

// less is what is left of a when b is taken away; never below nothing.
func less(a, b usage.SettledUsage) usage.SettledUsage {
	return usage.SettledUsage{
		Energy:    usage.BusyIdle[usage.KWh]{Busy: max(a.Energy.Busy-b.Energy.Busy, 0), Idle: max(a.Energy.Idle-b.Energy.Idle, 0)},
		Emissions: usage.BusyIdle[usage.Grams]{Busy: max(a.Emissions.Busy-b.Emissions.Busy, 0), Idle: max(a.Emissions.Idle-b.Emissions.Idle, 0)},
	}
}
