// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package usage

import (
	"maps"
	"slices"
)

// Sight is what a source has at one moment.
type Sight struct {
	Hosts, Cores int                 // Cores 0: not known
	Projects     map[string]Presence // nil: not known by project
	Machines     []string            // machine types, in order; nil: not known
	// Lacking counts the hosts whose usage has no project, machine type, host or user, by what is
	// lacking: see LostProject. Nil: not known.
	Lacking map[string]int
	// Labels are the names of the labels that say so, by what they say, and Have those that the
	// series have.
	Labels map[string]string
	Have   []string
	// Instead is what was asked for and what there is instead, in one sentence for a person, if
	// something necessary was not found; Hosts may then still be some.
	Instead string
}

// SightOf returns what can be told of hosts from the parts of a piece. Hosts that are refused are in
// attendance alone.
func SightOf(a *Attendance, parts []Part) Sight {
	s := Sight{Lacking: map[string]int{}}
	machines := map[string]bool{}
	lacking := map[string]map[string]bool{}
	hosts := map[string]bool{}
	for _, p := range parts {
		host := p.Series.Host
		hosts[host] = true
		machines[p.Key.Machine] = true
		for what, lacks := range map[string]bool{
			LostProject: p.Key.Project == Unknown, LostMachine: p.Key.Machine == Unknown,
			LostHost: host == Unknown, LostUser: p.Key.User == Unattributed,
		} {
			if lacks && lacking[what] == nil {
				lacking[what] = map[string]bool{}
			}
			if lacks {
				lacking[what][host] = true
			}
		}
	}
	for what, of := range lacking {
		s.Lacking[what] = len(of)
	}
	delete(machines, Unknown)
	s.Machines = slices.Sorted(maps.Keys(machines))
	s.Hosts = len(hosts)
	if a != nil {
		s.Projects, s.Hosts = a.Present, 0
		for _, p := range a.Present {
			s.Hosts += p.Hosts
			s.Cores += p.Cores
		}
	}
	return s
}

// Differs reports whether there is much else than before: another project, or a tenth more or fewer
// hosts, and at least two.
func (s *Sight) Differs(before *Sight) bool {
	by := s.Hosts - before.Hosts
	if by = max(by, -by); by >= 2 && 10*by > before.Hosts {
		return true
	}
	if s.Projects == nil || before.Projects == nil {
		return false
	}
	return len(s.Projects) != len(before.Projects) || len(s.NewSince(before)) > 0
}

// NewSince lists the projects that were not there before, in order.
func (s *Sight) NewSince(before *Sight) (all []string) {
	for project := range s.Projects {
		if _, was := before.Projects[project]; !was {
			all = append(all, project)
		}
	}
	slices.Sort(all)
	return all
}

// MostLack lists what more than half of the hosts lack, in a fixed order.
func (s *Sight) MostLack() (all []string) {
	for _, what := range []string{LostHost, LostProject, LostMachine, LostUser} {
		if 2*s.Lacking[what] > s.Hosts {
			all = append(all, what)
		}
	}
	return all
}
