// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package doctor

import (
	"fmt"
	"slices"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/escape"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

var (
	averages = check{Power, "averages"}
	given    = check{Power, "watts"}
)

// oldAfter is when machines may no longer be those that were measured.
const oldAfter = 365 * 24 * time.Hour

// Averages is about those that are stored. since is how old each is, by machine type; configured
// are the machine types of power.machines.
func Averages(stored map[string]usage.Rating, since map[string]time.Time, configured []string, now time.Time) []Finding {
	var over, old []string
	oldest := now
	for machine, r := range stored {
		if r.Source == usage.RatedCalibrated && slices.Contains(configured, machine) {
			over = append(over, escape.Name(machine))
		}
		if at, ok := since[machine]; ok && now.Sub(at) > oldAfter {
			old = append(old, escape.Name(machine))
			if at.Before(oldest) {
				oldest = at
			}
		}
	}
	var all []Finding
	if len(over) > 0 {
		all = append(all, averages.warn("remove them from power.machines if the measurement is right; if it is not, forget it, as carbontool calibrate --help says",
			"a stored average that was measured counts, and not the watts of power.machines, for: %s", some(over)))
	}
	if len(old) > 0 {
		all = append(all, averages.warn("measure again: carbontool calibrate", "the stored averages of these machine types are older than a year, the oldest from %s: %s",
			oldest.UTC().Format(time.DateOnly), some(old)))
	}
	if len(stored) > 0 && len(all) == 0 {
		all = append(all, averages.ok("%s with a stored average, none older than a year", many(len(stored), "machine type")))
	}
	return all
}

// farOff is how many times outside the bounds of its processor a configured value is doubtful.
const farOff = 2

// Watts compares what power.machines says with what processors draw. byProcessor has the ratings
// of the same machine types as their processors have them.
func Watts(configured, byProcessor []usage.Rating) (all []Finding) {
	draws := map[string]usage.Rating{}
	for _, r := range byProcessor {
		if r.Source == usage.RatedProcessor {
			draws[r.Machine] = r
		}
	}
	for _, r := range configured {
		p, known := draws[r.Machine]
		low, high, bounded := p.Bounds()
		if r.Source != usage.RatedConfig || !known || !bounded {
			continue
		}
		for _, of := range []struct {
			mode           string
			has, low, high usage.Watts
		}{{"busy", r.Watts.Busy, low.Busy, high.Busy}, {"idle", r.Watts.Idle, low.Idle, high.Idle}} {
			if of.has > farOff*of.high || of.has < of.low/farOff {
				all = append(all, given.warn(fmt.Sprintf("correct power.machines.%s.%s_watts, which counts: watts are for each CPU of node_cpu_seconds_total, that is for each hardware thread, of which most cores have two", escape.Name(r.Machine), of.mode),
					"%s has %.3g W %s in power.machines; by its processor it would be %.3g W to %.3g W", escape.Name(r.Machine), float64(of.has), of.mode, float64(of.low), float64(of.high)))
			}
		}
	}
	return bounded(all, given, "machine types have watts that are far from what their processor draws")
}

// mostFindings is how many findings one check has of its machine types or meters.
const mostFindings = 10

// bounded cuts findings short, and says so.
func bounded(all []Finding, c check, what string) []Finding {
	if len(all) <= mostFindings {
		return all
	}
	return append(all[:mostFindings:mostFindings], c.warn("correct those first", "%d more %s", len(all)-mostFindings, what))
}
