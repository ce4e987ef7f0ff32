// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package source

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/prometheus/common/model"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// points as they come, with the labels of their series.
type matrixSink struct {
	series     [][]string
	values     [][]model.SamplePair
	histograms int
	odd        int
}

func (m *matrixSink) Series(labels []string) error {
	m.series = append(m.series, slices.Clone(labels))
	m.values = append(m.values, nil)
	return nil
}

func (m *matrixSink) Point(at, v float64) {
	if math.IsNaN(at) {
		m.odd++
		return
	}
	last := len(m.values) - 1
	m.values[last] = append(m.values[last], model.SamplePair{Timestamp: model.Time(math.Trunc(math.Round(at*1e6) / 1e3)), Value: model.SampleValue(v)})
}

func (m *matrixSink) Odd(float64) { m.odd++ }

func (m *matrixSink) Histogram() { m.histograms++ }

var seeds = []string{
	matrix(), matrix(host("a", "1.5")), matrix(host("a", "NaN"), host("b", "+Inf")),
	matrix(series("a", "", `[1435781430.781,"1"],[1435781445.781,"2e3"]`)),
	matrix(`{"metric":{"user":"\ud83d\ude00\u0000\"\\"},"values":[ [ 1 , "2" ] ]}`),
	matrix(`{"metric":{},"histograms":[[1,{"count":"1","sum":"2","buckets":[[0,"1","2","3"]]}]]}`),
	`{"status":"success","infos":["i"],"warnings":null,"data":{"result":[],"resultType":"matrix"}}`,
	`{"status":"success","warnings":["w"],"data":{"resultType":"matrix","result":[]}}`,
	`{"status":"error","errorType":"bad_data","error":"e"}`,
	`{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[1,"2"]}]}}`,
	matrix(`{"metric":{"user":"a"},"metric":{"user":"b"},"values":[[-0.5,"0x1p-2"]]}`),
	matrix(host("a", "0x10"), host("b", "1"), series("c", "", `[1,[{"]":"\\"}]]`)),
	matrix(`{}`),
	matrix(`{"metric":{"user":null},"values":[[1,["2"]]]}`),
}

// FuzzDecode holds the decoder against the types of prometheus/common, read by
// encoding/json, which is what client_golang does from Go 1.27 on. (The module
// in clientgolang holds the whole of Read against the whole of its client.)
// What the decoder accepts as a whole they accept, with the same points.
func FuzzDecode(f *testing.F) {
	for _, s := range seeds {
		f.Add([]byte(s))
	}
	labels := question().Labels.list()
	f.Fuzz(func(t *testing.T, answer []byte) {
		got := &matrixSink{}
		if decode(bytes.NewReader(answer), labels, got) != nil || got.histograms > 0 || got.odd > 0 || foldsNames(answer) {
			return
		}
		var want struct {
			Status           string
			ErrorType, Error string
			Warnings, Infos  []string
			Data             struct {
				ResultType model.ValueType
				Result     model.Matrix
			}
		}
		err := json.Unmarshal(answer, &want)
		if err != nil && strings.Contains(err.Error(), "out of range") {
			return // a value beyond a float64 is one sample that is refused here, and the whole answer there
		}
		if err != nil || want.Status != "success" || len(want.Warnings) > 0 || want.Data.ResultType != model.ValMatrix || len(want.Data.Result) != len(got.series) {
			t.Fatalf("accepted, but: %v, %+v", err, want)
		}
		for i, stream := range want.Data.Result {
			for j, label := range labels {
				if a, b := got.series[i][j], string(stream.Metric[model.LabelName(label)]); a != b && !strings.Contains(b, "\uFFFD") {
					t.Errorf("series %d: %s is %q, want %q", i, label, a, b)
				}
			}
			if len(stream.Values) != len(got.values[i]) {
				t.Fatalf("series %d: %d points, want %d", i, len(got.values[i]), len(stream.Values))
			}
			for j, point := range stream.Values {
				a := got.values[i][j]
				d := int64(a.Timestamp) - int64(point.Timestamp)
				exact := point.Timestamp > -1e14 && point.Timestamp < 1e14 // beyond, a float64 has no milliseconds
				if exact && (d < -1 || d > 1) || !a.Value.Equal(point.Value) {
					t.Errorf("series %d: point %v, want %v", i, a, point)
				}
			}
		}
	})
}

