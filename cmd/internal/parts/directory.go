// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package parts

import (
	"fmt"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/attribution"
	"github.com/carbon-exporter/carbon_exporter/internal/config"
	"github.com/carbon-exporter/carbon_exporter/internal/directory"
	"github.com/carbon-exporter/carbon_exporter/internal/infometric"
	"github.com/carbon-exporter/carbon_exporter/internal/ingest"
	"github.com/carbon-exporter/carbon_exporter/internal/roster"
	"github.com/carbon-exporter/carbon_exporter/internal/source"
	"github.com/carbon-exporter/carbon_exporter/internal/upstream"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// addDirectory adds a directory that is not MongoDB.
func (p *Parts) addDirectory(cfg *config.Config, now func() time.Time, turns *upstream.Turns) error {
	d := &ingest.Directory{
		Source: usage.SourceDirectory,
		Learn:  attribution.Learn,
		Every:  time.Duration(cfg.Directory.Refresh),
		Homes:  cfg.Attribution.GroupBy == config.GroupByDirectory,
	}
	if cfg.Directory.Prometheus == nil {
		d.Census = rosterOf(cfg).Census
		p.Settings.Addresses.Directory = cfg.Directory.File
	} else {
		p.Settings.Addresses.Directory = p.Settings.Addresses.Prometheus
		if own := cfg.Directory.Prometheus.URL; own.URL != nil {
			p.Settings.Addresses.Directory = config.PublicURL(own)
		}
		reader, err := newInfoMetric(cfg, now, turns)
		if err != nil {
			return err
		}
		d.Census = reader.Census
	}
	p.Settings.Directory = d
	return nil
}

func rosterOf(cfg *config.Config) *roster.File {
	return &roster.File{Path: cfg.Directory.File, Zone: cfg.Location(), Emails: hidesUsers(cfg.Attribution)}
}

// hidesUsers reports whether no user is shown by their id.
func hidesUsers(c config.Attribution) bool { return c.UserLabel != config.UserLabelID }

func newInfoMetric(cfg *config.Config, now func() time.Time, turns *upstream.Turns) (*infometric.Reader, error) {
	c := cfg.Directory.Prometheus
	server, err := infoServer(cfg, turns)
	if err != nil {
		return nil, err
	}
	r := &infometric.Reader{
		Server: server,
		Metric: infometric.Metric{
			Name: c.Metric, Matchers: c.Matchers,
			Host: c.Labels.Host, Owner: c.Labels.Owner, Project: c.Labels.Project, Machine: c.Labels.Machine, Group: c.Labels.Group,
		},
		// The oldest interval begins before lookback does.
		Lookback: min(time.Duration(cfg.Lookback), mostLookback) + time.Duration(cfg.Interval),
		Now:      now,
		Emails:   hidesUsers(cfg.Attribution),
	}
	for _, n := range []struct {
		kind directory.Kind
		config.NameMetric
	}{{directory.Projects, c.Names.Project}, {directory.Users, c.Names.User}, {directory.Groups, c.Names.Group}} {
		if n.Metric != "" {
			r.Names = append(r.Names, infometric.Names{Kind: n.kind, Name: n.Metric, Matchers: n.Matchers, ID: n.ID, Label: n.Name})
		}
	}
	return r, nil
}

// mostLookback bounds how far the first reading of an info metric goes back: it asks for every
// minute.
const mostLookback = 48 * time.Hour

// infoServer is the Prometheus of the machines, unless the directory has one of its own.
func infoServer(cfg *config.Config, turns *upstream.Turns) (*source.Client, error) {
	server := cfg.Prometheus
	if c := cfg.Directory.Prometheus; c.URL.URL != nil {
		server.URL, server.HTTPClientConfig = c.URL, c.HTTPClientConfig
	}
	client, err := newSource(server, turns)
	if err != nil {
		return nil, fmt.Errorf("prometheus: %w", err)
	}
	return client, nil
}

// checkDirectory reads a file and makes a client, and asks for nothing.
func checkDirectory(cfg *config.Config) error {
	if cfg.Directory.Prometheus != nil {
		_, err := infoServer(cfg, nil)
		return err
	}
	if err := rosterOf(cfg).Check(); err != nil {
		return named(config.File{Key: "file", Path: cfg.Directory.File}, err)
	}
	return nil
}
