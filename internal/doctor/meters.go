// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package doctor

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/carbon-exporter/carbon_exporter/internal/escape"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

var meters = check{Power, "meter"}

// Meter is what a meter of hosts says of the newest interval.
type Meter struct {
	Name, Label string        // Label names the host in its series
	Hosts       []MeteredHost // those with CPU time
	Strangers   []string      // the hosts that it measures and that have no CPU time
	Refused     usage.Rejects // readings that cannot be used
	Remarks     []string
	Cause       string // why nothing is known; empty: it is
}

// MeteredHost is a host that a meter measures.
type MeteredHost struct {
	Host            string
	Covered         float64     // part of the interval
	Watts, Modelled usage.Watts // while it was measured, and what the model says of that time
}

const (
	// implausible is the ratio of measured to modelled energy from which a meter is doubted.
	implausible = 5
	// partly is the covered share below which it is said.
	partly = 0.5
	// twoNames is how many hosts of each side are named, to see how they differ.
	twoNames = 2
)

// Meters is about the meters of hosts; hosts are those with CPU time.
func Meters(all []Meter, hosts []string) (findings []Finding) {
	for _, m := range all {
		findings = append(findings, m.find(hosts)...)
	}
	return bounded(findings, meters, "findings about meters")
}

func (m Meter) find(hosts []string) []Finding {
	name := escape.Name(m.Name)
	if m.Cause != "" {
		return []Finding{meters.fail("correct its query in power.measured; while the server refuses it, the model counts; while it does not answer, usage waits", "%s: not known: %s", name, m.Cause)}
	}
	var all []Finding
	switch {
	case len(hosts) == 0:
		return []Finding{meters.ok("%s: no machine has CPU time now, so there is nothing to measure", name)}
	case len(m.Hosts) == 0 && len(m.Strangers) == 0:
		all = append(all, meters.fail("ask the server for its query by hand: has it series, in watts, for longer than the newest interval?", "%s: its query measures nothing", name))
	case len(m.Hosts) == 0:
		all = append(all, meters.fail(fmt.Sprintf("set hosts of this meter, now %s, to the label whose value is the machine's own name, or make one by label_replace; a port does not matter. The meter of a server is not that of virtual machines on it: compare it with all of them, by power.reconcile", escape.Name(m.Label)),
			"%s: measures %s and none of them has CPU time: it names %s, and the machines are %s", name, many(len(m.Strangers), "host"), pair(m.Strangers), pair(hosts)))
	default:
		all = append(all, m.measured(hosts))
	}
	if refused := rejected(m.Refused); refused != "" {
		all = append(all, meters.warn("look at these sensors; one that reports 0 W or a negative value measures nothing, and the model counts in its place", "%s: has readings that cannot be used: %s", name, refused))
	}
	return append(all, remarked(meters, m.Remarks)...)
}

// measured is about a meter that measures some machines.
func (m Meter) measured(hosts []string) Finding {
	least, most, sum, modelled, covered := m.Hosts[0], m.Hosts[0], 0.0, 0.0, 0.0
	for _, h := range m.Hosts {
		if h.Watts < least.Watts {
			least = h
		}
		if h.Watts > most.Watts {
			most = h
		}
		covered += h.Covered
		sum += float64(h.Watts) * h.Covered
		modelled += float64(h.Modelled) * h.Covered
	}
	said := fmt.Sprintf("%s: measures %d of %s, %.0f %% of their time; a machine draws %s, from %s to %s", escape.Name(m.Name),
		len(m.Hosts), many(len(hosts), "machine"), 100*covered/float64(len(m.Hosts)), watts(sum/covered), watts(float64(least.Watts)), watts(float64(most.Watts)))
	if len(m.Strangers) > 0 {
		said += fmt.Sprintf("; it also measures %s without CPU time, such as %s", many(len(m.Strangers), "host"), escape.Name(slices.Min(m.Strangers)))
	}
	if modelled <= 0 {
		return meters.ok("%s", said)
	}
	ratio := sum / modelled
	said += fmt.Sprintf(", %.2g times what the model says", ratio)
	switch {
	case ratio > implausible:
		return meters.warn("is its query in watts, and of the machine alone? A meter of a whole server must not be booked for one of its virtual machines", "%s", said)
	case ratio < 1.0/implausible:
		return meters.warn("is its query in watts, not kilowatts, and of all of the machine, not of one power supply or of the processors alone?", "%s", said)
	case covered/float64(len(m.Hosts)) < partly:
		return meters.warn("see why it has no values for the rest of the time, for which the model counts", "%s", said)
	}
	return meters.ok("%s", said)
}

// pair names two, in quotes.
func pair(names []string) string {
	names = slices.Sorted(slices.Values(names))
	var two []string
	for _, name := range names[:min(len(names), twoNames)] {
		two = append(two, fmt.Sprintf("%q", name))
	}
	return strings.Join(two, ", ")
}

// rejected counts refused readings by reason; empty: there are none.
func rejected(r usage.Rejects) string {
	var words []string
	for _, reason := range slices.Sorted(maps.Keys(r)) {
		if r[reason] > 0 {
			words = append(words, fmt.Sprintf("%d %s", r[reason], strings.ReplaceAll(reason, "_", " ")))
		}
	}
	return strings.Join(words, ", ")
}

// remarked passes on what a source found doubtful.
func remarked(c check, remarks []string) (all []Finding) {
	for _, text := range remarks {
		all = append(all, c.warn("correct what the sentence names", "%s", text))
	}
	return all
}

// watts is a power in the unit that fits.
func watts(w float64) string {
	if w >= 10_000 {
		return fmt.Sprintf("%.4g kW", w/1000)
	}
	return fmt.Sprintf("%.4g W", w)
}
