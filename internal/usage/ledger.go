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
	Ratings   []Rating // the power used, by machine type
	PUE       float64
	Coverage  map[string]Coverage      // by project
	Labels    map[string]LabelPresence // by project
	Hosts     []HostFact               // nil: nothing is known by host, and what was known stays
	Queries   Queries                  // what the source was asked; zero: not known
	FetchedAt time.Time
}

// Stored is what the store has of one interval, seen from inside the transaction
// that may replace it. Slots and Record read more of it in that transaction; they
// are not to be called after it.
type Stored struct {
	Interval Interval
	State    State        // Missing if nothing is written down
	Prices   []PiecePrice // none unless Provisional or Settled
	Due      bool         // the source is to be asked for it, or asked again
	// Slots gives the known carbon slots that the interval touches, by their start.
	Slots func(provider, grid string) (map[time.Time]Slot, error)
	// Record gives all of it: facts, and what they were made with.
	Record func() (Record, error)
}

// Decide says what an interval is to become, and how. It must not write. It may be
// called again for the same interval, if its transaction is tried again.
type Decide func(was Stored) (Record, Policy, error)

// Policy says how a record takes the place of what is stored of its interval.
// The zero Policy replaces all of it, unless it is settled.
type Policy struct {
	// Leave writes nothing: the interval stays as it is.
	Leave bool
	// PricesOnly replaces prices and state alone; the facts stay, whatever the
	// record has.
	PricesOnly bool
	// Answered says that the source has just been asked, so that the interval is not
	// due any more.
	Answered bool
	// AskAgain is when an empty interval is asked for once more; zero: never.
	AskAgain time.Time
	// Again says that the source was asked for a second time, to attribute usage
	// better: an answer that has less than is stored is one of a source that has
	// forgotten, and is dropped.
	Again bool
	// Restate replaces a settled interval, too: somebody has asked for that.
	Restate bool
	// Project, if it is not nil, is the only project that the record is about: what
	// the others used stays.
	Project *string
	// Why is what the record of changes says of it.
	Why Why
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

// Queries are what a source was asked for the CPU seconds of an interval.
type Queries struct {
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

// Pruned counts the per-key rows that were deleted because they are old.
type Pruned struct {
	Intervals int       // intervals whose rows were deleted
	Facts     int       // rows deleted
	Until     time.Time // end of the last of the intervals
	Waiting   int       // intervals old enough that wait: their day is not settled, or not yet written to MongoDB
	More      bool      // there is more to delete
}

// Why an update leaves an interval as it is.
var (
	// ErrSettled: it is final.
	ErrSettled = errors.New("interval is settled")
	// ErrPruned: its per-key rows were deleted by retention, so it cannot be computed
	// again.
	ErrPruned = errors.New("interval is pruned")
	// ErrForgotten: the new answer has less than what is stored.
	ErrForgotten = errors.New("the source no longer has all of what is stored")
	// ErrNoWhole: the record covers one project, and nothing is stored yet.
	ErrNoWhole = errors.New("nothing is stored yet, and one project would look like the whole site")
	// ErrOtherFactors: the record covers one project, and has another PUE or other
	// watts than the rest; an interval has one of each.
	ErrOtherFactors = errors.New("the other projects used other watts or another PUE; restate the whole interval")
)

// Outcome is what became of an interval that was to be updated.
type Outcome struct {
	Interval Interval
	State    State // of the interval now
	Changed  bool  // whether readers see anything new: usage, price or state
	Left     error // why it was left as it is, one of the above; nil: it was replaced, or the policy said Leave
}

// PiecePrice is the price of the piece that begins at Start.
type PiecePrice struct {
	Start time.Time
	Price
}

// Scheduled says what was written down of the time since it was last done.
type Scheduled struct {
	Wrote   bool   // whether there was anything to write
	Skipped Period // a time too long to be an outage, which was left out; zero: none
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
