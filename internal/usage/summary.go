// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package usage

import "time"

// Summary is the totals over all intervals, as of one moment.
type Summary struct {
	Totals   []Total       // by key, ordered
	Held     []Total       // keys without any usage left, for what their settled counters have shown
	Newest   *Newest       // nil while no interval has facts
	Attended *Attended     // nil while no host was ever there
	States   map[State]int // every state, including those without intervals
	Unpriced KWh           // energy without an intensity
	Machines []string      // every machine type ever seen, ordered
}

// Total is the usage of one key over all stored intervals.
type Total struct {
	Key
	Last             time.Time // start of the newest piece with usage of this key
	CPU              BusyIdle[CPUSeconds]
	Energy           ByMode[KWh]
	Emissions        ByMode[Grams] // of the priced part of Energy
	Priced           bool          // whether any of it is priced; if not, Emissions is unknown
	SettledEnergy    ByMode[KWh]
	SettledEmissions ByMode[Grams]

	// Down and Up are how far Energy may be below and above, two times in three. Undoubted is the
	// energy of which that is not known; it adds nothing to them.
	Down, Up  KWh
	Undoubted KWh
	// Embodied are the emissions of making the machines, as far as that is configured. They are
	// never part of Emissions. Hardware is the CPU time of which they are known, and may be 0.
	Embodied, SettledEmbodied Grams
	Hardware                  CPUSeconds
}

// Newest is the newest interval with facts.
type Newest struct {
	Interval Interval
	Usage    []KeyUsage // ordered by key
}

// KeyUsage is the usage of one key in one interval.
type KeyUsage struct {
	Key
	Energy    ByMode[KWh]
	Emissions ByMode[Grams]
	Priced    bool
}

// Share is the CPU time of one key in one piece.
type Share struct {
	Key
	CPU BusyIdle[CPUSeconds]
}
