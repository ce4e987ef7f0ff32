// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package intensity

import (
	"context"
	"net/url"
	"strconv"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// Energinet is a price area of Denmark, DK1 in the west or DK2 in the east, as its grid operator
// publishes it at https://www.energidataservice.dk/: g of CO2 per kWh that is used, exchange with
// other countries counted, of what plants burn; five minutes at a time, some 15 minutes late.
//
// It accepts one request a minute for each of its lists. Unless a limit is set, an answer has 100
// rows of all there are.
type Energinet struct {
	URL  string
	Area string // DK1 or DK2
}

const (
	energinetTime = "2006-01-02T15:04"
	energinetStep = 5 * time.Minute
	// danishOffset is how far Danish time is ahead of UTC at the most.
	danishOffset = 2 * time.Hour
)

// Terms implements API.
func (e *Energinet) Terms() usage.Terms {
	return usage.Terms{
		Basis:     usage.Basis{Signal: usage.Average, Emissions: usage.Direct, Electricity: usage.Consumption},
		Forecasts: true,
		Longest:   92 * 24 * time.Hour,
		Gap:       time.Minute,
		GapByPath: true, // the first value need not wait for the first forecast
		Licence:   "CC BY 4.0",
		Credit:    "Energinet, www.energidataservice.dk",
		Link:      "https://www.energidataservice.dk/tso-electricity/CO2Emis",
	}
}

// Values implements API.
func (e *Energinet) Values(ctx context.Context, get Get, from, to time.Time) (Answer, error) {
	return e.ask(ctx, get, "CO2Emis", usage.Actual, from, to)
}

// Outlook implements API.
func (e *Energinet) Outlook(ctx context.Context, get Get, from, to time.Time) (Answer, error) {
	return e.ask(ctx, get, "CO2EmisProg", usage.Forecast, from, to)
}

func (e *Energinet) ask(ctx context.Context, get Get, list string, kind usage.Kind, from, to time.Time) (Answer, error) {
	rows, whole, err := allPages(ctx, get, rowsFor(from, to), func(offset int) string { return e.address(list, from, to, offset) }, readEnerginetPage)
	if err != nil {
		return Answer{}, err
	}
	a, err := decodeEnerginet(rows, e.Area, kind)
	if !whole {
		a.Remarks = append(a.Remarks, "The list "+list+" of Energinet has more rows of a time than it gave.")
	}
	return a, err
}

// address asks for a page of [from, to), and for two hours more: were the times read as Danish
// ones, which they are unless timezone is understood, the last would be missing.
func (e *Energinet) address(list string, from, to time.Time, offset int) string {
	q := url.Values{
		"start":    {from.UTC().Format(energinetTime)},
		"end":      {to.Add(danishOffset).UTC().Format(energinetTime)},
		"timezone": {"utc"},
		"filter":   {`{"PriceArea":["` + e.Area + `"]}`},
		"sort":     {"Minutes5UTC"},
		"limit":    {strconv.Itoa(rowsFor(from, to))},
	}
	if offset > 0 {
		q.Set("offset", strconv.Itoa(offset))
	}
	return rootOf(e.URL, "/dataset") + "/dataset/" + list + "?" + q.Encode()
}

// rowsFor is how many rows of one area there can be in what address asks for.
func rowsFor(from, to time.Time) int {
	return int(to.Add(danishOffset).Sub(from)/energinetStep) + 1
}
