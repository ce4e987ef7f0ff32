// Package directory is the vocabulary of who had which host when, and who was in
// which group: what those speak who read such records, attribute usage by them or
// keep them. It must not know where records come from or where they are kept. Start
// with Directory and Tenure.
package directory

import (
	"net"
	"strings"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// Directory is what a record of workspaces, users and groups says, as of one
// moment. It holds the past as well as the present: see Tenure and Membership.
type Directory struct {
	AsOf        time.Time // when it was read; zero: never
	Tenures     []Tenure
	People      []Person
	Memberships []Membership
	Hosts       []Placement
}

// Tenure is the time [From, To) in which a host was somebody's, or nobody's.
type Tenure struct {
	Document string    // id of the record that says so
	Host     string    // as HostName spells it
	Owner    string    // a user's id; empty: nobody's, it waits in a pool
	From     time.Time // whole seconds
	To       time.Time // zero: still
}

// Person is a user of the platform. The name is for people who read the store:
// it never reaches a label, a log line or a page.
type Person struct {
	ID   string
	Name string
}

// Membership is the time [From, To) in which a user was in a group.
type Membership struct {
	User, Group string
	From        time.Time // zero: always
	To          time.Time // zero: still
}

// Placement says what a host is, for series that do not say it themselves.
type Placement struct {
	Host             string // as HostName spells it
	Project, Machine string // empty: not known
}

// Census is one reading of the records as they stand: what a Directory is kept
// up to date from.
type Census struct {
	AsOf       time.Time
	Workspaces []Workspace
	People     []Person
	Groups     map[string][]string // members' ids, by group
	Hosts      []Placement
	Refused    map[string]bool // ids of workspace records that could not be read: nothing is known of them now
}

// Workspace is one record of a virtual machine that is handed out to people.
type Workspace struct {
	Document string
	Host     string // as HostName spells it
	Owner    string // empty: nobody yet
	Created  time.Time
	Acquired time.Time // when Owner took it; zero: when it was created
	Deleted  time.Time // zero: it lives
}

// RecordReject counts records of a collection that were refused for one reason.
type RecordReject struct {
	Collection, Reason string
	Count              int
}

// Span is a time [From, To) of one host, or of any if Host is empty, of which a
// directory now says something else than before. To is zero if it has no end.
type Span struct {
	Host     string
	From, To time.Time
}

// Touches says whether any of the span lies in the interval.
func (s Span) Touches(i usage.Interval) bool {
	return s.From.Before(i.End()) && (s.To.IsZero() || s.To.After(i.Start))
}

// HostName is how a host is spelled when directories and series are compared:
// without port and brackets, in lower case, without the dot at the end.
func HostName(label string) string {
	host := strings.TrimSpace(label)
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	return strings.ToLower(strings.TrimSuffix(host, "."))
}

// Learned is what a Census adds to a Directory, and the Directory with it.
type Learned struct {
	Directory   Directory
	Tenures     []Tenure     // all of every document of which one is new or changed
	People      []Person     // new or renamed
	Memberships []Membership // new, or ended: the same user, group and From as before
	Hosts       []Placement  // new or changed
	Spans       []Span       // where owners are others than was known
}

// Title says why usage is somebody's: the records that gave them hosts and groups
// at the time. Without any it is the series' own label that says so.
type Title struct {
	User        string
	Tenures     []Tenure
	Memberships []Membership
}
