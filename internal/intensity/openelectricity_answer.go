// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package intensity

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

var errNoKey = errors.New("it is empty")

// The units of what is counted, and how many t or MWh each is. None is the API's own.
var (
	openElectricityEnergy    = map[string]float64{"": 1, "MWh": 1, "GWh": 1000, "kWh": 0.001}
	openElectricityEmissions = map[string]float64{"": 1, "t": 1, "tCO2": 1, "tCO2e": 1, "kg": 0.001}
)

// openElectricitySeries is one metric, in parts: of regions or of ways to generate.
type openElectricitySeries struct {
	Network string `json:"network_code"`
	Metric  string `json:"metric"`
	Unit    string `json:"unit"`
	Step    string `json:"interval"`
	Parts   []struct {
		Name    string            `json:"name"`
		Columns json.RawMessage   `json:"columns"` // what tells it from other parts, beside its name and place
		Data    []json.RawMessage `json:"data"`
	} `json:"results"`
}

// decodeOpenElectricity divides the emissions of each time by its energy.
func decodeOpenElectricity(text []byte, network, region string) (a Answer, err error) {
	var in struct {
		Success *bool                   `json:"success"`
		Series  []openElectricitySeries `json:"data"`
	}
	if err := json.Unmarshal(strictJSON(text), &in); err != nil {
		return a, malformed(nil, "the answer is not JSON in the API's format: %s", text)
	}
	if in.Series == nil || in.Success != nil && !*in.Success {
		return a, malformed(nil, "the answer has no data: %s", text)
	}
	a.Rejects = usage.Rejects{}
	energy, emissions := newSums(), newSums()
	for _, s := range in.Series {
		sums, units := energy, openElectricityEnergy
		switch s.Metric {
		case "energy":
		case "emissions":
			sums, units = emissions, openElectricityEmissions
		default:
			continue
		}
		unit, ok := units[s.Unit]
		if !ok {
			return a, malformed(nil, "%s is in %q, which is no unit of it", s.Metric, s.Unit)
		}
		if s.Network != "" && s.Network != network {
			return a, elsewhere(network, s.Network)
		}
		if s.Step != "" && s.Step != "5m" {
			a.remark("OpenElectricity gives steps that are coarser than the five minutes that were asked for.")
		}
		if err := sums.add(s, unit, network, region, a.Rejects); err != nil {
			return a, err
		}
	}
	a.Values = quotients(energy, emissions, a.Rejects)
	a.Nothing = len(a.Values) == 0
	return a, nil
}

func (a *Answer) remark(text string) {
	if !slices.Contains(a.Remarks, text) {
		a.Remarks = append(a.Remarks, text)
	}
}

func elsewhere(asked, got string) error {
	return &usage.Failure{
		Reason: usage.ReasonMalformed, Detail: fmt.Sprintf("asked for %s and got %.32q", asked, got),
		Cause: "OpenElectricity answered for another network or region than " + asked + "; check openelectricity.network, region and url",
	}
}

// sums is what all parts have of a metric, by time; nil: a part does not know it. A part that is
// listed again takes the place of the first.
type sums struct {
	parts map[string]map[time.Time]*float64
}

func newSums() *sums { return &sums{parts: map[string]map[time.Time]*float64{}} }

// add adds the parts of a series that are of a region.
func (s *sums) add(series openElectricitySeries, unit float64, network, region string, rejects usage.Rejects) error {
	ours, other := 0, ""
	for i, part := range series.Parts {
		var columns struct {
			Region        string `json:"region"`
			NetworkRegion string `json:"network_region"`
		}
		_ = json.Unmarshal(part.Columns, &columns) // a part without them is of the whole
		if got := cmp.Or(columns.NetworkRegion, columns.Region); region != "" && got != "" && got != region {
			other = got
			continue
		}
		ours++
		known := map[time.Time]*float64{} // of two values of a time the last counts
		for _, raw := range part.Data {
			at, number, reason := readPoint(raw, zoneOf(network))
			switch {
			case reason == RejectTime:
				rejects[reason]++
			case reason != "":
				rejects[reason]++
				known[at] = nil
			case number == nil:
				known[at] = nil
			default:
				known[at] = new(*number * unit)
			}
		}
		s.parts[fmt.Sprintf("%s %s %d", part.Name, part.Columns, i)] = known
	}
	if ours == 0 && other != "" {
		return elsewhere(region, other)
	}
	return nil
}

// times lists those of which anything is said, if only that it is not known.
func (s *sums) times() (all []time.Time) {
	for _, known := range s.parts {
		all = slices.AppendSeq(all, maps.Keys(known))
	}
	return all
}

// at is the sum of all parts at a time; false: one of them does not know it, or has not said it.
func (s *sums) at(at time.Time) (sum float64, ok bool) {
	for _, known := range s.parts {
		if known[at] == nil {
			return 0, false
		}
		sum += *known[at]
	}
	return sum, len(s.parts) > 0
}

// readPoint reads a time and its value; nil: it is not known.
func readPoint(raw json.RawMessage, zone *time.Location) (at time.Time, number *float64, reason string) {
	var point []json.RawMessage
	var text string
	if json.Unmarshal(raw, &point) != nil || len(point) != 2 || json.Unmarshal(point[0], &text) != nil {
		return at, nil, RejectTime
	}
	at, err := readNaive(text, zone)
	if err != nil {
		return at, nil, RejectTime
	}
	if number, err = readNumber(point[1]); err != nil {
		return at, nil, RejectValue
	}
	return at, number, ""
}

// quotients are the values of all times that have both, and energy to divide by.
func quotients(energy, emissions *sums, rejects usage.Rejects) (values []Value) {
	starts := slices.Concat(energy.times(), emissions.times())
	for at, lasts := range lengths(starts, openElectricityStep) {
		tonnes, ok := emissions.at(at)
		mwh, has := energy.at(at)
		if !ok || !has {
			continue
		}
		if mwh <= 0 {
			rejects[RejectValue]++
			continue
		}
		const perTonnePerMWh = 1000 // g/kWh
		values = append(values, Value{
			From: at, To: at.Add(lasts), Kind: usage.Actual,
			Intensity: usage.GramsPerKWh(tonnes / mwh * perTonnePerMWh),
		})
	}
	return values
}