// foldsNames says whether an answer has a name that only encoding/json, which
// does not tell capital letters, takes for one of the API's.
func foldsNames(answer []byte) bool {
	var top, data map[string]json.RawMessage
	_ = json.Unmarshal(answer, &top)
	_ = json.Unmarshal(top["data"], &data)
	for _, object := range []map[string]json.RawMessage{top, data} {
		for name := range object {
			for _, known := range []string{"status", "data", "errorType", "error", "warnings", "infos", "resultType", "result"} {
				if name != known && strings.EqualFold(name, known) {
					return true
				}
			}
		}
	}
	return false
}

// FuzzNumber holds what is taken for a number against strconv, which takes more.
func FuzzNumber(f *testing.F) {
	for _, s := range []string{"0", "-0", "1.5", "1e5", "+Inf", "NaN", "0x10", "1_000", "", "1e999", "00", ".5", "\u0031"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		v, ok := number([]byte(`"` + string(text) + `"`))
		want, err := strconv.ParseFloat(string(text), 64)
		if ok && (err != nil && !errors.Is(err, strconv.ErrRange) || math.Float64bits(v) != math.Float64bits(want)) {
			t.Errorf("%q is %v, want %v, %v", text, v, want, err)
		}
		if canonical := strconv.FormatFloat(want, 'f', -1, 64); err == nil && canonical == string(text) && !ok {
			t.Errorf("%q is not a number", text)
		}
		if v, ok := decimal(text); ok && (err != nil || math.Float64bits(v) != math.Float64bits(want)) {
			t.Errorf("%q is a time", text)
		}
	})
}

// FuzzProjects reads any list of projects: a list or an error.
func FuzzProjects(f *testing.F) {
	for _, s := range []string{`{"status":"success","data":["a","b"]}`, `{"status":"success","data":null}`, `{"data":[1]}`, `{"status":"success","warnings":["w"],"data":[]}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, answer []byte) {
		projects, err := decodeProjects(bytes.NewReader(answer))
		if err == nil && (!json.Valid(bytes.ToValidUTF8(answer, []byte("?"))) || slices.Contains(projects, "")) {
			t.Errorf("accepted %q as %q", answer, projects)
		}
	})
}

// FuzzSelector holds that a name of a project or host cannot leave its quotes, and that a host
// is matched by its own name alone: PromQL anchors regular expressions.
func FuzzSelector(f *testing.F) {
	for _, s := range []string{"ISIS", `a"b`, `a\`, "a\n", `"} or vector(1) #`, "\xff", "{{", `.*`, "a|b", "", "172.16.100.5:9100"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, name string) {
		q := Query{Metric: "x", Labels: question().Labels}
		value := func(text, prefix string) string {
			quoted, ok := strings.CutPrefix(text, prefix)
			quoted, ends := strings.CutSuffix(quoted, "}")
			got, err := strconv.Unquote(quoted)
			if !ok || !ends || err != nil {
				t.Errorf("%q: %s", name, text)
			}
			return got
		}
		if got := value(q.selector("", &name), `x{cloud_project_name=`); got != name {
			t.Errorf("%q is %q", name, got)
		}
		name = usage.HostLabel(name)
		pattern, err := regexp.Compile("^(?s:" + value(q.selector(q.of([]string{name, "other"}), nil), `x{instance=~`) + ")$")
		if err != nil || !pattern.MatchString(name) || pattern.MatchString(name+"x") || pattern.MatchString("x"+name) && name != "" {
			t.Errorf("%q is asked for by %v, %v", name, pattern, err)
		}
	})
}
