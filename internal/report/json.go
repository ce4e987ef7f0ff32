// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package report

import (
	"encoding/json"
	"io"
	"time"
)

// document is a report in JSON.
type document struct {
	Scope     string    `json:"scope"`
	From      string    `json:"from"`
	To        string    `json:"to"`
	Timezone  string    `json:"timezone"`
	By        *string   `json:"by"` // null: not divided
	Intervals Intervals `json:"intervals"`

	Grids []Grid `json:"carbon_intensity"`
	// Shares of the priced energy of the site.
	Quality map[string]float64 `json:"quality"`
	Basis   map[string]float64 `json:"basis"`

	ForecastError      *float64 `json:"forecast_error_gco2eq_per_kwh"` // null: no forecast was used
	ForecastErrorPairs int      `json:"forecast_error_pairs"`          // 0: it is the documented one

	Power []PowerShare `json:"power"` // where it came from, by energy

	Lake *Lake `json:"lake,omitempty"` // what it was read from; absent: from a store

	Factors      []Factors    `json:"factors,omitempty"` // other factors for the same energy
	Equivalents  []Equivalent `json:"equivalent_factors,omitempty"`
	Rows         []Row        `json:"rows"` // members and other
	PeriodTotals []Row        `json:"period_totals,omitempty"`
	Total        *Row         `json:"total"` // null: nothing is known
}

// WriteJSON writes the report as one object. Unknown values are null; numbers have all
// their digits.
func (r *Report) WriteJSON(out io.Writer) error {
	d := document{
		Scope: r.called(string(r.Scope)), Timezone: r.Zone.String(), Intervals: r.Whole.Intervals,
		From: r.Whole.From.In(r.Zone).Format(time.RFC3339), To: r.Whole.To.In(r.Zone).Format(time.RFC3339),
		Grids: append([]Grid{}, r.Grids...), ForecastErrorPairs: r.Forecasts.Pairs, Power: powerShares(r.Power), Rows: []Row{}, Factors: r.Factors, Lake: r.Lake,
		Quality: r.Whole.Prices.qualities(), Basis: r.Whole.Prices.bases(),
	}
	if r.Forecasts != (ForecastError{}) {
		d.ForecastError = value(r.Forecasts.Mean)
	}
	if r.By != "" {
		d.By = &r.By
	}
	if r.Equivalents {
		d.Equivalents = Equivalents()
	}
	for _, row := range r.rows() {
		switch row.Kind {
		case PeriodTotal:
			d.PeriodTotals = append(d.PeriodTotals, row)
		case Total:
			d.Total = &row
		default:
			d.Rows = append(d.Rows, row)
		}
	}
	e := json.NewEncoder(out)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(d)
}
