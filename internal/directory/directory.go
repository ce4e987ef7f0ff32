// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Package directory is the vocabulary of who had which host when, and who was in which group,
// for the packages that read such records, attribute usage by them or store them. It must not
// know where records come from or where they are stored. Start with Directory and Tenure.
package directory

import (
	"cmp"
	"time"
)

// Directory is what the records of workspaces, users and groups say, as of one moment. It
// covers the past as well as the present: see Tenure and Membership.
type Directory struct {
	AsOf        time.Time // when it was read; zero: never
	Tenures     []Tenure
	People      []Person
	Memberships []Membership
	Hosts       []Placement
	Names       []Name
}

// Tenure is the time [From, To) in which a host had one owner, or none.
type Tenure struct {
	Document string    // id of the record that says so
	Host     string    // as HostName returns it
	Owner    string    // a user's id; empty: none, the host waits in a pool
	From     time.Time // whole seconds
	To       time.Time // zero: ongoing
}

// Person is a user of the platform. The name is for people who read the store: it never appears
// in a label, a log line or a page.
type Person struct {
	ID   string
	Name string
}

// Membership is the time [From, To) in which a user was in a group.
type Membership struct {
	User, Group string
	From        time.Time // zero: always
	To          time.Time // zero: ongoing
}

// Placement is the project and machine type of a host, for series without those labels.
type Placement struct {
	Host             string // as HostName returns it
	Project, Machine string // empty: not known
}

// Census is one reading of the records as they are, from which a Directory is kept up to date.
// It has either records (Workspaces and Groups) or a table (Owners and Members).
type Census struct {
	AsOf       time.Time
	Workspaces []Workspace
	People     []Person            // of a table: without names
	Groups     map[string][]string // members' ids, by group
	Hosts      []Placement
	Names      []Name
	Refused    map[string]bool // ids of workspace records, or hosts of a table, that could not be read; what is known of them stays

	Table   bool
	Owners  []Claim // whose a host is
	Members []Claim // in which group a user is
}

// Claim is what a row of a table says: something, a host or a user, was another's in [From, To).
type Claim struct {
	Of, Holder string    // a host, as HostName returns it, and its owner, empty: nobody's; or a user and a group
	From       time.Time // zero: not said
	To         time.Time // zero: ongoing
	Seen       time.Time // without From: when it was so for certain; zero: when the table was read
}

// Workspace is one record of a virtual machine that is handed out to people.
type Workspace struct {
	Document string
	Host     string // as HostName returns it
	Owner    string // empty: none yet
	Created  time.Time
	Acquired time.Time // when Owner took it; zero: when it was created
	Deleted  time.Time // zero: not deleted
	// Unresolved means that it has an owner of whom only an id is known, that of no person: its
	// last known owner stays.
	Unresolved bool
}

// Kind is what a Name is of.
type Kind string

// The kinds of names.
const (
	Projects Kind = "project"
	Users    Kind = "user"
	Groups   Kind = "group"
)

// Name is what an id is shown as, by its kind. Unlike that of a Person it is shown everywhere.
type Name struct {
	Kind     Kind
	ID, Name string
}

// Compare orders names by kind and id.
func (n Name) Compare(o Name) int {
	return cmp.Or(cmp.Compare(n.Kind, o.Kind), cmp.Compare(n.ID, o.ID))
}

// RecordReject counts the records of a collection that were refused for one reason.
type RecordReject struct {
	Collection, Reason string
	Count              int
	Where              string // of the first, such as "line 7"; empty: not known
}

// Span is a time [From, To) of one host, or of any host if Host is empty, for which a directory
// has changed. To is zero if it has no end.
type Span struct {
	Host     string
	From, To time.Time
}

// Learned is what a Census adds to a Directory, and the resulting Directory.
type Learned struct {
	Directory   Directory
	Tenures     []Tenure     // all tenures of every document with a new or changed one
	People      []Person     // new or renamed
	Memberships []Membership // new, or ended: the same user, group and From as before
	Hosts       []Placement  // new or changed
	Names       []Name       // new or changed
	Spans       []Span       // where owners have changed
}

// Title is why usage belongs to a user: the records that gave them hosts and groups at the
// time. Without records it was the series' own label.
type Title struct {
	User        string
	Tenures     []Tenure
	Memberships []Membership
}
