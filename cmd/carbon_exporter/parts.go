package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	promconfig "github.com/prometheus/common/config"
	"github.com/prometheus/common/version"

	"github.com/carbon-exporter/carbon_exporter/internal/attribution"
	"github.com/carbon-exporter/carbon_exporter/internal/config"
	"github.com/carbon-exporter/carbon_exporter/internal/ingest"
	"github.com/carbon-exporter/carbon_exporter/internal/intensity"
	"github.com/carbon-exporter/carbon_exporter/internal/power"
	"github.com/carbon-exporter/carbon_exporter/internal/source"
	"github.com/carbon-exporter/carbon_exporter/internal/store"
	"github.com/carbon-exporter/carbon_exporter/internal/upstream"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

const (
	// maxAnswerBytes bounds one answer of Prometheus, decoded: a day of 100 000
	// series is a seventh of it. It is read as a stream, never held.
	maxAnswerBytes = 1 << 30
	// The carbon API's largest answer, 13 days, is 100 kB.
	maxSlotsBytes = 8 << 20
	slotsTimeout  = 30 * time.Second
)

// settings turns a configuration into the parts of the spine.
func settings(cfg *config.Config, keeper *store.Store) (ingest.Settings, error) {
	from, err := newSource(cfg.Prometheus)
	if err != nil {
		return ingest.Settings{}, fmt.Errorf("prometheus: %w", err)
	}
	grid, err := newGrid(cfg.CarbonIntensity)
	if err != nil {
		return ingest.Settings{}, fmt.Errorf("carbon_intensity: %w", err)
	}
	return ingest.Settings{
		Interval:    time.Duration(cfg.Interval),
		Lookback:    time.Duration(cfg.Lookback),
		SettleAfter: time.Duration(cfg.SettleAfter),
		Lag:         time.Duration(cfg.Prometheus.Lag),
		Source:      from,
		Grid:        grid,
		Attribution: newRules(cfg.Attribution),
		PUE:         cfg.Power.PUE,
		Power: func(ctx context.Context, at time.Time) (ingest.Power, error) {
			return newPower(ctx, cfg.Power, keeper, at)
		},
	}, nil
}

func newSource(c config.Prometheus) (*source.Client, error) {
	client, err := upstream.NewHTTPClient(c.HTTPClientConfig, usage.SourcePrometheus)
	if err != nil {
		return nil, err
	}
	return &source.Client{
		Upstream: &upstream.Client{HTTP: client, UserAgent: userAgent(), Timeout: time.Duration(c.Timeout), MaxBytes: maxAnswerBytes},
		URL:      c.URL.URL,
		Query: source.Query{
			Metric: c.Metric, Matchers: c.Matchers,
			Labels:    source.Labels{Project: c.Labels.Project, Machine: c.Labels.Machine, Host: c.Labels.Host, User: c.Labels.User},
			BusyModes: c.BusyModes, IdleModes: c.IdleModes,
			BusyQuery: c.BusyQuery, IdleQuery: c.IdleQuery,
		},
	}, nil
}

func newGrid(c config.CarbonIntensity) (ingest.Grid, error) {
	if c.Provider == config.ProviderStatic {
		return &intensity.Static{
			Intensity: usage.GramsPerKWh(c.Static.GCO2eqPerKWh), GridName: c.Static.Grid, Now: time.Now,
		}, nil
	}
	client, err := upstream.NewHTTPClient(promconfig.DefaultHTTPClientConfig, usage.SourceCarbonIntensity)
	if err != nil {
		return nil, err
	}
	return &intensity.UK{
		Upstream: &upstream.Client{HTTP: client, UserAgent: userAgent(), Timeout: slotsTimeout, MaxBytes: maxSlotsBytes},
		URL:      c.UK.URL.String(), RegionID: c.UK.RegionID, Postcode: c.UK.Postcode, Now: time.Now,
	}, nil
}

func userAgent() string {
	if version.Version == "" {
		return "carbon_exporter/unreleased" // built without the release's flags
	}
	return "carbon_exporter/" + version.Version
}

func newRules(c config.Attribution) attribution.Rules {
	r := attribution.Rules{GroupBy: attribution.GroupBy(c.GroupBy), Groups: map[string]string{}}
	for _, g := range c.Groups {
		for _, p := range g.Projects {
			r.Groups[p] = g.Name
		}
	}
	return r
}

// newPower is the power in force for what was used at a time.
func newPower(ctx context.Context, c config.Power, keeper *store.Store, at time.Time) (power.Model, error) {
	stored, err := keeper.MachineAverages(ctx, at)
	if err != nil {
		return power.Model{}, fmt.Errorf("read machine averages: %w", err)
	}
	m := power.Model{
		Default:    usage.BusyIdle[usage.Watts]{Busy: usage.Watts(c.BusyWatts), Idle: usage.Watts(c.IdleWatts)},
		Configured: map[string]usage.BusyIdle[usage.Watts]{},
		Stored:     stored,
		PUE:        c.PUE,
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

// ratings lists the power in force of every machine type that was seen, written
// down or measured.
func ratings(m power.Model, seen []string) []usage.Rating {
	names := slices.Concat(seen, slices.Collect(maps.Keys(m.Configured)), slices.Collect(maps.Keys(m.Stored)))
	slices.Sort(names)
	var all []usage.Rating
	for _, name := range slices.Compact(names) {
		all = append(all, m.Rating(name))
	}
	return all
}
