// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package intensity

import (
	"context"
	"fmt"
	"net/url"
	"strconv"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// EIA reads what a balancing authority or region of the USA generated, by fuel and hour, from the
// Energy Information Administration (form EIA-930), https://api.eia.gov, and makes an intensity of
// it by the factors of factors.csv: what each fuel generated times its factor, over all that was
// generated there. Imports are not counted. The numbers are MWh of an hour that is named by its
// END, in UTC: 2026-01-01T05 is from 04:00 to 05:00. They come up to two days late.
type EIA struct {
	URL        string
	Respondent string // such as CISO, or US48 for all of the contiguous states
	Token      func() (string, error)
	Emissions  string // usage.Lifecycle, or usage.Direct; empty: the first
	Now        func() time.Time
}

const (
	// eiaTime is the API's format of an hour in UTC.
	eiaTime = "2006-01-02T15"
	// eiaRows is how many rows an answer has at most, eiaPages how many answers are asked for.
	eiaRows, eiaPages = 5000, 10
	// eiaSpan is what one answer has room for beside lookBack, with all the fuels that there are.
	eiaSpan = 10*24*time.Hour - lookBack
	eiaLate = 48 * time.Hour
)

// eiaKinds are the kinds in factors.csv of EIA's codes of fuels. What the battery of a solar or
// wind park gives, the park has generated.
var eiaKinds = map[string]string{
	"BAT": kindStorage, "COL": "coal", "GEO": "geothermal", "NG": "gas", "NUC": "nuclear", "OES": kindStorage, "OIL": "oil",
	"OTH": kindOther, "PS": kindStorage, "SNB": "solar", "SUN": "solar", "UES": kindStorage, "UNK": kindOther, "WAT": "hydro",
	"WNB": "wind_onshore", "WND": "wind_onshore",
}

// Terms returns what is known of the API. There are no forecasts of generation by fuel.
func (e *EIA) Terms() usage.Terms {
	return usage.Terms{
		Basis: mixBasis(e.Emissions), Every: time.Hour, Late: eiaLate, Longest: eiaSpan,
		Licence: "public domain",
		Credit:  "U.S. Energy Information Administration",
		Link:    "https://www.eia.gov/electricity/gridmonitor",
	}
}

// Values asks for the hours that a time touches, page by page: an answer of too many rows is cut
// off, and says so only by its total. One without a total is cut off if it is full.
func (e *EIA) Values(ctx context.Context, get Get, from, to time.Time) (Answer, error) {
	key, err := keyOf(e.Token)
	if err != nil {
		return Answer{}, err
	}
	m := newMix(from, to, eiaKinds)
	for offset, page := 0, 0; ; page++ {
		text, err := get(ctx, e.address(key, from, to, offset), nil)
		if err != nil {
			return Answer{}, refusedKey(err)
		}
		rows, total, err := eiaRowsOf(text)
		if err != nil {
			return Answer{Rejects: m.rejects}, err
		}
		if err := addEIA(m, rows, e.Respondent); err != nil {
			return Answer{Rejects: m.rejects}, err
		}
		offset += len(rows)
		switch {
		case offset == 0 && total <= 0:
			return e.noRows(from)
		case total >= 0 && offset >= total, total < 0 && len(rows) < eiaRows:
			return m.answer(e.Emissions)
		case len(rows) == 0 || page+1 == eiaPages:
			return Answer{Rejects: m.rejects}, &usage.Failure{
				Reason: usage.ReasonPartial, Detail: "the answer is cut off: " + cameOf(offset, total),
			}
		}
	}
}

// cameOf says how many rows came of how many there are.
func cameOf(n, total int) string {
	if total < 0 {
		return fmt.Sprintf("%d rows came, and nobody says of how many", n)
	}
	return fmt.Sprintf("%d of %d rows came", n, total)
}

// noRows is what an answer without rows means: it is too early, or the API does not know the
// respondent and does not say so.
func (e *EIA) noRows(from time.Time) (Answer, error) {
	if from.After(e.Now().Add(-eiaLate)) {
		return Answer{Nothing: true}, nil
	}
	return Answer{}, &usage.Failure{
		Reason: usage.ReasonPartial, Detail: "no data: the answer has no rows",
		Cause: fmt.Sprintf("the API has no rows of the respondent %q for this time: check respondent; it is a code such as CISO or US48", e.Respondent),
	}
}

// Outlook has nothing.
func (*EIA) Outlook(context.Context, Get, time.Time, time.Time) (Answer, error) { return Answer{}, nil }

// address asks for the hours that a time touches, and for those before. Both ends are in the answer. The second column
// to sort by keeps pages apart.
func (e *EIA) address(key string, from, to time.Time, offset int) string {
	first := from.Add(-lookBack).UTC().Truncate(time.Hour).Add(time.Hour)
	last := to.UTC().Add(time.Hour - 1).Truncate(time.Hour)
	return withQuery(rootOf(e.URL, "/v2")+"/v2/electricity/rto/fuel-type-data/data/", url.Values{
		"api_key": {key}, "frequency": {"hourly"}, "data[0]": {"value"}, "facets[respondent][]": {e.Respondent},
		"start": {first.Format(eiaTime)}, "end": {last.Format(eiaTime)},
		"sort[0][column]": {"period"}, "sort[0][direction]": {"asc"}, "sort[1][column]": {"fueltype"}, "sort[1][direction]": {"asc"},
		"offset": {strconv.Itoa(offset)}, "length": {strconv.Itoa(eiaRows)},
	})
}
