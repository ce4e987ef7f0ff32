// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package usage

import (
	"errors"
	"time"
)

// Record is everything known of one interval. State is Empty (without facts), Unpriced (without
// prices), Provisional or Settled (with one price for every piece).
type Record struct {
	Interval  Interval
	State     State
	Facts     []Fact // at most one per key and piece
	Prices    []PiecePrice
	Ratings   []Rating                    // the power used, by machine type
	Models    map[string][]ModelShare     // by machine type: the processors of its hosts, where the power was made from them
	PUE       float64                     // of the first piece
	PUEs      []float64                   // by piece; nil: PUE for all
	Embodied  map[string]GramsPerCoreHour // by machine type; nil: not configured
	Zones     []ZoneFact                  // nil: nothing measures the whole site
	Coverage  map[string]Coverage         // by project
	Labels    map[string]LabelPresence    // by project
	Hosts     []HostFact                  // nil: no usage by host; what is stored stays
	Queries   Queries                     // queries sent to the source; zero: not known
	FetchedAt time.Time
	// Attendance is which hosts were there; nil: not known.
	Attendance *Attendance
	// Hole is a hole in the data that ends in this interval and began in an earlier one: those
	// in between can now be read better. It is not stored. Zero: there is none.
	Hole Period
}

// PUEAt returns the PUE of the piece that begins at a time.
func (r Record) PUEAt(start time.Time) float64 {
	if step := PieceLength(r.Interval.Length); step > 0 && len(r.PUEs) > 0 {
		if i := int(start.Sub(r.Interval.Start) / step); i >= 0 && i < len(r.PUEs) {
			return r.PUEs[i]
		}
	}
	return r.PUE
}

// ZoneFact is the energy of the site, or of a part of it, in an interval: as a meter of the whole
// measured it, and as it is booked for the same machines.
type ZoneFact struct {
	Zone             string
	Measured, Booked KWh
}

// Stored is one interval as stored, seen inside the transaction that may replace it. Slots and
// Record read more of it in that transaction, and must not be called after it.
type Stored struct {
	Interval Interval
	State    State        // Missing if it is not in the store
	Prices   []PiecePrice // none unless Provisional or Settled
	Due      bool         // it is to be fetched, or fetched again
	Reread   bool         // it is yet to be read a second time
	// Slots returns the known carbon slots that the interval touches, by their start.
	Slots func(provider, grid string) (map[time.Time]Slot, error)
	// Record returns all of it: facts and factors.
	Record func() (Record, error)
}

// Decide returns what an interval should become, and how. It must not write. It may be called
// again for the same interval if the transaction is repeated.
type Decide func(was Stored) (Record, Policy, error)

// Policy says how a record replaces the stored interval. The zero Policy replaces all of it,
// unless it is settled.
type Policy struct {
	// Leave writes nothing: the interval stays as it is.
	Leave bool
	// PricesOnly replaces only prices and state; the facts stay, whatever the record has.
	PricesOnly bool
	// Answered means that the source has just answered, so that the interval is not due any
	// more.
	Answered bool
	// AskAgain is when an empty interval is fetched once more; zero: never.
	AskAgain time.Time
	// RereadAt is when an answered interval is read a second time; zero: not.
	RereadAt time.Time
	// Again means that the source was queried a second time, to attribute usage better or for
	// data that came late: an answer with less usage than is stored comes from a source that has
	// lost data, and is dropped.
	Again bool
	// Restate replaces even a settled interval, on request.
	Restate bool
	// Project, if not nil, is the only project that the record covers: the usage of the others
	// stays.
	Project *string
	// Why is the reason to record with changes.
	Why Why
}

// Why is the reason for a change of price or energy of an interval that had a price.
type Why string

// The reasons of a change. The first four follow from comparing the prices.
const (
	BecauseForecast Why = "forecast_revised"
	BecauseActual   Why = "actual" // an actual replaced the forecast
	BecauseRevised  Why = "actual_revised"
	BecauseProvider Why = "provider" // another provider or grid
	BecauseRestate  Why = "restate"  // on request: fetched again
	BecauseRecost   Why = "recost"   // on request: other watts, PUE or provider
)

// Queries are the queries sent to a source for the CPU seconds of an interval.
type Queries struct {
	Busy, Idle string
	// Growth means that they were evaluated at both edges of the interval, and that their growth
	// in between is the number. If not, their value at its end is.
	Growth bool
}

// Change is a change of the price or energy of a piece that had a price.
type Change struct {
	Piece               time.Time // start of the piece
	At                  time.Time // when it was recorded
	Why                 Why
	Was, Is             Price // times are not set
	EnergyWas, EnergyIs KWh   // of the site in the piece
}

// Pruned counts the per-key rows that were deleted because they are old.
type Pruned struct {
	Intervals int       // intervals whose rows were deleted
	Facts     int       // rows deleted
	Until     time.Time // end of the last of the intervals
	Waiting   int       // intervals old enough that wait: their day is not settled, or not yet written to MongoDB or added up by other factors
	More      bool      // there is more to delete
}

// The reasons why an update leaves an interval as it is.
var (
	// ErrSettled means that the interval is final.
	ErrSettled = errors.New("interval is settled")
	// ErrPruned means that its per-key rows were deleted by retention, so it cannot be computed
	// again.
	ErrPruned = errors.New("interval is pruned")
	// ErrForgotten means that the new answer has less than what is stored.
	ErrForgotten = errors.New("the source no longer has all of what is stored")
	// ErrNoWhole means that the record covers one project, and nothing is stored yet.
	ErrNoWhole = errors.New("nothing is stored yet, and one project would look like the whole site")
	// ErrOtherFactors means that the record covers one project, and has another PUE or other
	// watts than the rest; an interval has one of each.
	ErrOtherFactors = errors.New("the other projects used other watts or another PUE; restate the whole interval")
)

// Outcome is the result of updating an interval.
type Outcome struct {
	Interval Interval
	State    State // after the update
	Changed  bool  // whether readers see anything new: usage, price or state
	Left     error // why it was left as it is, one of the errors above; nil: it was replaced, or the policy has Leave
}

// PiecePrice is the price of the piece that begins at Start.
type PiecePrice struct {
	Start time.Time
	Price
}

// Scheduled is what a call of Schedule added.
type Scheduled struct {
	Wrote   bool   // whether anything was written
	Skipped Period // a gap too long to be an outage, which was left out; zero: none
}

// Due is an interval to fetch.
type Due struct {
	Interval
	State    State // Missing, or Empty for its second chance
	Attempts int   // failed attempts since its last answer
}

// Pending is an interval with facts whose price may still change.
type Pending struct {
	Interval Interval
	State    State        // Unpriced or Provisional
	Prices   []PiecePrice // current prices; none while unpriced
	Again    bool         // whether it is to be attributed again
	Reread   bool         // whether it is yet to be read a second time
}

// Reread is an answered interval to read a second time, for data that came late.
type Reread struct {
	Due
	Present map[string]Presence // by project, at the first reading; nil: not known
	Sure    bool                // see Attendance.Sure
}
