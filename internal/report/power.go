// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/carbon-exporter/carbon_exporter/internal/escape"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// leastShare is the least share of a machine type's energy for which a source is named: rounding
// leaves a trace of energy where all of it was measured.
const leastShare = 1e-9

// PowerShare is how much of the energy has its power from one source.
type PowerShare struct {
	Source string  `json:"source"` // config, calibrated, processor, default or another stored average; measured, devices
	Energy float64 `json:"energy_kwh"`
	Share  float64 `json:"energy_ratio"`
}

// powerShares adds up by source, most first.
func powerShares(used []usage.PowerUsed) []PowerShare {
	sums := map[string]*usage.Sum{}
	var whole usage.Sum
	for _, u := range used {
		if sums[u.Source] == nil {
			sums[u.Source] = &usage.Sum{}
		}
		sums[u.Source].Add(float64(u.Energy))
		whole.Add(float64(u.Energy))
	}
	all := []PowerShare{}
	for source, sum := range sums {
		if share := sum.Float64() / whole.Float64(); share >= leastShare {
			all = append(all, PowerShare{source, sum.Float64(), share})
		}
	}
	slices.SortFunc(all, func(a, b PowerShare) int {
		return cmp.Or(cmp.Compare(b.Energy, a.Energy), cmp.Compare(a.Source, b.Source))
	})
	return all
}

// sourcesOf names where the power of each machine type came from, most energy first.
func sourcesOf(used []usage.PowerUsed) map[string]string {
	byMachine := map[string][]usage.PowerUsed{}
	for _, u := range used {
		byMachine[u.Machine] = append(byMachine[u.Machine], u)
	}
	all := map[string]string{}
	for machine, parts := range byMachine {
		var names []string
		for _, s := range powerShares(parts) {
			names = append(names, s.Source)
		}
		all[machine] = strings.Join(names, ", ")
	}
	return all
}

// sourceOf is where the power of a member came from, if the members are machine types.
func (r *Report) sourceOf(kind Kind, name string) *string {
	if r.Scope != usage.ScopeMachine {
		return nil
	}
	source := ""
	if kind == Member {
		source = sourcesOf(r.Power)[name]
	}
	return &source
}

// powerNotes say where the watts come from.
func (r *Report) powerNotes() []string {
	var parts []string
	for _, s := range powerShares(r.Power) {
		parts = append(parts, fmt.Sprintf("%s %s %%", inWords(s.Source), rounded(100*s.Share, 1)))
	}
	if len(parts) == 0 {
		return nil
	}
	return []string{"Where the watts come from, by energy: " + strings.Join(parts, ", ") + "."}
}

// inWords is a source as people say it.
func inWords(source string) string {
	switch source {
	case "config":
		return "the configuration"
	case "calibrated":
		return "calibration"
	case "processor":
		return "the processors of the hosts"
	case "default":
		return "the default"
	case usage.PowerMeasured:
		return "meters of hosts"
	case usage.PowerDevices:
		return "meters of devices"
	case usage.PowerDeleted:
		return "not known any more: deleted by --storage.retention.members"
	}
	return escape.Line(source)
}
