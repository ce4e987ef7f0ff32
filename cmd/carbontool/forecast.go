// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"time"

	"github.com/alecthomas/kingpin/v2"

	"github.com/carbon-exporter/carbon_exporter/cmd/internal/answers"
	"github.com/carbon-exporter/carbon_exporter/cmd/internal/remote"
	"github.com/carbon-exporter/carbon_exporter/internal/config"
	"github.com/carbon-exporter/carbon_exporter/internal/store"
)

// forecast shows when electricity will be cleanest in the coming days.
type forecast struct {
	site
	answers.Forecast
	grids string // empty: the one that prices usage
}

func (f *forecast) register(app *kingpin.Application) *kingpin.CmdClause {
	c := app.Command("forecast", "Show the forecast carbon intensity of the next 48 hours and the best time to run.").HelpLong(`
The best time is the window with the lowest mean forecast, or the earliest of several
equal ones. It may start with the current half hour. Windows with half hours that have
no forecast are not considered, and with --until neither are those that end later.

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
    carbontool forecast --window=2h --until=2026-10-02T08:00
    carbontool forecast --grids=all
`)
	f.site.register(c)
	c.Flag("window", "Length of the window: a multiple of 30m, at most 48h.").Default(answers.ForecastWindow).StringVar(&f.Window)
	c.Flag("until", "When the window ends at the latest, such as 2026-10-02T08:00: within the coming 48 hours.").
		PlaceHolder("TIME").IsSetByUser(&f.UntilGiven).StringVar(&f.Until)
	c.Flag("grids", "Grids to compare, with commas between, or all.").PlaceHolder("GRIDS").StringVar(&f.grids)
	c.Flag("format", "Output format: text or json.").Default(answers.Text).EnumVar(&f.Format, answers.ForecastFormats()...)
	return c
}

func (f *forecast) run(ctx context.Context, s streams) error {
	if _, err := f.Length(); err != nil {
		return err
	}
	c, err := f.config()
	if err != nil {
		return err
	}
	if f.grids != "" {
		return f.compare(ctx, s, c, time.Now())
	}
	f.Say = func(line string) { fmt.Fprintf(s.err, "carbontool forecast: %s\n", line) }
	plan, err := f.answer(ctx, c, time.Now())
	if err != nil {
		return err
	}
	return plan.Write(s.out, nil)
}

// answer reads the store or asks the providers.
func (f *forecast) answer(ctx context.Context, c *config.Config, now time.Time) (*answers.Plan, error) {
	st, err := f.openIfThere(ctx, c)
	if err != nil {
		return nil, err
	}
	if st != nil {
		defer st.Close()
	}
	f.Forecast.Ask = true
	return f.Answer(ctx, from(c, st, now))
}

func (f *forecast) ask(ctx context.Context, s streams, from *remote.Server, flags url.Values) error {
	if f.grids != "" {
		return wrongUsef("--grids: asks the providers from here, by a configuration: leave out --server")
	}
	return from.Ask(ctx, "forecast", withFormat(flags, f.Format), s.out)
}

// openIfThere opens the store to read; nil if there is none.
func (f *forecast) openIfThere(ctx context.Context, c *config.Config) (*store.Store, error) {
	if _, err := os.Stat(f.storagePath); errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return f.openToRead(ctx, c)
}
