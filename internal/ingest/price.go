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
// end: an actual from before an outage of the provider may have been revised since. A slot that
// was fetched in the future, by a clock that ran ahead, does not count.
func price(i usage.Interval, slots map[time.Time]usage.Slot, settleAfter time.Duration, now time.Time) ([]usage.PiecePrice, usage.State) {
	return priceUnless(i, slots, func(end time.Time, p usage.Price) bool {
		return p.FetchedAt.Before(end.Add(settleAfter)) || p.FetchedAt.After(now)
	})
}

// lastPrice is price where the provider has been asked: one that says no more of a
// slot by twice settleAfter has had its say, and what is known is final.
func lastPrice(i usage.Interval, slots map[time.Time]usage.Slot, settleAfter time.Duration, now time.Time) ([]usage.PiecePrice, usage.State) {
	return priceUnless(i, slots, func(end time.Time, p usage.Price) bool {
		return (p.FetchedAt.Before(end.Add(settleAfter)) || p.FetchedAt.After(now)) && now.Before(end.Add(2*settleAfter))
	})
}

// priceUnless settles it unless the price of a slot with that end is open.
func priceUnless(i usage.Interval, slots map[time.Time]usage.Slot, open func(end time.Time, p usage.Price) bool) ([]usage.PiecePrice, usage.State) {
	var prices []usage.PiecePrice
	state := usage.Settled
	for _, piece := range i.Pieces() {
		from := usage.SlotAt(piece.Start)
		p, ok := slots[from].Price()
		if !ok {
			return nil, usage.Unpriced
		}
		if open(from.Add(usage.SlotLength), p) {
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
