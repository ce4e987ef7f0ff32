// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package mongo

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/carbon-exporter/carbon_exporter/internal/directory"
)

// The reasons why a record, or a part of one, is refused: values of a label.
const (
	missingHostname      = "missing_hostname"
	missingCreated       = "missing_created_time"
	missingPlatformName  = "missing_platform_name"
	missingName          = "missing_name"
	badType              = "bad_type" // a date that is a string, a name that is a document ...
	badText              = "bad_text" // not UTF-8, or longer than any name
	deletedBeforeCreated = "deleted_before_created"
	acquiredAfterDeleted = "acquired_after_deleted" // so it had no owner at any time
	unknownOwner         = "unknown_owner"          // the record is kept; its usage is unattributed until users has the owner
	duplicate            = "duplicate"
	badMember            = "bad_member" // the group is kept without that member
)

// counter turns records into a census as they arrive, in order of their ids.
type counter struct {
	names   Names
	census  directory.Census
	people  map[string]bool
	ids     map[string]string // platform names by reference, see reference
	hosts   map[string]bool
	refused map[rejection]int
}

// rejection is why records of a collection are refused.
type rejection struct{ collection, reason string }

func (r rejection) compare(o rejection) int {
	return cmp.Or(cmp.Compare(r.collection, o.collection), cmp.Compare(r.reason, o.reason))
}

func newCounter(n Names) *counter {
	return &counter{
		names: n, people: map[string]bool{}, ids: map[string]string{}, hosts: map[string]bool{}, refused: map[rejection]int{},
		census: directory.Census{Groups: map[string][]string{}, Refused: map[string]bool{}},
	}
}

func (c *counter) refuse(collection, reason string) { c.refused[rejection{collection, reason}]++ }

// close returns the census and the refused records, both in a fixed order.
func (c *counter) close() (directory.Census, []directory.RecordReject) {
	var rejects []directory.RecordReject
	for _, k := range slices.SortedFunc(maps.Keys(c.refused), rejection.compare) {
		rejects = append(rejects, directory.RecordReject{Collection: k.collection, Reason: k.reason, Count: c.refused[k]})
	}
	for name, members := range c.census.Groups {
		slices.Sort(members)
		c.census.Groups[name] = slices.Compact(members)
	}
	return c.census, rejects
}

// user adds a person. Of several with the same platform name it keeps the first by id.
func (c *counter) user(doc bson.Raw) {
	n := c.names.Users
	id, reason := name(doc, n.PlatformName, missingPlatformName)
	if reason != "" {
		c.refuse(n.Collection, reason)
		return
	}
	if v, err := doc.LookupErr("_id"); err == nil {
		if r := reference(v); r != "" {
			c.ids[r] = id
		}
	}
	if c.people[id] {
		c.refuse(n.Collection, duplicate)
		return
	}
	called, reason := name(doc, n.Name, "")
	if reason != "" {
		c.refuse(n.Collection, reason) // the person is kept without it
	}
	c.people[id] = true
	c.census.People = append(c.census.People, directory.Person{ID: id, Name: called})
}

// group adds a group. Groups with the same name become one, with all members.
func (c *counter) group(doc bson.Raw) {
	n := c.names.Groups
	group, reason := name(doc, n.Name, missingName)
	if reason != "" {
		c.refuse(n.Collection, reason)
		return
	}
	members, known := c.census.Groups[group]
	if known {
		c.refuse(n.Collection, duplicate)
	}
	list, err := lookup(doc, n.Members)
	switch {
	case err != nil || list.Type == bson.TypeNull:
	case list.Type != bson.TypeArray:
		c.refuse(n.Collection, badType)
	default:
		values, err := list.Array().Values()
		if err != nil {
			c.refuse(n.Collection, badType)
		}
		for _, v := range values {
			member, ok := c.member(v)
			if !ok {
				c.refuse(n.Collection, badMember)
				continue
			}
			members = append(members, member)
		}
	}
	c.census.Groups[group] = members
}

// host adds a host's placement. Of several with the same name it keeps the first by id.
func (c *counter) host(doc bson.Raw) {
	n := c.names.Hosts
	called, reason := host(doc, n.Hostname)
	if reason == "" && c.hosts[called] {
		reason = duplicate
	}
	if reason != "" {
		c.refuse(n.Collection, reason)
		return
	}
	p := directory.Placement{Host: called}
	for _, field := range []struct {
		name string
		into *string
	}{{n.Project, &p.Project}, {n.Machine, &p.Machine}} {
		if *field.into, reason = name(doc, field.name, ""); reason != "" {
			c.refuse(n.Collection, reason)
		}
	}
	c.hosts[called] = true
	c.census.Hosts = append(c.census.Hosts, p)
}

// workspace adds a workspace. Its state field is not read: history follows from its times.
func (c *counter) workspace(doc bson.Raw) {
	n := c.names.Workspaces
	id := identity(doc)
	w, reason := c.times(doc)
	if reason == "" {
		w.Host, reason = host(doc, n.Hostname)
	}
	if reason == "" {
		w.Owner, w.Unresolved, reason = c.owner(doc)
	}
	if reason != "" {
		c.refuse(n.Collection, reason)
		c.census.Refused[id] = true
		return
	}
	if w.Unresolved || w.Owner != "" && !c.people[w.Owner] && len(c.people) > 0 {
		c.refuse(n.Collection, unknownOwner) // the owner may appear in users later
	}
	w.Document = id
	c.census.Workspaces = append(c.census.Workspaces, w)
}

func (c *counter) times(doc bson.Raw) (w directory.Workspace, reason string) {
	n := c.names.Workspaces
	for _, t := range []struct {
		field string
		into  *time.Time
	}{{n.Created, &w.Created}, {n.Acquired, &w.Acquired}, {n.Deleted, &w.Deleted}} {
		if *t.into, reason = date(doc, t.field); reason != "" {
			return w, reason
		}
	}
	switch {
	case w.Created.IsZero():
		return w, missingCreated
	case !w.Deleted.IsZero() && w.Deleted.Before(w.Created):
		return w, deletedBeforeCreated
	case !w.Deleted.IsZero() && w.Acquired.After(w.Deleted):
		return w, acquiredAfterDeleted
	case w.Acquired.Before(w.Created):
		w.Acquired = time.Time{} // the owner had it from its creation
	}
	return w, ""
}

// lookup finds a field, inside other fields if the name has dots.
func lookup(doc bson.Raw, field string) (bson.RawValue, error) {
	if !strings.Contains(field, ".") {
		return doc.LookupErr(field)
	}
	return doc.LookupErr(strings.Split(field, ".")...)
}
