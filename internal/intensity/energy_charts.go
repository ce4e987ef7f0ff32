// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package intensity

import (
	"context"
	"net/url"
	"strings"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// EnergyCharts is a country as Energy-Charts of Fraunhofer ISE has it: what its own plants generate,
// some 30 countries of Europe, in steps of 15 minutes or of an hour. It is at
// https://api.energy-charts.info/. Its values are gCO2eq/kWh; whether these are direct emissions or
// those of a life cycle is not said.
//
// A time of which nothing is measured yet has a forecast in place of a value, in the same answer.
// The API accepts about one request in 8 s, and leaves those unanswered who send more, for longer
// each time.
type EnergyCharts struct {
	URL     string
	Country string // two letters, such as de
}

const (
	energyChartsTime = "2006-01-02T15:04Z"
	// energyChartsPause is how long to leave it alone if it is asked too often and does not say.
	energyChartsPause = time.Minute
)

// Terms implements API.
func (e *EnergyCharts) Terms() usage.Terms {
	return usage.Terms{
		Basis:     usage.Basis{Signal: usage.Average, Electricity: usage.Production},
		Forecasts: true,
		Every:     15 * time.Minute,
		Longest:   92 * 24 * time.Hour,
		Gap:       8 * time.Second,
		Credit:    "Energy-Charts, Fraunhofer ISE",
		Link:      "https://www.energy-charts.info/",
	}
}

// Values implements API.
func (e *EnergyCharts) Values(ctx context.Context, get Get, from, to time.Time) (Answer, error) {
	text, err := get(ctx, e.address(from, to), nil)
	if err != nil {
		return Answer{}, leaveAlone(err)
	}
	return decodeEnergyCharts(text)
}

// Outlook implements API.
func (e *EnergyCharts) Outlook(ctx context.Context, get Get, from, to time.Time) (Answer, error) {
	return e.Values(ctx, get, from, to)
}

// address asks for whole hours, and one more on each side: how long a value holds can only be told
// from those around it.
func (e *EnergyCharts) address(from, to time.Time) string {
	from, to = from.Truncate(time.Hour), to.Add(time.Hour-1).Truncate(time.Hour)
	q := url.Values{
		"country": {strings.ToLower(e.Country)},
		"start":   {from.Add(-time.Hour).UTC().Format(energyChartsTime)},
		"end":     {to.Add(time.Hour).UTC().Format(energyChartsTime)},
	}
	return rootOf(e.URL, "/co2eq") + "/co2eq?" + q.Encode()
}

// leaveAlone makes an outage of a refusal, so that nobody goes on asking: each request more makes
// the pause longer.
func leaveAlone(err error) error {
	failed := usage.FailureOf(err)
	if failed == nil || failed.Reason != usage.ReasonRateLimited || failed.RetryAfter > 0 {
		return err
	}
	waits := *failed
	waits.RetryAfter = energyChartsPause
	return &waits
}
