// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package profiles

import (
	"slices"
	"time"
)

// stay is the time that a domain is seen on a hypervisor. Its counter is that of the process
// there: it begins at 0, and stands still while it waits for a migration to end.
type stay struct {
	on   string
	seen Span
	runs Span
}

// domain is a virtual machine with the places where it has been.
type domain struct {
	guest
	stays []stay
	bare  bool // nobody has written into it whose it is
	off   bool // defined, and not running
	// unsaid is a time in which its own series are there, and those that say whose it is are
	// not.
	unsaid Span
}

// saying is how an exporter says whose a domain is.
type saying struct {
	state string                  // name of the series that says whether a domain runs
	info  string                  // name of the series that says whose it is
	own   func(d domain) []string // labels that its own series have
	say   func(d domain) []string // labels of info
}

// Libvirt is an OpenStack cloud as the exporter that Kolla and Debian have shows it.
func Libvirt() *Site {
	return libvirtSite(novaInfo())
}

func novaInfo() saying {
	return saying{state: "libvirt_domain_info_state", info: "libvirt_domain_openstack_info", say: func(d domain) []string {
		return []string{
			"instance_name", "vm-" + d.name, "instance_id", "6ba7b810-9dad-11d1-80b4-" + d.name[len("inst"):],
			"flavor_name", d.key.Machine, "user_name", d.key.User, "user_id", "u-" + d.key.User, "project_name", d.key.Project, "project_id", "p-" + d.key.Project,
		}
	}}
}

// LibvirtMeta is the same cloud with another exporter.
func LibvirtMeta() *Site {
	return libvirtSite(saying{state: "libvirt_domain_info_vstate", info: "libvirt_domain_info_meta", say: func(d domain) []string {
		return []string{
			"uuid", "6ba7b810-9dad-11d1-80b4-" + d.name[len("inst"):], "instance_name", "vm-" + d.name, "flavor", d.key.Machine,
			"user_name", d.key.User, "user_uuid", "u-" + d.key.User, "project_name", d.key.Project, "project_uuid", "p-" + d.key.Project,
			"root_type", "image", "root_uuid", "9a3b6f0e",
		}
	}})
}

// LibvirtLabels is the same cloud with an exporter that puts it on each series.
func LibvirtLabels() *Site {
	site := libvirtSite(saying{state: "libvirt_domain_state_code", own: func(d domain) []string {
		return []string{
			"instanceName", "vm-" + d.name, "instanceId", "6ba7b810-9dad-11d1-80b4-" + d.name[len("inst"):], "flavorName", d.key.Machine,
			"userName", d.key.User, "userId", "u-" + d.key.User, "projectName", d.key.Project, "projectId", "p-" + d.key.Project,
		}
	}})
	site.Section = "labels: {project: projectName, machine: flavorName, user: userName}"
	return site
}

func domains() []domain {
	return []domain{
		{guest: guest{name: "instance-00000001", key: Key{"astro", "m1.large", "ada"}, cores: 4, busy: busy(1.3)}, stays: []stay{{on: "kvm-01"}}},
		// It migrates: the target waits from minute 38 on, and the source is there until 43.
		{
			guest: guest{name: "instance-00000002", key: Key{"bio", "m1.small", "bob"}, cores: 2, busy: busy(0.8)},
			stays: []stay{{"kvm-02", Span{always.From, at(43)}, Span{always.From, at(41)}}, {"kvm-03", Span{at(38), always.To}, Span{at(41), always.To}}},
		},
		{guest: guest{name: "instance-00000003", key: Key{"by hand", "-", ""}, cores: 2, busy: busy(0.5)}, stays: []stay{{on: "kvm-02"}}, bare: true},
		{guest: guest{name: "instance-00000004", key: Key{"bio", "m1.large", "ada"}, cores: 4, busy: busy(2)}, stays: []stay{{on: "kvm-03"}}, unsaid: span(52, 68)},
		{guest: guest{name: "instance-00000005", key: Key{"bio", "m1.large", "bob"}, cores: 4}, stays: []stay{{on: "kvm-01"}}, off: true},
	}
}

func libvirtSite(s saying) *Site {
	site := &Site{Profile: "libvirt"}
	for _, d := range domains() {
		for _, stay := range d.stays {
			site.Series = append(site.Series, d.series(s, stay)...)
		}
		if d.off {
			continue
		}
		if d.bare {
			d.key = Key{Unknown, Unknown, Unattributed}
		}
		site.Work = append(site.Work, d.work())
	}
	return site
}

func (d domain) series(s saying, stay stay) (all []Series) {
	common := []string{"domain", d.name, "instance", stay.on + ":9177", "job", "libvirt"}
	if s.own != nil && !d.bare {
		common = append(common, s.own(d)...)
	}
	runs := stay.runs
	if runs == (Span{}) {
		runs = always
	}
	var paces []Pace
	for _, p := range d.busy {
		paces = append(paces, Pace{p.and(runs), p.Rate})
	}
	state, means := 1.0, "the domain is running"
	if d.off {
		state, means = 5, "the domain is shut off"
	}
	add := func(name string, shown Span, v func(time.Duration) float64, pairs ...string) {
		all = append(all, Series{Labels: labels(name, slices.Concat(common, pairs)...), Shown: shown, Value: v})
	}
	add("libvirt_domain_info_cpu_time_seconds_total", stay.seen, counter(runs.From, paces...))
	add("libvirt_domain_info_virtual_cpus", stay.seen, constant(float64(d.cores)))
	add(s.state, stay.seen, constant(state), "state_desc", means)
	if s.say == nil || d.bare {
		return all
	}
	said := []Span{stay.seen}
	if d.unsaid != (Span{}) {
		said = without(stay.seen, d.unsaid)
	}
	for _, said := range said {
		add(s.info, said, constant(1), s.say(d)...)
	}
	return all
}

// without is what is left of a time.
func without(shown, hole Span) (left []Span) {
	if shown == (Span{}) {
		shown = always
	}
	for _, part := range []Span{{shown.From, min(hole.From, shown.To)}, {max(hole.To, shown.From), shown.To}} {
		if part.To > part.From {
			left = append(left, part)
		}
	}
	return left
}
