// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Package usage is the vocabulary of all other packages: quantities, intervals, keys and
// states. It must not know where numbers come from, where they are stored or how they are
// shown, and imports the standard library only. Start with Interval, then Sample and Fact:
// samples become facts.
package usage

import "time"

// Mode tells what energy was used for. CPU time is busy or idle. Steal and guest time have
// neither mode: steal is billed on the machine that had it, guest is already part of user.
type Mode string

// The modes of every usage number. Energy that is Measured was used by devices with meters of
// their own, such as GPUs; it has no CPU time.
const (
	Busy     Mode = "busy"
	Idle     Mode = "idle"
	Measured Mode = "measured"
)

const (
	// Unattributed is the user of usage that belongs to no known user, so that sums hold.
	Unattributed = "unattributed"
	// Unknown stands for a project or machine that the series do not name.
	Unknown = "unknown"
)

// Source names an upstream in metrics and logs.
const (
	SourcePrometheus      = "prometheus"
	SourceCarbonIntensity = "carbon_intensity"
	SourceMongoDB         = "mongodb"
	SourceDirectory       = "directory"     // a file or a Prometheus, in place of MongoDB
	SourceUsageWriter     = "mongodb_usage" // where usage is written
	SourceLake            = "lake"          // where settled days are published
)

// SourceOf names a provider of carbon intensity among all sources. One that is called like another
// upstream, as a Prometheus is that has intensities, is told apart from it.
func SourceOf(provider string) string {
	switch provider {
	case SourcePrometheus, SourceCarbonIntensity, SourceMongoDB, SourceDirectory, SourceUsageWriter, SourceLake:
		return SourceCarbonIntensity + "_" + provider
	}
	return provider
}

// Series identifies one virtual machine by the labels of its CPU series.
type Series struct {
	Project, Machine, Host, User string
}

// Sample is the CPU time of one virtual machine in one piece of an interval.
type Sample struct {
	Series
	CPU BusyIdle[CPUSeconds]
}

// Coverage is how much of a project's CPU time was seen: all modes together, compared with
// cores x time.
type Coverage struct {
	Seen, Capacity CPUSeconds
}

// Reading is what the source knows of one piece. No samples means that the source answered and
// had no series: empty, which is not 0.
type Reading struct {
	Piece    Interval
	Samples  []Sample
	Coverage map[string]Coverage // by project, of every host that was there; nil where cores are not known

	Present  map[string]Presence // by project
	There    map[string]float64  // by host that was there for a part of the piece: which part
	Doubts   []Doubt             // the hosts that are not exact
	Unlisted map[string]float64  // by mode that is neither busy, idle nor other: its share of all CPU time
	Alike    [][]string          // groups of hosts that show the same counters, so that each is booked with all of one machine
	Remarks  []string            // what the operator should know of it, a sentence each
	// Final means that a second reading cannot find more: every host was there at both ends.
	Final bool
	// Since is how far back a hole reaches that ends in this piece, or a boot of a machine that
	// is first seen in it; zero: none does.
	// The intervals from there on can now be read again.
	Since time.Time
}

// Key is the finest division of usage that is stored.
type Key struct {
	Project, Machine, User, Group string
}

// Compare orders keys by project, machine, user and group.
func (k Key) Compare(o Key) int {
	for _, pair := range [...][2]string{
		{k.Project, o.Project}, {k.Machine, o.Machine}, {k.User, o.User}, {k.Group, o.Group},
	} {
		if pair[0] != pair[1] {
			if pair[0] < pair[1] {
				return -1
			}
			return 1
		}
	}
	return 0
}

// State is the state of an interval. Every interval has exactly one. It moves only forward:
// Missing, Unpriced, Provisional, Settled. Missing becomes Empty if the source answers without
// series; the interval is then fetched once more.
type State string

// The states of an interval.
const (
	Missing     State = "missing" // due, and not fetched yet
	Empty       State = "empty"
	Unpriced    State = "unpriced"
	Provisional State = "provisional"
	Settled     State = "settled"
)

// States lists every state in the order of an interval's life.
func States() []State { return []State{Missing, Empty, Unpriced, Provisional, Settled} }

// Unasked is what an interval is that is not in the store and not due, because nobody wanted to
// know: from before the first interval, or between ranges. It is in no state.
const Unasked State = "unasked"

// OrLater returns the later of two states of an interval that has facts.
func (s State) OrLater(o State) State {
	if s == Settled || s == Provisional && o != Settled {
		return s
	}
	return o
}
