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
	FetchedAt time.Time
	AskAgain  time.Time // when an empty interval is asked for once more; zero: never
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
}

// ErrSettled says that an interval is final and was not changed.
var ErrSettled = errors.New("interval is settled")
