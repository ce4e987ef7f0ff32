// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package infometric

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/directory"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// The reasons why a series is refused: values of a label.
const (
	missingHost  = "missing_host"
	ownerIsEmail = "owner_is_email"
)

// collection is that of series of the metric, where refused ones are counted.
const collection = "metric"

// ledger collects when each host was whose.
type ledger struct {
	metric   Metric
	names    names
	emails   bool
	from, to time.Time // of what was seen
	owners   book
	groups   book
	places   map[string]place
	refused  map[string]int
}

// book has the runs of holders, by what they held and by holder.
type book map[string]map[string][]usage.Run

// place is where a host was, and until when it was seen there.
type place struct {
	directory.Placement
	last time.Time
}

// add adds a series.
func (l *ledger) add(c *directory.Census, a usage.Appearance) {
	name := func(i int) string { return usage.Name(strings.TrimSpace(a.Values[i])) }
	host := directory.HostName(usage.HostLabel(a.Values[0]))
	owner, project, machine, group := l.names.of(directory.Users, name(1)), l.names.of(directory.Projects, name(2)), name(3), l.names.of(directory.Groups, name(4))
	if len(a.Runs) == 0 {
		return
	}
	if host == "" {
		l.refused[missingHost]++
		return
	}
	if last := a.Runs[len(a.Runs)-1].Last; project != "" || machine != "" {
		was, known := l.places[host]
		p := directory.Placement{Host: host, Project: project, Machine: machine}
		if !known || last.After(was.last) || last.Equal(was.last) && comparePlaces(p, was.Placement) < 0 {
			if l.places == nil {
				l.places = map[string]place{}
			}
			l.places[host] = place{p, last}
		}
	}
	switch {
	case l.metric.Owner == "":
		return
	case !l.emails && strings.Contains(owner, "@"):
		l.refused[ownerIsEmail]++
		c.Refused[host] = true
		return
	}
	l.owners = l.owners.with(host, owner, a.Runs)
	if owner != "" && group != "" {
		l.groups = l.groups.with(owner, group, a.Runs)
	}
}

func comparePlaces(a, b directory.Placement) int {
	return cmp.Or(cmp.Compare(a.Project, b.Project), cmp.Compare(a.Machine, b.Machine))
}

func (b book) with(of, holder string, runs []usage.Run) book {
	if b == nil {
		b = book{}
	}
	if b[of] == nil {
		b[of] = map[string][]usage.Run{}
	}
	b[of][holder] = append(b[of][holder], runs...)
	return b
}

// close adds what was collected to a census.
func (l *ledger) close(c *directory.Census) {
	c.Owners, c.Members = l.claims(l.owners), l.claims(l.groups)
	people := map[string]bool{}
	for _, claim := range c.Owners {
		if claim.Holder != "" {
			people[claim.Holder] = true
		}
	}
	for _, id := range slices.Sorted(maps.Keys(people)) {
		c.People = append(c.People, directory.Person{ID: id})
	}
	for _, host := range slices.Sorted(maps.Keys(l.places)) {
		c.Hosts = append(c.Hosts, l.places[host].Placement)
	}
}

// claims says who held what. What was there at the beginning, or came where nobody else had been
// in this time, has no start: it may have been there before. What has been away for longer than
// patience has ended, and what another holder has followed.
func (l *ledger) claims(b book) []directory.Claim {
	var all []directory.Claim
	for _, of := range slices.Sorted(maps.Keys(b)) {
		holders := b[of]
		for _, holder := range slices.Sorted(maps.Keys(holders)) {
			others := othersOf(holders, holder)
			runs := joined(holders[holder], others)
			for i, r := range runs {
				claim := directory.Claim{Of: of, Holder: holder, From: r.First, To: r.Last.Add(step)}
				if r.First.Equal(l.from) || i == 0 && !isAnyBefore(others, r.First) {
					claim.From, claim.Seen = time.Time{}, r.First
				}
				if i == len(runs)-1 && !r.Last.Before(l.to.Add(-patience)) && !isAnyAfter(others, r.Last) {
					claim.To = time.Time{}
				}
				all = append(all, claim)
				if claim.From.IsZero() && isAnyDuring(others, r) {
					// What has a start counts more than what has none: here both were there, and share.
					claim.From, claim.Seen = r.First, time.Time{}
					all = append(all, claim)
				}
			}
		}
	}
	return all
}

func othersOf(holders map[string][]usage.Run, holder string) (others []usage.Run) {
	for other, runs := range holders {
		if other != holder {
			others = append(others, runs...)
		}
	}
	return others
}

// joined returns runs in order, those joined between which no other holder was seen.
func joined(runs, others []usage.Run) []usage.Run {
	runs = slices.Clone(runs)
	slices.SortFunc(runs, func(a, b usage.Run) int { return cmp.Or(a.First.Compare(b.First), a.Last.Compare(b.Last)) })
	all := runs[:1]
	for _, r := range runs[1:] {
		last := &all[len(all)-1]
		gap := usage.Run{First: last.Last, Last: r.First}
		if !slices.ContainsFunc(others, func(o usage.Run) bool { return o.First.Before(gap.Last) && o.Last.After(gap.First) }) {
			last.Last = usage.Later(last.Last, r.Last)
			continue
		}
		all = append(all, r)
	}
	return all
}

func isAnyBefore(runs []usage.Run, t time.Time) bool {
	return slices.ContainsFunc(runs, func(r usage.Run) bool { return r.First.Before(t) })
}

func isAnyDuring(runs []usage.Run, r usage.Run) bool {
	return slices.ContainsFunc(runs, func(o usage.Run) bool { return !o.First.After(r.Last) && !o.Last.Before(r.First) })
}

func isAnyAfter(runs []usage.Run, t time.Time) bool {
	return slices.ContainsFunc(runs, func(r usage.Run) bool { return r.Last.After(t) })
}

func (l *ledger) rejects() (all []directory.RecordReject) {
	for _, reason := range slices.Sorted(maps.Keys(l.refused)) {
		all = append(all, directory.RecordReject{Collection: collection, Reason: reason, Count: l.refused[reason]})
	}
	return all
}
