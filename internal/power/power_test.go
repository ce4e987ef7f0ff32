// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package power

import (
	"math"
	"reflect"
	"strings"
	"testing"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

func watts(busy, idle usage.Watts) usage.BusyIdle[usage.Watts] {
	return usage.BusyIdle[usage.Watts]{Busy: busy, Idle: idle}
}

// rated is a rating without a machine type.
func rated(busy, idle usage.Watts, source string) usage.Rating {
	return usage.Rating{Watts: watts(busy, idle), Source: source}
}

func of(machine string, r usage.Rating) map[string]usage.Rating {
	r.Machine = machine
	return map[string]usage.Rating{machine: r}
}

// twoProcessors knows a lean and a thirsty processor.
func twoProcessors(model string, _ int) (usage.Rating, bool) {
	r, ok := map[string]usage.Rating{
		"lean":    {Watts: watts(1, 0.25), Low: new(watts(0.5, 0.125)), High: new(watts(2, 0.5))},
		"thirsty": {Watts: watts(4, 1), Low: new(watts(3, 0.75)), High: new(watts(5, 1.25))},
	}[model]
	return r, ok
}

func TestWhichAverageWins(t *testing.T) {
	stored, learned := rated(8, 1.13, "specpower"), rated(3, 0.7, SourceCalibrated)
	stored.Machine, learned.Machine = "Muon", "Muon"
	configured := of("Muon", rated(9.5, 1.2, SourceConfig))
	lean := []usage.ModelShare{{Model: "lean", Share: 1}}
	processor := rated(1, 0.25, SourceProcessor)
	processor.Machine, processor.Low, processor.High = "Muon", new(watts(0.5, 0.125)), new(watts(2, 0.5))
	byDefault := rated(12, 1, SourceDefault)
	byDefault.Machine = "Muon"
	for _, c := range []struct {
		name   string
		model  Model
		models []usage.ModelShare
		want   usage.Rating
		needs  bool
	}{
		{"nothing known: the default", Model{}, nil, byDefault, false},
		{"the processor wins over the default", Model{Processor: twoProcessors}, lean, processor, true},
		{"a processor that nobody knows", Model{Processor: twoProcessors}, []usage.ModelShare{{Model: "QEMU Virtual CPU", Share: 1}}, byDefault, true},
		{"hosts that do not say what they have", Model{Processor: twoProcessors}, []usage.ModelShare{{Share: 1}}, byDefault, true},
		{"processors do not count", Model{}, lean, byDefault, false},
		{"a stored average wins over the processor and brings its source", Model{Processor: twoProcessors, Stored: of("Muon", stored)}, lean, stored, false},
		{"the configuration wins over a stored average", Model{Processor: twoProcessors, Stored: of("Muon", stored), Configured: configured}, lean, configured["Muon"], false},
		{"an average that was learned from measured power wins over all", Model{Processor: twoProcessors, Stored: of("Muon", learned), Configured: configured}, lean, learned, false},
		{"names are exact", Model{Stored: of("muon", stored), Configured: of("Muon ", stored)}, nil, byDefault, false},
		{"an idle power of 0 is configured, not missing", Model{Configured: of("Muon", rated(9.5, 0, SourceConfig))}, nil, of("Muon", rated(9.5, 0, SourceConfig))["Muon"], false},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.model.Default = rated(12, 1, SourceDefault)
			got := c.model.Rating("Muon", c.models)
			if !reflect.DeepEqual(got, c.want) {
				t.Errorf("got %+v, want %+v", got, c.want)
			}
			if needs := c.model.NeedsModels("Muon"); needs != c.needs {
				t.Errorf("needs the processors: %v, want %v", needs, c.needs)
			}
		})
	}
}

func TestMixtures(t *testing.T) {
	for _, c := range []struct {
		name      string
		models    []usage.ModelShare
		want      usage.BusyIdle[usage.Watts]
		low, high usage.BusyIdle[usage.Watts]
	}{
		{"half of each", []usage.ModelShare{{Model: "lean", Share: 0.5}, {Model: "thirsty", Share: 0.5}}, watts(2.5, 0.625), watts(1.75, 0.4375), watts(3.5, 0.875)},
		{"hosts that say nothing are like the others", []usage.ModelShare{{Model: "lean", Share: 0.25}, {Share: 0.75}}, watts(1, 0.25), watts(0.5, 0.125), watts(2, 0.5)},
		{"a model that nobody knows has the default", []usage.ModelShare{{Model: "lean", Share: 0.5}, {Model: "QEMU Virtual CPU", Share: 0.5}}, watts(6.5, 0.625), watts(5.25, 0.5125), watts(8, 0.85)},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := Model{Default: rated(12, 1, SourceDefault), Processor: twoProcessors}
			m.Default.Low, m.Default.High = new(watts(10, 0.9)), new(watts(14, 1.2))
			got := m.Rating("Muon", c.models)
			if got.Source != SourceProcessor || got.Watts != c.want || *got.Low != c.low || *got.High != c.high {
				t.Errorf("got %+v, low %v, high %v", got, *got.Low, *got.High)
			}
			m.Default.Low, m.Default.High = nil, nil
			if got := m.Rating("Muon", c.models); (got.Low == nil) != strings.Contains(c.name, "nobody knows") {
				t.Errorf("with a default without bounds: low %v", got.Low)
			}
		})
	}
}

func TestEnergy(t *testing.T) {
	for _, c := range []struct {
		name       string
		watts      usage.BusyIdle[usage.Watts]
		cpu        usage.BusyIdle[usage.CPUSeconds]
		busy, idle float64
	}{
		{"a day of one core", watts(12, 1), usage.BusyIdle[usage.CPUSeconds]{Busy: 18000, Idle: 54000}, 0.06, 0.015},
		{"another type", watts(20, 5), usage.BusyIdle[usage.CPUSeconds]{Busy: 3600, Idle: 3600}, 0.02, 0.005},
		{"no time, no energy", watts(12, 1), usage.BusyIdle[usage.CPUSeconds]{}, 0, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := Model{}.Energy(usage.Rating{Watts: c.watts}, c.cpu)
			if math.Abs(float64(got.Busy)-c.busy) > 1e-15 || math.Abs(float64(got.Idle)-c.idle) > 1e-15 {
				t.Errorf("got %v, want %v and %v", got, c.busy, c.idle)
			}
		})
	}
	if got := (Model{MemoryPerGiB: 0.36}).Memory(256 * 3600); math.Abs(float64(got)-0.09216) > 1e-15 {
		t.Errorf("256 GiB for an hour: %v kWh, want 0.09216", got)
	}
}

func TestTwoHalvesAreTheWhole(t *testing.T) {
	m := Model{}
	r := usage.Rating{Watts: watts(9.5, 1.2)}
	part := m.Energy(r, usage.BusyIdle[usage.CPUSeconds]{Busy: 411.7, Idle: 1388.3})
	whole := m.Energy(r, usage.BusyIdle[usage.CPUSeconds]{Busy: 823.4, Idle: 2776.6})
	if got := part.Plus(part); got != whole {
		t.Errorf("two halves %v, the whole %v", got, whole)
	}
}
