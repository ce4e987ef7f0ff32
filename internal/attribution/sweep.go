// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package attribution

import (
	"cmp"
	"slices"

	"github.com/carbon-exporter/carbon_exporter/internal/directory"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// maxSharing is how many owners a host can have at once. A name with more owners, such as
// "localhost", identifies no host, and its usage is unattributed.
const maxSharing = 32

// turn is a moment at which an owner gets a host, or loses it.
type turn struct {
	at    int64
	host  int    // number of the host
	by    int    // +1 or -1
	owner string // empty: none
}

// addTenures turns tenures into stretches: it goes through the turns of each host in order of
// time and counts its owners.
func (x *Index) addTenures(tenures []directory.Tenure) {
	names, turns := turnsOf(tenures)
	x.stretches = make([]stretch, 0, len(turns)/2)
	x.owners = make([]string, 0, len(turns)/2)
	x.hosts = make(map[string]run, len(names))
	holders := map[string]int{} // current number of tenures by owner
	var listed []string
	for len(turns) > 0 {
		host, first, open := turns[0].host, len(x.stretches), 0
		for len(turns) > 0 && turns[0].host == host {
			now := turns[0].at
			for ; len(turns) > 0 && turns[0].host == host && turns[0].at == now; turns = turns[1:] {
				t := turns[0]
				open += t.by
				if t.owner == "" {
					continue
				}
				if holders[t.owner] += t.by; holders[t.owner] == 0 {
					delete(holders, t.owner)
				}
			}
			if open > 0 { // then there is a later turn
				listed = x.list(listed[:0], holders)
				x.addStretch(first, now, turns[0].at, listed)
			}
		}
		x.hosts[names[host]] = run{int32(first), int32(len(x.stretches))}
	}
}

// turnsOf returns the turns of all hosts, by host and time, and the hosts' names.
func turnsOf(tenures []directory.Tenure) (names []string, turns []turn) {
	numbers := make(map[string]int, len(tenures)/2)
	turns = make([]turn, 0, 2*len(tenures))
	for _, t := range tenures {
		from, to := startSeconds(t.From), endSeconds(t.To)
		if from >= to || t.Host == "" {
			continue
		}
		n, ok := numbers[t.Host]
		if !ok {
			n = len(names)
			numbers[t.Host] = n
			names = append(names, t.Host)
		}
		owner := t.Owner
		if isNobody(owner) {
			owner = ""
		}
		turns = append(turns, turn{from, n, 1, owner}, turn{to, n, -1, owner})
	}
	slices.SortFunc(turns, func(a, b turn) int {
		return cmp.Or(cmp.Compare(a.host, b.host), cmp.Compare(a.at, b.at))
	})
	return names, turns
}

// list appends the owners of a host, in order; none if there are too many to tell.
func (x *Index) list(to []string, holders map[string]int) []string {
	if len(holders) > maxSharing {
		return to
	}
	somebody := false
	for owner := range holders {
		if !x.knows(owner) {
			owner = usage.Unattributed
		}
		somebody = somebody || owner != usage.Unattributed
		to = append(to, owner)
	}
	if !somebody {
		return to[:0]
	}
	slices.Sort(to)
	return to
}

// addStretch appends a stretch, or extends the host's last one if it has the same owners; first
// is the index of the host's first stretch.
func (x *Index) addStretch(first int, from, to int64, owners []string) {
	if n := len(x.stretches); n > first {
		last := &x.stretches[n-1]
		if last.to == from && slices.Equal(x.ownersOf(*last), owners) {
			last.to = to
			return
		}
	}
	n := len(x.owners)
	x.owners = append(x.owners, owners...)
	x.stretches = append(x.stretches, stretch{from: from, to: to, owners: run{int32(n), int32(len(x.owners))}})
}
