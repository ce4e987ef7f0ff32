package usage

import "time"

// Proof is all that is known of one interval and of how it came to be so: what an
// explanation is made of. Where Pruned, the facts at the grain of keys are kept no
// more; what else there is stands.
type Proof struct {
	Record
	Pruned   bool
	Attempts int       // failed ones, since the last answer
	Error    string    // of the last of them
	RetryAt  time.Time // not asked for before; zero: not put off, or not asked for again
	Slots    []Slot    // of every provider and grid, whose time is in the interval
	Changes  []Change  // since it first had a price, oldest first
}
