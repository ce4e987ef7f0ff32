// Package attribution says whose usage it is. It knows the operator's rules for
// groups and what a directory says of hosts, users and times; it must not know
// watts or grams, nor where the directory is kept. Start with Rules.Parts; an
// Index is the directory made ready to be asked, Learn keeps it up to date.
package attribution

import (
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// GroupBy is how a group is found.
type GroupBy string

// The ways to find a group.
const (
	ByProject        GroupBy = "project"         // configured lists; a project in none is its own group
	ByProjectMachine GroupBy = "project_machine" // IDAaaS_Muon
	ByDirectory      GroupBy = "directory"       // the user's own, first by name; in none: unattributed
)

// Rules attribute samples. They are not changed once made.
type Rules struct {
	GroupBy   GroupBy
	Groups    map[string]string // project -> group
	Directory *Index            // nil: there is none
}

// Whose says whose a series is at one moment: the user its label names, else its
// owner, of several the first by name.
func (r Rules) Whose(s usage.Series, at time.Time) usage.Key {
	host := r.host(s)
	user := s.User
	if user == "" {
		if owners := r.Directory.Owners(host, at); len(owners) > 0 {
			user = owners[0]
		}
	}
	return r.key(r.placed(s, host), user, at)
}

// Since says since when those who have a host at one moment have had it, or since
// when it waits in a pool. It is false where there is no record of it. The host is
// the label, as it came.
func (r Rules) Since(host string, at time.Time) (time.Time, bool) {
	return r.Directory.Since(r.host(usage.Series{Host: host}), at)
}

// key names the usage that a user, "" for nobody, has of a series at one moment.
func (r Rules) key(s usage.Series, user string, at time.Time) usage.Key {
	if user == "" {
		user = usage.Unattributed
	}
	k := usage.Key{Project: s.Project, Machine: s.Machine, User: user}
	switch group, listed := r.Groups[s.Project]; {
	case r.GroupBy == ByDirectory:
		k.Group = r.home(user, at)
	case r.GroupBy == ByProjectMachine:
		k.Group = s.Project + "_" + s.Machine
	case listed:
		k.Group = group
	default:
		k.Group = s.Project
	}
	return k
}

// home is the group of a user at one moment, as the directory has it.
func (r Rules) home(user string, at time.Time) string {
	if user == usage.Unattributed {
		return usage.Unattributed
	}
	if group := r.Directory.Group(user, at); group != "" {
		return group
	}
	return usage.Unattributed
}

// host is how the directory spells the host of a series; empty if it names none.
func (r Rules) host(s usage.Series) string {
	if r.Directory == nil || s.Host == usage.Unknown {
		return ""
	}
	return hostName(s.Host)
}

// placed fills in what a series does not say of its project and machine and the
// directory knows of its host.
func (r Rules) placed(s usage.Series, host string) usage.Series {
	if s.Project != usage.Unknown && s.Machine != usage.Unknown {
		return s
	}
	p := r.Directory.Placement(host)
	if s.Project == usage.Unknown && p.Project != "" {
		s.Project = p.Project
	}
	if s.Machine == usage.Unknown && p.Machine != "" {
		s.Machine = p.Machine
	}
	return s
}
