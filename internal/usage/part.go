// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package usage

import "time"

// Part is the CPU time of one series in one stretch [From, To) of a piece, with a single key.
// The parts of a series add up to its sample. Usage is attributed by part, then added up by
// key.
type Part struct {
	Series   Series
	Key      Key
	From, To time.Time
	CPU      BusyIdle[CPUSeconds]
}

// HostFact is the energy of one host in one stretch of a piece, kept while its workspace
// exists.
type HostFact struct {
	Host    string    // the label as received
	Machine string    // machine type
	Start   time.Time // of the piece
	Until   time.Time // end of the stretch; usage that ended before a workspace began is not the workspace's
	CPU     BusyIdle[CPUSeconds]
	Energy  ByMode[KWh]
	Beside  *Beside // nil: as in a Fact
}

// Active is an active workspace: a host in the newest collected interval.
type Active struct {
	Key            // current key
	Host    string // the label as received: 172.16.100.5:9100
	Started time.Time
}

// ActiveUsage is what an active workspace has used since it began.
type ActiveUsage struct {
	Active
	Energy    ByMode[KWh]
	Emissions ByMode[Grams]
	Priced    bool // whether any of it is priced; if not, Emissions is unknown
	Estimated KWh  // the part of Energy without measured CPU time, estimated from the mean of its machine type
}

// Shown records which users /metrics names if their number is limited and, by key, which part
// of the settled counters is shown under another name than the key's current one: under "other"
// for a user who is named now, under the user's own name for one who no longer is. This keeps
// every counter from falling when the list changes.
type Shown struct {
	Users     map[string]bool // nil: not chosen yet
	Elsewhere map[Key]SettledUsage
}

// SettledUsage is what the settled counters count.
type SettledUsage struct {
	Energy    ByMode[KWh]
	Emissions ByMode[Grams]
	Embodied  Grams
}

// Rollup is one interval as other systems get it: its usage by group and by user. Each of them
// adds up to the site.
type Rollup struct {
	Interval  Interval
	Revision  int64        // increases with every change of any interval
	State     State        // Unpriced, Provisional or Settled
	Intensity *GramsPerKWh // the site's grams divided by its energy; nil while unpriced
	Groups    []RollupMember
	Users     []RollupMember
}

// RollupMember is the usage of one group or user in an interval.
type RollupMember struct {
	Name      string
	CPU       BusyIdle[CPUSeconds]
	Energy    ByMode[KWh]
	Emissions *ByMode[Grams] // nil while unpriced
}

// Profile is how the CPU time of one series is spread over a piece: the time used in each of
// equal steps from the piece's start. It gives proportions only; the total is the Sample's.
type Profile struct {
	Step time.Duration
	CPU  []BusyIdle[CPUSeconds]
}
