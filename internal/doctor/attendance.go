// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package doctor

import (
	"fmt"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

var newest = check{Prometheus, "newest interval"}

// Newest is about the machines of the newest whole interval, read as the exporter reads it. now is
// whether series are selected now, and instead says what the server has where nothing is.
func Newest(i usage.Interval, readings []usage.Reading, now bool, instead string) []Finding {
	all := Machines(readings)
	a := usage.Attend(readings)
	switch {
	case len(all) > 0 && a == nil:
		return append([]Finding{newest.ok("%s: %s, by your own queries; %s", i, many(len(Hosts(all)), "machine"), counted(all))}, remarks(readings)...)
	case len(all) == 0 && now:
		return []Finding{newest.warn("wait until an interval is over", "%s: no machine had CPU seconds then, but some have now", i)}
	case len(all) == 0:
		return []Finding{newest.fail("correct what the sentence names, or write a configuration by: carbontool init", "%s: no machine has CPU seconds: %s", i, instead)}
	}
	return append(attended(i, a, counted(all)), remarks(readings)...)
}

// remarks passes on what is doubtful about the usage that was read, and which machines show the same.
func remarks(readings []usage.Reading) (all []Finding) {
	for _, r := range readings {
		for _, text := range r.Remarks {
			all = append(all, newest.warn("correct what the sentence names", "%s", text))
		}
		for _, hosts := range r.Alike {
			all = append(all, newest.warn("scrape the machine that they run on instead, or leave the containers out by prometheus.matchers",
				"%s show the same CPU counters, and each is booked with all of them: %s. They may be containers that see the cores of their machine", many(len(hosts), "machine"), some(hosts)))
		}
	}
	return all
}

// counted counts the names that machines have.
func counted(all []Machine) string {
	projects, machines := map[string]bool{}, map[string]bool{}
	for _, m := range all {
		projects[m.Project], machines[m.Machine] = true, true
	}
	delete(projects, "")
	delete(machines, "")
	return fmt.Sprintf("%s, %s", many(len(projects), "project"), many(len(machines), "machine type"))
}

// attended is about how well the machines of an interval are known.
func attended(i usage.Interval, a *usage.Attendance, names string) []Finding {
	n := map[usage.HostState]int{}
	cores := 0
	for project, p := range a.Present {
		for state, hosts := range a.Hosts(project) {
			n[state] += hosts
		}
		cores += p.Cores
	}
	seen := fmt.Sprintf("%s: %d exact, %d interpolated, %d refused of %s and %s; %s", i, n[usage.HostExact], n[usage.HostInterpolated], n[usage.HostRefused],
		many(n[usage.HostExact]+n[usage.HostInterpolated]+n[usage.HostRefused], "machine"), many(cores, "core"), names)
	all := []Finding{newest.ok("%s", seen)}
	switch refused := n[usage.HostRefused]; {
	case a.Booked() == 0 && refused > 0:
		all[0] = newest.fail("see the reasons below", "%s: nothing is booked", seen)
	case refused > 0:
		all[0] = newest.warn("see the reasons below", "%s", seen)
	}
	return append(append(all, doubts(a)...), unlisted(a)...)
}

// doubts has a finding for each reason to refuse machines.
func doubts(a *usage.Attendance) []Finding {
	refused := a.ByReason(usage.HostRefused)
	var all []Finding
	for _, reason := range usage.DoubtReasons() {
		if refused[reason] == 0 {
			continue
		}
		var hosts []string
		detail := ""
		for _, d := range a.Doubts {
			if d.State == usage.HostRefused && d.Reason == reason {
				hosts = append(hosts, d.Host)
				detail = d.Detail
			}
		}
		said := fmt.Sprintf("%s refused (%s), because %s: %s", many(refused[reason], "machine"), reason, reason.Means(), some(hosts))
		if detail != "" && len(hosts) == 1 {
			said += ": " + detail
		}
		all = append(all, newest.warn(reason.Advice(), "%s", said))
	}
	return all
}

func unlisted(a *usage.Attendance) []Finding {
	var modes []string
	for mode, part := range a.Named() {
		if mode == "" {
			return []Finding{newest.warn("set prometheus.labels.mode to the label of the mode, such as mode",
				"%.0f %% of the CPU time has no mode and is not booked", 100*part)}
		}
		modes = append(modes, fmt.Sprintf("%s (%.0f %%)", mode, 100*part))
	}
	if len(modes) == 0 {
		return nil
	}
	return []Finding{newest.warn("add them to prometheus.busy_modes, prometheus.idle_modes or prometheus.other_modes",
		"CPU time in modes that are in no list is not booked: %s", some(modes))}
}
