// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package usage

import (
	"cmp"
	"maps"
	"slices"
)

// MostDoubts is how many hosts that are not exact are listed of an interval. All of them are
// counted.
const MostDoubts = 1000

// UnlistedFrom is the share of all CPU time from which on a mode is named that is neither busy,
// idle nor other.
const UnlistedFrom = 0.01

// Attendance is which hosts were there in an interval, booked or not, and how well they are
// known. A host that is refused in any piece of the interval is refused, else one that is
// interpolated in any piece is interpolated.
type Attendance struct {
	Present  map[string]Presence // by project; the most of any piece
	Doubtful map[DoubtKind]int   // how many hosts are not exact
	Doubts   []Doubt             // these hosts, in order, without users; the first MostDoubts
	Unlisted map[string]float64  // as in Reading
	Final    bool                // as in Reading
}

// DoubtKind is what hosts that are not exact are counted by.
type DoubtKind struct {
	Project string
	State   HostState
	Reason  DoubtReason
}

// Attended is the newest interval in which hosts were there, booked or not.
type Attended struct {
	Interval   Interval
	Coverage   map[string]Coverage // by project
	Attendance *Attendance         // nil: not known, because an older program has stored it
}

// Sure reports whether another reading can find more only where there are more hosts now.
func (a *Attendance) Sure() bool { return a != nil && a.Final && len(a.Doubtful) == 0 }

// Hosts counts the hosts of a project by state.
func (a *Attendance) Hosts(project string) map[HostState]int {
	n := map[HostState]int{}
	for kind, hosts := range a.Doubtful {
		if kind.Project == project {
			n[kind.State] += hosts
		}
	}
	n[HostExact] = max(a.Present[project].Hosts-n[HostInterpolated]-n[HostRefused], 0)
	return n
}

// Booked is how many hosts are not refused.
func (a *Attendance) Booked() (n int) {
	for project := range a.Present {
		hosts := a.Hosts(project)
		n += hosts[HostExact] + hosts[HostInterpolated]
	}
	return n
}

// Named returns the modes that are neither busy, idle nor other and have enough of the CPU time
// to be named, with their share of it.
func (a *Attendance) Named() map[string]float64 {
	named := map[string]float64{}
	for mode, share := range a.Unlisted {
		if share > UnlistedFrom {
			named[mode] = share
		}
	}
	return named
}

// ByReason counts the hosts in a state by the reason, of all projects.
func (a *Attendance) ByReason(state HostState) map[DoubtReason]int {
	n := map[DoubtReason]int{}
	for kind, hosts := range a.Doubtful {
		if kind.State == state {
			n[kind.Reason] += hosts
		}
	}
	return n
}

// Attend makes the attendance of an interval from the readings of its pieces; nil if the source
// does not know which hosts were there.
func Attend(readings []Reading) *Attendance {
	a := &Attendance{Present: map[string]Presence{}, Doubtful: map[DoubtKind]int{}, Final: true}
	known := false
	worst := map[Series]Doubt{}
	for _, r := range readings {
		known = known || r.Present != nil
		a.Final = a.Final && r.Final
		for project, p := range r.Present {
			most := a.Present[project]
			a.Present[project] = Presence{Hosts: max(most.Hosts, p.Hosts), Cores: max(most.Cores, p.Cores)}
		}
		for _, d := range r.Doubts {
			d.User = ""
			if was, ok := worst[d.Series]; !ok || d.State == HostRefused && was.State != HostRefused {
				worst[d.Series] = d
			}
		}
		for mode, share := range r.Unlisted {
			if a.Unlisted == nil {
				a.Unlisted = map[string]float64{}
			}
			a.Unlisted[mode] += share / float64(len(readings))
		}
	}
	if !known {
		return nil
	}
	a.setDoubts(slices.Collect(maps.Values(worst)))
	return a
}

func (a *Attendance) setDoubts(doubts []Doubt) {
	for _, d := range doubts {
		a.Doubtful[DoubtKind{d.Project, d.State, d.Reason}]++
	}
	SortDoubts(doubts)
	a.Doubts = doubts[:min(len(doubts), MostDoubts)]
}

// SortDoubts orders hosts by project, host and machine type, so that what is kept of very many
// does not depend on the order in which they come.
func SortDoubts(doubts []Doubt) {
	slices.SortFunc(doubts, func(a, b Doubt) int {
		return cmp.Or(cmp.Compare(a.Project, b.Project), cmp.Compare(a.Host, b.Host), cmp.Compare(a.Machine, b.Machine))
	})
}

// Of returns the part of an attendance that is about some projects.
func (a *Attendance) Of(wanted func(project string) bool) *Attendance {
	if a == nil {
		return nil
	}
	part := *a
	part.Present, part.Doubtful, part.Doubts = map[string]Presence{}, map[DoubtKind]int{}, nil
	for project, p := range a.Present {
		if wanted(project) {
			part.Present[project] = p
		}
	}
	for kind, n := range a.Doubtful {
		if wanted(kind.Project) {
			part.Doubtful[kind] = n
		}
	}
	for _, d := range a.Doubts {
		if wanted(d.Project) {
			part.Doubts = append(part.Doubts, d)
		}
	}
	return &part
}

// With adds the attendance of other projects; nil if either is not known.
func (a *Attendance) With(others *Attendance) *Attendance {
	if a == nil || others == nil {
		return nil
	}
	all := *a
	all.Present, all.Doubtful = maps.Clone(a.Present), maps.Clone(a.Doubtful)
	maps.Copy(all.Present, others.Present)
	maps.Copy(all.Doubtful, others.Doubtful)
	all.Doubts = append(slices.Clone(a.Doubts), others.Doubts...)
	SortDoubts(all.Doubts)
	all.Doubts = all.Doubts[:min(len(all.Doubts), MostDoubts)]
	all.Unlisted, all.Final = others.Unlisted, a.Final && others.Final
	return &all
}
