package parts

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/config"
	"github.com/carbon-exporter/carbon_exporter/internal/power"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// Averages stores average power by machine type.
type Averages interface {
	MachineAverages(ctx context.Context, at time.Time) (map[string]usage.Rating, error)
}

// Power is the power model for usage at a time.
func Power(ctx context.Context, c config.Power, keeper Averages, at time.Time) (power.Model, error) {
	stored, err := keeper.MachineAverages(ctx, at)
	if err != nil {
		return power.Model{}, fmt.Errorf("read machine averages: %w", err)
	}
	m := power.Model{
		Default:    usage.BusyIdle[usage.Watts]{Busy: usage.Watts(c.BusyWatts), Idle: usage.Watts(c.IdleWatts)},
		Configured: map[string]usage.BusyIdle[usage.Watts]{},
		Stored:     stored,
		PUE:        c.PUE.Ratio,
	}
	for name, own := range c.Machines {
		w := m.Default
		if own.BusyWatts != nil {
			w.Busy = usage.Watts(*own.BusyWatts)
		}
		if own.IdleWatts != nil {
			w.Idle = usage.Watts(*own.IdleWatts)
		}
		m.Configured[name] = w
	}
	return m, nil
}

// Ratings lists the current power of every machine type that was seen, configured
// or measured.
func Ratings(m power.Model, seen []string) []usage.Rating {
	names := slices.Concat(seen, slices.Collect(maps.Keys(m.Configured)), slices.Collect(maps.Keys(m.Stored)))
	slices.Sort(names)
	var all []usage.Rating
	for _, name := range slices.Compact(names) {
		all = append(all, m.Rating(name))
	}
	return all
}
