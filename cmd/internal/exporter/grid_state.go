// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package exporter

import (
	"fmt"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/escape"
	"github.com/carbon-exporter/carbon_exporter/internal/ingest"
	"github.com/carbon-exporter/carbon_exporter/internal/landing"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// carbonIntensity is the state of what prices usage, then that of each source that has one of its
// own.
func (d *daemon) carbonIntensity(seen families, now time.Time) []landing.Part {
	const name, what = "Carbon intensity", "gCO2eq per kWh, for each half hour"
	whole := landing.Part{Name: name, For: what}
	cfg, _ := d.current()
	if static := cfg.CarbonIntensity.Priced().Fixed(); static != nil {
		whole.State = fmt.Sprintf("one value for all time, %g", *static.GCO2eqPerKWh)
	} else {
		whole = seen.source(name, what, usage.SourceCarbonIntensity, now)
		whole.About, whole.Meanwhile = usage.TopicCarbon, "Energy is recorded meanwhile, and priced later."
		whole = d.because(whole, usage.SourceCarbonIntensity)
	}
	parts := []landing.Part{whole}
	settings := d.currentParts().Settings
	for _, provider := range settings.Providers() {
		link := seen.source(name+" by "+escape.Name(provider), purpose(settings, provider), usage.SourceOf(provider), now)
		link.Within, link.Meanwhile = name, meanwhile(settings, provider)
		parts = append(parts, d.because(link, usage.SourceOf(provider)))
	}
	return parts
}

// purpose is what a source is for.
func purpose(s ingest.Settings, provider string) string {
	switch place := placeIn(s.Grid, provider); {
	case place == 0:
		return "the first choice"
	case place > 0:
		return "where " + escape.Name(s.Grid[place-1].Provider()) + " has no value"
	case placeIn(s.Marginal, provider) >= 0:
		return "when to run; prices nothing"
	}
	for _, set := range s.Factors {
		if placeIn(set.Chain, provider) >= 0 {
			return "other factors, " + escape.Name(set.Name)
		}
	}
	return ""
}

// meanwhile is what goes on while a source is down.
func meanwhile(s ingest.Settings, provider string) string {
	switch {
	case placeIn(s.Grid, provider) >= 0:
		return "The other sources are asked meanwhile."
	case placeIn(s.Marginal, provider) >= 0:
		return "Usage is priced all the same; only the forecast for when to run is missing."
	}
	return "Usage is priced all the same; only the other factors are missing, and come later."
}

// placeIn is where a source is in a chain; below 0: it is not.
func placeIn(chain ingest.Chain, provider string) int {
	for place, g := range chain {
		if g.Provider() == provider {
			return place
		}
	}
	return -1
}
