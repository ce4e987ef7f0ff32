// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package parts

import (
	"fmt"
	"strings"
	"time"

	promconfig "github.com/prometheus/common/config"

	"github.com/carbon-exporter/carbon_exporter/internal/config"
	"github.com/carbon-exporter/carbon_exporter/internal/ingest"
	"github.com/carbon-exporter/carbon_exporter/internal/intensity"
	"github.com/carbon-exporter/carbon_exporter/internal/upstream"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

const (
	// The largest answer of a carbon intensity API: a year of quarter hours by type of generation.
	maxSlotsBytes = 32 << 20
	slotsTimeout  = 30 * time.Second
)

// Grids are the chains of a configuration. No source is asked yet.
type Grids struct {
	Priced   ingest.Chain
	Factors  []ingest.FactorSet
	Marginal ingest.Chain // empty: none
}

// manners are how servers that others ask, too, are asked by all sources together.
type manners struct {
	pacer *intensity.Pacer
	turns *upstream.Turns // of servers with Prometheus' API; nil: none are taken
}

// NewGrids makes the chains, and refuses those that would add up what must not be added up.
func NewGrids(cfg *config.Config, now func() time.Time) (Grids, error) {
	return newGrids(cfg, now, nil)
}

func newGrids(cfg *config.Config, now func() time.Time, turns *upstream.Turns) (g Grids, err error) {
	c, with := cfg.CarbonIntensity, manners{&intensity.Pacer{}, turns}
	if g.Priced, err = chainOf(cfg, c.Priced(), "carbon_intensity", now, with); err != nil {
		return g, err
	}
	for i, set := range c.Also {
		chain, err := chainOf(cfg, set.Whole(), fmt.Sprintf("carbon_intensity.also[%d]", i), now, with)
		if err != nil {
			return g, err
		}
		g.Factors = append(g.Factors, ingest.FactorSet{Name: set.Name, Chain: chain})
	}
	if c.Marginal != nil {
		g.Marginal, err = sources(cfg, *c.Marginal, "carbon_intensity.marginal", now, with)
		for i, source := range g.Marginal {
			if basis := source.Terms().Basis; err == nil && !basis.Agrees(usage.Basis{Signal: usage.Marginal}) {
				err = fmt.Errorf("carbon_intensity.marginal.sources[%d]: %s is %s, not marginal", i, source.Provider(), basis)
			}
		}
	}
	return g, err
}

// Chain makes the sources of one chain, whose values may be added up: path is where it is
// configured.
func Chain(cfg *config.Config, c config.Chain, path string, now func() time.Time) (ingest.Chain, error) {
	return chainOf(cfg, c, path, now, manners{pacer: &intensity.Pacer{}})
}

// chainOf is Chain for one of several, which keep their requests apart together.
func chainOf(cfg *config.Config, c config.Chain, path string, now func() time.Time, with manners) (ingest.Chain, error) {
	chain, err := sources(cfg, c, path, now, with)
	if err != nil {
		return nil, err
	}
	for i, source := range chain {
		at, basis := placeOf(path, c, i), source.Terms().Basis
		if basis.Signal == usage.Marginal {
			return nil, fmt.Errorf("%s: %s is marginal, and no sum of marginal values means anything; put it into carbon_intensity.marginal, for when to run", at, source.Provider())
		}
		if c.MixBases {
			continue
		}
		for j, other := range chain[:i] {
			if of := other.Terms().Basis; !basis.Agrees(of) {
				return nil, fmt.Errorf("%s: %s is %s and %s is %s: one total would hold two different things; take sources of one basis, or set mix_bases: true and look at the share of each",
					at, source.Provider(), basis, chain[j].Provider(), of)
			}
		}
	}
	return chain, nil
}

// placeOf is where a source of a chain is configured.
func placeOf(path string, c config.Chain, i int) string {
	if len(c.Sources) == 1 && path == "carbon_intensity" {
		return path
	}
	return fmt.Sprintf("%s.sources[%d]", path, i)
}

func sources(cfg *config.Config, c config.Chain, path string, now func() time.Time, with manners) (chain ingest.Chain, err error) {
	for i, s := range c.Sources {
		source, err := newGrid(cfg, c, s, now, with)
		at := placeOf(path, c, i)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", at, err)
		}
		basis := source.Terms().Basis
		for _, declared := range []struct {
			where string
			config.Basis
		}{{at, s.Basis}, {path, c.Basis}} {
			if want := usage.Basis(declared.Basis); !c.MixBases && !basis.Agrees(want) {
				return nil, fmt.Errorf("%s.basis: is %s, but %s is %s", declared.where, want, source.Provider(), basis)
			}
		}
		chain = append(chain, source)
	}
	return chain, nil
}

// newGrid makes one source.
func newGrid(cfg *config.Config, c config.Chain, s config.Source, now func() time.Time, with manners) (ingest.Grid, error) {
	name, grid := s.Name, c.GridName(s)
	basis := usage.Basis(s.Basis).Or(usage.Basis(c.Basis))
	if v := s.Static; v != nil {
		return &intensity.Static{Intensity: usage.GramsPerKWh(*v.GCO2eqPerKWh), Name: name, GridName: grid, Basis: basis, Now: now}, nil
	}
	if v := s.Table; v != nil {
		place, err := intensity.PlaceOf(v.Zone)
		if err != nil {
			return nil, fmt.Errorf("table.zone: %w", err)
		}
		return &intensity.Table{Place: place, Name: name, GridName: grid, Now: now}, nil
	}
	client, err := newSlots(cfg, s)
	if err != nil {
		return nil, err
	}
	if s.Prometheus != nil {
		client.Turns = with.turns
	}
	if v := s.UK; v != nil {
		return &intensity.UK{Upstream: client, URL: v.URL.String(), RegionID: v.RegionID, Postcode: v.Postcode, Name: name, GridName: grid, Now: now}, nil
	}
	api, err := newAPI(cfg, s, basis, now)
	if err != nil {
		return nil, err
	}
	return &intensity.Feed{API: api, Upstream: client, Name: name, GridName: grid, Basis: basis, Now: now, Pacer: with.pacer}, nil
}

