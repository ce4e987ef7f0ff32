// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"fmt"
	"math"
	"slices"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// check refuses a record that no reader of the store could make sense of.
func check(rec usage.Record, policy usage.Policy) error {
	if policy.PricesOnly {
		return checkPrices(rec.Interval, rec.Prices, rec.State)
	}
	if empty := rec.State == usage.Empty; empty != (len(rec.Facts) == 0) {
		return fmt.Errorf("cannot be %s with %d facts", rec.State, len(rec.Facts))
	}
	step := usage.PieceLength(rec.Interval.Length)
	for i := range rec.Facts {
		f := &rec.Facts[i]
		if !rec.Interval.Holds(f.Start) || f.Start.Sub(rec.Interval.Start)%step != 0 {
			return fmt.Errorf("has a fact that starts at %s, which is not the start of a piece", f.Start.UTC())
		}
		if policy.Project != nil && f.Project != *policy.Project {
			return fmt.Errorf("is a record of one project and has a fact of another, %q", f.Project)
		}
		for _, v := range [...]float64{float64(f.CPU.Busy), float64(f.CPU.Idle), float64(f.Energy.Busy), float64(f.Energy.Idle), float64(f.Energy.Measured)} {
			if math.IsNaN(v) || math.IsInf(v, 0) {
				return fmt.Errorf("has a fact with the value %v, which cannot be added up", v)
			}
		}
		if err := checkBeside(f.Energy.Measured, f.Beside); err != nil {
			return err
		}
	}
	return checkPrices(rec.Interval, rec.Prices, rec.State)
}

// checkPrices checks that a priced interval has exactly one price per piece, in order, and that
// other intervals have none: part of the prices would give a wrong number.
func checkPrices(interval usage.Interval, prices []usage.PiecePrice, state usage.State) error {
	switch state {
	case usage.Provisional, usage.Settled:
	case usage.Unpriced, usage.Empty:
		if len(prices) > 0 {
			return fmt.Errorf("cannot be %s with %d prices", state, len(prices))
		}
		return nil
	default:
		return fmt.Errorf("cannot be stored in state %q", state)
	}
	pieces := interval.Pieces()
	if len(prices) != len(pieces) {
		return fmt.Errorf("has %d pieces and %d prices", len(pieces), len(prices))
	}
	for i, piece := range pieces {
		if !prices[i].Start.Equal(piece.Start) {
			return fmt.Errorf("has no price for its piece %s", piece)
		}
		if q := prices[i].Quality; !slices.Contains(usage.Qualities(), q) {
			return fmt.Errorf("has a price of the quality %q for its piece %s; there is no such quality", q, piece)
		}
	}
	return nil
}
