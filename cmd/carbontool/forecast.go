// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/alecthomas/kingpin/v2"
	"github.com/prometheus/common/model"

	"github.com/carbon-exporter/carbon_exporter/cmd/internal/parts"
	"github.com/carbon-exporter/carbon_exporter/internal/config"
	"github.com/carbon-exporter/carbon_exporter/internal/ingest"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// forecast shows when electricity will be cleanest in the coming days.
type forecast struct {
	site
	window string
	grids  string // empty: the one that prices usage
	format string
}

func (f *forecast) register(app *kingpin.Application) *kingpin.CmdClause {
	c := app.Command("forecast", "Show the forecast carbon intensity of the next 48 hours and the best time to run.").HelpLong(`
The best time is the window with the lowest mean forecast, or the earliest of several
equal ones. It may start with the current half hour. Windows with half hours that have
no forecast are not considered.

The forecast comes from the store, even while carbon_exporter runs. If there is no
store, or its forecast is more than an hour old, the command asks the configured
provider instead and does not store the answer. Of several sources the first that
answers counts. With carbon_intensity.marginal its values count: what one more kWh
would emit; if none of its sources has a forecast, the command says so and goes by
the values that price usage, as /metrics does. A static value has no forecast: the
command says so and exits with 1.

With --grids the command asks several grids and says where the best time is the best:
the grid of carbon_intensity and those of carbon_intensity.elsewhere, by name. Only
grids whose values count the same things are compared.

Example:

    carbontool forecast --window=6h --config.file=/etc/carbon_exporter/carbon.yml
    carbontool forecast --grids=all
`)
	f.site.register(c)
	c.Flag("window", "Length of the window: a multiple of 30m, at most 48h.").Default("3h").StringVar(&f.window)
	c.Flag("grids", "Grids to compare, with commas between, or all.").PlaceHolder("GRIDS").StringVar(&f.grids)
	c.Flag("format", "Output format: text or json.").Default("text").EnumVar(&f.format, "text", "json")
	return c
}

func (f *forecast) run(ctx context.Context, s streams) error {
	length, err := f.length()
	if err != nil {
		return err
	}
	c, err := f.config()
	if err != nil {
		return err
	}
	now := time.Now()
	if f.grids != "" {
		return f.compare(ctx, s, c, now, length)
	}
	grids, err := parts.NewGrids(c, time.Now)
	if err != nil {
		return err
	}
	chain := slices.Concat(ahead(grids.Marginal), ahead(grids.Priced))
	if len(chain) == 0 {
		return noForecast(c)
	}
	kept, err := f.kept(ctx, c, chain, now)
	if err != nil {
		return err
	}
	grid, slots, err := firstForecast(ctx, s.err, chain, kept, now)
	if err != nil {
		return err
	}
	if len(grids.Marginal) > 0 && !slices.Contains(grids.Marginal, grid) {
		fmt.Fprintln(s.err, "carbontool forecast: no source of carbon_intensity.marginal has a forecast; this is by the values that price usage")
	}
	p := newPlan(grid, slots, now, f.window, length)
	if f.format == "json" {
		return p.json(s.out)
	}
	p.text(s.out, c.Location())
	return nil
}

// ahead lists the sources of a chain that have forecasts.
func ahead(chain ingest.Chain) (some ingest.Chain) {
	for _, g := range chain {
		if g.Terms().Forecasts {
			some = append(some, g)
		}
	}
	return some
}

func noForecast(c *config.Config) error {
	const so = "so no time to run is better than another"
	priced := c.CarbonIntensity.Priced()
	if fixed := priced.Fixed(); fixed != nil {
		key := "carbon_intensity.provider"
		if len(c.CarbonIntensity.Sources) > 0 {
			key = "carbon_intensity.sources[0]"
		}
		return fmt.Errorf("%s is static: %v gCO2eq/kWh for all time has no forecast, %s", key, *fixed.GCO2eqPerKWh, so)
	}
	var names []string
	for _, s := range priced.Sources {
		names = append(names, s.Name)
	}
	return fmt.Errorf("no source of carbon_intensity has a forecast (%s), %s", strings.Join(names, ", "), so)
}

