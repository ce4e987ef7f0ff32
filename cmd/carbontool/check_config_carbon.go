// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/carbon-exporter/carbon_exporter/cmd/internal/parts"
	"github.com/carbon-exporter/carbon_exporter/internal/config"
	"github.com/carbon-exporter/carbon_exporter/internal/doctor"
	"github.com/carbon-exporter/carbon_exporter/internal/intensity"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// intensities says where the carbon intensity comes from: a line for what prices usage, and one for
// each chain beside it.
func intensities(c *config.Config) (all []string) {
	made := parts.GridSources(c, time.Now)
	for _, chain := range parts.GridChains(c) {
		of := slices.DeleteFunc(slices.Clone(made), func(s parts.GridSource) bool { return s.Chain.Path != chain.Path })
		head := "carbon intensity" + purpose(chain)
		all = append(all, head+": "+inOrder(chain, of))
		if chain.Short && chain.Use == parts.UsePrices {
			continue // one provider, which is added to no other
		}
		if counted := basesOf(of); len(counted) > 0 {
			all = append(all, head+", counts: "+strings.Join(counted, "; ")+mixed(chain, counted))
		}
		for _, s := range of {
			if missing := undeclared(s); missing != "" {
				all = append(all, fmt.Sprintf("warning: nobody says whether the values of %s are %s; declare it in %s.basis", s.Source.Name, missing, s.Path))
			}
		}
	}
	return all
}

func purpose(chain parts.GridChain) string {
	switch chain.Use {
	case parts.UseAlso:
		return ", other factors " + chain.Name
	case parts.UseMarginal:
		return ", marginal, for when to run"
	case parts.UseElsewhere:
		return " elsewhere, for where to run, " + chain.Name
	}
	return ""
}

// inOrder names the sources of a chain, in order of preference.
func inOrder(chain parts.GridChain, of []parts.GridSource) string {
	var all []string
	for _, s := range of {
		all = append(all, intensityOf(s))
	}
	text := strings.Join(all, ", else ")
	if chain.Grid != "" && chain.Use != parts.UseElsewhere {
		text = "grid " + chain.Grid + ": " + text
	}
	return text
}

func intensityOf(s parts.GridSource) string {
	name := s.Source.Name
	if kind := s.Source.Kind(); name != kind {
		name += " (" + kind + ")"
	}
	if v := s.Source.Static; v != nil {
		of := ", grid " + v.Grid
		if s.Chain.Grid != "" {
			of = ""
		}
		return fmt.Sprintf("%s, %v gCO2eq/kWh%s, %s", name, *v.GCO2eqPerKWh, of, origin(v.Source, s.Path))
	}
	if v := s.Source.Table; v != nil {
		place, err := intensity.PlaceOf(v.Zone)
		if err != nil {
			return name + ", " + err.Error()
		}
		return fmt.Sprintf("%s, %v gCO2eq/kWh, %s in %d, from Ember's yearly data", name, float64(place.Intensity), place.Name, place.Year)
	}
	at := ""
	if url := s.Source.Endpoint().URL; url.URL != nil {
		at = ", from " + config.PublicURL(url)
	}
	if v := s.Source.Prometheus; v != nil {
		if at == "" {
			at = ", from the server of the section prometheus"
		}
		return fmt.Sprintf("%s, %s in %s, a value holds for %s%s", name, v.Query, v.Unit, v.Hold, at)
	}
	switch v := s.Source.UK; {
	case v == nil && s.Chain.Grid == "":
		return name + ", grid " + s.Chain.GridName(s.Source) + at
	case v == nil:
		return name + at
	case v.RegionID != 0:
		return fmt.Sprintf("%s, region %d%s", name, v.RegionID, at)
	case v.Postcode != "":
		return fmt.Sprintf("%s, postcode %s%s", name, v.Postcode, at)
	}
	return name + ", national" + at
}

// origin says where a static value is from.
func origin(source, path string) string {
	if source == "" {
		return fmt.Sprintf("source not given (set %s.static.source to where the value is from)", path)
	}
	return "from: " + source
}

// basesOf lists what the sources count, each once.
func basesOf(of []parts.GridSource) (all []string) {
	for _, s := range of {
		if s.Grid == nil {
			continue
		}
		if basis := s.Grid.Terms().Basis.String(); basis != "" && !slices.Contains(all, basis) {
			all = append(all, basis)
		}
	}
	return all
}

// mixed says that values of several bases are added up.
func mixed(chain parts.GridChain, bases []string) string {
	if !chain.MixBases {
		return ""
	}
	for _, one := range bases[1:] {
		if !usage.BasisOf(one).Agrees(usage.BasisOf(bases[0])) {
			return " (mix_bases: totals hold both)"
		}
	}
	return ""
}

// undeclared names what nobody says of a source.
func undeclared(s parts.GridSource) string {
	if s.Grid == nil {
		return ""
	}
	return doctor.Undeclared(s.Grid.Terms())
}
