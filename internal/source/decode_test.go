// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !race

package source

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

func TestAnswersThatAreNotWhole(t *testing.T) {
	good := matrix(host("a", "1"))
	with := func(member string) string { return strings.TrimSuffix(good, "}") + "," + member + "}" }
	tests := []struct{ name, answer, want, words string }{
		{"nothing", "", usage.ReasonMalformed, "EOF"},
		{"a page of HTML", "<!DOCTYPE html><html>\n<body>Sign in</body></html>", usage.ReasonMalformed, "the answer is a web page"},
		{"JSON that breaks off", good[:len(good)-30], usage.ReasonMalformed, "EOF"},
		{"JSON that lacks its last brace", good[:len(good)-1], usage.ReasonMalformed, "EOF"},
		{"a second answer behind", good + good, usage.ReasonMalformed, "has data after its end"},
		{"garbage behind", good + "\n<!-- cached -->", usage.ReasonMalformed, "has data after its end"},
		{"null", "null", usage.ReasonMalformed, "must have {"},
		{"a list", "[" + good + "]", usage.ReasonMalformed, "must have {"},
		{"an empty object", "{}", usage.ReasonMalformed, `status ""`},
		{"an error", `{"status":"error","errorType":"internal","error":"store gateway\nis down","data":{"resultType":"matrix","result":[]}}`, usage.ReasonMalformed, `status "error": store gateway is down`},
		{"an error after its data", strings.Replace(good, `"status":"success",`, "", 1)[:len(good)-len(`"status":"success",`)-1] + `,"status":"error"}`, usage.ReasonMalformed, `status "error"`},
		{"no status", strings.Replace(good, `"status":"success",`, "", 1), usage.ReasonMalformed, `status ""`},
		{"warnings", with(`"warnings":["a store is down"]`), usage.ReasonPartial, "a store is down"},
		{"warnings before the data", strings.Replace(good, `{`, `{"warnings":["a store is down"],`, 1), usage.ReasonPartial, "a store is down"},
		{"no data", `{"status":"success"}`, usage.ReasonMalformed, "no result"},
		{"data that is null", `{"status":"success","data":null}`, usage.ReasonMalformed, "no result"},
		{"no result", `{"status":"success","data":{"resultType":"matrix"}}`, usage.ReasonMalformed, "no result"},
		{"null of one, series of the other", `{"status":"success","data":{"resultType":"matrix","result":null}}`, usage.ReasonPartial, "only one of busy and idle"},
		{"isPartial", `{"status":"success","isPartial":true,"data":{"resultType":"matrix","result":[]}}`, usage.ReasonPartial, "isPartial"},
		{"isPartial after the data", `{"status":"success","data":{"resultType":"matrix","result":[]},"isPartial":true}`, usage.ReasonPartial, "isPartial"},
		{"no store matched", `{"status":"success","warnings":["No StoreAPIs matched for this query"],"data":{"resultType":"matrix","result":[]}}`, usage.ReasonPartial, "No StoreAPIs matched"},
		{"no type", `{"status":"success","data":{"result":[]}}`, usage.ReasonMalformed, `must be a matrix, but is a ""`},
		{"a vector", `{"status":"success","data":{"resultType":"vector","result":[]}}`, usage.ReasonMalformed, `is a "vector"`},
		{"a vector that says so late", `{"status":"success","data":{"result":[],"resultType":"vector"}}`, usage.ReasonMalformed, `is a "vector"`},
		{"a vector's series", matrix(`{"metric":{},"value":[1,"2"]}`), usage.ReasonMalformed, `unknown member: "value"`},
		{"two results", strings.Replace(good, `"result":`, `"result":[],"result":`, 1), usage.ReasonMalformed, "duplicate"},
		{"two metrics", matrix(`{"metric":{"instance":"a"},"metric":{"user":"b"},"values":[]}`), usage.ReasonMalformed, "duplicate"},
		{"a label twice", matrix(`{"metric":{"user":"a","user":"b"},"values":[]}`), usage.ReasonMalformed, "duplicate"},
		{"a label that is a number", matrix(`{"metric":{"user":5},"values":[]}`), usage.ReasonMalformed, "must have a string"},
		{"values before their metric", matrix(`{"values":[],"metric":{}}`), usage.ReasonMalformed, "before the metric of their series"},
		{"a series without a metric", matrix(`{}`), usage.ReasonMalformed, "without a metric"},
		{"values that are null", matrix(`{"metric":{},"values":null}`), usage.ReasonMalformed, "are not [["},
		{"a point that is a number", matrix(series("a", "", "1")), usage.ReasonMalformed, "none of which is a time and a number"},
		{"a point in two brackets", matrix(series("a", "", `[[1,"2"]]`)), usage.ReasonMalformed, "none of which is a time and a number"},
		{"a point whose value is in brackets", matrix(series("a", "", `[1,["2"]]`)), usage.ReasonMalformed, "none of which is a time and a number"},
		{"a point of three", matrix(series("a", "", `[1,"2","3"]`)), usage.ReasonMalformed, "none of which is a time and a number"},
		{"a point of one", matrix(series("a", "", `[1]`)), usage.ReasonMalformed, "none of which is a time and a number"},
		{"a point of none", matrix(series("a", "", `[]`)), usage.ReasonMalformed, "none of which is a time and a number"},
		{"a value that is a number", matrix(series("a", "", `[1,2]`)), usage.ReasonMalformed, "none of which is a time and a number"},
		{"a value that is null", matrix(series("a", "", `[1,null]`)), usage.ReasonMalformed, "none of which is a time and a number"},
		{"a value that is a word", matrix(series("a", "", `[1,"many"]`)), usage.ReasonMalformed, "none of which is a time and a number"},
		{"a value that is empty", matrix(series("a", "", `[1,""]`)), usage.ReasonMalformed, "none of which is a time and a number"},
		{"a timestamp that is a string", matrix(series("a", "", `["1","2"]`)), usage.ReasonMalformed, "none of which is a time and a number"},
		{"a timestamp with an exponent", matrix(series("a", "", `[1e9,"2"]`)), usage.ReasonMalformed, "none of which is a time and a number"},
		{"a long label that is not understood", matrix(`{"metric":{"user":"` + strings.Repeat("x\\n", 10_000) + `"},"values":"` + strings.Repeat("y", 100_000) + `"}`), usage.ReasonMalformed, "yyy..."},
		{"a long name that is not understood", matrix(`{"` + strings.Repeat("é", 100_000) + `":1}`), usage.ReasonMalformed, "ééé"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			f, err := failure(t, (&server{busy: says(matrix(host("a", "1"))), idle: says(test.answer)}).given(t), halfHour)
			if f.Reason != test.want || f.Permanent || f.TooLarge || !strings.Contains(err.Error(), test.words) {
				t.Errorf("got %.400v, want %s: %s", err, test.want, test.words)
			}
		})
	}
}

