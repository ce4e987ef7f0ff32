// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package attribution

import (
	"cmp"
	"slices"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/directory"
)

// Index is a directory prepared for lookups by host and time. It is not changed once made; a
// nil Index is a directory that knows nothing.
type Index struct {
	hosts     map[string]run // of stretches
	stretches []stretch      // by host and time, none overlap
	owners    []string
	users     map[string]run // of memberships
	members   []directory.Membership
	places    map[string]directory.Placement
	people    map[string]bool
	names     map[nameKey]string
}

// nameKey is an id of a kind.
type nameKey struct {
	kind directory.Kind
	id   string
}

// run is a part [from, to) of a slice.
type run struct{ from, to int32 }

// stretch is a time [from, to), in Unix seconds, in which the owners of a host do not change.
// It may have none.
type stretch struct {
	from, to int64
	owners   run
}

// NewIndex prepares a directory. Its tenures may be in any order and overlap.
func NewIndex(d directory.Directory) *Index {
	x := &Index{
		hosts:  map[string]run{},
		users:  map[string]run{},
		places: make(map[string]directory.Placement, len(d.Hosts)),
		people: make(map[string]bool, len(d.People)),
	}
	for _, p := range d.People {
		x.people[p.ID] = true
	}
	if len(d.Names) > 0 {
		x.names = make(map[nameKey]string, len(d.Names))
		for _, n := range d.Names {
			x.names[nameKey{n.Kind, n.ID}] = n.Name
		}
	}
	x.addPlacements(d.Hosts)
	x.addMemberships(d.Memberships)
	x.addTenures(d.Tenures)
	return x
}

// ownersAt returns the owners of a host, spelled as by HostName, at one moment, in order and
// with equal shares; an owner whom the directory does not list is "unattributed". It is empty
// if nobody has the host. The slice must not be changed.
func (x *Index) ownersAt(host string, at time.Time) []string {
	if s := x.at(host, at); s != nil {
		return x.ownersOf(*s)
	}
	return nil
}

// since is Rules.Since for a host in HostName's spelling.
func (x *Index) since(host string, at time.Time) (time.Time, bool) {
	if s := x.at(host, at); s != nil && s.from > always {
		return moment(s.from), true
	}
	return time.Time{}, false // no record, or one that does not say
}

// group returns the first by name of the groups that a user is in at one moment; empty: none.
func (x *Index) group(user string, at time.Time) string {
	if x == nil {
		return ""
	}
	r := x.users[user]
	for _, m := range x.members[r.from:r.to] {
		if !at.Before(m.From) && (m.To.IsZero() || at.Before(m.To)) {
			return m.Group
		}
	}
	return ""
}

// placement returns what the directory knows of a host's project and machine type.
func (x *Index) placement(host string) directory.Placement {
	if x == nil {
		return directory.Placement{}
	}
	return x.places[host]
}

// nameOf returns what an id is shown as: itself, unless it has a name.
func (x *Index) nameOf(kind directory.Kind, id string) string {
	if x == nil || x.names == nil {
		return id
	}
	if name := x.names[nameKey{kind, id}]; isName(name) && name != folded {
		return name
	}
	return id
}

// knows reports whether the directory lists a user. If it lists nobody at all, every owner
// counts as listed.
func (x *Index) knows(user string) bool {
	return x != nil && (len(x.people) == 0 || x.people[user])
}

// between returns the stretches of a host that lie at least partly in [from, to).
func (x *Index) between(host string, from, to int64) []stretch {
	if x == nil || host == "" {
		return nil
	}
	r := x.hosts[host]
	all := x.stretches[r.from:r.to]
	first, _ := slices.BinarySearchFunc(all, from, func(s stretch, at int64) int { return cmp.Compare(s.to, at+1) })
	all = all[first:]
	for i := range all {
		if all[i].from >= to {
			return all[:i]
		}
	}
	return all
}

func (x *Index) at(host string, at time.Time) *stretch {
	if s := x.between(host, at.Unix(), at.Unix()+1); len(s) > 0 {
		return &s[0]
	}
	return nil
}

func (x *Index) ownersOf(s stretch) []string { return x.owners[s.owners.from:s.owners.to:s.owners.to] }

func (x *Index) addPlacements(all []directory.Placement) {
	for _, p := range all {
		if !isName(p.Project) {
			p.Project = ""
		}
		if !isName(p.Machine) {
			p.Machine = ""
		}
		if p.Host != "" {
			x.places[p.Host] = p
		}
	}
}

func (x *Index) addMemberships(all []directory.Membership) {
	x.members = slices.DeleteFunc(slices.Clone(all), func(m directory.Membership) bool { return !isName(m.Group) })
	slices.SortFunc(x.members, compareMemberships)
	for i, m := range x.members {
		r := x.users[m.User]
		if r.to == 0 {
			r.from = int32(i)
		}
		r.to = int32(i + 1)
		x.users[m.User] = r
	}
}
