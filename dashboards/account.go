// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import "fmt"

// Whether what is booked is what a meter has measured.

const (
	measured    = "carbon_measured_energy_kwh"
	unexplained = "carbon_unexplained_energy_kwh"

	noMeter = "not configured: power.reconcile names the meter of the site, or of a part of it"
)

func ofZones(gauge, stretch string) string { return sumBy("zone", grownOver(gauge, stretch)) }

// unexplainedShare is of what was measured, where anything was.
func unexplainedShare(stretch string) string {
	return fmt.Sprintf("%s / (%s > 0)", ofZones(unexplained, stretch), ofZones(measured, stretch))
}

func measuredAndBooked() panel {
	return tables("Measured and booked, by zone", "Energy in the time range that the meter of a zone has measured, that is booked for the machines of the zone in the same intervals, and the difference. Negative: more is booked than was measured. Share is the difference over what was measured: yellow from 25 %. Needs power.reconcile.",
		rows(ofZones(measured, "$__range")),
		rows(ofZones(measured, "$__range")+" - "+ofZones(unexplained, "$__range")),
		rows(ofZones(unexplained, "$__range")),
		rows(unexplainedShare("$__range")),
	).then("merge", map[string]any{}).
		columns([2]string{"zone", "Zone"}, [2]string{"Value #A", "Measured"}, [2]string{"Value #B", "Booked"},
			[2]string{"Value #C", "Not booked"}, [2]string{"Value #D", "Share"}).
		field("/^(Measured|Booked|Not booked)$/", unit(kWh), decimals(2)).
		field("Share", unit(share), decimals(0), set{Id: "custom.cellOptions", Value: map[string]any{"type": "color-text"}},
			set{Id: "thresholds", Value: thresholds(noteColour, []step{{-0.25, goodColour}, {0.25, noteColour}})}, set{Id: "color", Value: map[string]any{"mode": "thresholds"}}).
		ordered("Measured").empty(noMeter)
}

func unexplainedOverTime() panel {
	return lines("Unexplained share", "Measured energy that is not booked, as a share of measured energy, over the preceding day. Near 0: the account closes. Above: something draws power that is not booked, or watts are too low. Below: watts are too high, or the meter does not see all machines. The yellow lines at 25 % are the thresholds of CarbonUnexplainedEnergy. Needs power.reconcile.",
		share, over(unexplainedShare("1d"), "{{zone}}").every("30m")).
		decimals(0).soft(-0.3, 0.3).marked(step{-0.25, noteColour}, step{0.25, noteColour}).empty(noMeter)
}