func TestAnswersThatAreWhole(t *testing.T) {
	tests := []struct{ name, answer string }{
		{"as Prometheus writes it", matrix(host("a", "1"))},
		{"with white space", "\n" + strings.NewReplacer(",", " ,\n", ":", " :\t", "[", "[ ", "]", " ]").Replace(matrix(host("a", "1"))) + "\n\n"},
		{"with names in the order of the alphabet", fmt.Sprintf(`{"data":{"result":[%s],"resultType":"matrix"},"status":"success"}`, host("a", "1"))},
		{"with infos", strings.Replace(matrix(host("a", "1")), "{", `{"infos":["PromQL info: metric might not be a counter"],`, 1)},
		{"with what is null and empty", strings.Replace(matrix(host("a", "1")), "{", `{"infos":null,"warnings":[],"error":null,"errorType":"",`, 1)},
		{"with what nobody knows yet", strings.Replace(strings.Replace(matrix(host("a", "1")), `"data":{`, `"data":{"stats":{"x":[1,{}]},`, 1), "{", `{"trace":{"a":[[]]},`, 1)},
		{"with escapes in names and values", strings.Replace(strings.Replace(matrix(host("a", "1")), `"user"`, `"\u0075ser"`, 1), `"ada"`, `"\u0061da"`, 1)},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			reading, rejects := read(t, (&server{busy: says(test.answer), idle: says(test.answer)}).given(t))
			if want := []usage.Sample{sample("a", 1, 1)}; fmt.Sprint(reading.Samples) != fmt.Sprint(want) || len(rejects) > 0 {
				t.Errorf("got %+v and %v, want %+v", reading.Samples, rejects, want)
			}
		})
	}
}

func TestNumbersAreWhatPrometheusWrites(t *testing.T) {
	for text, want := range map[string]float64{
		"0": 0, "-0": math.Copysign(0, -1), "1.5": 1.5, "0.1": 0.1, "1800": 1800, "1435781430.781": 1435781430.781,
		"9007199254740993": 9007199254740993, "36.21730382293762": 36.21730382293762, "1e-22": 1e-22, "-3.25": -3.25, "1e+21": 1e21, "2E3": 2000,
		"+Inf": math.Inf(1), "-Inf": math.Inf(-1), "NaN": math.NaN(), "1e999": math.Inf(1), "-1e999": math.Inf(-1), "1e-999": 0,
	} {
		if got, ok := number([]byte(`"` + text + `"`)); !ok || math.Float64bits(got) != math.Float64bits(want) {
			t.Errorf("%s: got %v, %v", text, got, ok)
		}
	}
	for _, text := range []string{
		"", "-", ".", "1.", ".5", "-.5", "+1", "1.2.3", "01", "-01", "1e", "1e+", "1e1.5", "1e5e5", "1_000", "0x10", "0x1p-2", "0b1", "0o7",
		" 1", "1 ", "1 000", "1,5", "inf", "Inf", "+inf", "infinity", "Infinity", "-Infinity", "nan", "+NaN", "abc", "null", "true", "١", `1\u0030`, "--1", "-",
	} {
		if got, ok := number([]byte(`"` + text + `"`)); ok {
			t.Errorf("%q is %v", text, got)
		}
	}
	for _, text := range []string{"1", "null", "true", `["1"]`, `{"a":"1"}`, `"`, ""} {
		if got, ok := number([]byte(text)); ok {
			t.Errorf("%s, which is no string, is %v", text, got)
		}
	}
	for text, want := range map[string]bool{"1782909000": true, "1782909000.125": true, "-1.5": true, "1e9": false, "1782909000.": false, `"1"`: false, "null": false, "0x1": false, "NaN": false, "[1]": false} {
		if _, ok := decimal([]byte(text)); ok != want {
			t.Errorf("the time %s: got %v", text, ok)
		}
	}
}
