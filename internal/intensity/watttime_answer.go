// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package intensity

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// gramsPerPound is exact, by the international pound of 1959; a lb/MWh is a thousandth of that in
// g/kWh.
const gramsPerPound = 453.59237

// wattTimeStep is how long a value lasts of which nothing is said.
const wattTimeStep = 5 * time.Minute

// wattTimeAnswer is an answer, without its values.
type wattTimeAnswer struct {
	Data []json.RawMessage `json:"data"`
	Meta struct {
		Region string          `json:"region"`
		Signal string          `json:"signal_type"`
		Units  string          `json:"units"`
		Step   json.RawMessage `json:"data_point_period_seconds"`
		Model  struct {
			Date string `json:"date"`
		} `json:"model"`
	} `json:"meta"`
}

// wattTimeValue is a value. All is raw: one that cannot be read spoils only itself.
type wattTimeValue struct {
	At      json.RawMessage `json:"point_time"`
	Value   json.RawMessage `json:"value"`
	Imputed json.RawMessage `json:"imputed_data_used"`
	Updated json.RawMessage `json:"last_updated"`
}

// decodeWattTime reads an answer, and the date of the model that it is by. It must not be of
// another region or signal than was asked for; one that does not say of which it is, is of these.
func decodeWattTime(text []byte, region, signal string, kind usage.Kind) (read Answer, model string, err error) {
	var a wattTimeAnswer
	if err := json.Unmarshal(strictJSON(text), &a); err != nil {
		return read, "", malformed(nil, "the answer is not JSON in the API's format: %s", text)
	}
	if a.Data == nil {
		return read, "", malformed(nil, "the answer has no list of values: %s", text)
	}
	if err := a.differs(region, signal); err != nil {
		return read, "", err
	}
	var starts []time.Time
	read.Rejects = usage.Rejects{}
	updated := map[time.Time]time.Time{}
	for _, one := range a.Data {
		v := wattTimeValue{}
		if err := json.Unmarshal(one, &v); err != nil {
			read.Rejects[RejectValue]++
			continue
		}
		at, ok := zonedOf(v.At)
		if !ok {
			read.Rejects[RejectTime]++
			continue
		}
		starts = append(starts, at)
		pounds, err := readNumber(v.Value)
		if err != nil {
			read.Rejects[RejectValue]++
			continue
		}
		if pounds == nil {
			continue
		}
		// A time that comes twice has the value that was updated last.
		if when, ok := zonedOf(v.Updated); ok {
			if when.Before(updated[at]) {
				read.Rejects[RejectDuplicate]++
				continue
			}
			updated[at] = when
		}
		value := Value{From: at, Intensity: usage.GramsPerKWh(*pounds * gramsPerPound / 1000), Kind: kind}
		if kind == usage.Actual && strings.Trim(string(v.Imputed), `"`) == "true" {
			value.Quality = usage.QualityEstimated
		}
		read.Values = append(read.Values, value)
	}
	step := a.step(starts)
	for i := range read.Values {
		read.Values[i].To = read.Values[i].From.Add(step)
	}
	slices.SortStableFunc(read.Values, func(a, b Value) int { return a.From.Compare(b.From) })
	read.Nothing = len(read.Values) == 0
	return read, a.model(), nil
}

// differs says that an answer is of something else than was asked for.
func (a *wattTimeAnswer) differs(region, signal string) error {
	m := a.Meta
	switch {
	case m.Region != "" && !strings.EqualFold(m.Region, region), m.Signal != "" && !strings.EqualFold(m.Signal, signal):
		return &usage.Failure{
			Reason: usage.ReasonMalformed, Permanent: true,
			Detail: fmt.Sprintf("asked for %s of region %s and got %s of region %s", signal, region, cmp.Or(m.Signal, signal), cmp.Or(m.Region, region)),
			Cause:  fmt.Sprintf("WattTime answers with %s of region %s in place of %s of %s: correct region and signal", cmp.Or(m.Signal, signal), cmp.Or(m.Region, region), signal, region),
		}
	}
	if unit := strings.ToLower(m.Units); unit != "" && (!strings.HasPrefix(unit, "lb") || !strings.HasSuffix(unit, "mwh")) {
		return &usage.Failure{
			Reason: usage.ReasonMalformed, Permanent: true,
			Detail: fmt.Sprintf("the values are in %s", m.Units),
			Cause:  fmt.Sprintf("WattTime answers in %s, and only pounds per MWh can be read", m.Units),
		}
	}
	return nil
}

// step is how long each of the values lasts that begin at these times: as the answer says, or as
// they follow each other all the way.
func (a *wattTimeAnswer) step(starts []time.Time) time.Duration {
	seconds, err := strconv.Atoi(wordOf(a.Meta.Step))
	if err == nil && seconds > 0 && seconds <= int(day/time.Second) {
		return time.Duration(seconds) * time.Second
	}
	if gap, regular := spacing(starts); regular && gap <= longestValue {
		return gap
	}
	return wattTimeStep
}

// model is the date of the model; empty: it is none.
func (a *wattTimeAnswer) model() string {
	if _, err := time.Parse(time.DateOnly, a.Meta.Model.Date); err != nil {
		return ""
	}
	return a.Meta.Model.Date
}

// decodeWattTimeLogin reads the token. What it cannot read is not quoted: it may be one.
func decodeWattTimeLogin(text []byte) (string, error) {
	var a struct {
		Token string `json:"token"`
	}
	if err := json.Unmarshal(text, &a); err != nil {
		return "", malformed(nil, "the answer to the login is not JSON in the API's format")
	}
	odd := func(r rune) bool { return r <= ' ' || r > '~' }
	if a.Token == "" || strings.ContainsFunc(a.Token, odd) {
		return "", malformed(nil, "the answer to the login has no token")
	}
	return a.Token, nil
}
