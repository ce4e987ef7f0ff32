// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package usage

// Rating is the average power of a machine type, in watts per core.
type Rating struct {
	Machine string
	Watts   BusyIdle[Watts]
	Source  string // where the average comes from: "config", "processor", "default", or the stored average's own source
	// Error is the standard error of energy computed from the average, as a fraction of it;
	// nil: unknown, which is not 0, or told by Low and High.
	Error *float64
	// Low and High are what the power is between two times in three; nil: told by Error, or
	// unknown.
	Low, High *BusyIdle[Watts]
}

// Same reports whether two ratings make the same energy, with the same margin.
func (r Rating) Same(o Rating) bool {
	return r.Watts == o.Watts && same(r.Error, o.Error) && same(r.Low, o.Low) && same(r.High, o.High)
}

// ModelShare is how much of the CPU time of a host, or of a machine type, was on one model of
// processor.
type ModelShare struct {
	Model   string  // as the hosts say it; empty: they do not say it
	Threads int     // hardware threads of one processor, as the hosts say it; 0: not known
	Share   float64 // of all CPU time; all shares add up to 1
}

// Bounds returns what the power is between two times in three, and whether that is known.
func (r Rating) Bounds() (low, high BusyIdle[Watts], known bool) {
	switch {
	case r.Low != nil && r.High != nil:
		return *r.Low, *r.High, true
	case r.Error != nil:
		return r.Watts.Times(1 - min(1, *r.Error)), r.Watts.Times(1 + *r.Error), true
	}
	return BusyIdle[Watts]{}, BusyIdle[Watts]{}, false
}
