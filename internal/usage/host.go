// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package usage

// HostState says how well the CPU time of a host in an interval is known. The CPU seconds of
// all modes of a machine grow by cores x time, whatever runs on it: a host whose counters did
// that is exact.
type HostState string

// The states of a host in an interval.
const (
	HostExact        HostState = "exact"        // read as it was
	HostInterpolated HostState = "interpolated" // no sample where an interval begins or ends: its time in the hole is spread evenly
	HostRefused      HostState = "refused"      // it was there, but its counters cannot be right: nothing of it is booked
)

// HostStates lists every state of a host.
func HostStates() []HostState { return []HostState{HostExact, HostInterpolated, HostRefused} }

// Presence counts the hosts of one project that are known to have been there, booked or not,
// and their cores.
type Presence struct {
	Hosts, Cores int
}

// Doubt is a host that is not exact in a piece, and why.
type Doubt struct {
	Series
	Cores  int         // 0: not known
	State  HostState   // HostInterpolated or HostRefused
	Reason DoubtReason // why
	Detail string      // what was seen, for a person, in one line
}

// DoubtReason is why a host is not exact. The reasons are a closed set: they are label values
// of a metric.
type DoubtReason string

// The reasons.
const (
	DoubtHole        DoubtReason = "hole"         // no samples around a border of the interval
	DoubtSteppedBack DoubtReason = "stepped_back" // its counters went back, and not to 0, such as in a live migration
	DoubtLeap        DoubtReason = "leap"         // more CPU seconds than its cores can have
	DoubtShort       DoubtReason = "short"        // fewer CPU seconds than its cores have, with samples throughout
	DoubtMixed       DoubtReason = "mixed"        // several machines behind one host label
	DoubtNoCores     DoubtReason = "no_cores"     // no series of an idle mode, so its cores are not known
	DoubtHalf        DoubtReason = "half"         // only one of busy and idle
	DoubtInvalid     DoubtReason = "invalid"      // NaN, infinite, negative, or no number
	DoubtNotLooked   DoubtReason = "not_looked"   // too many hosts needed a closer look at once
)

// DoubtReasons lists every reason.
func DoubtReasons() []DoubtReason {
	return []DoubtReason{
		DoubtHole, DoubtSteppedBack, DoubtLeap, DoubtShort, DoubtMixed, DoubtNoCores, DoubtHalf, DoubtInvalid, DoubtNotLooked,
	}
}
