package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
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
	format string
}

func (f *forecast) register(app *kingpin.Application) *kingpin.CmdClause {
	c := app.Command("forecast", "Show the forecast carbon intensity of the next 48 hours and the best time to run.").HelpLong(`
The best time is the window with the lowest mean forecast, or the earliest of several
equal ones. It may start with the current half hour. Windows with half hours that have
no forecast are not considered.

The forecast comes from the store, even while carbon_exporter runs. If there is no
store, or its forecast is more than an hour old, the command asks the configured
provider instead and does not store the answer. A static value has no forecast: the
command says so and exits with 1.

Example:

    carbontool forecast --window=6h --config.file=/etc/carbon_exporter/carbon.yml
`)
	f.site.register(c)
	c.Flag("window", "Length of the window: a multiple of 30m, at most 48h.").Default("3h").StringVar(&f.window)
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
	if fixed := c.CarbonIntensity.Priced().Fixed(); fixed != nil {
		return fmt.Errorf("carbon_intensity.provider is static: %v gCO2eq/kWh for all time has no forecast, so no time to run is better than another", *fixed.GCO2eqPerKWh)
	}
	grids, err := parts.NewGrids(c, time.Now)
	if err != nil {
		return err
	}
	grid := grids.Priced[0]
	now := time.Now()
	slots, err := f.slots(ctx, s.err, c, grid, now)
	if err != nil {
		return err
	}
	p := newPlan(grid, slots, now, f.window, length)
	if f.format == "json" {
		return p.json(s.out)
	}
	p.text(s.out, c.Location())
	return nil
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

// slots lists the half hours from now on that have a forecast, at least one: those in
// the store, unless they are old and the provider has newer ones.
func (f *forecast) slots(ctx context.Context, said io.Writer, c *config.Config, grid ingest.Grid, now time.Time) ([]usage.Slot, error) {
	kept, err := f.kept(ctx, c, grid, now)
	if err != nil {
		return nil, err
	}
	if age := now.Sub(fetchedAt(kept)); len(kept) > 0 && age <= forecastFresh && age >= -forecastSkew {
		return kept, nil
	}
	asked, _, err := grid.Outlook(ctx, usage.SlotAt(now))
	asked = withForecast(asked)
	if err == nil && len(asked) == 0 {
		err = fmt.Errorf("carbon intensity of %s: the provider has no forecast", grid.Grid())
	}
	switch {
	case err == nil:
		return asked, nil
	case ctx.Err() != nil || len(kept) == 0:
		return nil, err
	}
	fmt.Fprintf(said, "carbontool forecast: %s; showing the forecast fetched at %s\n", oneLine(err), fetchedAt(kept).UTC().Format(time.RFC3339))
	return kept, nil
}

// kept lists the ones in the store. Having none is not an error: the provider has them
// too.
func (f *forecast) kept(ctx context.Context, c *config.Config, grid ingest.Grid, now time.Time) ([]usage.Slot, error) {
	if _, err := os.Stat(f.storagePath); errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	st, err := f.openToRead(ctx, c)
	if err != nil {
		return nil, err
	}
	defer st.Close()
	from := usage.SlotAt(now)
	slots, err := st.Slots(ctx, grid.Provider(), grid.Grid(), from, from.Add(usage.OutlookLength))
	if err != nil {
		return nil, fmt.Errorf("read the forecast from the store %s: %w", f.storagePath, err)
	}
	return withForecast(slots), nil
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
