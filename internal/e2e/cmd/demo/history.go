package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"text/tabwriter"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

// until waits for a page to answer 200.
func until(ctx context.Context, c *child, url string) error {
	return poll(ctx, c, func() (bool, error) {
		resp, err := http.Get(url)
		if err != nil {
			return false, nil //nolint:nilerr // not listening yet
		}
		resp.Body.Close()
		return resp.StatusCode == http.StatusOK, nil
	})
}

func poll(ctx context.Context, c *child, ready func() (bool, error)) error {
	ctx, cancel := context.WithTimeout(ctx, catchUp)
	defer cancel()
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for {
		if ok, err := ready(); ok || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case err := <-c.done:
			c.done <- err
			return errors.Join(errors.New("it has ended"), err)
		case <-tick.C:
		}
	}
}

// scrape is what /metrics says.
type scrape map[string]*dto.MetricFamily

// history waits until every interval is stored and priced.
func history(ctx context.Context, c *child) (scrape, error) {
	var seen scrape
	err := poll(ctx, c, func() (bool, error) {
		resp, err := http.Get("http://" + exporter + "/metrics")
		if err != nil {
			return false, nil //nolint:nilerr // not listening yet
		}
		defer resp.Body.Close()
		parser := expfmt.NewTextParser(model.UTF8Validation)
		families, err := parser.TextToMetricFamilies(resp.Body)
		if err != nil {
			return false, err
		}
		seen = families
		state := seen.sum("carbon_intervals", "state")
		return state["provisional"]+state["settled"] > 0 && state["missing"]+state["unpriced"] == 0, nil
	})
	return seen, err
}

// sum adds a family up by one label.
func (s scrape) sum(name, label string) map[string]float64 {
	sums := map[string]float64{}
	for _, m := range s[name].GetMetric() {
		for _, l := range m.GetLabel() {
			if l.GetName() == label {
				sums[l.GetValue()] += m.GetGauge().GetValue() + m.GetCounter().GetValue()
			}
		}
	}
	return sums
}

func (s scrape) print(out io.Writer) {
	energy, emissions := s.sum("carbon_energy_kwh", "project"), s.sum("carbon_emissions_gco2eq", "project")
	power, users := s.sum("carbon_power_watts", "project"), s.sum("carbon_energy_kwh", "user")
	coverage := s.sum("carbon_coverage_ratio", "project")
	table := tabwriter.NewWriter(out, 0, 0, 3, ' ', tabwriter.AlignRight)
	fmt.Fprintln(out)
	fmt.Fprintln(table, "PROJECT\tkWh\tgCO2eq\tg/kWh\tW NOW\tCOVERAGE\t")
	var kwh, grams, watts float64
	for _, p := range slices.Sorted(maps.Keys(energy)) {
		fmt.Fprintf(table, "%s\t%.3f\t%.0f\t%.0f\t%.0f\t%.1f %%\t\n",
			p, energy[p], emissions[p], emissions[p]/energy[p], power[p], 100*coverage[p])
		kwh, grams, watts = kwh+energy[p], grams+emissions[p], watts+power[p]
	}
	fmt.Fprintf(table, "site\t%.3f\t%.0f\t%.0f\t%.0f\t\t\n", kwh, grams, grams/kwh, watts)
	table.Flush()
	mode := s.sum("carbon_energy_kwh", "mode")
	state, kind := s.sum("carbon_intervals", "state"), s.sum("carbon_intensity_gco2eq_per_kwh", "kind")
	fmt.Fprintf(out, `
Idle machines took %.0f %% of the energy; %.0f %% was nobody's.
%.0f intervals of half an hour: %.0f settled, %.0f provisional, %.0f empty.
The grid now: %.0f gCO2eq/kWh forecast, %.0f the newest actual.
`, 100*mode["idle"]/kwh, 100*users["unattributed"]/kwh,
		state["settled"]+state["provisional"]+state["empty"], state["settled"], state["provisional"], state["empty"],
		kind["forecast"], kind["actual"])
}