// length is the window as a duration.
func (f *forecast) length() (time.Duration, error) {
	d, err := model.ParseDuration(f.window)
	length := time.Duration(d)
	switch {
	case err != nil:
		return 0, wrongUsef("--window: %q is not a duration such as 3h or 90m", f.window)
	case length <= 0 || length%usage.SlotLength != 0 || length > usage.OutlookLength:
		return 0, wrongUsef("--window: must be a multiple of 30m, at most 48h, is %s", f.window)
	}
	return length, nil
}

const (
	// forecastFresh is how old a forecast may be: carbon_exporter fetches one at the
	// start of each half hour, and may have to retry.
	forecastFresh = time.Hour
	// forecastSkew is how far the clocks of two machines may differ.
	forecastSkew = time.Minute
)

// firstForecast returns the half hours from now on that have a forecast, at least one, of the first
// source that has any: those of the store, unless they are old and the source has newer ones. If no
// source answers, it is the old ones.
func firstForecast(ctx context.Context, said io.Writer, chain ingest.Chain, kept map[ingest.Grid][]usage.Slot, now time.Time) (ingest.Grid, []usage.Slot, error) {
	var failed []error
	for n, grid := range chain {
		if age := now.Sub(fetchedAt(kept[grid])); len(kept[grid]) > 0 && age <= forecastFresh && age >= -forecastSkew {
			return grid, kept[grid], nil
		}
		asked, _, err := grid.Outlook(ctx, usage.SlotAt(now))
		asked = withForecast(asked)
		if err == nil && len(asked) == 0 {
			err = fmt.Errorf("carbon intensity of %s: the provider has no forecast", grid.Grid())
		}
		switch {
		case err == nil:
			return grid, asked, nil
		case ctx.Err() != nil:
			return nil, nil, err
		case n < len(chain)-1:
			fmt.Fprintf(said, "carbontool forecast: %s: %s; asking the next source\n", grid.Provider(), oneLine(err))
		}
		failed = append(failed, err)
	}
	last := failed[len(failed)-1]
	for _, grid := range chain {
		if old := kept[grid]; len(old) > 0 {
			fmt.Fprintf(said, "carbontool forecast: %s; showing the forecast fetched at %s\n", oneLine(last), fetchedAt(old).UTC().Format(time.RFC3339))
			return grid, old, nil
		}
	}
	return nil, nil, last
}

// kept lists those in the store, by source. Having none is not an error: the providers have them
// too.
func (f *forecast) kept(ctx context.Context, c *config.Config, chain ingest.Chain, now time.Time) (map[ingest.Grid][]usage.Slot, error) {
	if _, err := os.Stat(f.storagePath); errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	st, err := f.openToRead(ctx, c)
	if err != nil {
		return nil, err
	}
	defer st.Close()
	from := usage.SlotAt(now)
	all := map[ingest.Grid][]usage.Slot{}
	for _, grid := range chain {
		slots, err := st.Slots(ctx, grid.Provider(), grid.Grid(), from, from.Add(usage.OutlookLength))
		if err != nil {
			return nil, fmt.Errorf("read the forecast from the store %s: %w", f.storagePath, err)
		}
		all[grid] = withForecast(slots)
	}
	return all, nil
}

func withForecast(slots []usage.Slot) (some []usage.Slot) {
	for _, s := range slots {
		if s.Forecast != nil {
			some = append(some, s)
		}
	}
	return some
}

// fetchedAt is when the forecast was last fetched. The current slot, which comes first,
// does not count: it is fetched more often, for other reasons.
func fetchedAt(slots []usage.Slot) (at time.Time) {
	for i, s := range slots {
		if s.FetchedAt.After(at) && (i > 0 || len(slots) == 1) {
			at = s.FetchedAt
		}
	}
	return at
}
