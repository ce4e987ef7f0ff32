package usage

import "time"

// Part is the CPU time of one series in one stretch [From, To) of a piece in
// which it was one key's. The parts of a series add up to its sample; they are
// the grain at which usage is attributed, before keys are added up.
type Part struct {
	Series   Series
	Key      Key
	From, To time.Time
	CPU      BusyIdle[CPUSeconds]
}

// HostFact is the energy of one host in one stretch of a piece, kept for as
// long as its workspace lives.
type HostFact struct {
	Host    string    // the label, as it came
	Machine string    // machine type
	Start   time.Time // of the piece
	Until   time.Time // end of the stretch; one that ended before a workspace began is not its
	CPU     BusyIdle[CPUSeconds]
	Energy  BusyIdle[KWh]
}

// Active is what metrics and rows of workspaces are about: a host that the newest
// reading of the source has seen.
type Active struct {
	Key            // whose it is now
	Host    string // the label, as it came: 172.16.100.5:9100
	Started time.Time
}

// ActiveUsage is what an active workspace has used since it began.
type ActiveUsage struct {
	Active
	Energy    BusyIdle[KWh]
	Emissions BusyIdle[Grams]
	Priced    bool // whether any of it is priced; if not, Emissions is unknown
	Estimated KWh  // the part of Energy that no CPU time was seen for: the average of its machine type
}

// Shown says which users /metrics names where their number is limited, and,
// by key, what of the settled counters is shown elsewhere than where the key is
// shown now: under "other" for a user who is named, under the user's own name
// for one who is no longer. With it no counter falls when the list changes.
type Shown struct {
	Users     map[string]bool // nil: not chosen yet
	Elsewhere map[Key]SettledUsage
}

// SettledUsage is what the settled counters count.
type SettledUsage struct {
	Energy    BusyIdle[KWh]
	Emissions BusyIdle[Grams]
}

// Rollup is one interval as other systems get it: its usage by group and by user,
// each of which adds up to the site.
type Rollup struct {
	Interval  Interval
	Revision  int64        // grows with every change of any interval
	State     State        // Unpriced, Provisional or Settled
	Intensity *GramsPerKWh // what turns the site's energy into its grams; nil while unpriced
	Groups    []RollupMember
	Users     []RollupMember
}

// RollupMember is the usage of one group or user in an interval.
type RollupMember struct {
	Name      string
	CPU       BusyIdle[CPUSeconds]
	Energy    BusyIdle[KWh]
	Emissions *BusyIdle[Grams] // nil while unpriced
}

// Profile is how the CPU time of one series spread over a piece: what was used
// in each of equal steps from the piece's start. It gives proportions; how much
// it was in all is the Sample's to say.
type Profile struct {
	Step time.Duration
	CPU  []BusyIdle[CPUSeconds]
}
