// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package intensity

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// eiaRow is a fuel in an hour. Anything in it may be missing, null or of another type without
// spoiling the other rows.
type eiaRow struct {
	Period     json.RawMessage `json:"period"`
	Respondent json.RawMessage `json:"respondent"`
	Fuel       json.RawMessage `json:"fueltype"`
	Value      json.RawMessage `json:"value"`
	Units      json.RawMessage `json:"value-units"`
}

// eiaRowsOf splits an answer into its rows, which are not checked yet, and returns how many there
// are on all pages; below 0: it does not say.
func eiaRowsOf(text []byte) (rows []json.RawMessage, total int, err error) {
	var answer struct {
		Error    json.RawMessage `json:"error"`
		Response struct {
			Total json.RawMessage    `json:"total"`
			Data  *[]json.RawMessage `json:"data"`
		} `json:"response"`
	}
	if err := json.Unmarshal(strictJSON(text), &answer); err != nil {
		return nil, 0, malformed(nil, "the answer is not JSON in the API's format: %s", text)
	}
	if len(answer.Error) > 0 && string(answer.Error) != "null" {
		return nil, 0, malformed(nil, "the answer is an error: %s", answer.Error)
	}
	if answer.Response.Data == nil {
		return nil, 0, malformed(nil, "the answer has no rows: %s", text)
	}
	rows = *answer.Response.Data
	return rows, totalOf(answer.Response.Total), nil
}

// addEIA adds rows to a mix, those of other respondents left out. It is a failure if there are none
// but those.
func addEIA(m *mix, rows []json.RawMessage, respondent string) error {
	ours, other := false, ""
	for _, raw := range rows {
		var row eiaRow
		if json.Unmarshal(raw, &row) != nil {
			m.rejects[RejectTime]++
			continue
		}
		if got := wordOf(row.Respondent); got != "" && !strings.EqualFold(got, respondent) {
			other = got
			continue
		}
		ours = true
		if err := row.addTo(m); err != nil {
			return err
		}
	}
	if other != "" && !ours {
		return &usage.Failure{
			Reason: usage.ReasonMalformed, Detail: fmt.Sprintf("asked for the respondent %s and got %.32q", respondent, other),
			Cause: "the answer is of another respondent than was asked for: check respondent and url",
		}
	}
	return nil
}

// addTo adds a row to a mix. One without a number is of a fuel whose value comes later.
func (r eiaRow) addTo(m *mix) error {
	end, err := eiaHour(wordOf(r.Period))
	if err != nil {
		m.rejects[RejectTime]++
		return nil
	}
	from := end.Add(-time.Hour)
	code := wordOf(r.Fuel)
	if !typeCode.MatchString(code) {
		m.rejects[RejectValue]++
		m.spoil(from, end)
		return nil
	}
	if err := m.has(code); err != nil {
		return err
	}
	if isNull(r.Value) {
		return nil
	}
	if m.known(code, from, end) {
		m.rejects[RejectDuplicate]++
	}
	megawatts, err := strconv.ParseFloat(wordOf(r.Value), 64)
	if units := wordOf(r.Units); err != nil || units != "" && !eiaUnits[strings.ToLower(units)] {
		megawatts = math.NaN()
	}
	m.set(code, from, end, megawatts)
	return nil
}

// eiaUnits are the words for MWh.
var eiaUnits = map[string]bool{"megawatthours": true, "mwh": true}

// eiaHour reads the end of an hour, which is in UTC.
func eiaHour(text string) (time.Time, error) {
	end, err := time.Parse(eiaTime, text)
	if err != nil {
		end, err = readNaive(text, time.UTC)
	}
	return end, err
}

// wordOf is a string or number of JSON as text; empty: it is neither.
func wordOf(raw json.RawMessage) string {
	var text string
	if json.Unmarshal(raw, &text) == nil {
		return strings.TrimSpace(text)
	}
	var number json.Number
	if json.Unmarshal(raw, &number) == nil {
		return number.String()
	}
	return ""
}
