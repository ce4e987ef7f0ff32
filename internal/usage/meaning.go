// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package usage

// meanings are what the reasons for doubt mean, and what to do about them, for a person.
var meanings = map[DoubtReason]struct{ means, advice string }{
	DoubtHole: {
		"there are no samples around a border of the interval",
		"see whether Prometheus could scrape it: up, and scrape_duration_seconds",
	},
	DoubtSteppedBack: {
		"its counters went back, and not to 0, such as in a live migration",
		"nothing, if it was migrated or restored from a snapshot",
	},
	DoubtLeap: {
		"its counters grew by more than its cores can give",
		"see whether prometheus.labels.host names one machine, and whether two exporters give the same series",
	},
	DoubtShort: {
		"its counters grew by less than its cores give, with samples throughout",
		"see whether relabelling drops some of its modes or cores, and whether prometheus.matchers selects all of them",
	},
	DoubtMixed: {
		"several machines are behind one host label",
		"set prometheus.labels.host to a label that is a machine's own, such as exported_instance",
	},
	DoubtNoCores: {
		"it has no series of an idle mode, so its cores are not known",
		"see whether prometheus.idle_modes names its idle mode, or give prometheus.cores_query",
	},
	DoubtHalf: {
		"it has only one of busy and idle CPU seconds",
		"see whether prometheus.busy_modes and idle_modes, or busy_query and idle_query, both find it",
	},
	DoubtInvalid: {
		"its samples are NaN, infinite, negative, or no numbers",
		"see what its exporter gives",
	},
	DoubtNotLooked: {
		"too many hosts needed a closer look at once",
		"nothing, if it passes; otherwise see why so many hosts are not exact",
	},
}

// Means says what a reason means, in lower case.
func (r DoubtReason) Means() string { return meanings[r].means }

// Advice says what an operator can do.
func (r DoubtReason) Advice() string { return meanings[r].advice }
