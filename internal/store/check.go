package store

import (
	"fmt"
	"math"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// check refuses a record that would put into the store what no other function
// could make sense of.
func check(rec usage.Record, policy usage.Policy) error {
	if policy.PricesOnly {
		return checkPrices(rec.Interval, rec.Prices, rec.State)
	}
	if empty := rec.State == usage.Empty; empty != (len(rec.Facts) == 0) {
		return fmt.Errorf("is to be %s with %d facts", rec.State, len(rec.Facts))
	}
	step := usage.PieceLength(rec.Interval.Length)
	for i := range rec.Facts {
		f := &rec.Facts[i]
		if !rec.Interval.Holds(f.Start) || f.Start.Sub(rec.Interval.Start)%step != 0 {
			return fmt.Errorf("has a fact that starts at %s, not a piece of it", f.Start.UTC())
		}
		if policy.Project != nil && f.Project != *policy.Project {
			return fmt.Errorf("is about one project and has a fact of another, %q", f.Project)
		}
		for _, v := range [...]float64{float64(f.CPU.Busy), float64(f.CPU.Idle), float64(f.Energy.Busy), float64(f.Energy.Idle)} {
			if math.IsNaN(v) || math.IsInf(v, 0) {
				return fmt.Errorf("has a fact of %v, not a number to add up", v)
			}
		}
	}
	return checkPrices(rec.Interval, rec.Prices, rec.State)
}

// checkPrices wants one price for every piece of a priced interval, in order,
// and none for another: half a price would be a number that is wrong.
func checkPrices(interval usage.Interval, prices []usage.PiecePrice, state usage.State) error {
	switch state {
	case usage.Provisional, usage.Settled:
	case usage.Unpriced, usage.Empty:
		if len(prices) > 0 {
			return fmt.Errorf("is to be %s with %d prices", state, len(prices))
		}
		return nil
	default:
		return fmt.Errorf("cannot be stored as %q", state)
	}
	pieces := interval.Pieces()
	if len(prices) != len(pieces) {
		return fmt.Errorf("has %d pieces and %d prices", len(pieces), len(prices))
	}
	for i, piece := range pieces {
		if !prices[i].Start.Equal(piece.Start) {
			return fmt.Errorf("has no price for its piece %s", piece)
		}
	}
	return nil
}
