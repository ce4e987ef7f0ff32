// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package exporter_test

import (
	"fmt"
	"regexp"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/simulate"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// emissionSample is a sample of any family of emissions.
var emissionSample = regexp.MustCompile(`(?m)^carbon_[a-z_]*emission[a-z_]*gco2eq.*$`)

// With no word from the carbon API there is no gram, not even a zero, and all of
// the energy. When the API is back everything is priced as if it had never gone.
func TestACarbonOutageDelaysGramsAlone(t *testing.T) {
	for _, tc := range []struct {
		name  string
		fault simulate.Fault
	}{
		{"errors", simulate.Down},
		{"too many requests", simulate.RateLimited},
		{"a page for people", simulate.HTMLPage},
		{"an empty object", simulate.EmptyObject},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			s, uk := sharedSite(t), newGrid(t)
			uk.SetFault(tc.fault)
			over := spanOf(30*time.Minute, 12*time.Hour)
			where := settings{prometheus: serve(t, s.engine.Handler()).URL, uk: uk.URL}.place(t, over)
			want := truth(s.cloud, over, uk.price)
			p := start(t, where.args()...)
			p.becomesFetched(over)
			p.says(0, "carbon_exporter_source_last_success_timestamp_seconds", "source", "prometheus")
			checkUnpriced(t, p, where, want)

			uk.SetFault(simulate.Healthy)
			p.becomesWhole(over).checkUsage(t, want.total())
			p.terminate()
			checkStore(t, where.store, want)
			checkIntervals(t, where.store, over)
		})
	}
}

func TestNoValueIsNoPrice(t *testing.T) {
	for _, tc := range []struct {
		name  string
		fault simulate.Fault
	}{
		{"an answer without slots", simulate.EmptyData},
		{"slots without values", simulate.NoValues},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			s, uk := sharedSite(t), newGrid(t)
			uk.SetFault(tc.fault)
			over := spanOf(30*time.Minute, 4*time.Hour)
			where := settings{prometheus: serve(t, s.engine.Handler()).URL, uk: uk.URL}.place(t, over)
			want := truth(s.cloud, over, uk.price)
			p := start(t, where.args()...)
			p.becomesFetched(over)
			eventually(t, waitFor, "the carbon API is asked", func() error {
				if uk.Requests() == 0 {
					return fmt.Errorf("no request yet")
				}
				return nil
			})
			checkUnpriced(t, p, where, want)
			p.terminate()

			uk.SetFault(simulate.Healthy)
			p = start(t, where.args()...)
			p.becomesWhole(over).checkUsage(t, want.total())
			p.terminate()
			checkStore(t, where.store, want)
		})
	}
}

// checkUnpriced wants all the energy and nothing that looks like grams.
func checkUnpriced(t *testing.T, p *program, where place, want book) {
	t.Helper()
	seen := p.scrape()
	seen.checkFamily(t, "carbon_cpu_seconds", want.total(), func(a amount) usage.BusyIdle[float64] { return a.CPU })
	seen.checkFamily(t, "carbon_energy_kwh", want.total(), func(a amount) usage.BusyIdle[float64] { return a.KWh })
	var all float64
	for _, a := range want.total() {
		all += a.KWh.Total()
	}
	if kwh, ok := seen.value("carbon_unpriced_energy_kwh"); !ok || !near(kwh, all, exact) {
		t.Errorf("carbon_unpriced_energy_kwh is %v, all energy is %v", kwh, all)
	}
	_, text := p.page("/metrics", "")
	if lines := emissionSample.FindAll(text, 3); len(lines) > 0 {
		t.Errorf("without any intensity there are emissions: %q", lines)
	}
	var grams int
	if err := openStore(t, where.store).QueryRow(`SELECT count(*) FROM fact_usage
		WHERE busy_gCo2eq IS NOT NULL OR idle_gCo2eq IS NOT NULL OR intensity_gCo2eq_kwh IS NOT NULL`).Scan(&grams); err != nil || grams != 0 {
		t.Errorf("%d rows of fact_usage have grams, %v", grams, err)
	}
}

func TestAForecastIsRestatedByTheActual(t *testing.T) {
	t.Parallel()
	s, uk := sharedSite(t), newGrid(t)
	uk.SetFault(simulate.NoActuals)
	over := spanOf(30*time.Minute, 6*time.Hour)
	where := settings{prometheus: serve(t, s.engine.Handler()).URL, uk: uk.URL, settle: 24 * time.Hour}.place(t, over)
	p := start(t, where.args()...)
	seen := p.becomesWhole(over)
	seen.checkUsage(t, truth(s.cloud, over, uk.forecast).total())
	if n, _ := seen.states(); n["provisional"] != len(over.intervals()) {
		t.Errorf("with forecasts alone, intervals by state are %v", n)
	}
	if _, ok := seen.value("carbon_intensity_gco2eq_per_kwh", "kind", "actual"); ok {
		t.Error("there is an actual")
	}
	p.terminate()

	uk.SetFault(simulate.Healthy)
	want := truth(s.cloud, over, uk.price)
	p = start(t, where.args()...)
	p.says(0, "carbon_intensity_gco2eq_per_kwh", "kind", "actual") // shown after all is priced again
	p.becomesWhole(over).checkUsage(t, want.total())
	p.terminate()
	checkStore(t, where.store, want)
}
