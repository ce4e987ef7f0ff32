// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package attribution

import (
	"slices"

	"github.com/carbon-exporter/carbon_exporter/internal/directory"
)

// Learn updates a directory from a reading of the records. What the records no longer say stays
// as the past; a change without a time of its own counts from when it was read. Reading the
// same records again changes nothing, and their order does not matter. Neither argument is
// changed; the new directory shares unchanged parts with the known one.
func Learn(known directory.Directory, c directory.Census) directory.Learned {
	known.Tenures = sorted(known.Tenures, compareTenures)
	known.People = sorted(known.People, comparePeople)
	known.Memberships = sorted(known.Memberships, compareMemberships)
	known.Hosts = sorted(known.Hosts, comparePlacements)
	known.Names = sorted(known.Names, directory.Name.Compare)
	l := directory.Learned{
		People: latest(known.People, c.People, comparePeople, breakTiesOfPeople),
		Hosts:  latest(known.Hosts, c.Hosts, comparePlacements, breakTiesOfPlacements),
		Names:  latest(known.Names, c.Names, directory.Name.Compare, breakTiesOfNames),
	}
	var spans []hostSpan
	if c.Table {
		l.Tenures = claimedTenures(known, c)
		l.Memberships, spans = claimedMemberships(known, c)
		l.People = slices.DeleteFunc(l.People, func(p directory.Person) bool { // a name that is known stays
			_, found := slices.BinarySearchFunc(known.People, p, comparePeople)
			return found
		})
	} else {
		l.Tenures, l.Memberships = changedTenures(known, c), changedMemberships(known, c)
	}
	l.Directory = directory.Directory{
		AsOf:        c.AsOf,
		Tenures:     rewritten(known.Tenures, l.Tenures),
		People:      merged(known.People, l.People, comparePeople),
		Memberships: merged(known.Memberships, l.Memberships, compareMemberships),
		Hosts:       merged(known.Hosts, l.Hosts, comparePlacements),
		Names:       merged(known.Names, l.Names, directory.Name.Compare),
	}
	l.Spans = changedSpans(known, l, spans)
	return l
}
