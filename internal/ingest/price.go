package ingest

import (
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// price returns a price for each piece of an interval, from the intensity of its own slot, and
// the interval's state. Unless every piece has a price there are none: part of the prices would
// give a wrong number.
//
// An interval settles once each of its slots was fetched at least settleAfter after the slot's
// end: an actual from before an outage of the provider may have been revised since. If the
// provider says nothing more about a slot within twice that time, what is known is final.
func price(i usage.Interval, slots map[time.Time]usage.Slot, settleAfter time.Duration, now time.Time) ([]usage.PiecePrice, usage.State) {
	var prices []usage.PiecePrice
	state := usage.Settled
	for _, piece := range i.Pieces() {
		from := usage.SlotAt(piece.Start)
		p, ok := slots[from].Price()
		if !ok {
			return nil, usage.Unpriced
		}
		final := from.Add(usage.SlotLength + settleAfter)
		if p.FetchedAt.Before(final) && now.Before(final.Add(settleAfter)) {
			state = usage.Provisional
		}
		prices = append(prices, usage.PiecePrice{Start: piece.Start, Price: p})
	}
	return prices, state
}

// restated reports whether prices differ in more than when they were fetched.
func restated(was, is []usage.PiecePrice) bool {
	if len(was) != len(is) {
		return true
	}
	for i := range was {
		a, b := was[i], is[i]
		if a.Intensity != b.Intensity || a.Kind != b.Kind || a.Provider != b.Provider || a.Grid != b.Grid {
			return true
		}
	}
	return false
}
