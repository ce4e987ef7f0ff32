// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package parts

import (
	"math"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/config"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// What a file says of a server, in the rate of an interval.
func TestEmbodiedEmissionsOfAConfiguration(t *testing.T) {
	const year = 365.2425 * 24
	for _, c := range []struct {
		name, file, machine, at string
		want                    float64
		known                   bool
	}{
		{"nothing", "", "Muon", "2026-01-01", 0, false},
		{"a default", "embodied: {default: {kgco2eq: 1000, years: 4, cores: 64}}", "Muon", "2026-01-01", 1_000_000 / (4 * year) / 64, true},
		{"a machine type", "embodied: {machines: {Muon: {kgco2eq: 1200, years: 5, cores: 128}}}", "Muon", "2026-01-01", 1_200_000 / (5 * year) / 128, true},
		{"another", "embodied: {machines: {Muon: {kgco2eq: 1200, years: 5, cores: 128}}}", "SANS", "2026-01-01", 0, false},
		{"before its day", "embodied: {default: {kgco2eq: 1000, years: 4, cores: 64, bought: 2026-01-02}}", "Muon", "2026-01-01", 0, true},
		{"paid off", "embodied: {default: {kgco2eq: 1000, years: 4, cores: 64, bought: 2021-12-30}}", "Muon", "2026-01-01", 0, true},
		{"known to be nothing", "embodied: {default: {kgco2eq: 0, years: 4, cores: 64}}", "Muon", "2026-01-01", 0, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			cfg, err := config.Parse("carbon.yml", []byte(c.file))
			if err != nil {
				t.Fatal(err)
			}
			fleet := Embodied(cfg.Embodied)
			if fleet == nil {
				if c.known {
					t.Fatal("there is none")
				}
				return
			}
			at, err := time.Parse(time.DateOnly, c.at)
			if err != nil {
				t.Fatal(err)
			}
			got, known := fleet.Rate(c.machine, usage.Interval{Start: at, Length: 30 * time.Minute})
			if known != c.known || math.Abs(float64(got)-c.want) > 1e-12*c.want {
				t.Errorf("%v g for each core and hour, %v; want %v, %v", got, known, c.want, c.known)
			}
		})
	}
}
