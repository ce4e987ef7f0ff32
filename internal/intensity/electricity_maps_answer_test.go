// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !race

package intensity

import (
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// emOdd are answers as servers, proxies and mistakes make them, to a request for FR.
var emOdd = []struct {
	name, text string
	minutes    int  // that were asked for
	measured   bool // whether only measured values were
	want       string
	rejects    usage.Rejects
	fails      string
}{
	{name: "version 4", text: `{"zone":"FR","temporalGranularity":"hourly","data":[{"datetime":"2026-06-01T12:00:00.000Z","carbonIntensity":40,"isEstimated":false,"estimationMethod":null}]}`, want: "12:00/60 40"},
	{name: "version 3", text: `{"zone":"FR","history":[{"zone":"FR","datetime":"2026-06-01T12:00:00Z","carbonIntensity":40.5,"isEstimated":true,"emissionFactorType":"lifecycle"}]}`, want: "12:00/60 40.5 estimated"},
	{name: "zones in the values only", text: `{"data":[{"zone":"FR","datetime":"2026-06-01T12:00:00Z","carbonIntensity":40}]}`, want: "12:00/60 40"},
	{name: "no zone", text: `{"data":[{"datetime":"2026-06-01T12:00+00:00","carbonIntensity":"40","isEstimated":"true"}]}`, want: "12:00/60 40 estimated"},
	{name: "another offset", text: `{"zone":"fr","data":[{"datetime":"2026-06-01T14:00:00+02:00","carbonIntensity":40}]}`, want: "12:00/60 40"},
	{name: "not known yet", text: `{"zone":"FR","data":[{"datetime":"2026-06-01T12:00:00Z","carbonIntensity":null},{"datetime":"2026-06-01T13:00:00Z"}]}`, want: "nothing"},
	{name: "a method and no flag", text: `{"zone":"FR","data":[{"datetime":"2026-06-01T12:00:00Z","carbonIntensity":40,"estimationMethod":"MODE_BREAKDOWN"}]}`, want: "12:00/60 40 estimated"},
	{name: "an estimate that nobody wanted", measured: true, text: `{"zone":"FR","data":[{"datetime":"2026-06-01T12:00:00Z","carbonIntensity":40,"isEstimated":true}]}`, want: "nothing"},
	{name: "zero is a number", text: `{"zone":"FR","data":[{"datetime":"2026-06-01T12:00:00Z","carbonIntensity":0}]}`, want: "12:00/60 0"},
	{
		name:    "each bad value spoils itself",
		text:    `{"zone":"FR","temporalGranularity":"hourly","data":[{"datetime":"soon","carbonIntensity":1},{"carbonIntensity":1},{"datetime":"2026-06-01T12:00:00Z","carbonIntensity":"low"},{"datetime":"2026-06-01T13:00:00Z","carbonIntensity":NaN},7,{"datetime":1780315200,"carbonIntensity":1},{"datetime":"2026-06-01T15:00:00Z","carbonIntensity":55}]}`,
		rejects: usage.Rejects{RejectTime: 3, RejectValue: 3}, want: "15:00/60 55",
	},
	{name: "hours said to be five minutes", minutes: 5, text: `{"zone":"FR","temporalGranularity":"5_minutes","data":[{"datetime":"2026-06-01T12:00:00Z","carbonIntensity":1},{"datetime":"2026-06-01T13:00:00Z","carbonIntensity":2},{"datetime":"2026-06-01T14:00:00Z","carbonIntensity":3}]}`, want: "12:00/60 1, 13:00/60 2, 14:00/60 3, remark"},
	{name: "hours in place of five minutes", minutes: 5, text: `{"zone":"FR","data":[{"datetime":"2026-06-01T12:00:00Z","carbonIntensity":1,"temporalGranularity":"hourly"}]}`, want: "12:00/60 1, remark"},
	{name: "hours without a word", minutes: 15, text: `{"zone":"FR","data":[{"datetime":"2026-06-01T12:00:00Z","carbonIntensity":1},{"datetime":"2026-06-01T13:00:00Z","carbonIntensity":2}]}`, want: "12:00/60 1, 13:00/60 2, remark"},
	{name: "five minutes with a hole", minutes: 5, text: `{"zone":"FR","temporalGranularity":"5_minutes","data":[{"datetime":"2026-06-01T12:00:00Z","carbonIntensity":1},{"datetime":"2026-06-01T12:15:00Z","carbonIntensity":2}]}`, want: "12:00/5 1, 12:15/5 2"},
	{name: "finer than asked for", text: `{"zone":"FR","data":[{"datetime":"2026-06-01T12:00:00Z","carbonIntensity":1},{"datetime":"2026-06-01T12:15:00Z","carbonIntensity":2}]}`, want: "12:00/15 1, 12:15/15 2"},
	{name: "days", text: `{"zone":"FR","temporalGranularity":"daily","data":[{"datetime":"2026-06-01T00:00:00Z","carbonIntensity":1}]}`, want: "00:00/1440 1, remark"},
	{name: "days without a word", text: `{"zone":"FR","data":[{"datetime":"2026-06-01T00:00:00Z","carbonIntensity":1},{"datetime":"2026-06-02T00:00:00Z","carbonIntensity":1},{"datetime":"2026-06-03T00:00:00Z","carbonIntensity":1}]}`, want: "00:00/1440 1, 00:00/1440 1, 00:00/1440 1, remark"},
	{name: "no values", text: `{"zone":"FR","data":[]}`, want: ""},
	{name: "no measured values", measured: true, text: `{"zone":"FR","data":[]}`, want: "nothing"},
	{name: "nothing", text: `{}`, fails: "the answer has no list of values"},
	{name: "no text", text: ``, fails: "not JSON"},
	{name: "an error", text: `{"error":"Zone 'XX' does not exist."}`, fails: "Zone 'XX' does not exist."},
	{name: "null", text: `null`, fails: "no list"},
	{name: "a list", text: `[1]`, fails: "not JSON in the API's format"},
	{name: "a page", text: `<html>login</html>`, fails: "not JSON"},
	{name: "forecasts in place of what was", text: `{"zone":"FR","forecast":[{"datetime":"2026-06-01T12:00:00Z","carbonIntensity":40}]}`, fails: "no list"},
	{name: "another zone", text: `{"zone":"DE","data":[]}`, fails: "asked for zone FR and got zone DE"},
	{name: "another zone within", text: `{"zone":"FR","data":[{"zone":"DE","datetime":"2026-06-01T12:00:00Z","carbonIntensity":40}]}`, fails: "asked for zone FR and got zone DE"},
	{name: "another zone of the whole, ours within", text: `{"zone":"DE","data":[{"zone":"FR","datetime":"2026-06-01T12:00:00Z","carbonIntensity":40}]}`, fails: "asked for zone FR and got zone DE"},
	{name: "other emissions", text: `{"zone":"FR","data":[{"datetime":"2026-06-01T12:00:00Z","carbonIntensity":40,"emissionFactorType":"direct"}]}`, fails: "asked for lifecycle emissions and got direct"},
}

func TestElectricityMapsAnswers(t *testing.T) {
	for _, test := range emOdd {
		t.Run(test.name, func(t *testing.T) {
			q := emQuestion{Zone: "FR", Emissions: usage.Lifecycle, Step: time.Hour, Estimates: !test.measured, Kind: usage.Actual}
			if test.minutes > 0 {
				q.Step = time.Duration(test.minutes) * time.Minute
			}
			a, err := decodeElectricityMaps([]byte(test.text), q)
			if test.fails != "" {
				if wantFailure(t, err, usage.ReasonMalformed); !strings.Contains(err.Error(), test.fails) || len(a.Values) > 0 {
					t.Errorf("got %v", err)
				}
				return
			}
			if err != nil || saysAnswer(a) != test.want || !maps.Equal(a.Rejects, test.rejects) && len(a.Rejects)+len(test.rejects) > 0 {
				t.Errorf("got %s, %v, %v", saysAnswer(a), a.Rejects, err)
			}
		})
	}
}

// saysAnswer writes an answer for comparison: start, minutes, value and quality.
func saysAnswer(a Answer) string {
	var parts []string
	for _, v := range a.Values {
		parts = append(parts, strings.TrimSpace(fmt.Sprintf("%s/%.0f %v %s", v.From.Format("15:04"), v.To.Sub(v.From).Minutes(), v.Intensity, v.Quality)))
	}
	if a.Nothing {
		parts = append(parts, "nothing")
	}
	if len(a.Remarks) > 0 {
		parts = append(parts, "remark")
	}
	return strings.Join(parts, ", ")
}

// FuzzElectricityMaps holds an answer to what Feed relies on: each value that it does not refuse
// is sane, and there are no more than objects.
func FuzzElectricityMaps(f *testing.F) {
	for _, test := range emOdd {
		f.Add([]byte(test.text), test.measured)
	}
	f.Fuzz(func(t *testing.T, text []byte, forecast bool) {
		q := emQuestion{Zone: "FR", Emissions: usage.Lifecycle, Step: 15 * time.Minute, Estimates: true, Kind: usage.Actual}
		if forecast {
			q.Kind = usage.Forecast
		}
		a, err := decodeElectricityMaps(text, q)
		if err != nil {
			wantFailure(t, err, usage.ReasonMalformed)
			return
		}
		if n := strings.Count(string(text), "{"); len(a.Values)+count(a.Rejects) > len(text) || len(a.Values) > n {
			t.Errorf("made %d values and %d rejects of %d objects", len(a.Values), count(a.Rejects), n)
		}
		for _, v := range a.Values {
			if reason := refuse(v, at("2026-06-02T00:00:00Z")); reason == "" && (!v.From.Before(v.To) || v.From.IsZero() || v.Kind != q.Kind || v.To.Sub(v.From) > longestValue) {
				t.Errorf("takes %+v", v)
			}
		}
	})
}
