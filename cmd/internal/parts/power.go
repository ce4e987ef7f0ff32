// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package parts

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/config"
	"github.com/carbon-exporter/carbon_exporter/internal/ingest"
	"github.com/carbon-exporter/carbon_exporter/internal/power"
	"github.com/carbon-exporter/carbon_exporter/internal/processor"
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
		Default: defaultRating(c), Configured: map[string]usage.Rating{}, Stored: stored,
		MemoryPerGiB: usage.Watts(c.MemoryWattsPerGiB),
	}
	if c.CPUModels == config.CPUModelsAuto {
		m.Processor = processorRating
	}
	for name, own := range c.Machines {
		r := usage.Rating{Machine: name, Watts: m.Default.Watts, Source: power.SourceConfig, Error: own.Error}
		if own.BusyWatts != nil {
			r.Watts.Busy = usage.Watts(*own.BusyWatts)
		}
		if own.IdleWatts != nil {
			r.Watts.Idle = usage.Watts(*own.IdleWatts)
		}
		m.Configured[name] = r
	}
	return m, nil
}

// defaultRating is the power of a machine type of which nothing is known. If it is the one that
// comes with the program, its bounds do, too.
func defaultRating(c config.Power) usage.Rating {
	r := usage.Rating{
		Watts:  usage.BusyIdle[usage.Watts]{Busy: usage.Watts(c.BusyWatts), Idle: usage.Watts(c.IdleWatts)},
		Source: power.SourceDefault, Error: c.Error,
	}
	if shipped := config.Default().Power; c.Error == nil && c.BusyWatts == shipped.BusyWatts && c.IdleWatts == shipped.IdleWatts {
		u := processor.Unknown()
		r.Low, r.High = &u.Low, &u.High
	}
	return r
}

// processorRating is the power of a hardware thread of a processor.
func processorRating(model string, threads int) (usage.Rating, bool) {
	e, ok := processor.Of(model, threads)
	return usage.Rating{Watts: e.Watts, Source: power.SourceProcessor, Low: &e.Low, High: &e.High}, ok
}

// zones are the meters of the site.
func zones(meters config.Reconcile) []ingest.Zone {
	var all []ingest.Zone
	for _, m := range meters {
		z := ingest.Zone{Name: m.Zone, Projects: map[string]bool{}, Cooling: m.Cooling}
		for _, project := range m.Projects {
			z.Projects[project] = true
		}
		all = append(all, z)
	}
	return all
}

// Ratings lists the current power of every machine type that was seen, configured or measured.
// models are the processors of its hosts.
func Ratings(m power.Model, seen []string, models map[string][]usage.ModelShare) []usage.Rating {
	names := slices.Concat(seen, slices.Collect(maps.Keys(m.Configured)), slices.Collect(maps.Keys(m.Stored)))
	slices.Sort(names)
	var all []usage.Rating
	for _, name := range slices.Compact(names) {
		all = append(all, m.Rating(name, models[name]))
	}
	return all
}
