// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Package attribution decides which key usage belongs to. It knows the operator's rules for
// groups and what a directory says of hosts, users and times; it must not know watts or grams,
// nor where the directory is stored. Start with Rules.Parts. An Index is a directory prepared
// for lookups, and Learn keeps a directory up to date.
package attribution

import (
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/directory"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// GroupBy is how the group of usage is determined.
type GroupBy string

// The values of GroupBy.
const (
	ByProject        GroupBy = "project"         // configured lists; a project in none is its own group
	ByProjectMachine GroupBy = "project_machine" // IDAaaS_Muon
	ByDirectory      GroupBy = "directory"       // the user's group, the first by name; without one: unattributed
)

// Rules attribute samples. They are not changed once made.
type Rules struct {
	GroupBy   GroupBy
	Groups    map[string]string // project -> group
	Directory *Index            // nil: none
}

// Since returns since when the current owners have had a host, or since when it has waited in a
// pool. ok is false if there is no record of it. host is the label as received.
func (r Rules) Since(host string, at time.Time) (time.Time, bool) {
	return r.Directory.since(r.host(usage.Series{Host: host}), at)
}

// key returns the key of a user's usage of a series at one moment; user "" means nobody.
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

// home returns the group of a user at one moment according to the directory.
func (r Rules) home(user string, at time.Time) string {
	if user == usage.Unattributed {
		return usage.Unattributed
	}
	if group := r.Directory.group(user, at); group != "" {
		return group
	}
	return usage.Unattributed
}

// host returns the host of a series in the directory's spelling; empty if it names none.
func (r Rules) host(s usage.Series) string {
	if r.Directory == nil || s.Host == usage.Unknown {
		return ""
	}
	return hostName(s.Host)
}

// placed fills in the project and machine type that a series lacks, if the directory knows them
// for its host, and gives the project its name.
func (r Rules) placed(s usage.Series, host string) usage.Series {
	s = r.filled(s, host)
	s.Project = r.Directory.nameOf(directory.Projects, s.Project)
	return s
}

func (r Rules) filled(s usage.Series, host string) usage.Series {
	if s.Project != usage.Unknown && s.Machine != usage.Unknown {
		return s
	}
	p := r.Directory.placement(host)
	if s.Project == usage.Unknown && p.Project != "" {
		s.Project = p.Project
	}
	if s.Machine == usage.Unknown && p.Machine != "" {
		s.Machine = p.Machine
	}
	return s
}
