// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package simulate

import (
	"fmt"
	"slices"
	"strings"
)

const (
	users  = 40
	guests = 3
	guest  = "guest-"
)

// groupNames are the groups in a cloud with a directory.
var groupNames = []string{"Data", "Imaging", "Lasers", "Muons", "Neutrons"}

// owner returns one of the people, some more often than others, or a guest.
func owner(seed uint64) string {
	if draw(seed, 6) < visited {
		return fmt.Sprintf("%s%02d", guest, 1+int(draw(seed, 7)*guests))
	}
	d := draw(seed, 7)
	return person(1 + int(d*(d+1)/2*users))
}

func person(n int) string { return fmt.Sprintf("user-%02d", n) }

// isGuest reports whether a name is in no record of users.
func isGuest(name string) bool { return strings.HasPrefix(name, guest) }

// members lists who is in a group. Most people are in one, some in two, and the last three in
// none.
func (c *Cloud) members(group int) (all []string) {
	for n := 1; n <= users-3; n++ {
		seed := mix(c.config.Seed, aboutPeople, uint64(n))
		first, second := int(draw(seed, 1)*float64(len(groupNames))), int(draw(seed, 2)*float64(len(groupNames)))
		if group == first || group == second && draw(seed, 3) < 0.3 {
			all = append(all, person(n))
		}
	}
	return all
}

// Group returns the group of a user, the first by name of several; empty: none.
func (c *Cloud) Group(user string) string {
	for g, name := range groupNames { // in order of name
		if slices.Contains(c.members(g), user) {
			return name
		}
	}
	return ""
}
