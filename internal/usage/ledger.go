package usage

import (
	"errors"
	"time"
)

// Record is all that is known of one interval. State is Empty (then there are
// no facts), Unpriced (then there are no prices), Provisional or Settled (then
// there is one price for every piece).
type Record struct {
	Interval  Interval
	State     State
	Facts     []Fact // at most one per key and piece
	Prices    []PiecePrice
	Ratings   []Rating // the power in force, by machine type
	PUE       float64
	Coverage  map[string]Coverage // by project
	Labels    map[string]Labels   // by project
	Hosts     []HostFact          // nil: nothing is known by host, and what was known stays
	Asked     Asked               // what the source was asked; zero: not known
	FetchedAt time.Time
	AskAgain  time.Time // when an empty interval is asked for once more; zero: never
	// Again says that it was asked for a second time, to attribute it: what the
	// source has forgotten of it meanwhile is no reason to have less.
	Again bool
	// Restate replaces a settled interval, too: somebody has asked for that.
	Restate bool
	// Why is what the record of changes says of it.
	Why Why
	// Project, if it is not nil, is the only project that the record is about:
	// what the others used stays.
	Project *string
}

// Why says what changed the price or the power of an interval that had one.
type Why string

// The reasons of a change. The first four are found by comparing the prices.
const (
	BecauseForecast Why = "forecast_revised"
	BecauseActual   Why = "actual" // the forecast's place was taken by it
	BecauseRevised  Why = "actual_revised"
	BecauseProvider Why = "provider" // another provider or grid
	BecauseRestate  Why = "restate"  // asked for: fetched anew
	BecauseRecost   Why = "recost"   // asked for: other watts, PUE or provider
)

// Asked is what a source was asked for the CPU seconds of an interval.
type Asked struct {
	Busy, Idle string
}

// Change is another price, or other energy, of a piece that had a price.
type Change struct {
	Piece               time.Time // start of the piece
	At                  time.Time // when it was written down
	Why                 Why
	Was, Is             Price // without times
	EnergyWas, EnergyIs KWh   // of the site in the piece
}

// Pruned is what has been done of taking facts at key grain away.
type Pruned struct {
	Intervals int       // whose facts were taken away
	Facts     int       // that were
	Until     time.Time // end of the last of the intervals
	Waiting   int       // intervals that are old enough, of days that are not final or not sent on
	More      bool      // there is more to do
}

// Why a record leaves what is stored of its interval as it is.
var (
	// ErrSettled: it is final.
	ErrSettled = errors.New("interval is settled")
	// ErrPruned: what it was made of is no longer kept, so that it cannot be made
	// anew.
	ErrPruned = errors.New("interval is pruned")
	// ErrForgotten: what came is less than what is stored.
	ErrForgotten = errors.New("the source has forgotten what is stored")
	// ErrNoWhole: the record is about one project of an interval that holds nothing.
	ErrNoWhole = errors.New("holds nothing yet, and a part of it would look like all of it")
	// ErrOtherFactors: the record is about one project, and has another PUE or other
	// watts than the rest; an interval has one of each.
	ErrOtherFactors = errors.New("its other projects were made with other watts or another PUE; restate all of it")
)

// Outcome is what became of a record that was to be stored.
type Outcome struct {
	Interval Interval
	State    State // that the interval is in now
	Left     error // why it was left as it is, one of the above; nil: it was replaced
}

// PiecePrice is the price in force for the piece that begins at Start.
type PiecePrice struct {
	Start time.Time
	Price
}

// Due is an interval that is to be asked for.
type Due struct {
	Interval
	State    State // Missing, or Empty for its second chance
	Attempts int   // that failed since its last answer
}

// Pending is an interval with facts whose price may still change.
type Pending struct {
	Interval Interval
	State    State        // Unpriced or Provisional
	Prices   []PiecePrice // in force; none when unpriced
	Again    bool         // it is to be attributed again
}
