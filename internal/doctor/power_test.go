// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package doctor

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

func wattsOf(busy, idle usage.Watts) usage.BusyIdle[usage.Watts] {
	return usage.BusyIdle[usage.Watts]{Busy: busy, Idle: idle}
}

func ratedBy(source string, machines ...string) (all []usage.Rating) {
	for _, m := range machines {
		all = append(all, usage.Rating{Machine: m, Source: source, Watts: wattsOf(4, 1)})
	}
	return all
}

// known is a table of processors: it knows those of AMD, and less of those with a short name.
func known(m usage.ModelShare) Knowing {
	return Knowing{Known: strings.HasPrefix(m.Model, "AMD"), Weak: m.Model == "AMD EPYC-Rome Processor"}
}

func TestRatings(t *testing.T) {
	asked := func(types map[string][]usage.ModelShare) Processors {
		return Processors{Unrated: usage.Unrated{Why: "their hosts do not say their processor", Do: "run node_exporter"}, Types: types, Known: known}
	}
	var many []usage.Rating
	for n := range 12 {
		many = append(many, ratedBy(usage.RatedDefault, fmt.Sprintf("type-%02d", n))...)
	}
	for _, c := range []struct {
		name    string
		ratings []usage.Rating
		p       Processors
		level   Level
		words   string
		clean   bool // nothing but OK is said
	}{
		{"no usage", nil, asked(nil), OK, "there is no usage to rate", true},
		{
			"all that can be known", append(ratedBy(usage.RatedCalibrated, "a", "b"), ratedBy(usage.RatedConfig, "c")...), asked(nil),
			OK, "3 machine types: 2 by measured average, 1 by configuration", true,
		},
		{
			"hosts that say no processor", ratedBy(usage.RatedDefault, "Muon"), asked(nil),
			Warning, "1 machine type has the default watts, which may be wrong by a factor of two or three, because their hosts do not say their processor: Muon; to do: run node_exporter", false,
		},
		{"many of them", many, asked(nil), Warning, "type-04 and 7 more", false},
		{
			"processors do not count", ratedBy(usage.RatedDefault, "Muon"),
			Processors{Unrated: usage.Unrated{Why: "power.cpu_models is off", Do: "set power.cpu_models to auto"}, Known: known},
			Warning, "because power.cpu_models is off: Muon; to do: set power.cpu_models to auto", false,
		},
		{
			"a model that nobody knows, with a name that would break the line", ratedBy(usage.RatedDefault, "Muon"), asked(map[string][]usage.ModelShare{"Muon": {{Model: "Elbrus\n8S", Share: 1}}}),
			Warning, `the table of processors does not know what their hosts name ("Elbrus\n8S"): Muon; to do: set their watts in power.machines`, false,
		},
		{
			"a processor that QEMU has made up", ratedBy(usage.RatedDefault, "Muon"), asked(map[string][]usage.ModelShare{"Muon": {{Model: "QEMU Virtual CPU version 2.5+", Share: 1}}}),
			Warning, "to do: let the hypervisor pass its processor on: the CPU model host-passthrough or host-model", false,
		},
		{
			"a name that a hypervisor gives", ratedBy(usage.RatedProcessor, "Muon"), asked(map[string][]usage.ModelShare{"Muon": {{Model: "AMD EPYC-Rome Processor", Share: 1}}}),
			OK, "1 machine type is rated by a name that says only the oldest family", true,
		},
		{
			"a part of the hosts", ratedBy(usage.RatedProcessor, "Muon"), asked(map[string][]usage.ModelShare{"Muon": {{Model: "AMD EPYC 9354", Share: 0.7}, {Share: 0.3}}}),
			OK, "in brackets is the rest: Muon (30 %)", true,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			all := Ratings(c.ratings, c.p)
			says(t, all, c.level, c.words)
			if n := Count(all); c.clean && n[OK] != len(all) {
				t.Errorf("got %+v", all)
			}
		})
	}
}

func TestStoredAverages(t *testing.T) {
	stored := map[string]usage.Rating{"Muon": {Source: usage.RatedCalibrated}, "Laser": {Source: "SPECpower"}}
	fresh := map[string]time.Time{"Muon": noon.Add(-24 * time.Hour), "Laser": noon.Add(-24 * time.Hour)}
	says(t, Averages(stored, fresh, []string{"Muon", "Laser"}, noon), Warning, "a stored average that was measured counts, and not the watts of power.machines, for: Muon; to do")
	says(t, Averages(stored, fresh, nil, noon), OK, "2 machine types with a stored average, none older than a year")
	says(t, Averages(stored, map[string]time.Time{"Muon": noon.Add(-366 * 24 * time.Hour)}, nil, noon), Warning, "older than a year, the oldest from 2025-09-30: Muon")
	if all := Averages(nil, nil, []string{"Muon"}, noon); all != nil {
		t.Errorf("none are stored: %+v", all)
	}
}

func TestWattsThatNoProcessorDraws(t *testing.T) {
	low, high := wattsOf(3, 0.6), wattsOf(6, 1.2)
	byProcessor := []usage.Rating{{Machine: "Muon", Source: usage.RatedProcessor, Watts: wattsOf(4, 0.8), Low: &low, High: &high}}
	for _, c := range []struct {
		name       string
		busy, idle usage.Watts
		words      string // empty: nothing
	}{
		{"as the processor", 4, 0.8, ""},
		{"at twice the upper bound", 12, 2.4, ""},
		{"busy watts of a core of two threads, and more", 13, 1, "Muon has 13 W busy in power.machines; by its processor it would be 3 W to 6 W"},
		{"busy watts of nothing", 1, 1, "Muon has 1 W busy"},
		{"idle watts of a whole server", 4, 60, "power.machines.Muon.idle_watts, which counts: watts are for each CPU"},
	} {
		t.Run(c.name, func(t *testing.T) {
			all := Watts([]usage.Rating{{Machine: "Muon", Source: usage.RatedConfig, Watts: wattsOf(c.busy, c.idle)}}, byProcessor)
			if c.words == "" && len(all) > 0 {
				t.Errorf("got %+v", all)
			}
			if c.words != "" {
				says(t, all, Warning, c.words)
			}
		})
	}
	if all := Watts(ratedBy(usage.RatedCalibrated, "Muon"), byProcessor); all != nil {
		t.Errorf("what was measured is not doubted: %+v", all)
	}
	var configured, draws []usage.Rating
	for n := range 30 {
		name := fmt.Sprint("type", n)
		configured = append(configured, usage.Rating{Machine: name, Source: usage.RatedConfig, Watts: wattsOf(100, 100)})
		draws = append(draws, usage.Rating{Machine: name, Source: usage.RatedProcessor, Low: &low, High: &high})
	}
	if all := Watts(configured, draws); len(all) != mostFindings+1 {
		t.Errorf("%d findings", len(all))
	}
}
