// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package ingest

import (
	"cmp"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// price returns a price for each piece of an interval, from the intensity of its own slot, and
// the interval's state. Unless every piece has a price there are none: part of the prices would
// give a wrong number. An interval settles once none of its slots may be revised.
func price(set Settings, i usage.Interval, slots map[time.Time]usage.Slot, now time.Time) ([]usage.PiecePrice, usage.State) {
	return priceUnless(i, slots, func(slot usage.Slot) bool { return set.mayBeRevised(slot, now) })
}

// lastPrice is price where the sources have been asked: those that say no more of a
// slot by twice settle_after have had their say, and what is known is final.
func lastPrice(set Settings, i usage.Interval, slots map[time.Time]usage.Slot, now time.Time) ([]usage.PiecePrice, usage.State) {
	return priceUnless(i, slots, func(slot usage.Slot) bool {
		return set.doubts(slot, now) || set.mayBeRevised(slot, now) && now.Before(set.lastWord(slot).Add(set.SettleAfter))
	})
}

// priceUnless settles it unless the price of one of its slots is open.
func priceUnless(i usage.Interval, slots map[time.Time]usage.Slot, open func(usage.Slot) bool) ([]usage.PiecePrice, usage.State) {
	var prices []usage.PiecePrice
	state := usage.Settled
	for _, piece := range i.Pieces() {
		slot := slots[usage.SlotAt(piece.Start)]
		p, ok := slot.Price()
		if !ok {
			return nil, usage.Unpriced
		}
		switch {
		case open(slot):
			state = usage.Provisional
			p.Quality = cmp.Or(p.Quality, usage.QualityProvisional)
		default:
			p.Quality = p.Quality.Settled()
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
		if a.Intensity != b.Intensity || a.Kind != b.Kind || a.Provider != b.Provider || a.Grid != b.Grid || a.Basis != b.Basis || a.Quality != b.Quality {
			return true
		}
	}
	return false
}
