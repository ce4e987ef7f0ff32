// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Package parts turns a configuration into the parts that the programs run. It knows every
// package and how they fit together; it must not know flags, pages or commands. Start with New.
package parts

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/config"
	"github.com/carbon-exporter/carbon_exporter/internal/ingest"
	"github.com/carbon-exporter/carbon_exporter/internal/mongo"
	"github.com/carbon-exporter/carbon_exporter/internal/privacy"
	"github.com/carbon-exporter/carbon_exporter/internal/upstream"
)

// Parts are what a configuration needs.
type Parts struct {
	Settings ingest.Settings
	Labels   privacy.Labels // how users appear on /metrics
	// Stock looks what the database of the directory has; nil: there is none.
	Stock func(context.Context) (mongo.Stock, error)

	closers []func() error
}

// addresses are where the upstreams are, without secrets.
func addresses(cfg *config.Config) (a ingest.Addresses) {
	a.Prometheus = config.PublicURL(cfg.Prometheus.URL)
	a.Grid = map[string]string{}
	for _, chain := range cfg.CarbonIntensity.Chains() {
		for _, s := range chain.Sources {
			switch at := s.Endpoint().URL; {
			case at.URL != nil:
				a.Grid[s.Name] = config.PublicURL(at)
			case s.Prometheus != nil:
				a.Grid[s.Name] = a.Prometheus
			}
		}
	}
	return a
}

// Close closes the connections of the parts.
func (p *Parts) Close() error {
	var errs []error
	for _, c := range p.closers {
		errs = append(errs, c())
	}
	return errors.Join(errs...)
}

// New makes the parts of a configuration. It reads the files of secrets, but does not connect
// yet. workspaces is whether usage is stored by host. turns are shared with others in this program
// that ask the same servers; nil: the parts share their own.
func New(cfg *config.Config, keeper Averages, now func() time.Time, workspaces bool, turns *upstream.Turns) (_ *Parts, err error) {
	if turns == nil {
		turns = &upstream.Turns{}
	}
	p := &Parts{}
	defer func() {
		if err != nil {
			p.Close()
		}
	}()
	if err := lookAt(cfg.Files()); err != nil {
		return nil, err
	}
	from, err := newSource(cfg.Prometheus, turns)
	if err != nil {
		return nil, fmt.Errorf("prometheus: %w", err)
	}
	instruments, asked := Instruments(cfg)
	from.Query.Instruments = instruments
	grids, err := newGrids(cfg, now, turns)
	if err != nil {
		return nil, err
	}
	if p.Labels, err = Labels(cfg.Attribution); err != nil {
		return nil, fmt.Errorf("attribution: %w", err)
	}
	p.Settings = ingest.Settings{
		Interval:    time.Duration(cfg.Interval),
		Lookback:    time.Duration(cfg.Lookback),
		SettleAfter: time.Duration(cfg.SettleAfter),
		RereadAfter: time.Duration(cfg.Prometheus.RereadAfter),
		Lag:         time.Duration(cfg.Prometheus.Lag),
		Source:      from,
		Grid:        grids.Priced,
		Factors:     grids.Factors,
		Marginal:    grids.Marginal,
		Addresses:   addresses(cfg),
		Attribution: newAttribution(cfg.Attribution),
		Workspaces:  workspaces,
		Instruments: from,
		Asked:       asked,
		Meters:      meterNames(cfg.Power),
		Unrated:     Unrated(cfg),
		PUE:         cfg.Power.PUE.Ratio,
		MeasuresPUE: cfg.Power.PUE.Query != "",
		Zones:       zones(cfg.Power.Reconcile),
		Power: func(ctx context.Context, at time.Time) (ingest.Power, error) {
			return Power(ctx, cfg.Power, keeper, at)
		},
	}
	if fleet := Embodied(cfg.Embodied); fleet != nil {
		p.Settings.Embodied = fleet.Rate
	}
	if cfg.MongoDB != nil {
		if err := p.addMongoDB(cfg); err != nil {
			return nil, fmt.Errorf("mongodb: %w", err)
		}
	}
	if cfg.Directory != nil {
		if err := p.addDirectory(cfg, now, turns); err != nil {
			return nil, fmt.Errorf("directory: %w", err)
		}
	}
	return p, nil
}
