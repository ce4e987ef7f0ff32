// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package intensity

import (
	"encoding/json"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// rangeAnswer is what query_range answers:
// https://prometheus.io/docs/prometheus/latest/querying/api/#range-queries
type rangeAnswer struct {
	Status   string   `json:"status"`
	Error    string   `json:"error"`
	Warnings []string `json:"warnings"`
	Partial  bool     `json:"isPartial"` // VictoriaMetrics says so when a storage node is away
	Data     struct {
		Type   string        `json:"resultType"`
		Result []rangeSeries `json:"result"`
	} `json:"data"`
}

type rangeSeries struct {
	Labels     map[string]string `json:"metric"`
	Values     []json.RawMessage `json:"values"`
	Histograms []json.RawMessage `json:"histograms"`
}

// aRemark begins a remark on a query. Prometheus before 3.0 sends those among the warnings; they do
// not say that anything is missing.
const aRemark = "PromQL info:"

// decodePrometheus returns the value of each minute, and how many it refused in the range itself. A
// minute without a value is none.
func decodePrometheus(text []byte, m minutes, unit usage.GramsPerKWh) ([]usage.GramsPerKWh, usage.Rejects, error) {
	var answer rangeAnswer
	if err := json.Unmarshal(strictJSON(text), &answer); err != nil {
		return nil, nil, malformed(nil, "the answer is not JSON in the format of query_range: %s", text)
	}
	if err := answer.check(); err != nil {
		return nil, nil, err
	}
	switch series := answer.Data.Result; len(series) {
	case 0:
		return nil, nil, noSeries(m)
	case 1:
		values, rejects := series[0].read(m, unit)
		return values, rejects, nil
	default:
		return nil, nil, severalSeries(len(series), differing(series))
	}
}

// check returns why the answer is not a good and whole one.
func (a rangeAnswer) check() error {
	warnings := slices.DeleteFunc(a.Warnings, func(w string) bool { return strings.HasPrefix(w, aRemark) })
	switch {
	case a.Status != "success":
		return malformed(nil, "status %q: %s", a.Status, a.Error)
	case len(warnings) > 0:
		return &usage.Failure{Reason: usage.ReasonPartial, Detail: "the answer has warnings, so it may be incomplete: " + warnings[0]}
	case a.Partial:
		return &usage.Failure{Reason: usage.ReasonPartial, Detail: "the server says that the answer is incomplete (isPartial)"}
	case a.Data.Type != "matrix":
		return malformed(nil, "the answer must be a matrix, but is a %q", a.Data.Type)
	}
	return nil
}

// read reads the samples of a series. One that cannot be an intensity is none; of two of the same
// minute, the last counts.
func (s rangeSeries) read(m minutes, unit usage.GramsPerKWh) ([]usage.GramsPerKWh, usage.Rejects) {
	values, rejects := slices.Repeat([]usage.GramsPerKWh{none}, m.n), usage.Rejects{}
	before := int(m.asked.Sub(m.first) / step)
	came := make([]bool, m.n)
	for _, raw := range s.Values {
		i, v, reason := sample(raw, m, unit)
		if i >= 0 {
			if came[i] {
				reason = RejectDuplicate
			}
			values[i], came[i] = v, true
		}
		if reason != "" && (i < 0 || i >= before) {
			rejects[reason]++
		}
	}
	if n := len(s.Histograms); n > 0 {
		rejects[RejectValue] += n
	}
	return values, rejects
}

// sample reads the minute and the value of one sample, or why it is refused. The minute is below 0
// if it is none that was asked for. Some servers move the moments that they were asked for, so any
// moment of a minute will do.
func sample(raw json.RawMessage, m minutes, unit usage.GramsPerKWh) (i int, v usage.GramsPerKWh, reason string) {
	var pair []json.RawMessage
	var at *float64
	if json.Unmarshal(raw, &pair) != nil || len(pair) != 2 || json.Unmarshal(pair[0], &at) != nil || at == nil {
		return -1, none, RejectTime
	}
	minute := math.Floor((*at - float64(m.first.Unix())) / step.Seconds())
	if !(minute >= 0 && minute < float64(m.n)) {
		return -1, none, RejectTime
	}
	// A number without quotes is a number, too.
	x, err := strconv.ParseFloat(strings.Trim(string(pair[1]), `"`), 64)
	if v = usage.GramsPerKWh(x) * unit; err != nil || !(v >= 0 && v <= usage.MaxIntensity) {
		return int(minute), none, RejectValue
	}
	return int(minute), v, ""
}

// differing names the labels that do not have the same value in all series, in order.
func differing(series []rangeSeries) (names []string) {
	all := map[string]bool{}
	for _, s := range series {
		for name := range s.Labels {
			all[name] = true
		}
	}
	for _, name := range slices.Sorted(maps.Keys(all)) {
		if slices.ContainsFunc(series, func(s rangeSeries) bool { return s.Labels[name] != series[0].Labels[name] }) {
			names = append(names, name)
		}
	}
	return names
}
