// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package answers

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/common/model"

	"github.com/carbon-exporter/carbon_exporter/cmd/internal/commandline"
	"github.com/carbon-exporter/carbon_exporter/cmd/internal/when"
	"github.com/carbon-exporter/carbon_exporter/internal/config"
	"github.com/carbon-exporter/carbon_exporter/internal/escape"
	"github.com/carbon-exporter/carbon_exporter/internal/ingest"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// Forecast asks when electricity will be cleanest in the coming days.
type Forecast struct {
	Window     string
	Until      string // when the window ends at the latest
	UntilGiven bool
	Format     string // one of ForecastFormats

	// Ask asks the providers if the forecast of the store is old.
	Ask bool
	// Say is told what the answer does not say, in a line; nil: nobody is.
	Say func(string)
}

// ForecastWindow is the window if none is given.
const ForecastWindow = "3h"

// ForecastFormats lists the formats of the answer.
func ForecastFormats() []string { return []string{Text, JSON} }

// ErrNoForecasts is the answer if there will never be a forecast: no source has any.
var ErrNoForecasts = errors.New("so no time to run is better than another")

// ErrNotStored is the answer if there is no forecast in the store, and nobody was asked.
var ErrNotStored = errors.New("no forecast is stored: carbon_exporter fetches one at the start of each half hour")

// Length is the window as a duration.
func (q Forecast) Length() (time.Duration, error) {
	d, err := model.ParseDuration(q.Window)
	length := time.Duration(d)
	switch {
	case err != nil:
		return 0, commandline.Wrongf("--window: %q is not a duration such as 3h or 90m", q.Window)
	case length <= 0 || length%usage.SlotLength != 0 || length > usage.OutlookLength:
		return 0, commandline.Wrongf("--window: must be a multiple of 30m, at most 48h, is %s", q.Window)
	}
	return length, nil
}

// Job is what is to be run: how long it takes, and by when it has to end.
type Job struct {
	Length time.Duration
	Until  *time.Time // nil: at any time that has a forecast
}

// Job is what the question is about.
func (q Forecast) Job(zone *time.Location, now time.Time) (Job, error) {
	length, err := q.Length()
	if err != nil || !q.UntilGiven {
		return Job{Length: length}, err
	}
	until, err := when.Coming("--until", q.Until, zone, now, usage.OutlookLength)
	return Job{length, &until}, err
}

// Best is the best window for the job.
func (j Job) Best(o usage.Outlook) (usage.Window, bool) {
	if j.Until == nil {
		return o.Best(j.Length)
	}
	return o.BestUntil(j.Length, *j.Until)
}

// By says by when the job has to end; empty: at any time.
func (j Job) By(zone *time.Location) string {
	if j.Until == nil {
		return ""
	}
	return " until " + j.Until.In(zone).Format(planMoment)
}

// None says why there is no best window.
func (j Job) None(now time.Time, zone *time.Location) string {
	first := usage.SlotAt(now).Add(j.Length)
	switch {
	case j.Until == nil:
		return "no window has a forecast for each of its half hours"
	case first.After(*j.Until):
		return "the first window ends at " + first.In(zone).Format(planMoment)
	}
	return "no window that ends by then has a forecast for each of its half hours"
}

// Answer makes a plan of the forecast. The store may be nil: it then has none.
func (q Forecast) Answer(ctx context.Context, from From) (*Plan, error) {
	job, err := q.Job(from.Config.Location(), from.Now)
	if err != nil {
		return nil, err
	}
	grids, err := from.Grids()
	if err != nil {
		return nil, err
	}
	chain := slices.Concat(Ahead(grids.Marginal), Ahead(grids.Priced))
	if len(chain) == 0 {
		return nil, noForecast(from.Config)
	}
	kept, err := keptForecasts(ctx, from, chain)
	if err != nil {
		return nil, err
	}
	say := q.Say
	if say == nil {
		say = func(string) {}
	}
	var grid ingest.Grid
	var slots []usage.Slot
	if q.Ask {
		grid, slots, err = FirstForecast(ctx, say, chain, kept, from.Now)
	} else {
		grid, slots, err = firstKept(chain, kept, from.Now)
	}
	if err != nil {
		return nil, err
	}
	if len(grids.Marginal) > 0 && !slices.Contains(grids.Marginal, grid) {
		say("no source of carbon_intensity.marginal has a forecast; this is by the values that price usage")
	}
	p := newPlan(grid, slots, from.Now, q.Window, job)
	p.format, p.zone = q.Format, from.Config.Location()
	return p, nil
}

