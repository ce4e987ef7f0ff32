package intensity

import (
	"context"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// Static is a grid with one intensity for all time, for sites with a contract or a yearly
// factor. The value never changes, so it is both actual and forecast.
type Static struct {
	Intensity usage.GramsPerKWh
	GridName  string
	Now       func() time.Time
}

// Provider returns the provider's name for metrics.
func (s *Static) Provider() string { return "static" }

// Grid returns the configured name of the grid.
func (s *Static) Grid() string { return s.GridName }

// Slots returns every slot that begins in [from, to). It never fails.
func (s *Static) Slots(_ context.Context, from, to time.Time) ([]usage.Slot, usage.Rejects, error) {
	var slots []usage.Slot
	fetchedAt := s.Now()
	for at := firstSlot(from); at.Before(to); at = at.Add(usage.SlotLength) {
		slots = append(slots, usage.Slot{
			From:      at,
			Forecast:  new(s.Intensity),
			Actual:    new(s.Intensity),
			Provider:  s.Provider(),
			Grid:      s.Grid(),
			FetchedAt: fetchedAt,
		})
	}
	return slots, usage.Rejects{}, nil
}

// Outlook returns the slot that contains from and those of the 48 hours after its start.
func (s *Static) Outlook(ctx context.Context, from time.Time) ([]usage.Slot, usage.Rejects, error) {
	from = usage.SlotAt(from)
	return s.Slots(ctx, from, from.Add(usage.OutlookLength))
}
