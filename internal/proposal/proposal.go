// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Package proposal makes a configuration of what a server has: profile, labels and matchers, each
// with its reason. It is pure: facts in, text out; it must not ask the server or a person, nor
// know how usage is read. Start with Offers, then Make; Proposal.File is the result.
package proposal

import (
	"fmt"

	"github.com/carbon-exporter/carbon_exporter/internal/survey"
)

// Defaults is what a profile says of the keys that are proposed.
type Defaults struct {
	Metric                       string
	Host, Project, Machine, User string
	Mode                         string
	CoresQuery                   string
}

// label is what the profile calls a part.
func (d Defaults) label(part Part) string {
	return [...]string{d.Host, d.Project, d.Machine, d.User}[part]
}

// Part is a label of prometheus.labels that is proposed.
type Part int

// The parts, in the order of the file.
const (
	Host Part = iota
	Project
	Machine
	User
)

// Parts lists all parts.
func Parts() []Part { return []Part{Host, Project, Machine, User} }

// Key is the part's key in prometheus.labels.
func (p Part) Key() string { return [...]string{"host", "project", "machine", "user"}[p] }

// String is what the part is, for a person.
func (p Part) String() string { return [...]string{"host", "project", "machine type", "user"}[p] }

// Proposal is what to configure for one exporter. Labels and the job may be changed with Take and
// Only.
type Proposal struct {
	Offer
	Others   []Offer // exporters that are not counted
	Job      string  // the only job that is counted; empty: all, or those of Jobs
	Jobs     []string
	defaults Defaults
	labels   [4]string // by part; empty: none
}

// Make proposes the likeliest labels and jobs for one of the offers.
func Make(offers []Offer, chosen int, d Defaults) *Proposal {
	p := &Proposal{Offer: offers[chosen], defaults: d}
	for i, o := range offers {
		if i != chosen {
			p.Others = append(p.Others, o)
		}
	}
	p.labels[Host] = p.Exporter.Host
	if l := p.Exporter.Label(d.Host); l != nil && l.Series == p.Exporter.Series && l.Values >= p.Exporter.Machines {
		p.labels[Host] = d.Host // as good, and what the profile's queries have
	}
	if p.OwnLabels() {
		for _, part := range Parts()[1:] {
			if all := p.Candidates(part); len(all) > 0 && all[0].Likely {
				p.labels[part] = all[0].Name
			}
		}
	}
	p.chooseJobs()
	return p
}

// Label is the label that was chosen for a part; empty: none.
func (p *Proposal) Label(part Part) string { return p.labels[part] }

// Take chooses a label for a part; empty: none. A part that had it before has none then.
func (p *Proposal) Take(part Part, label string) {
	for other := range p.labels {
		if label != "" && p.labels[other] == label {
			p.labels[other] = ""
		}
	}
	p.labels[part] = label
}

// Only chooses the only job that is counted; empty: all of them.
func (p *Proposal) Only(job string) { p.Job, p.Jobs = job, nil }

// OwnLabels reports whether the labels are those of the series themselves, and may be chosen.
// Other profiles join them from somewhere else.
func (p *Proposal) OwnLabels() bool { return !p.Exporter.Joined }

// Warnings say what is missing or doubtful, one line each.
func (p *Proposal) Warnings() []string {
	var all []string
	e := &p.Exporter
	if p.OwnLabels() {
		if p.labels[Host] == "" {
			all = append(all, "no label names the machines: set prometheus.labels.host")
		}
		if l := e.Label(p.labels[Project]); l == nil {
			all = append(all, "no label names the project: every machine will be in the project unknown, until you add such a label to the targets")
		} else if have, of := p.having(l); have < of {
			all = append(all, fmt.Sprintf("%d of %s have no label %s: they will be in the project unknown", of-have, plural(of, "machine"), shown(l.Name)))
		}
	}
	for _, o := range p.Others {
		if !o.Exporter.Joined && o.Exporter.Profile != survey.ProfileRecorded && !covers(e, &o.Exporter) {
			all = append(all, fmt.Sprintf("%s is not counted: a configuration has one profile; if its machines are others, run a second carbon_exporter for them", o.Words()))
		}
	}
	all = append(all, p.outside()...)
	if p.Exporter.Copied() && p.Job == "" && len(p.Jobs) == 0 {
		all = append(all, "some machines are in several jobs: set prometheus.matchers so that each is in one")
	}
	if s := e.Scrape; s > slowest {
		all = append(all, fmt.Sprintf("scraped every %s only: Prometheus shows a sample for 5 minutes, so most hosts will be missing", s))
	}
	return all
}

// outside warns of machines with node_exporter that are not in the cluster.
func (p *Proposal) outside() []string {
	for _, o := range p.Others {
		if nodes := p.Exporter.Machines; p.Exporter.Profile == survey.ProfileKubernetes && o.Exporter.Profile == survey.ProfileNode && o.Exporter.Machines > nodes {
			return []string{fmt.Sprintf("node_exporter is on %s, and the cluster has %d: what the others use will be unattributed; select the nodes with prometheus.matchers",
				plural(o.Exporter.Machines, "machine"), nodes)}
		}
	}
	return nil
}

// covers reports whether the machines of another exporter count already: because the profile reads
// them, too, or because they were recorded.
func covers(e, other *survey.Exporter) bool {
	switch e.Profile {
	case survey.ProfileKubernetes, survey.ProfileSlurm:
		return other.Profile == survey.ProfileNode
	case survey.ProfileRecorded:
		return other.Machines <= e.Machines
	}
	return false
}