// Write writes the plan.
func (p *Plan) Write(out io.Writer, _ func(string) string) error {
	if p.format == JSON {
		return p.json(out)
	}
	p.text(out, p.zone)
	return nil
}

// Ahead lists the sources of a chain that have forecasts.
func Ahead(chain ingest.Chain) (some ingest.Chain) {
	for _, g := range chain {
		if g.Terms().Forecasts {
			some = append(some, g)
		}
	}
	return some
}

func noForecast(c *config.Config) error {
	priced := c.CarbonIntensity.Priced()
	if fixed := priced.Fixed(); fixed != nil {
		key := "carbon_intensity.provider"
		if len(c.CarbonIntensity.Sources) > 0 {
			key = "carbon_intensity.sources[0]"
		}
		return fmt.Errorf("%s is static: %v gCO2eq/kWh for all time has no forecast, %w", key, *fixed.GCO2eqPerKWh, ErrNoForecasts)
	}
	var names []string
	for _, s := range priced.Sources {
		names = append(names, s.Name)
	}
	return fmt.Errorf("no source of carbon_intensity has a forecast (%s), %w", strings.Join(names, ", "), ErrNoForecasts)
}

const (
	// forecastFresh is how old a forecast may be: carbon_exporter fetches one at the
	// start of each half hour, and may have to retry.
	forecastFresh = time.Hour
	// forecastSkew is how far the clocks of two machines may differ.
	forecastSkew = time.Minute
)

func isFresh(kept []usage.Slot, now time.Time) bool {
	age := now.Sub(fetchedAt(kept))
	return len(kept) > 0 && age <= forecastFresh && age >= -forecastSkew
}

// FirstForecast returns the half hours from now on that have a forecast, at least one, of the first
// source that has any: those of the store, unless they are old and the source has newer ones. If no
// source answers, it is the old ones.
func FirstForecast(ctx context.Context, say func(string), chain ingest.Chain, kept map[ingest.Grid][]usage.Slot, now time.Time) (ingest.Grid, []usage.Slot, error) {
	var failed []error
	for n, grid := range chain {
		if isFresh(kept[grid], now) {
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
			say(fmt.Sprintf("%s: %s; asking the next source", grid.Provider(), escape.Line(err.Error())))
		}
		failed = append(failed, err)
	}
	last := failed[len(failed)-1]
	for _, grid := range chain {
		if old := kept[grid]; len(old) > 0 {
			say(fmt.Sprintf("%s; showing the forecast fetched at %s", escape.Line(last.Error()), fetchedAt(old).UTC().Format(time.RFC3339)))
			return grid, old, nil
		}
	}
	return nil, nil, last
}

// firstKept does the same without asking: the first forecast that is not old, else the first.
func firstKept(chain ingest.Chain, kept map[ingest.Grid][]usage.Slot, now time.Time) (ingest.Grid, []usage.Slot, error) {
	for _, good := range []func(ingest.Grid) bool{
		func(g ingest.Grid) bool { return isFresh(kept[g], now) },
		func(g ingest.Grid) bool { return len(kept[g]) > 0 },
	} {
		if i := slices.IndexFunc(chain, good); i >= 0 {
			return chain[i], kept[chain[i]], nil
		}
	}
	return nil, nil, ErrNotStored
}

// keptForecasts lists those in the store, by source. Having none is not an error: the providers have
// them too.
func keptForecasts(ctx context.Context, from From, chain ingest.Chain) (map[ingest.Grid][]usage.Slot, error) {
	if from.Store == nil {
		return nil, nil
	}
	start := usage.SlotAt(from.Now)
	all := map[ingest.Grid][]usage.Slot{}
	for _, grid := range chain {
		slots, err := from.Store.Slots(ctx, grid.Provider(), grid.Grid(), start, start.Add(usage.OutlookLength))
		if err != nil {
			return nil, fmt.Errorf("read the forecast from the store: %w", err)
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
