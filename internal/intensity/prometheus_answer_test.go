// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !race

package intensity

import (
	"io"
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// inMatrix is an answer with these series.
func inMatrix(series ...string) string {
	return `{"status":"success","data":{"resultType":"matrix","result":[` + strings.Join(series, ",") + `]}}`
}

func TestAnswersOfASeriesThatAreNone(t *testing.T) {
	for _, test := range []struct{ name, answer, reason, detail, cause string }{
		{name: "nothing", answer: "", reason: usage.ReasonMalformed, detail: "not JSON in the format of query_range"},
		{name: "an empty object", answer: "{}", reason: usage.ReasonMalformed, detail: `status ""`},
		{name: "null", answer: "null", reason: usage.ReasonMalformed, detail: `status ""`},
		{name: "a list", answer: "[]", reason: usage.ReasonMalformed, detail: "not JSON in the format"},
		{name: "an answer that breaks off", answer: `{"status":"success","data":{"resultType":"matrix","result":[`, reason: usage.ReasonMalformed, detail: "not JSON"},
		{name: "an error with a good status", answer: `{"status":"error","errorType":"execution","error":"out of memory"}`, reason: usage.ReasonMalformed, detail: `status "error": out of memory`},
		{name: "a vector", answer: `{"status":"success","data":{"resultType":"vector","result":[]}}`, reason: usage.ReasonMalformed, detail: `must be a matrix, but is a "vector"`},
		{name: "a warning", answer: strings.Replace(inMatrix(`{"metric":{},"values":[[1780315200,"1"]]}`), `"data"`, `"warnings":["a store is away"],"data"`, 1), reason: usage.ReasonPartial, detail: "a store is away"},
		{name: "a part", answer: strings.Replace(inMatrix(`{"metric":{},"values":[[1780315200,"1"]]}`), `"data"`, `"isPartial":true,"data"`, 1), reason: usage.ReasonPartial, detail: "isPartial"},
		{
			name: "no series", answer: inMatrix(), reason: usage.ReasonMalformed, detail: "no series",
			cause: "the query of carbon intensity returns no series from 2026-06-01T11:00Z to 2026-06-01T13:00Z: check its name and labels in the server's own page, and that its exporter was scraped then",
		},
		{name: "null in place of no series", answer: `{"status":"success","data":{"resultType":"matrix","result":null}}`, reason: usage.ReasonMalformed, detail: "no series"},
		{
			name:   "two series",
			answer: inMatrix(`{"metric":{"a":"1","location":"FR","z":"1"},"values":[]}`, `{"metric":{"a":"1","location":"DE"},"values":[]}`),
			reason: usage.ReasonMalformed, detail: "2 series",
			cause: "the query of carbon intensity returns 2 series, which differ in location, z: name one by its labels, or aggregate them, such as avg(...)",
		},
		{name: "a series without a value", answer: inMatrix(`{"metric":{},"values":[]}`), reason: usage.ReasonMalformed, detail: "none of the 0 slots"},
		{name: "histograms", answer: inMatrix(`{"metric":{},"histograms":[[1780315200,{"count":"1"}]]}`), reason: usage.ReasonMalformed, detail: "1 intensity_value"},
		{name: "another time", answer: inMatrix(`{"metric":{},"values":[[1680315200,"1"],[1790315200,"1"]]}`), reason: usage.ReasonMalformed, detail: "2 intensity_time"},
		{name: "another unit", answer: inMatrix(`{"metric":{},"values":[[1780315200,"300000"]]}`), reason: usage.ReasonMalformed, detail: "1 intensity_value"},
	} {
		t.Run(test.name, func(t *testing.T) {
			f := promAt(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, test.answer) }), nil)
			slots, _, err := f.Slots(t.Context(), at("2026-06-01T12:00:00Z"), at("2026-06-01T13:00:00Z"))
			wantFailure(t, err, test.reason)
			if len(slots) != 0 || !strings.Contains(err.Error(), test.detail) {
				t.Errorf("got %s, %v, want %q", say(slots), err, test.detail)
			}
			if test.cause != "" && usage.Cause(err) != test.cause {
				t.Errorf("got  %s\nwant %s", usage.Cause(err), test.cause)
			}
		})
	}
}

