// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package doctor

import (
	"fmt"
	"math"

	"github.com/carbon-exporter/carbon_exporter/internal/escape"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

var (
	devices = check{Power, "device"}
	memory  = check{Power, "memory"}
	pue     = check{Power, "pue"}
	zones   = check{Power, "zone"}
)

// Device is what the devices of one kind say of the newest interval.
type Device struct {
	Name   string
	Series int         // label sets that are there
	Watts  usage.Watts // of all together
	Homeless,
	Nobodys int // label sets without a machine that has CPU time; and of these, without a project
	Refused usage.Rejects
	Remarks []string
	Cause   string // why nothing is known; empty: it is
}

// mostWatts and leastWatts are what the devices of one label set, such as eight GPUs, may draw on
// average. Beyond them the unit is doubtful.
const mostWatts, leastWatts = 20_000, 0.1

// Devices is about devices that have meters of their own.
func Devices(all []Device) (findings []Finding) {
	for _, d := range all {
		name := escape.Name(d.Name)
		switch {
		case d.Cause != "":
			findings = append(findings, devices.fail("correct its query in power.devices; while the server refuses it, they are not counted; while it does not answer, usage waits", "%s: not known: %s", name, d.Cause))
			continue
		case d.Series == 0:
			findings = append(findings, devices.fail("ask the server for its query by hand; a counter needs samples from before the interval, too", "%s: there are none: its query gives nothing in the newest interval", name))
		default:
			findings = append(findings, d.found())
		}
		if refused := rejected(d.Refused); refused != "" {
			findings = append(findings, devices.warn("look at what writes these series, which are not booked", "%s: has readings that cannot be used: %s", name, refused))
		}
		findings = append(findings, remarked(devices, d.Remarks)...)
	}
	return bounded(findings, devices, "findings about devices")
}

func (d Device) found() Finding {
	said := fmt.Sprintf("%s: %d series, %s; %d of no machine with CPU time, of which %d without a project", escape.Name(d.Name), d.Series, watts(float64(d.Watts)), d.Homeless, d.Nobodys)
	each := float64(d.Watts) / float64(d.Series)
	switch {
	case each > mostWatts, each < leastWatts && d.Watts > 0:
		return devices.warn("check unit in power.devices: J, mJ or kWh of a counter, W of a gauge", "%s: %s each is not what devices draw", said, watts(each))
	case d.Nobodys > 0:
		return devices.warn("give these series the labels of prometheus.labels: a host that has CPU time, or a project. Their energy is in the project unknown", "%s", said)
	}
	return devices.ok("%s", said)
}

// Memory is how many machines say how much memory they have.
type Memory struct {
	Hosts, Has int
	GiB        float64
	Refused    usage.Rejects
	Remarks    []string
	Cause      string // why nothing is known; empty: it is
}

// MemoryOf is about the memory of machines.
func MemoryOf(m Memory) []Finding {
	all := []Finding{memory.ok("%d of %s say how much memory they have, %.0f GiB together", m.Has, many(m.Hosts, "machine"), m.GiB)}
	const label = "set prometheus.memory.query and prometheus.memory.labels.host so that its hosts are those of the CPU time; a port does not matter"
	switch {
	case m.Cause != "":
		return []Finding{memory.fail("correct prometheus.memory.query, or set power.memory_watts_per_gib to 0; while the server refuses it, memory is not counted; while it does not answer, usage waits", "not known: %s", m.Cause)}
	case m.Has == 0 && m.Hosts > 0:
		all[0] = memory.fail(label, "none of %s says how much memory it has, so that none of it has energy", many(m.Hosts, "machine"))
	case m.Has < m.Hosts:
		all[0] = memory.warn(label, "%s: the memory of the others has no energy", all[0].Seen)
	}
	if refused := rejected(m.Refused); refused != "" {
		all = append(all, memory.warn("look at what writes these series", "some readings cannot be used: %s", refused))
	}
	return append(all, remarked(memory, m.Remarks)...)
}

// PUE is about a PUE that is asked for; values has that of each piece of the interval in which it
// is known.
func PUE(values []float64, otherwise float64, cause string, remarks []string) []Finding {
	if cause != "" {
		return []Finding{pue.fail("correct power.pue.query; while the server refuses it, power.pue.otherwise counts; while it does not answer, usage waits", "not known: %s", cause)}
	}
	if len(values) == 0 {
		return append([]Finding{pue.fail("correct power.pue.query: it must give one series, of the energy of the site over that of its machines, from 1 to 10",
			"the query has no value in the newest interval, and %.4g of the configuration counts", otherwise)}, remarked(pue, remarks)...)
	}
	sum := 0.0
	for _, v := range values {
		sum += v
	}
	return append([]Finding{pue.ok("%.4g in the newest interval", sum/float64(len(values)))}, remarked(pue, remarks)...)
}

// Zone is a meter of the site or of a part of it, in the newest interval.
type Zone struct {
	Name             string
	Measured, Booked *usage.Watts // Measured is nil: it was not measured throughout
	Remarks          []string
	Cause            string // why nothing is known; empty: it is
}

// unexplainedFrom is the share of unexplained power from which it is a warning.
const unexplainedFrom = 0.2

// Zones is about meters of the site.
func Zones(all []Zone) (findings []Finding) {
	for _, z := range all {
		findings = append(findings, z.find())
		findings = append(findings, remarked(zones, z.Remarks)...)
	}
	return bounded(findings, zones, "findings about zones")
}

func (z Zone) find() Finding {
	name := escape.Name(z.Name)
	switch {
	case z.Cause != "":
		return zones.fail("correct its query in power.reconcile; while the server refuses it, nothing is compared; while it does not answer, usage waits", "%s: not known: %s", name, z.Cause)
	case z.Measured == nil || z.Booked == nil:
		return zones.fail("ask the server for its query in power.reconcile by hand: has it a value at each minute?", "%s: was not measured throughout the newest interval, so nothing is compared", name)
	}
	measured, booked := float64(*z.Measured), float64(*z.Booked)
	unexplained := (measured - booked) / measured
	said := fmt.Sprintf("%s: %s measured, %s booked: %.0f %% unexplained", name, watts(measured), watts(booked), 100*unexplained)
	switch {
	case math.IsNaN(unexplained), math.IsInf(unexplained, 0):
		return zones.warn("look at the meter", "%s: %s measured, %s booked", name, watts(measured), watts(booked))
	case unexplained > unexplainedFrom:
		return zones.warn("does the meter have machines that are not scraped, storage, network or cooling (then cooling: true)? If not, watts are too low: measure hosts with power.measured, or see the finding rating", "%s", said)
	case unexplained < -unexplainedFrom:
		return zones.warn("does the meter have all machines of projects, and is its query in watts? If so, watts are too high: measure hosts with power.measured, or correct power.machines", "%s", said)
	}
	return zones.ok("%s", said)
}