// newAPI makes what is different from source to source.
func newAPI(cfg *config.Config, s config.Source, basis usage.Basis, now func() time.Time) (intensity.API, error) {
	if v := s.Prometheus; v != nil {
		url := v.URL.URL
		if url == nil {
			url = cfg.Prometheus.URL.URL
		}
		return &intensity.Prometheus{URL: url.String(), Query: v.Query, Unit: usage.IntensityUnits[v.Unit], Hold: time.Duration(v.Hold), Now: now}, nil
	}
	if v := s.ElectricityMaps; v != nil {
		return &intensity.ElectricityMaps{
			URL: v.URL.String(), Zone: v.Zone, Emissions: basis.Emissions, Step: intensity.StepOf(v.Granularity),
			Estimates: v.Estimates, Horizon: time.Duration(v.Horizon), Token: token(v.Token), Now: now,
		}, nil
	}
	if v := s.WattTime; v != nil {
		return &intensity.WattTime{URL: v.URL.String(), Region: v.Region, Signal: v.Signal}, nil
	}
	if v := s.EnergyCharts; v != nil {
		return &intensity.EnergyCharts{URL: v.URL.String(), Country: v.Country}, nil
	}
	if v := s.RTE; v != nil {
		return &intensity.RTE{URL: v.URL.String(), Now: now}, nil
	}
	if v := s.Energinet; v != nil {
		return &intensity.Energinet{URL: v.URL.String(), Area: v.Area}, nil
	}
	if v := s.OpenElectricity; v != nil {
		return &intensity.OpenElectricity{URL: v.URL.String(), Network: v.Network, Region: v.Region, Token: token(v.Token)}, nil
	}
	if v := s.ENTSOE; v != nil {
		if _, err := intensity.ZoneEIC(v.Zone); err != nil {
			return nil, fmt.Errorf("entsoe.zone: %w", err)
		}
		return &intensity.ENTSOE{URL: v.URL.String(), Zone: v.Zone, Token: token(v.Token), Emissions: basis.Emissions}, nil
	}
	if v := s.EIA; v != nil {
		return &intensity.EIA{URL: v.URL.String(), Respondent: v.Respondent, Token: token(v.Token), Emissions: basis.Emissions, Now: now}, nil
	}
	return nil, fmt.Errorf("%s is no source of carbon intensity", s.Kind())
}

// token reads the key of an API, each time: its file may change. What it returns fits into a header.
func token(c config.Token) func() (string, error) {
	return func() (string, error) {
		key, err := secret(string(c.Token), c.TokenFile)
		name := "token_file"
		if c.TokenFile == "" {
			name = "token"
		}
		key = strings.TrimSpace(key)
		odd := func(r rune) bool { return r < ' ' || r > '~' }
		switch {
		case err != nil:
			return "", noToken(fmt.Sprintf("%s cannot be read: %v", name, err))
		case key == "":
			return "", noToken(name + " is empty: it must hold the key of the API")
		case strings.ContainsFunc(key, odd):
			return "", noToken(name + " does not hold a key, which is one line of plain letters and signs")
		}
		return key, nil
	}
}

// noToken is permanent: asking again soon does not bring the key.
func noToken(cause string) error {
	return &usage.Failure{Reason: usage.ReasonAuth, Permanent: true, Detail: cause, Cause: cause}
}

// newSlots makes the client of a source. Unless the configuration says otherwise, it goes through
// the proxy that the environment names. A series of the Prometheus of the machines has the client
// of that.
func newSlots(cfg *config.Config, s config.Source) (*upstream.Client, error) {
	if v := s.Prometheus; v != nil && v.URL.URL == nil {
		p := cfg.Prometheus
		return newClient(p.HTTPClientConfig, time.Duration(p.Timeout), (&config.Config{Prometheus: p}).Files(), p)
	}
	h := s.Endpoint().HTTPClientConfig
	if h.ProxyURL.URL == nil && h.NoProxy == "" {
		h.ProxyFromEnvironment = true
	}
	of := &config.Config{CarbonIntensity: config.CarbonIntensity{Chain: config.Chain{Sources: []config.Source{s}}}}
	return newClient(h, slotsTimeout, of.Files(), s, h)
}

// newClient makes a client that hides the secrets of some sections.
func newClient(h promconfig.HTTPClientConfig, timeout time.Duration, files []config.File, secrets ...any) (*upstream.Client, error) {
	client, err := upstream.NewHTTPClient(h, usage.SourceCarbonIntensity)
	if err != nil {
		return nil, err
	}
	client.Transport = guard(client.Transport, files)
	return &upstream.Client{
		HTTP: client, UserAgent: userAgent(), Timeout: timeout, MaxBytes: maxSlotsBytes, Patience: usage.PatientRetryAfter,
		Scrubber: upstream.NewScrubber(secrets...),
	}, nil
}
