// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package answers

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/report"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// addFactors adds to a report what its members emitted by the other factors of a configuration.
func addFactors(ctx context.Context, from From, rep *report.Report) error {
	grids, err := from.Grids()
	if err != nil {
		return err
	}
	var sets []usage.FactorSet
	for _, set := range grids.Factors {
		named := set.Named()
		sets = append(sets, named)
		of := report.Factors{Name: set.Name, Bases: []string{}}
		for _, source := range named.Sources {
			of.Sources = append(of.Sources, report.FactorsSource{Provider: source.Provider, Grid: source.Grid})
		}
		for _, g := range set.Chain {
			if basis := g.Terms().Basis.String(); basis != "" && !slices.Contains(of.Bases, basis) {
				of.Bases = append(of.Bases, basis)
			}
		}
		rep.Factors = append(rep.Factors, of)
	}
	rep.Fetch = fmt.Sprintf("carbontool backfill --from=%s --to=%s", rep.Whole.From.UTC().Format(time.RFC3339), rep.Whole.To.UTC().Format(time.RFC3339))
	periods := []usage.Period{rep.Whole.Period}
	for _, s := range rep.Parts {
		periods = append(periods, s.Period)
	}
	all, err := from.Store.FactorTallies(ctx, rep.Scope, sets, periods...)
	if errors.Is(err, usage.ErrPruned) {
		return fmt.Errorf("--factors: %w", err)
	}
	if err != nil {
		return err
	}
	rep.Whole.Factors = all[0]
	for i := range rep.Parts {
		rep.Parts[i].Factors = all[i+1]
	}
	return nil
}
