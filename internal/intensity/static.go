// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package intensity

import (
	"cmp"
	"context"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// Static is a grid with one intensity for all time, for sites with a contract or a yearly
// factor. The value never changes, so it is an actual from the start, and it has no forecast:
// every time would be the best.
type Static struct {
	Intensity usage.GramsPerKWh
	Name      string // of the provider, for metrics; empty: static
	GridName  string
	Basis     usage.Basis // empty: the operator does not say
	Now       func() time.Time
}

// Provider returns the provider's name for metrics.
func (s *Static) Provider() string { return cmp.Or(s.Name, usage.ProviderStatic) }

// Terms returns the basis that the operator declares.
func (s *Static) Terms() usage.Terms { return usage.Terms{Basis: s.Basis} }

// Grid returns the configured name of the grid.
func (s *Static) Grid() string { return s.GridName }

// Slots returns every slot that begins in [from, to). It never fails.
func (s *Static) Slots(_ context.Context, from, to time.Time) ([]usage.Slot, usage.Rejects, error) {
	var slots []usage.Slot
	fetchedAt := s.Now()
	for at := firstSlot(from); at.Before(to); at = at.Add(usage.SlotLength) {
		slots = append(slots, usage.Slot{
			From:      at,
			Actual:    new(s.Intensity),
			Quality:   usage.QualityFinal,
			Basis:     s.Basis,
			Provider:  s.Provider(),
			Grid:      s.Grid(),
			FetchedAt: fetchedAt,
		})
	}
	return slots, usage.Rejects{}, nil
}

// Outlook returns nothing.
func (s *Static) Outlook(context.Context, time.Time) ([]usage.Slot, usage.Rejects, error) {
	return nil, usage.Rejects{}, nil
}

// Final reports whether a slot will not be revised. It will be if it is from when the
// configuration had another value.
func (s *Static) Final(slot usage.Slot) bool {
	return slot.Actual != nil && *slot.Actual == s.Intensity
}
