// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package parts

import (
	"fmt"
	"math"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/config"
	"github.com/carbon-exporter/carbon_exporter/internal/simulate/grids"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// What generated is priced by the factors that the declared basis means, with a key that is read
// for each request.
func TestGenerationHasTheFactorsOfTheBasis(t *testing.T) {
	now := time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)
	truth := func(time.Time) usage.GramsPerKWh { return 300 }
	of := func(s *grids.Server) { s.Now, s.Truth = func() time.Time { return now }, truth }
	europe, usa := &grids.ENTSOE{Key: "second", Zone: "10Y1001A1001A82H"}, &grids.EIA{Key: "second", Respondent: "CISO"}
	of(&europe.Server)
	of(&usa.Server)
	servers := []*httptest.Server{httptest.NewServer(europe), httptest.NewServer(usa)}
	key := filepath.Join(t.TempDir(), "key")
	for i, source := range []string{"entsoe: {zone: DE_LU, url: '%s/api', token_file: '%s'}", "eia: {respondent: CISO, url: '%s', token_file: '%s'}"} {
		t.Cleanup(servers[i].Close)
		source = fmt.Sprintf(source, servers[i].URL, key)
		for _, test := range []struct {
			basis, want string
			truth       float64
		}{
			{basis: "", want: "average lifecycle production", truth: 300},
			{basis: ", basis: {emissions: lifecycle, electricity: production}", want: "average lifecycle production", truth: 300},
			// The imitation has as much coal as makes 300 by lifecycle factors.
			{basis: ", basis: {emissions: direct}", want: "average direct production", truth: 333},
		} {
			grids, err := gridsOf(t, "{sources: [{"+source+test.basis+"}]}")
			if err != nil {
				t.Fatal(err)
			}
			grid := grids.Priced[0]
			if got := grid.Terms().Basis.String(); got != test.want {
				t.Errorf("%s%s: is %s", source, test.basis, got)
			}
			for _, text := range []string{"first\n", "second\n"} {
				if err := os.WriteFile(key, []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
				slots, _, err := grid.Slots(t.Context(), now.Add(-6*time.Hour), now.Add(-4*time.Hour))
				if text == "first\n" {
					if f := usage.FailureOf(err); f == nil || f.Reason != usage.ReasonAuth || strings.Contains(err.Error(), "first") {
						t.Errorf("%s: another key: %v", source, err)
					}
					continue
				}
				if err != nil || len(slots) != 4 || math.Abs(float64(*slots[0].Actual)-test.truth) > 5 {
					t.Errorf("%s%s: %d slots, %v", source, test.basis, len(slots), err)
				}
			}
		}
		if _, err := gridsOf(t, "{sources: [{"+source+", basis: {electricity: consumption}}]}"); err == nil || !strings.Contains(err.Error(), "is consumption, but") {
			t.Errorf("%s: of consumption: %v", source, err)
		}
	}
}

func TestAZoneThatIsNoneIsAFaultOfTheConfiguration(t *testing.T) {
	cfg, err := config.Parse("carbon.yml", []byte("carbon_intensity: {sources: [uk, {entsoe: {zone: DE-50Hertz, token: k}}], mix_bases: true}"))
	if err != nil {
		t.Fatal(err)
	}
	if err := Check(cfg); err == nil || !strings.HasPrefix(err.Error(), `carbon_intensity.sources[1]: entsoe.zone: "DE-50Hertz" is no bidding zone or country that we know; set the EIC`) {
		t.Errorf("got %v", err)
	}
}
