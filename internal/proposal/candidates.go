// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package proposal

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/carbon-exporter/carbon_exporter/internal/escape"
	"github.com/carbon-exporter/carbon_exporter/internal/survey"
)

// Candidate is a label that can be chosen for a part.
type Candidate struct {
	Name   string
	Facts  string // how many values, on how many hosts, and which
	Likely bool   // it is proposed if nobody is asked
}

// plumbing are labels of how something is scraped, never of whose it is.
var plumbing = []string{
	"job", "instance", "endpoint", "service", "container", "pod", "prometheus", "prometheus_replica", "replica", "__replica__", "monitor",
	"metrics_path", "scheme", "receive", "tenant_id_receive", "exported_instance", "exported_job", "telemetry_sdk_name", "otel_scope_name",
	"otel_scope_version", "os_type", "os_description", "service_name", "service_namespace",
}

// Candidates lists the labels that can be chosen for a part, the likeliest first.
func (p *Proposal) Candidates(part Part) []Candidate {
	if part == Host {
		return p.hosts()
	}
	var taken []string
	for other, label := range p.labels {
		if label != "" && Part(other) != part {
			taken = append(taken, label)
		}
	}
	return candidates(p.Exporter, part, p.defaults.label(part), taken)
}

// hosts are the labels that tell as many machines apart as the one that was found.
func (p *Proposal) hosts() []Candidate {
	e := p.Exporter
	var all []Candidate
	for _, l := range e.Labels {
		if l.Info == "" && (l.Name == p.labels[Host] || l.Series == e.Series && l.Values == e.Machines) {
			all = append(all, Candidate{Name: l.Name, Facts: facts(e, l), Likely: l.Name == p.labels[Host]})
		}
	}
	slices.SortStableFunc(all, func(a, b Candidate) int { return compareBool(a.Likely, b.Likely) })
	return all
}

// named are the parts that the names of labels tell.
var named = map[Part]survey.Part{Project: survey.Project, Machine: survey.Machine, User: survey.User}

func candidates(e survey.Exporter, part Part, byDefault string, taken []string) []Candidate {
	type ranked struct {
		survey.Label
		likeness int
		likely   bool
	}
	var all []ranked
	for _, l := range e.Labels {
		if l.Name == e.Host || slices.Contains(taken, l.Name) || slices.Contains(plumbing, l.Name) {
			continue
		}
		likeness := survey.Likeness(named[part], l.Name)
		if l.Name == byDefault {
			likeness = sure
		}
		byNumber := 1 < l.Values && l.Values < e.Machines && otherwise(part, l.Name)
		if likeness > 0 || byNumber {
			all = append(all, ranked{l, likeness, likeness > 0 && fits(e, part, l, likeness)})
		}
	}
	slices.SortStableFunc(all, func(a, b ranked) int {
		return cmp.Or(
			compareBool(a.likely, b.likely),
			compareBool(2*a.Machines >= e.Machines, 2*b.Machines >= e.Machines),
			compareBool(a.Values > 1, b.Values > 1),
			cmp.Compare(b.likeness, a.likeness), cmp.Compare(b.Machines, a.Machines),
		)
	})
	some := make([]Candidate, len(all))
	for i, l := range all {
		some[i] = Candidate{Name: l.Name, Facts: facts(e, l.Label), Likely: l.likely}
	}
	return some
}

// sure is the likeness of a label that the profile itself names.
const sure = 1000

// fewMachines is how many machines may all differ in something without it being their name.
const fewMachines = 3

// fits reports whether a label's values are as many as those of the part can be.
func fits(e survey.Exporter, part Part, l survey.Label, likeness int) bool {
	each := l.Values >= e.Machines && e.Machines > fewMachines // every machine has its own
	switch {
	case likeness == sure:
		return true
	case part == Machine:
		return !each
	case part == Project && l.Values == 1 && e.Machines > 1:
		// Where everything has one namespace it is that of the exporter itself.
		return !strings.Contains(l.Name, "namespace") && l.Name != "pool"
	case part == Project:
		return !each || likeness > 1
	}
	return true
}

// otherwise reports whether a label without a telling name may be offered for a part.
func otherwise(part Part, name string) bool {
	for _, other := range []survey.Part{survey.Project, survey.Machine, survey.User} {
		if other != named[part] && survey.Likeness(other, name) > 1 {
			return false // it tells something else
		}
	}
	return part != User
}

// facts are what is known of a label, for a person.
func facts(e survey.Exporter, l survey.Label) string {
	text := plural(l.Values, "value")
	if l.Info != "" {
		text += " of " + l.Info
	}
	if e.Machines > 0 {
		text += fmt.Sprintf(" on %d of %s", l.Machines, plural(e.Machines, "host"))
	}
	if len(l.Examples) > 0 && survey.Likeness(survey.User, l.Name) == 0 { // names of people do not belong in a file
		shownOnes := make([]string, len(l.Examples))
		for i, v := range l.Examples {
			shownOnes[i] = shown(v)
		}
		text += ": " + strings.Join(shownOnes, ", ")
		if l.Values > len(l.Examples) {
			text += " ..."
		}
	}
	return text
}

// longest is how many characters of a value are shown.
const longest = 48

// shown is a name from the server for a comment or a line: on one line, and not long.
func shown(name string) string {
	if short := []rune(name); len(short) > longest {
		name = string(short[:longest]) + "..."
	}
	return escape.Name(name)
}

// compareBool orders true before false.
func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return -1
	}
	return 1
}
