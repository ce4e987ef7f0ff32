// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package report

import (
	"encoding/csv"
	"encoding/json"
	"io"
	"time"
)

// rateDocument are rates in JSON.
type rateDocument struct {
	Standard  string    `json:"standard"`
	Scope     string    `json:"scope"`
	From      string    `json:"from"`
	To        string    `json:"to"`
	Timezone  string    `json:"timezone"`
	Intervals Intervals `json:"intervals"`

	Grids              []Grid   `json:"carbon_intensity"`
	ForecastError      *float64 `json:"forecast_error_gco2eq_per_kwh"` // null: no forecast was used
	ForecastErrorPairs int      `json:"forecast_error_pairs"`          // 0: it is the documented one

	R     unitsDocument `json:"r"`
	Notes []string      `json:"notes"` // as under the table
	Rows  []Rate        `json:"rows"`  // members and other
	Total *Rate         `json:"total"` // null: nothing is known
}

// unitsDocument says where R is from.
type unitsDocument struct {
	Unit       *string  `json:"unit"`       // null: not said
	Expression *string  `json:"expression"` // null, as the next two: R is a number that was given
	At         *string  `json:"evaluated_at"`
	Over       *float64 `json:"range_seconds"`
}

// WriteJSON writes the rates as one object. Unknown values are null; numbers have all their digits.
func (s *SCI) WriteJSON(out io.Writer) error {
	d := rateDocument{
		Standard: standard, Scope: s.called(string(s.Scope)), Timezone: s.Zone.String(), Intervals: s.Whole.Intervals,
		From: s.Whole.From.In(s.Zone).Format(time.RFC3339), To: s.Whole.To.In(s.Zone).Format(time.RFC3339),
		Grids: append([]Grid{}, s.Grids...), ForecastErrorPairs: s.Forecasts.Pairs, Rows: []Rate{}, Notes: []string{},
	}
	if s.Forecasts != (ForecastError{}) {
		d.ForecastError = value(s.Forecasts.Mean)
	}
	if s.Per.Unit != "" {
		d.R.Unit = &s.Per.Unit
	}
	if s.Per.Expression != "" {
		d.R.Expression, d.R.Over = &s.Per.Expression, value(s.Per.Over.Seconds())
		d.R.At = new(s.Per.At.In(s.Zone).Format(time.RFC3339))
	}
	rates := s.rates()
	if len(rates) > 0 {
		d.Notes = s.notes(rates)
	}
	for _, r := range rates {
		if r.Kind == Total {
			d.Total = &r
		} else {
			d.Rows = append(d.Rows, r)
		}
	}
	e := json.NewEncoder(out)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(d)
}

// WriteCSV writes the rates under one line of field names, as Report.WriteCSV does.
func (s *SCI) WriteCSV(out io.Writer, text func(string) string) error {
	w := csv.NewWriter(out)
	if err := w.Write(s.fieldsOf(Rate{})); err != nil {
		return err
	}
	for _, r := range s.rates() {
		if err := w.Write(s.cellsOf(r, text)); err != nil {
			return err
		}
	}
	w.Flush()
	return w.Error()
}
