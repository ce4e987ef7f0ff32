// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package usage

import (
	"reflect"
	"testing"
)

func TestWhereWattsComeFrom(t *testing.T) {
	of := func(machine, source string) Rating { return Rating{Machine: machine, Source: source} }
	models := map[string][]ModelShare{
		"old":    {{Model: "QEMU Virtual CPU", Share: 0.5}, {Model: "i8086", Share: 0.3}, {Model: "i8086", Threads: 2, Share: 0.2}},
		"mute":   {{Share: 1}},
		"modern": {{Model: "AMD EPYC 9354 32-Core Processor", Share: 1}},
	}
	for _, c := range []struct {
		name    string
		ratings []Rating
		want    Rated
		words   string
	}{
		{"nothing", nil, Rated{BySource: map[string]int{}}, ""},
		{
			"each source, the surest first",
			[]Rating{
				of("a", RatedDefault), of("modern", RatedProcessor), of("b", "SPECpower"), of("c", RatedConfig), of("d", RatedCalibrated), of("e", RatedCalibrated),
			},
			Rated{Types: 6, BySource: map[string]int{"default": 1, "processor": 1, "SPECpower": 1, "config": 1, "calibrated": 2}, Guessed: []Guess{{Machine: "a"}}},
			"2 by measured average, 1 by configuration, 1 by stored average (SPECpower), 1 by processor, 1 by default",
		},
		{
			"hosts that say nothing, and hosts that name what nobody knows",
			[]Rating{of("old", RatedDefault), of("mute", RatedDefault)},
			Rated{Types: 2, BySource: map[string]int{"default": 2}, Guessed: []Guess{{Machine: "mute"}, {Machine: "old", Models: []string{"QEMU Virtual CPU", "i8086"}}}},
			"2 by default",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := RatedOf(c.ratings, models)
			if !reflect.DeepEqual(got, c.want) {
				t.Errorf("got %+v, want %+v", got, c.want)
			}
			if words := got.Sources(); words != c.words {
				t.Errorf("says %q, want %q", words, c.words)
			}
			machines, names := got.Unknown()
			if silent := got.Silent(); len(silent)+len(machines) != len(got.Guessed) {
				t.Errorf("%v say nothing and %v name %v, of %v", silent, machines, names, got.Guessed)
			}
		})
	}
}
