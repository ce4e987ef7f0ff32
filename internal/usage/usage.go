// Package usage is the vocabulary that every other package speaks: what a
// quantity, an interval, a key and a state are. It must not know where numbers
// come from, where they are kept or how they are shown, and imports the
// standard library only. Start with Interval, then Sample and Fact: data flows
// from the one to the other.
package usage

import "time"

// Mode says whether a CPU second did work. Steal and guest time are in neither:
// steal is billed on the machine that had it, guest is already inside user.
type Mode string

// The two modes of every usage number.
const (
	Busy Mode = "busy"
	Idle Mode = "idle"
)

const (
	// Unattributed is the user of what is nobody's, so that sums hold.
	Unattributed = "unattributed"
	// Unknown stands for a project or machine that the series do not name.
	Unknown = "unknown"
)

// Source names an upstream in metrics and logs.
const (
	SourcePrometheus      = "prometheus"
	SourceCarbonIntensity = "carbon_intensity"
	SourceMongoDB         = "mongodb"
	SourceUsageWriter     = "mongodb_usage" // where usage is written
)

// Series is what one group of CPU series says about itself: one virtual
// machine, as its labels have it.
type Series struct {
	Project, Machine, Host, User string
}

// Sample is the CPU time of one virtual machine in one piece of an interval.
type Sample struct {
	Series
	CPU BusyIdle[CPUSeconds]
}

// Coverage says how much of a project's CPU time was seen: all modes together,
// over cores x time.
type Coverage struct {
	Seen, Capacity CPUSeconds
}

// Reading is what the source knows of one piece of time. No samples means that
// the source answered and had no series: empty, which is not 0.
type Reading struct {
	Piece    Interval
	Samples  []Sample
	Coverage map[string]Coverage // by project; nil where cores are not known
}

// Key says whose usage a number is. It is the finest grain kept.
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

// Fact is the energy of one key in one piece of an interval. Its emissions are
// Energy x the intensity of the slot that holds the piece; they are not kept
// beside it, so that a restated intensity cannot leave two truths behind.
type Fact struct {
	Key
	Start  time.Time // of the piece
	CPU    BusyIdle[CPUSeconds]
	Energy BusyIdle[KWh]
}

// Rating is the average power of a machine type, in watts per core.
type Rating struct {
	Machine string
	Watts   BusyIdle[Watts]
	Source  string // where the average comes from: "config", "default", or the stored average's own source
	// Error is the standard error of the energy that the average gives, as a part
	// of it; nil: not known, which is not 0.
	Error *float64
}

// State of an interval. Every interval has exactly one; it moves only forward,
// from Missing to Unpriced to Provisional to Settled. Empty is what Missing
// becomes when the source answered without series; it is asked for once more.
type State string

// The states of an interval.
const (
	Missing     State = "missing"
	Empty       State = "empty"
	Unpriced    State = "unpriced"
	Provisional State = "provisional"
	Settled     State = "settled"
)

// States lists every state in the order of an interval's life.
func States() []State { return []State{Missing, Empty, Unpriced, Provisional, Settled} }

// OrLater is the later of two states of an interval that has facts.
func (s State) OrLater(o State) State {
	if s == Settled || s == Provisional && o != Settled {
		return s
	}
	return o
}
