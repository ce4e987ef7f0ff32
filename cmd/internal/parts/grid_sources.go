// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package parts

import (
	"fmt"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/config"
	"github.com/carbon-exporter/carbon_exporter/internal/ingest"
	"github.com/carbon-exporter/carbon_exporter/internal/intensity"
)

// GridUse is what a chain of sources is for.
type GridUse string

// The uses.
const (
	UsePrices    GridUse = "prices"
	UseAlso      GridUse = "also"
	UseMarginal  GridUse = "marginal"
	UseElsewhere GridUse = "elsewhere"
)

// GridChain is a chain of a configuration, with what it is for.
type GridChain struct {
	Use  GridUse
	Name string // of a set of factors, or of a grid elsewhere; empty: it needs none
	Path string // where it is configured
	// Short is whether Path is that of its only source, too.
	Short bool
	config.Chain
}

// String names the use, such as "also market".
func (c GridChain) String() string {
	if c.Name == "" {
		return string(c.Use)
	}
	return string(c.Use) + " " + c.Name
}

// GridChains lists all chains of a configuration, those of other grids included.
func GridChains(cfg *config.Config) []GridChain {
	c := cfg.CarbonIntensity
	all := []GridChain{{Use: UsePrices, Path: "carbon_intensity", Short: len(c.Sources) == 0, Chain: c.Priced()}}
	for i, set := range c.Also {
		all = append(all, GridChain{
			Use: UseAlso, Name: set.Name, Path: fmt.Sprintf("carbon_intensity.also[%d]", i), Short: len(set.Sources) == 0, Chain: set.Whole(),
		})
	}
	if c.Marginal != nil {
		all = append(all, GridChain{Use: UseMarginal, Path: "carbon_intensity.marginal", Chain: *c.Marginal})
	}
	for i, chain := range c.Elsewhere {
		all = append(all, GridChain{Use: UseElsewhere, Name: chain.Grid, Path: fmt.Sprintf("carbon_intensity.elsewhere[%d]", i), Chain: chain})
	}
	return all
}

// GridSource is one source of a chain. Grid is nil with Err: one that cannot be made does not hide
// the others.
type GridSource struct {
	Chain  GridChain
	Source config.Source
	Path   string // where it is configured
	Grid   ingest.Grid
	Err    error
}

// GridSources makes every source of a configuration, whether or not the values of a chain may be
// added up. No source is asked yet.
func GridSources(cfg *config.Config, now func() time.Time) (all []GridSource) {
	with := manners{pacer: &intensity.Pacer{}}
	for _, chain := range GridChains(cfg) {
		for i, source := range chain.Sources {
			one := GridSource{Chain: chain, Source: source, Path: chain.Path}
			if !chain.Short {
				one.Path = fmt.Sprintf("%s.sources[%d]", chain.Path, i)
			}
			one.Grid, one.Err = newGrid(cfg, chain.Chain, source, now, with)
			all = append(all, one)
		}
	}
	return all
}
