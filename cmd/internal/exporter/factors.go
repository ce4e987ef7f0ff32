// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package exporter

import (
	"context"

	"github.com/carbon-exporter/carbon_exporter/internal/config"
	"github.com/carbon-exporter/carbon_exporter/internal/store"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// otherFactors returns what all usage emitted by the sets of factors that are configured.
func otherFactors(ctx context.Context, v *store.View, cfg *config.Config, totals []usage.Total) (usage.FactorTotals, error) {
	var sets []string
	for _, set := range cfg.CarbonIntensity.Also {
		sets = append(sets, set.Name)
	}
	if len(sets) == 0 {
		return usage.FactorTotals{}, nil
	}
	var energy usage.ByModeSum[usage.KWh]
	for _, t := range totals {
		energy.Add(t.Energy)
	}
	return v.Factors(ctx, sets, energy.Total())
}
