// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package intensity

import (
	"encoding/json"
	"strings"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// readRTEPage reads a page of rows. An answer without a list of them is none.
func readRTEPage(text []byte) (p page, err error) {
	var in struct {
		Rows  []json.RawMessage `json:"results"`
		Total json.RawMessage   `json:"total_count"`
	}
	if err := json.Unmarshal(strictJSON(text), &in); err != nil {
		return p, malformed(nil, "the answer is not JSON in the API's format: %s", text)
	}
	if in.Rows == nil {
		return p, malformed(nil, "the answer has no results: %s", text)
	}
	return page{rows: in.Rows, total: totalOf(in.Total)}, nil
}

// decodeRTE reads rows. A value lasts until the next of its kind, and no longer than usual; one
// alone as long as those of its list.
func decodeRTE(rows []json.RawMessage, length time.Duration) Answer {
	a := Answer{Rejects: usage.Rejects{}}
	starts := map[usage.Quality][]time.Time{}
	for _, raw := range rows {
		v, reason := readRTERow(raw)
		if reason != "" {
			a.Rejects[reason]++
		} else if v.Kind != "" {
			a.Values = append(a.Values, v)
			starts[v.Quality] = append(starts[v.Quality], v.From)
		}
	}
	for quality, of := range starts {
		lasts := lengths(of, length)
		for i := range a.Values {
			if v := &a.Values[i]; v.Quality == quality {
				v.To = v.From.Add(lasts[v.From])
			}
		}
	}
	return a
}

// readRTERow reads a row. Without a Kind it has no value yet: the lists have rows of times to come.
func readRTERow(raw json.RawMessage) (v Value, reason string) {
	var row struct {
		At     string          `json:"date_heure"`
		Nature any             `json:"nature"`
		CO2    json.RawMessage `json:"taux_co2"`
	}
	if err := json.Unmarshal(raw, &row); err != nil {
		return v, RejectTime
	}
	number, err := readNumber(row.CO2)
	if err != nil {
		return v, RejectValue
	}
	if number == nil {
		return v, ""
	}
	// Without an offset it would be a guess which of two hours is meant on one night of the year.
	start, err := readZoned(row.At)
	if err != nil {
		return v, RejectTime
	}
	v = Value{From: start, Kind: usage.Actual, Intensity: usage.GramsPerKWh(*number), Quality: usage.QualityProvisional}
	if nature, _ := row.Nature.(string); strings.Contains(strings.ToLower(nature), "finitive") {
		v.Quality = usage.QualityFinal
	}
	return v, ""
}
