// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"errors"
	"testing"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// Sums are kept in memory from one transaction to the next. One that fails half-way has changed them
// there, and not in the file.
func TestATransactionThatFailsLeavesTheSums(t *testing.T) {
	s := newStore(t)
	commit(t, s, withPrice(threeKeys(at(1)), 200, usage.Provisional))
	broken := errors.New("broken")
	_, err := s.Update(t.Context(), []usage.Interval{at(2), at(3)}, func(was usage.Stored) (usage.Record, usage.Policy, error) {
		if was.Interval == at(3) {
			return usage.Record{}, usage.Policy{}, broken
		}
		return threeKeys(was.Interval), usage.Policy{}, nil
	})
	if !errors.Is(err, broken) {
		t.Fatalf("got %v, want the error of the second interval", err)
	}
	commit(t, s, withPrice(threeKeys(at(4)), 200, usage.Provisional))
	holdTotals(t, s)
	holdSums(t, s)
}
