// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package doctor

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/carbon-exporter/carbon_exporter/internal/directory"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// Names are the configured labels.
type Names struct {
	Project, Machine, Host, User string
	// Shares is whether the time of a machine is divided among those who have shares of it, such as
	// pods: these name projects and users then, and many at once.
	Shares bool
}

// part is a label by what it names.
type part struct {
	name   string // of the label
	what   string
	of     func(usage.Series) string
	wants  bool // whether all machines should have it
	shared bool // whether shares of machines name it
}

// parts are those of which the configuration names a label.
func (n Names) parts() []part {
	return slices.DeleteFunc([]part{
		{n.Project, "project", func(s usage.Series) string { return s.Project }, true, n.Shares},
		{n.Machine, "machine", func(s usage.Series) string { return s.Machine }, true, false},
		{n.User, "user", func(s usage.Series) string { return s.User }, false, n.Shares},
	}, func(p part) bool { return p.name == "" })
}

var selected = check{Prometheus, "series"}

// Machine is one label set of a machine; empty: it does not have the label. Of a machine that was
// there before, Now is false.
type Machine struct {
	usage.Series
	Now bool
}

// Machines lists those of the newest interval and of intervals before it.
func Machines(now []usage.Reading, before ...[]usage.Reading) []Machine {
	all := machinesOf(now, true)
	for _, readings := range before {
		all = append(all, machinesOf(readings, false)...)
	}
	return all
}

func machinesOf(readings []usage.Reading, now bool) (all []Machine) {
	seen := map[usage.Series]bool{}
	add := func(s usage.Series) {
		for _, label := range []*string{&s.Project, &s.Machine, &s.Host, &s.User} {
			if *label == usage.Unknown {
				*label = ""
			}
		}
		if !seen[s] {
			seen[s] = true
			all = append(all, Machine{s, now})
		}
	}
	for _, r := range readings {
		for _, s := range r.Samples {
			add(s.Series)
		}
		for _, d := range r.Doubts {
			if d.State == usage.HostRefused {
				add(d.Series)
			}
		}
	}
	return all
}

// Hosts lists the machines of now, by name.
func Hosts(all []Machine) []string {
	var names []string
	for _, m := range all {
		if m.Now && m.Host != "" {
			names = append(names, m.Host)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// Selected is about the series that the configuration selects, by job. instead says what the
// server has of that which was not found; empty: everything was.
func Selected(jobs map[string]int, instead string) []Finding {
	series := 0
	var names []string
	for job, n := range jobs {
		series += n
		names = append(names, fmt.Sprintf("%s (%d)", cmp.Or(job, "none"), n))
	}
	if series == 0 {
		return []Finding{selected.fail("correct what the sentence names, or write a configuration by: carbontool init", "no CPU seconds of any machine: %s", instead)}
	}
	all := []Finding{selected.ok("%d series are selected, by job: %s", series, some(names))}
	if instead != "" {
		all = append(all, selected.warn("correct what the sentence names", "something is not found: %s", instead))
	}
	return all
}

// Labels is about machines without a label, for each label. have are labels that the series have.
// placed are the machines whose project or machine type a directory names; nil: there is no directory.
func Labels(all []Machine, names Names, have []string, placed []directory.Placement) []Finding {
	var findings []Finding
	for _, p := range names.parts() {
		findings = append(findings, lacking(all, p, have, placed))
	}
	return append(findings, withoutHost(all, names.Host))
}

func lacking(all []Machine, p part, have []string, placed []directory.Placement) Finding {
	c := check{Prometheus, "label " + p.what}
	elsewhere := namedBy(placed, p)
	has, lacks := map[string]bool{}, map[string]bool{}
	values := map[string]bool{}
	for _, s := range all {
		switch v := p.of(s.Series); {
		case !s.Now:
		case v != "":
			has[s.Host], values[v] = true, true
		default:
			lacks[s.Host] = true
		}
	}
	maps.DeleteFunc(lacks, func(host string, _ bool) bool { return has[host] })
	whole, said := len(has)+len(lacks), ""
	maps.DeleteFunc(lacks, func(host string, _ bool) bool { return elsewhere[directory.HostName(host)] })
	if n := whole - len(has) - len(lacks); n > 0 {
		said = fmt.Sprintf("; the directory names the %s of %d", p.what, n)
	}
	key := "prometheus.labels." + p.what
	switch {
	case len(lacks) == 0 && !p.shared:
		return c.ok("%d of %d machines have the label %s, %s%s", len(has), whole, p.name, many(len(values), "value"), said)
	case p.shared:
		return c.ok("%d of %d machines have shares with a %s, %s", len(has), whole, p.what, many(len(values), "value"))
	case !p.wants:
		return c.ok("%d of %d machines have the label %s; a directory can say whose the others are", len(has), whole, p.name)
	}
	that := "that they have"
	if len(have) > 0 {
		that += " (" + strings.Join(have[:min(len(have), mostLabels)], ", ") + ")"
	}
	do := fmt.Sprintf("set %s to a label %s, or give them one by relabelling or in the static or discovered targets", key, that)
	if placed != nil {
		do += fmt.Sprintf("; or name their %s in the directory of hosts", p.what)
	}
	return c.warn(do, "%s of %d machines have no label %s and count as unknown (%s), such as %s%s", share(len(lacks), whole), whole, p.name, key, some(slices.Collect(maps.Keys(lacks))[:1]), said)
}

// namedBy are the machines, as directory.HostName calls them, of which a directory says what a
// label would.
func namedBy(placed []directory.Placement, p part) map[string]bool {
	named := map[string]bool{}
	for _, at := range placed {
		if p.of(usage.Series{Project: at.Project, Machine: at.Machine}) != "" {
			named[at.Host] = true
		}
	}
	return named
}

// mostLabels is how many labels are named to choose from.
const mostLabels = 20

func withoutHost(all []Machine, name string) Finding {
	c := check{Prometheus, "label host"}
	hosts := map[string]bool{}
	for _, s := range all {
		if s.Now {
			hosts[s.Host] = true
		}
	}
	if hosts[""] {
		return c.fail("set prometheus.labels.host to a label that each machine has for itself, such as instance",
			"there are series without the label %s, so that machines cannot be told apart (prometheus.labels.host)", name)
	}
	return c.ok("%s by the label %s", many(len(hosts), "machine"), name)
}
