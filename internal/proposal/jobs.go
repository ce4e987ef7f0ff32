// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package proposal

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/carbon-exporter/carbon_exporter/internal/survey"
)

// chooseJobs chooses the jobs that are counted: all, unless some machine would count twice.
func (p *Proposal) chooseJobs() {
	e := &p.Exporter
	if len(e.Jobs) < 2 || !p.OwnLabels() {
		return
	}
	if e.Copied() {
		p.Job = p.wholeJob()
		return
	}
	named, unnamed := p.jobsBy(e.Label(p.labels[Project]))
	if len(unnamed) > 0 && len(named) > 0 {
		p.Jobs = named
		if len(named) == 1 {
			p.Job, p.Jobs = named[0], nil
		}
	}
}

// wholeJob is a job that has every machine: of several, the one whose machines name their projects
// best; empty: there is none.
func (p *Proposal) wholeJob() string {
	e := &p.Exporter
	whole := slices.DeleteFunc(slices.Clone(e.Jobs), func(j survey.Count) bool { return j.N < e.Machines })
	if len(whole) == 0 {
		return ""
	}
	l := e.Label(p.labels[Project])
	return slices.MinFunc(whole, func(a, b survey.Count) int {
		return cmp.Or(cmp.Compare(with(l, b.Name), with(l, a.Name)), cmp.Compare(a.Name, b.Name))
	}).Name
}

// jobsBy tells the jobs that have a label on some of their machines from those that have it on none.
func (p *Proposal) jobsBy(l *survey.Label) (have, lack []string) {
	for _, j := range p.Exporter.Jobs {
		if l != nil && with(l, j.Name) > 0 {
			have = append(have, j.Name)
		} else {
			lack = append(lack, j.Name)
		}
	}
	return have, lack
}

// with is how many machines of a job have a label.
func with(l *survey.Label, job string) int {
	if l != nil {
		for _, c := range l.Jobs {
			if c.Name == job {
				return c.N
			}
		}
	}
	return 0
}

// having is how many of the machines that are counted have a label.
func (p *Proposal) having(l *survey.Label) (have, of int) {
	counted := p.Jobs
	if p.Job != "" {
		counted = []string{p.Job}
	}
	if len(counted) == 0 {
		return l.Machines, p.Exporter.Machines
	}
	for _, j := range p.Exporter.Jobs {
		if slices.Contains(counted, j.Name) {
			have, of = have+with(l, j.Name), of+j.N
		}
	}
	return have, of
}

// Matchers are those of the jobs that are counted; empty: all are.
func (p *Proposal) Matchers() string {
	if p.Job != "" {
		return "job=" + strconv.Quote(p.Job)
	}
	if len(p.Jobs) == 0 {
		return ""
	}
	escaped := make([]string, len(p.Jobs))
	for i, job := range p.Jobs {
		escaped[i] = regexp.QuoteMeta(job)
	}
	return "job=~" + strconv.Quote(strings.Join(escaped, "|"))
}

// jobReason says why some jobs are counted, or all; empty: there is nothing to say.
func (p *Proposal) jobReason() string {
	e := &p.Exporter
	if len(e.Jobs) < 2 {
		return ""
	}
	all := make([]string, len(e.Jobs))
	for i, j := range e.Jobs {
		all[i] = fmt.Sprintf("%s (%s)", shown(j.Name), plural(j.N, "machine"))
	}
	there := "jobs with this metric: " + strings.Join(all, ", ")
	switch label := p.labels[Project]; {
	case p.Matchers() == "":
		return there + "; all are counted"
	case e.Copied():
		return there + "; this one has every machine, and each counts once"
	case label != "" && p.onlyNamed():
		return fmt.Sprintf("%s; those without the label %s are left out: if the other machines run on theirs, both would count the same cores", there, shown(label))
	}
	return there
}

// onlyNamed reports whether the jobs that are left out have no project.
func (p *Proposal) onlyNamed() bool {
	_, lack := p.jobsBy(p.Exporter.Label(p.labels[Project]))
	return len(lack) > 0 && !slices.Contains(lack, p.Job)
}
