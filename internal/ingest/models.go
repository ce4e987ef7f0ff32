// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package ingest

import (
	"cmp"
	"maps"
	"slices"

	"github.com/carbon-exporter/carbon_exporter/internal/directory"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// needsModels reports whether the power of any machine type of a reading depends on its
// processors. Only where a series does not name its type, a directory is asked for it.
func needsModels(power Power, page Attribution, reading usage.Reading) bool {
	asked := map[string]bool{}
	depends := func(machine string) bool {
		if asked[machine] {
			return false
		}
		asked[machine] = true
		return power.NeedsModels(machine)
	}
	for _, s := range reading.Samples {
		if s.Machine != usage.Unknown {
			if depends(s.Machine) {
				return true
			}
			continue
		}
		one := usage.Reading{Piece: reading.Piece, Samples: []usage.Sample{s}}
		for _, p := range page.Parts(one, nil) {
			if depends(p.Key.Machine) {
				return true
			}
		}
	}
	return false
}

// mixtures returns which processors the hosts of each machine type had in an interval, by their
// share of its CPU time: those of the machine types whose power depends on it.
func mixtures(power Power, readings []attributed) map[string][]usage.ModelShare {
	type kind struct {
		model   string
		threads int
	}
	weights := map[string]map[kind]*usage.Sum{}
	for _, r := range readings {
		if r.instruments == nil || len(r.instruments.Models) == 0 {
			continue
		}
		var models directory.ByHost[[]usage.ModelShare]
		for _, label := range slices.Sorted(maps.Keys(r.instruments.Models)) {
			models.Add(label, r.instruments.Models[label])
		}
		for i := range r.parts {
			p := &r.parts[i]
			if !power.NeedsModels(p.Key.Machine) {
				continue
			}
			said := []usage.ModelShare{{Share: 1}}
			if own := models.Of(p.Series.Host); len(own) > 0 {
				said = own[0]
			}
			if weights[p.Key.Machine] == nil {
				weights[p.Key.Machine] = map[kind]*usage.Sum{}
			}
			for _, s := range said {
				k := kind{s.Model, s.Threads}
				if weights[p.Key.Machine][k] == nil {
					weights[p.Key.Machine][k] = &usage.Sum{}
				}
				weights[p.Key.Machine][k].Add(float64(p.CPU.Total()) * s.Share)
			}
		}
	}
	all := map[string][]usage.ModelShare{}
	for machine, kinds := range weights {
		var whole usage.Sum
		for _, w := range kinds {
			whole.AddSum(*w)
		}
		if whole.Float64() <= 0 {
			continue
		}
		for k, w := range kinds {
			all[machine] = append(all[machine], usage.ModelShare{Model: k.model, Threads: k.threads, Share: w.Float64() / whole.Float64()})
		}
		// In the order in which they are stored, so that what is made of them is the same again.
		slices.SortFunc(all[machine], compareModels)
	}
	return all
}

// compareModels puts the most common model first.
func compareModels(a, b usage.ModelShare) int {
	return cmp.Or(cmp.Compare(b.Share, a.Share), cmp.Compare(a.Model, b.Model), cmp.Compare(a.Threads, b.Threads))
}