// 1780315200 is 2026-06-01T12:00:00Z.
func TestOneSampleDoesNotSpoilTheOthers(t *testing.T) {
	for _, test := range []struct {
		name, values, want string
		rejects            usage.Rejects
	}{
		{name: "a good one", values: `[1780315200,"100"]`, want: "12:00 - 100"},
		{name: "a number without quotes", values: `[1780315200,100]`, want: "12:00 - 100"},
		{name: "a moment with milliseconds", values: `[1780315200.000,"1e2"]`, want: "12:00 - 100"},
		{name: "not a number", values: `[1780315200,"100"],[1780315260,"NaN"]`, want: "12:00 - 100", rejects: usage.Rejects{RejectValue: 1}},
		{name: "not a number, without quotes", values: `[1780315200,"100"],[1780315260,NaN]`, want: "12:00 - 100", rejects: usage.Rejects{RejectValue: 1}},
		{name: "infinity", values: `[1780315200,"100"],[1780315260,"+Inf"],[1780315320,"-Inf"]`, want: "12:00 - 100", rejects: usage.Rejects{RejectValue: 2}},
		{name: "a negative one", values: `[1780315200,"100"],[1780315260,"-1"]`, want: "12:00 - 100", rejects: usage.Rejects{RejectValue: 1}},
		{name: "no value", values: `[1780315200,"100"],[1780315260,null],[1780315320,"None"],[1780315380,{}]`, want: "12:00 - 100", rejects: usage.Rejects{RejectValue: 3}},
		{name: "no pair", values: `[1780315200,"100"],[1780315260],null,7,["x","1"],[null]`, want: "12:00 - 100", rejects: usage.Rejects{RejectTime: 5}},
		{name: "the moments that were asked for", values: `[1780315259.999,"100"],[1780316159.999,"300"]`, want: "12:00 - 200"},
		{name: "another time", values: `[1780315200,"100"],[1790315200,"50"],[1e300,"1"],[-1e300,"1"]`, want: "12:00 - 100", rejects: usage.Rejects{RejectTime: 3}},
		{name: "a minute twice", values: `[1780315200,"50"],[1780315215,"100"]`, want: "12:00 - 100", rejects: usage.Rejects{RejectDuplicate: 1}},
		{name: "what is odd before the range is not of it", values: `[1780315140,"NaN"],[1780315200,"100"]`, want: "12:00 - 100"},
		{name: "half of it", values: `[1780315200,"100"],[1780316100,"300"]`, want: "12:00 - 200"},
	} {
		t.Run(test.name, func(t *testing.T) {
			f := promAt(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				io.WriteString(w, inMatrix(`{"metric":{"location":"FR"},"values":[`+test.values+`]}`))
			}), nil)
			slots, rejects, err := f.Slots(t.Context(), at("2026-06-01T12:00:00Z"), at("2026-06-01T12:30:00Z"))
			if say(slots) != test.want || !maps.Equal(rejects, test.rejects) || err != nil {
				t.Errorf("got %s, %v, %v, want %s, %v", say(slots), rejects, err, test.want, test.rejects)
			}
		})
	}
}

func TestARemarkOnTheQueryIsNoWarning(t *testing.T) {
	answer := strings.Replace(inMatrix(`{"metric":{},"values":[[1780315200,"1"]]}`), `"data"`, `"warnings":["PromQL info: metric might not be a gauge"],"infos":["x"],"data"`, 1)
	f := promAt(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, answer) }), nil)
	if slots, _, err := f.Slots(t.Context(), at("2026-06-01T12:00:00Z"), at("2026-06-01T12:30:00Z")); len(slots) != 1 || err != nil {
		t.Errorf("got %s, %v", say(slots), err)
	}
}

// FuzzPrometheus: whatever comes, a minute has a value that a grid can have, or none.
func FuzzPrometheus(f *testing.F) {
	for _, text := range []string{
		"", "{}", "null", inMatrix(), inMatrix(`{"metric":{},"values":[[1780315200,"1"],[1780315260,NaN],[1e300,"1"],[0,"-1"],[],null]}`),
		inMatrix(`{"metric":{"a":"b"}}`, `{"metric":{}}`), `{"status":"success","data":{"resultType":"matrix","result":[{"values":[[1780315200.5,"0x1p-1074"]]}]}}`,
	} {
		f.Add(text)
	}
	m := minutes{first: at("2026-06-01T11:00:00Z"), n: 120, asked: at("2026-06-01T12:00:00Z")}
	f.Fuzz(func(t *testing.T, text string) {
		values, _, err := decodePrometheus([]byte(text), m, 1)
		if err != nil {
			return
		}
		if len(values) != m.n {
			t.Fatalf("%d minutes", len(values))
		}
		bridge(values, 60)
		end := m.first
		for _, v := range joined(values, m.first) {
			if v.Intensity < 0 || v.Intensity > usage.MaxIntensity || v.From.Before(end) || !v.To.After(v.From) || v.To.Sub(v.From) > 30*time.Minute {
				t.Errorf("got %+v", v)
			}
			end = v.To
		}
		if end.After(m.first.Add(2 * time.Hour)) {
			t.Errorf("ends at %s", end)
		}
	})
}
