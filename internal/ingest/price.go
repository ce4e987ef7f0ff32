package ingest

import (
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// price gives each piece of an interval the intensity of its own slot, and the
// interval its state. Unless every piece has a price there is none: half a
// price would be a number that is wrong.
//
// An interval is settled once each of its slots was seen at least settleAfter
// past the slot's end: an actual from before an outage of the provider may have
// been revised since. A provider that says no more of a slot by twice that time
// has had its say, and what is known is final.
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

// restated says whether prices differ in what they say, not in when it was said.
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
