// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package exporter_test

import (
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/simulate/grids"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// continent is a grid with two sources that are asked over HTTP.
type continent struct {
	maps   *grids.ElectricityMaps
	charts *grids.EnergyCharts
	config string // the section carbon_intensity
}

// apiKey is a key that nothing may show.
const apiKey = "hunter2-key-of-the-api"

func newContinent(t *testing.T) *continent {
	t.Helper()
	server := func(of usage.GramsPerKWh) grids.Server {
		return grids.Server{
			Now:   time.Now,
			Truth: func(at time.Time) usage.GramsPerKWh { return of + usage.GramsPerKWh(at.Unix()/300%61) },
		}
	}
	c := &continent{
		maps:   &grids.ElectricityMaps{Server: server(100), Key: apiKey, Zone: "FR", Measured: 4 * time.Hour, Forecasts: 48 * time.Hour},
		charts: &grids.EnergyCharts{Server: server(500), Country: "fr", Step: 15 * time.Minute},
	}
	key := filepath.Join(t.TempDir(), "key")
	write(t, key, apiKey+"\n")
	c.config = fmt.Sprintf(`  grid: FR
  mix_bases: true
  sources:
    - electricity_maps: {url: %s, zone: FR, token_file: %s}
    - energy_charts: {url: %s, country: fr}
    - table: {zone: FR}
`, serve(t, c.maps).URL, key, serve(t, c.charts).URL)
	return c
}

// mapped is what Electricity Maps says of a slot: the hour around it.
func (c *continent) mapped(at time.Time) usage.GramsPerKWh {
	return meanOf(c.maps.Truth, at.Truncate(time.Hour), time.Hour)
}

// charted is what Energy-Charts says of a slot.
func (c *continent) charted(at time.Time) usage.GramsPerKWh {
	return meanOf(c.charts.Truth, at, usage.SlotLength)
}

func meanOf(truth func(time.Time) usage.GramsPerKWh, from time.Time, length time.Duration) usage.GramsPerKWh {
	var sum, n usage.GramsPerKWh
	for at := from; at.Before(from.Add(length)); at = at.Add(5 * time.Minute) {
		sum, n = sum+truth(at), n+1
	}
	return sum / n
}

// The first source is dead, the second stands in; the exporter is killed; the first comes back and
// the second dies: everything that is open is priced again, and nothing is lost or counted twice.
func TestAChainOutlivesItsSources(t *testing.T) {
	t.Parallel()
	s, c := sharedSite(t), newContinent(t)
	c.maps.Break(http.StatusBadGateway)
	over := spanOf(30*time.Minute, 6*time.Hour)
	where := settings{prometheus: serve(t, s.engine.Handler()).URL, intensity: c.config, settle: 24 * time.Hour}.place(t, over)
	p := start(t, where.args()...)
	p.becomesWhole(over).checkUsage(t, truth(s.cloud, over, c.charted).total())
	eventually(t, waitFor, "the health of each source is shown", func() error {
		seen := p.scrape()
		for source, want := range map[string]float64{"carbon_intensity": 1, "electricity_maps": 0, "energy_charts": 1} {
			if got, ok := seen.value("carbon_exporter_source_up", "source", source); !ok || got != want {
				return fmt.Errorf("carbon_exporter_source_up of %s is %v, %v", source, got, ok)
			}
		}
		return nil
	})
	p.kill()

	c.maps.Break(0)
	c.charts.Break(grids.Dead)
	want := truth(s.cloud, over, c.mapped)
	p = start(t, where.args()...)
	eventually(t, waitFor, "the first source prices again", func() error {
		seen := p.scrape()
		if ratio, ok := seen.value("carbon_intensity_source_ratio", "provider", "electricity_maps"); !ok || ratio != 1 {
			return fmt.Errorf("it has priced %v, %v", ratio, ok)
		}
		return nil
	})
	p.becomesWhole(over).checkUsage(t, want.total())
	said := p.Stderr.String()
	_, page := p.page("/metrics", "")
	_, shown := p.page("/config", "")
	for name, text := range map[string]string{"log": said, "/metrics": string(page), "/config": string(shown)} {
		if strings.Contains(text, apiKey) {
			t.Errorf("the %s shows the key", name)
		}
	}
	p.terminate()
	checkStore(t, where.store, want)

	at := over.first.Add(time.Hour).Format(time.RFC3339)
	_, explained, _ := tool(t, append([]string{"explain", "--ts=" + at, "--project=IDAaaS"}, where.args()...)...)
	for _, words := range []string{"electricity_maps", "another provider or grid", "energy_charts"} {
		if !strings.Contains(explained, words) {
			t.Errorf("explain does not say %q:\n%s", words, explained)
		}
	}
	_, report, _ := tool(t, append([]string{"report", "--from=" + over.first.Format(time.RFC3339), "--to=" + over.end.Format(time.RFC3339)}, where.args()...)...)
	if !strings.Contains(report, "electricity_maps") {
		t.Errorf("report:\n%s", report)
	}
}

// With every source away that is asked, the yearly mean stands in, marked as what it is, and is
// replaced before it is final.
func TestTheYearlyMeanIsTheLastResort(t *testing.T) {
	t.Parallel()
	s, c := sharedSite(t), newContinent(t)
	c.maps.Break(http.StatusServiceUnavailable)
	c.charts.Break(http.StatusTooManyRequests)
	over := spanOf(30*time.Minute, 3*time.Hour)
	where := settings{prometheus: serve(t, s.engine.Handler()).URL, intensity: c.config, settle: 24 * time.Hour}.place(t, over)
	p := start(t, where.args()...)
	p.becomesWhole(over)
	p.says(0.99, "carbon_intensity_source_ratio", "provider", "table")
	p.says(0.99, "carbon_intensity_info", "provider", "table", "quality", "yearly")
	if n, _ := p.scrape().states(); n["provisional"] != len(over.intervals()) {
		t.Errorf("intervals by state: %v", n)
	}
	p.terminate()

	c.maps.Break(0)
	want := truth(s.cloud, over, c.mapped)
	p = start(t, where.args()...)
	p.says(0.99, "carbon_intensity_source_ratio", "provider", "electricity_maps")
	p.becomesWhole(over).checkUsage(t, want.total())
	p.terminate()
	checkStore(t, where.store, want)
}

// A chain of two bases is refused when the program starts, with what to write.
func TestAChainOfTwoBasesIsRefused(t *testing.T) {
	t.Parallel()
	c := newContinent(t)
	over := spanOf(30*time.Minute, time.Hour)
	where := settings{prometheus: "http://127.0.0.1:9", intensity: strings.Replace(c.config, "mix_bases: true", "mix_bases: false", 1)}.place(t, over)
	p := launch(t, where.args()...)
	if code := p.exit(waitFor); code == 0 {
		t.Error("it starts")
	}
	for _, words := range []string{"carbon_intensity.sources[1]", "energy_charts is average production", "electricity_maps is average lifecycle consumption", "mix_bases: true"} {
		if !strings.Contains(p.Stderr.String(), words) {
			t.Errorf("it does not say %q:\n%s", words, p.Stderr.String())
		}
	}
	p = launch(t, append(where.args(), "--config.check")...)
	if code := p.exit(waitFor); code == 0 {
		t.Error("--config.check accepts it")
	}
	if code, _, _ := tool(t, "check", "config", where.config); code != 1 {
		t.Errorf("check config ends with %d", code)
	}
}
