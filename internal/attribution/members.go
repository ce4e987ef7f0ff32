// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package attribution

import (
	"slices"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/directory"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// changedMemberships returns the memberships that began or ended since the last reading. A
// group's record has no times: a user seen for the first time has always been in it; a user
// known before joined or left when it was read. If there were no groups at all before, for
// example because their collection was misspelt, nothing counts as a change.
func changedMemberships(known directory.Directory, c directory.Census) []directory.Membership {
	at := whole(c.AsOf)
	past, now := known.Memberships, pairs(c.Groups)
	var changed []directory.Membership
	for len(past) > 0 || len(now) > 0 {
		begun := len(past) == 0 || len(now) > 0 && comparePairs(now[0], past[0]) < 0
		if begun {
			m := now[0]
			if len(known.Memberships) > 0 && wasSeen(known, m.User) {
				m.From = at
			}
			changed = append(changed, m)
			now = now[1:]
			continue
		}
		n := 1
		for n < len(past) && comparePairs(past[n], past[0]) == 0 {
			n++
		}
		last, in := past[n-1], len(now) > 0 && comparePairs(now[0], past[0]) == 0
		past = past[n:]
		if in {
			now = now[1:]
		}
		if m, differs := continued(last, in, at); differs {
			changed = append(changed, m)
		}
	}
	return changed
}

// continued returns a user's last membership of a group with its changes, given whether the
// user is in the group now.
func continued(last directory.Membership, in bool, at time.Time) (m directory.Membership, differs bool) {
	m = last
	switch open := last.To.IsZero(); {
	case in == open:
		return m, false
	case open:
		m.To = usage.Later(at, last.From)
	case last.To.Before(at):
		m.From, m.To = at, time.Time{}
	default:
		m.To = time.Time{} // left and back at the same moment
	}
	return m, true
}

// wasSeen reports whether a user was known before, as a person or a member of a group.
func wasSeen(known directory.Directory, user string) bool {
	if _, ok := slices.BinarySearchFunc(known.People, directory.Person{ID: user}, comparePeople); ok {
		return true
	}
	at, _ := slices.BinarySearchFunc(known.Memberships, directory.Membership{User: user}, compareMemberships)
	return at < len(known.Memberships) && known.Memberships[at].User == user
}

// pairs returns the users and groups of a reading, in order, each pair once.
func pairs(groups map[string][]string) []directory.Membership {
	n := 0
	for _, members := range groups {
		n += len(members)
	}
	all := make([]directory.Membership, 0, n)
	for group, members := range groups {
		for _, user := range members {
			if user != "" && group != "" {
				all = append(all, directory.Membership{User: user, Group: group})
			}
		}
	}
	slices.SortFunc(all, comparePairs)
	return slices.Compact(all)
}
