// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package explain

import (
	"bytes"
	"encoding/json"
	"errors"
	"math/rand"
	"strings"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// both writes an explanation as text, and reads it back from JSON.
func both(t *testing.T, e *Explanation) (text string, read Explanation) {
	t.Helper()
	var out, object bytes.Buffer
	if err := errors.Join(e.WriteText(&out, time.UTC), e.WriteJSON(&object)); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(object.Bytes(), &read); err != nil {
		t.Fatal(err)
	}
	return out.String(), read
}

func TestEmbodiedEmissionsAreExplained(t *testing.T) {
	interval := usage.Interval{Start: start, Length: usage.SlotLength}
	k := Known{Key: Key{Project: "ISIS"}, Now: start.Add(time.Hour)}
	k.Interval, k.State, k.PUE = interval, usage.Unpriced, 1
	for _, machine := range []string{"Muon", "SANS"} {
		k.Facts = append(k.Facts, usage.Fact{
			Key: usage.Key{Project: "ISIS", Machine: machine, User: "alice", Group: "g"}, Start: start,
			CPU: usage.BusyIdle[usage.CPUSeconds]{Busy: 9000, Idle: 36_000}, Energy: usage.ByMode[usage.KWh]{Busy: 0.03, Idle: 0.01},
		})
		k.Ratings = append(k.Ratings, usage.Rating{Machine: machine, Watts: usage.BusyIdle[usage.Watts]{Busy: 12, Idle: 1}})
	}
	for _, c := range []struct {
		name     string
		embodied map[string]usage.GramsPerCoreHour
		want     []string // in the text
		not      string
		total    *float64
	}{
		{"not configured", nil, nil, "embodied", nil},
		{
			"of both",
			map[string]usage.GramsPerCoreHour{"Muon": 0.5, "SANS": 2},
			[]string{
				"  machine type Muon: 0.5 g embodied for each core and hour; source: configuration, kgco2eq / years / cores\n",
				"    2026-07-01T12:00:00Z  embodied: 0.5 g for each core and hour x 12.5 core hours = 6.25 g\n",
				"    2026-07-01T12:00:00Z  embodied: 2 g for each core and hour x 12.5 core hours = 25 g\n",
				"  embodied: 31.25 gCO2eq beside it\n",
			},
			"unknown;",
			new(31.25),
		},
		{
			"of one of them",
			map[string]usage.GramsPerCoreHour{"Muon": 0.5},
			[]string{"= 6.25 g\n", "  machine type SANS: embodied emissions unknown; its hardware is not in the configuration\n"},
			"beside it",
			nil,
		},
		{
			"paid off",
			map[string]usage.GramsPerCoreHour{"Muon": 0, "SANS": 0},
			[]string{"  machine type Muon: 0 g embodied for each core and hour; source: configuration; outside its years of use, or known to be nothing\n", "x 12.5 core hours = 0 g\n", "  embodied: 0 gCO2eq beside it\n"},
			"unknown;",
			new(0.0),
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			k.Embodied = c.embodied
			text, read := both(t, New(k))
			for _, want := range c.want {
				if !strings.Contains(text, want) {
					t.Errorf("lacks %q:\n%s", want, text)
				}
			}
			if strings.Contains(text, c.not) {
				t.Errorf("has %q:\n%s", c.not, text)
			}
			if got := read.Total.Embodied; (got == nil) != (c.total == nil) || got != nil && *got != *c.total {
				t.Errorf("the total is %v, want %v", got, c.total)
			}
		})
	}
}

// The printed factors multiply to what is printed, and add up to the total.
func TestEmbodiedFactorsMultiply(t *testing.T) {
	for seed := range int64(20) {
		r := rand.New(rand.NewSource(seed))
		k := random(r)
		k.Embodied = map[string]usage.GramsPerCoreHour{"Muon": usage.GramsPerCoreHour(r.ExpFloat64()), "SANS": usage.GramsPerCoreHour(r.ExpFloat64())}
		_, read := both(t, New(k))
		sum := 0.0
		for _, u := range read.Usage {
			if b := u.Embodied; b == nil || !near(b.Rate*b.CoreHours, b.Emissions) || !near(b.CoreHours*3600, u.Busy.CPU+u.Idle.CPU) {
				t.Errorf("%+v of %+v", u.Embodied, u)
			} else {
				sum += b.Emissions
			}
		}
		if read.Total.Embodied == nil || !near(*read.Total.Embodied, sum) {
			t.Errorf("the total is %v, want %v", read.Total.Embodied, sum)
		}
	}
}
