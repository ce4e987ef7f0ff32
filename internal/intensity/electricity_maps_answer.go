// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package intensity

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// emAnswer is an answer. Its list is data or, of some endpoints, history or forecast.
type emAnswer struct {
	emLabels
	Data     []json.RawMessage `json:"data"`
	History  []json.RawMessage `json:"history"`
	Forecast []json.RawMessage `json:"forecast"`
}

// emLabels are what an answer and each of its values may say of themselves.
type emLabels struct {
	Zone        string `json:"zone"`
	Emissions   string `json:"emissionFactorType"`
	Granularity string `json:"temporalGranularity"`
}

// emValue is a value. All is raw: one that cannot be read spoils only itself.
type emValue struct {
	emLabels
	At        json.RawMessage `json:"datetime"`
	Intensity json.RawMessage `json:"carbonIntensity"`
	Estimated json.RawMessage `json:"isEstimated"`
	Method    json.RawMessage `json:"estimationMethod"`
}

// emPoint is a value that can be read, without its end.
type emPoint struct {
	Value
	label time.Duration // the step that the answer names; 0: none
	known bool
}

func (m *ElectricityMaps) decode(text []byte, kind usage.Kind) (Answer, error) {
	return decodeElectricityMaps(text, emQuestion{Zone: m.Zone, Emissions: m.emissions(), Step: m.step(), Estimates: m.Estimates, Kind: kind})
}

// emQuestion is what was asked for.
type emQuestion struct {
	Zone, Emissions string
	Step            time.Duration
	Estimates       bool
	Kind            usage.Kind
}

// decodeElectricityMaps reads an answer. It must not be of something else than was asked for: the
// numbers of another zone would look right and be wrong. One that does not say of what it is, is of
// what was asked for.
func decodeElectricityMaps(text []byte, q emQuestion) (Answer, error) {
	var a emAnswer
	if err := json.Unmarshal(strictJSON(text), &a); err != nil {
		return Answer{}, malformed(nil, "the answer is not JSON in the API's format: %s", text)
	}
	raw := a.Data
	switch {
	case raw == nil && q.Kind == usage.Forecast:
		raw = a.Forecast
	case raw == nil:
		raw = a.History
	}
	if raw == nil {
		return Answer{}, malformed(nil, "the answer has no list of values: %s", text)
	}
	if err := q.differs(a.emLabels); err != nil {
		return Answer{}, err
	}
	read := Answer{Rejects: usage.Rejects{}}
	var points []emPoint
	for _, one := range raw {
		v := emValue{}
		if err := json.Unmarshal(one, &v); err != nil {
			read.Rejects[RejectValue]++
			continue
		}
		if err := q.differs(v.emLabels); err != nil {
			return Answer{}, err
		}
		p, reason := q.point(v, a.emLabels)
		if reason != "" {
			read.Rejects[reason]++
			continue
		}
		points = append(points, p)
	}
	q.give(&read, points)
	// All hours have estimates, so an empty list is no answer unless estimates are left out.
	read.Nothing = len(read.Values) == 0 && (len(points) > 0 || !q.Estimates)
	return read, nil
}

// differs says that an answer is of something else than was asked for.
func (q emQuestion) differs(l emLabels) error {
	switch {
	case l.Zone != "" && !strings.EqualFold(l.Zone, q.Zone):
		return &usage.Failure{
			Reason: usage.ReasonMalformed, Permanent: true,
			Detail: fmt.Sprintf("asked for zone %s and got zone %s", q.Zone, l.Zone),
			Cause:  fmt.Sprintf("Electricity Maps answers with zone %s in place of %s, as it does where it does not know a zone: correct zone", l.Zone, q.Zone),
		}
	case l.Emissions != "" && !strings.EqualFold(l.Emissions, q.Emissions):
		return &usage.Failure{
			Reason: usage.ReasonMalformed, Permanent: true,
			Detail: fmt.Sprintf("asked for %s emissions and got %s", q.Emissions, l.Emissions),
			Cause:  fmt.Sprintf("Electricity Maps answers with %s emissions in place of %s: declare in basis.emissions what your plan has", l.Emissions, q.Emissions),
		}
	}
	return nil
}

func (q emQuestion) point(v emValue, whole emLabels) (p emPoint, reject string) {
	at, ok := zonedOf(v.At)
	if !ok {
		return p, RejectTime
	}
	p.From, p.Kind = at, q.Kind
	p.label = granularities[v.Granularity]
	if p.label == 0 {
		p.label = granularities[whole.Granularity]
	}
	number, err := readNumber(v.Intensity)
	if err != nil {
		return p, RejectValue
	}
	if number == nil {
		return p, ""
	}
	p.Intensity, p.known = usage.GramsPerKWh(*number), true
	if estimated := strings.Trim(string(v.Estimated), `"`) == "true" || isNull(v.Estimated) && !isNull(v.Method); estimated && q.Kind == usage.Actual {
		p.Quality = usage.QualityEstimated
		p.known = q.Estimates // asked for none, and got one all the same
	}
	return p, ""
}

// give makes values of points: each lasts for a step.
func (q emQuestion) give(a *Answer, points []emPoint) {
	starts := map[time.Duration][]time.Time{}
	for _, p := range points {
		starts[p.label] = append(starts[p.label], p.From)
	}
	steps, coarsest := map[time.Duration]time.Duration{}, time.Duration(0)
	for label, times := range starts {
		steps[label] = q.stepOf(times, label)
		coarsest = max(coarsest, steps[label])
	}
	for _, p := range points {
		if p.known {
			p.To = p.From.Add(steps[p.label])
			a.Values = append(a.Values, p.Value)
		}
	}
	if coarsest > q.Step {
		a.Remarks = append(a.Remarks, fmt.Sprintf("Electricity Maps answers in steps of %.0f minutes where granularity asks for %.0f: the plan of the key has no finer ones",
			coarsest.Minutes(), q.Step.Minutes()))
	}
}

// stepOf is how long each of some values lasts. What the answer names counts, unless the values
// follow each other in another step all the way.
func (q emQuestion) stepOf(times []time.Time, label time.Duration) time.Duration {
	gap, regular := spacing(times)
	switch {
	case regular && (gap <= longestValue || label == 0):
		return gap
	case label > 0:
		return label
	case gap > 0 && gap <= longestValue:
		return gap
	}
	return q.Step
}

// spacing is the shortest time between two of these times; regular: all are, and there are three or
// more. 0: there are not two.
func spacing(times []time.Time) (shortest time.Duration, regular bool) {
	times = slices.Clone(times)
	slices.SortFunc(times, time.Time.Compare)
	times = slices.CompactFunc(times, time.Time.Equal)
	var longest time.Duration
	for i := 1; i < len(times); i++ {
		gap := times[i].Sub(times[i-1])
		if i == 1 || gap < shortest {
			shortest = gap
		}
		longest = max(longest, gap)
	}
	return shortest, len(times) > 2 && shortest == longest
}
