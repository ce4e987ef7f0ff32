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

// forecast shows when in the coming days electricity is clean.
type forecast struct {
	site
	window string
	format string
}

func (f *forecast) register(app *kingpin.Application) *kingpin.CmdClause {
	c := app.Command("forecast", "Show the carbon intensity of the coming 48 hours and the best time in it.").HelpLong(`
The best time is the window with the lowest mean forecast, the first of several;
it may begin with the half hour of now. A window with a half hour that has no
forecast is none.

The forecast is read from the store, also while carbon_exporter runs. If there
is no store, or nothing in it was fetched within the last hour, the provider in
the configuration is asked instead; what it says is not stored.

Example:

    carbontool forecast --window=6h --config.file=/etc/carbon_exporter/carbon.yml
`)
	f.site.register(c)
	c.Flag("window", "How long the best time is to be, in half hours up to 48h: 3h, 90m.").Default("3h").StringVar(&f.window)
	c.Flag("format", "text or json.").Default("text").EnumVar(&f.format, "text", "json")
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
	grid, err := parts.Grid(c.CarbonIntensity)
	if err != nil {
		return fmt.Errorf("carbon_intensity: %w", err)
	}
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

// length is the window as a time.
func (f *forecast) length() (time.Duration, error) {
	d, err := model.ParseDuration(f.window)
	length := time.Duration(d)
	switch {
	case err != nil:
		return 0, wrongUsef("--window: %q is no length of time such as 3h or 90m", f.window)
	case length <= 0 || length%usage.SlotLength != 0 || length > usage.OutlookLength:
		return 0, wrongUsef("--window: must be a number of half hours up to 48h, is %s", f.window)
	}
	return length, nil
}

const (
	// forecastFresh is how old a forecast may be: carbon_exporter fetches one as each
	// half hour begins, and may have to try again.
	forecastFresh = time.Hour
	// forecastSkew is how far the clocks of two programs may differ.
	forecastSkew = time.Minute
)

// slots are those from now on that have a forecast, at least one: what the store
// has, unless that is old and the provider has others.
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
	fmt.Fprintf(said, "carbontool forecast: %s; this is what was fetched at %s\n", oneLine(err), fetchedAt(kept).UTC().Format(time.RFC3339))
	return kept, nil
}

// kept are those in the store. Having none is no fault here: the provider has
// them too.
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

// fetchedAt is when the forecast was last fetched: the slot of now, which comes
// first, is asked for more often and for other reasons.
func fetchedAt(slots []usage.Slot) (at time.Time) {
	for i, s := range slots {
		if s.FetchedAt.After(at) && (i > 0 || len(slots) == 1) {
			at = s.FetchedAt
		}
	}
	return at
}
