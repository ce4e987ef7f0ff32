package power

import (
	"math"
	"testing"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

func watts(busy, idle usage.Watts) usage.BusyIdle[usage.Watts] {
	return usage.BusyIdle[usage.Watts]{Busy: busy, Idle: idle}
}

func TestWhichAverageWins(t *testing.T) {
	stored := usage.Rating{Machine: "Muon", Watts: watts(8, 1.13), Source: "specpower"}
	for _, c := range []struct {
		name  string
		model Model
		want  usage.Rating
	}{
		{
			"nothing known: the default",
			Model{Default: watts(12, 1)},
			usage.Rating{Machine: "Muon", Watts: watts(12, 1), Source: SourceDefault},
		},
		{
			"a stored average wins over the default and brings its source",
			Model{Default: watts(12, 1), Stored: map[string]usage.Rating{"Muon": stored}},
			stored,
		},
		{
			"what the operator has written wins over all",
			Model{
				Default: watts(12, 1), Stored: map[string]usage.Rating{"Muon": stored},
				Configured: map[string]usage.BusyIdle[usage.Watts]{"Muon": watts(9.5, 1.2)},
			},
			usage.Rating{Machine: "Muon", Watts: watts(9.5, 1.2), Source: SourceConfig},
		},
		{
			"names are exact",
			Model{
				Default: watts(12, 1), Stored: map[string]usage.Rating{"muon": stored},
				Configured: map[string]usage.BusyIdle[usage.Watts]{"Muon ": watts(9.5, 1.2)},
			},
			usage.Rating{Machine: "Muon", Watts: watts(12, 1), Source: SourceDefault},
		},
		{
			"an idle power of 0 is configured, not missing",
			Model{Default: watts(12, 1), Configured: map[string]usage.BusyIdle[usage.Watts]{"Muon": watts(9.5, 0)}},
			usage.Rating{Machine: "Muon", Watts: watts(9.5, 0), Source: SourceConfig},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := c.model.Rating("Muon"); got != c.want {
				t.Errorf("got %+v, want %+v", got, c.want)
			}
		})
	}
}

func TestEnergy(t *testing.T) {
	for _, c := range []struct {
		name       string
		watts      usage.BusyIdle[usage.Watts]
		pue        float64
		cpu        usage.BusyIdle[usage.CPUSeconds]
		busy, idle float64
	}{
		{"the machines alone", watts(12, 1), 1, usage.BusyIdle[usage.CPUSeconds]{Busy: 18000, Idle: 54000}, 0.06, 0.015},
		{"the data centre around them draws half as much again", watts(12, 1), 1.5, usage.BusyIdle[usage.CPUSeconds]{Busy: 18000, Idle: 54000}, 0.09, 0.0225},
		{"another type", watts(20, 5), 1, usage.BusyIdle[usage.CPUSeconds]{Busy: 3600, Idle: 3600}, 0.02, 0.005},
		{"no time, no energy", watts(12, 1), 1.2, usage.BusyIdle[usage.CPUSeconds]{}, 0, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := Model{PUE: c.pue}.Energy(usage.Rating{Watts: c.watts}, c.cpu)
			if math.Abs(float64(got.Busy)-c.busy) > 1e-15 || math.Abs(float64(got.Idle)-c.idle) > 1e-15 {
				t.Errorf("got %v, want %v and %v", got, c.busy, c.idle)
			}
		})
	}
}

func TestTwoHalvesAreTheWhole(t *testing.T) {
	m := Model{PUE: 1.3}
	r := usage.Rating{Watts: watts(9.5, 1.2)}
	part := m.Energy(r, usage.BusyIdle[usage.CPUSeconds]{Busy: 411.7, Idle: 1388.3})
	whole := m.Energy(r, usage.BusyIdle[usage.CPUSeconds]{Busy: 823.4, Idle: 2776.6})
	if got := part.Plus(part); got != whole {
		t.Errorf("two halves %v, the whole %v", got, whole)
	}
}
