// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package intensity

import (
	"encoding/json"
	"math"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// energyChartsAnswer is three lists of the same length: what stands at one place belongs together.
type energyChartsAnswer struct {
	Seconds   []json.RawMessage `json:"unix_seconds"` // when a value begins
	Actuals   []json.RawMessage `json:"co2eq"`
	Forecasts []json.RawMessage `json:"co2eq_forecast"`
	Old       any               `json:"deprecated"`
}

// decodeEnergyCharts reads an answer. A list of values may be missing or empty as a whole, but not
// be of another length: whose values they are would be a guess.
func decodeEnergyCharts(text []byte) (a Answer, err error) {
	var in energyChartsAnswer
	if err := json.Unmarshal(strictJSON(text), &in); err != nil {
		return a, malformed(nil, "the answer is not JSON in the API's format: %s", text)
	}
	if in.Seconds == nil || in.Actuals == nil && in.Forecasts == nil {
		return a, malformed(nil, "the answer has no unix_seconds with co2eq: %s", text)
	}
	for name, values := range map[string][]json.RawMessage{"co2eq": in.Actuals, "co2eq_forecast": in.Forecasts} {
		if len(values) > 0 && len(values) != len(in.Seconds) {
			return a, malformed(nil, "the answer has %d times and %d values of %s", len(in.Seconds), len(values), name)
		}
	}
	if in.Old == true {
		a.Remarks = append(a.Remarks, "Energy-Charts says that this part of its API is deprecated: it will end.")
	}
	a.Rejects = usage.Rejects{}
	starts, readable := make([]time.Time, len(in.Seconds)), []time.Time{}
	for i, raw := range in.Seconds {
		if starts[i], err = readSeconds(raw); err != nil {
			a.Rejects[RejectTime]++
			continue
		}
		readable = append(readable, starts[i])
	}
	length := lengths(readable, 0)
	for i, start := range starts {
		if start.IsZero() {
			continue
		}
		if length[start] == 0 { // the only time of the answer: nobody says how long it holds
			a.Rejects[RejectSlotLength]++
			continue
		}
		v := Value{From: start, To: start.Add(length[start])}
		a.add(in.Actuals, i, v, usage.Actual)
		a.add(in.Forecasts, i, v, usage.Forecast)
	}
	a.Nothing = len(a.Values) == 0
	a.Values = append(a.Values, begunForecasts(a.Values)...)
	return a, nil
}

// add adds what stands at a place of a list, if anything does.
func (a *Answer) add(list []json.RawMessage, i int, v Value, kind usage.Kind) {
	if len(list) == 0 {
		return
	}
	number, err := readNumber(list[i])
	if err != nil {
		a.Rejects[RejectValue]++
	} else if number != nil {
		v.Kind, v.Intensity = kind, usage.GramsPerKWh(*number)
		a.Values = append(a.Values, v)
	}
}

// begunForecasts completes the forecasts of half hours that have begun: what is measured has no
// forecast any more, so that of its half hour would never be whole.
func begunForecasts(values []Value) (more []Value) {
	forecast, begun := map[time.Time]bool{}, map[time.Time]bool{}
	for _, v := range values {
		if v.Kind == usage.Forecast {
			forecast[v.From], begun[usage.SlotAt(v.From)] = true, true
		}
	}
	for _, v := range values {
		if v.Kind == usage.Actual && begun[usage.SlotAt(v.From)] && !forecast[v.From] {
			v.Kind = usage.Forecast
			more = append(more, v)
		}
	}
	return more
}

// readSeconds reads a time in seconds since 1970. 0 is none.
func readSeconds(raw json.RawMessage) (time.Time, error) {
	number, err := readNumber(raw)
	if err != nil {
		return time.Time{}, err
	}
	const endOf9999 = 253402300800 // later than any time that can be written
	if number == nil || *number <= 0 || *number >= endOf9999 || *number != math.Trunc(*number) {
		return time.Time{}, malformed(nil, "%s is no time", raw)
	}
	return time.Unix(int64(*number), 0).UTC(), nil
}
