// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package usage

import "testing"

func TestBasisReadsWhatItWrites(t *testing.T) {
	for _, signal := range []string{"", Average, Marginal} {
		for _, emissions := range []string{"", Lifecycle, Direct} {
			for _, electricity := range []string{"", Consumption, Production} {
				b := Basis{signal, emissions, electricity}
				if got := BasisOf(b.String()); got != b {
					t.Errorf("%+v is written %q and read %+v", b, b, got)
				}
			}
		}
	}
	if got := BasisOf("of a later version"); got != (Basis{}) {
		t.Errorf("unknown words are %+v", got)
	}
}

func TestBasisAgrees(t *testing.T) {
	uk := Basis{Average, Direct, Consumption}
	for _, test := range []struct {
		name string
		of   Basis
		want bool
	}{
		{name: "the same", of: uk, want: true},
		{name: "nothing is known", of: Basis{}, want: true},
		{name: "less is known", of: Basis{Signal: Average, Emissions: Direct}, want: true},
		{name: "marginal", of: Basis{Marginal, Direct, Consumption}},
		{name: "lifecycle", of: Basis{Average, Lifecycle, Consumption}},
		{name: "production", of: Basis{Average, Direct, Production}},
		{name: "one known part is another", of: Basis{Emissions: Lifecycle}},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := uk.Agrees(test.of); got != test.want || test.of.Agrees(uk) != got {
				t.Errorf("got %v, want %v both ways", got, test.want)
			}
		})
	}
}
