package ingest

import (
	"cmp"
	"slices"

	"github.com/carbon-exporter/carbon_exporter/internal/directory"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// needsModels reports whether the power of any machine type of some readings depends on its
// processors: only then are they asked for.
func needsModels(power Power, readings []attributed) bool {
	asked := map[string]bool{}
	for _, r := range readings {
		for i := range r.parts {
			machine := r.parts[i].Key.Machine
			if !asked[machine] {
				asked[machine] = true
				if power.NeedsModels(machine) {
					return true
				}
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
		models := byName(r.instruments.Models)
		for i := range r.parts {
			p := &r.parts[i]
			if !power.NeedsModels(p.Key.Machine) {
				continue
			}
			said := r.instruments.Models[p.Series.Host]
			if said == nil {
				said = models[directory.HostName(p.Series.Host)]
			}
			if said == nil {
				said = []usage.ModelShare{{Share: 1}}
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

// byName finds what is said of a host by another exporter of it, on another port.
func byName(models map[string][]usage.ModelShare) map[string][]usage.ModelShare {
	all := make(map[string][]usage.ModelShare, len(models))
	for _, label := range sortedKeys(models) {
		if name := directory.HostName(label); all[name] == nil {
			all[name] = models[label]
		}
	}
	return all
}
