// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package intensity

import (
	"encoding/json"
	"strings"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// readEnerginetPage reads a page of rows. An answer without a list of them is none.
func readEnerginetPage(text []byte) (p page, err error) {
	var in struct {
		Rows  []json.RawMessage `json:"records"`
		Total json.RawMessage   `json:"total"`
	}
	if err := json.Unmarshal(strictJSON(text), &in); err != nil {
		return p, malformed(nil, "the answer is not JSON in the API's format: %s", text)
	}
	if in.Rows == nil {
		return p, malformed(nil, "the answer has no records: %s", text)
	}
	return page{rows: in.Rows, total: totalOf(in.Total)}, nil
}

// decodeEnerginet reads rows, those of other areas left out. It is a failure if there are no rows
// but those.
func decodeEnerginet(rows []json.RawMessage, area string, kind usage.Kind) (Answer, error) {
	a := Answer{Rejects: usage.Rejects{}}
	other := ""
	for _, raw := range rows {
		var row struct {
			At   string          `json:"Minutes5UTC"`
			Area string          `json:"PriceArea"`
			CO2  json.RawMessage `json:"CO2Emission"`
		}
		if err := json.Unmarshal(raw, &row); err != nil {
			a.Rejects[RejectTime]++
			continue
		}
		if row.Area != "" && !strings.EqualFold(row.Area, area) {
			other = row.Area
			continue
		}
		number, err := readNumber(row.CO2)
		if err != nil {
			a.Rejects[RejectValue]++
			continue
		}
		start, err := readNaive(row.At, time.UTC)
		if err != nil {
			a.Rejects[RejectTime]++
			continue
		}
		if number != nil {
			a.Values = append(a.Values, Value{From: start, To: start.Add(energinetStep), Kind: kind, Intensity: usage.GramsPerKWh(*number)})
		}
	}
	if other != "" && len(a.Values) == 0 && len(a.Rejects) == 0 {
		return a, &usage.Failure{
			Reason: usage.ReasonMalformed, Detail: "asked for " + area + " and got " + other,
			Cause: "Energinet answered for another area than " + area + "; check energinet.area and energinet.url",
		}
	}
	a.Nothing = len(a.Values) == 0
	return a, nil
}
