package source

import (
	"bytes"
	"encoding/json"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/common/model"
)

// points as they come, with the labels of their series.
type matrixSink struct {
	series     [][]string
	values     [][]model.SamplePair
	histograms int
}

func (m *matrixSink) Series(labels []string) error {
	m.series = append(m.series, slices.Clone(labels))
	m.values = append(m.values, nil)
	return nil
}

func (m *matrixSink) Point(at, v float64) {
	last := len(m.values) - 1
	m.values[last] = append(m.values[last], model.SamplePair{Timestamp: model.Time(math.Trunc(math.Round(at*1e6) / 1e3)), Value: model.SampleValue(v)})
}

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
	matrix(`{}`),
	matrix(`{"metric":{"user":null},"values":[[1,["2"]]]}`),
}

// FuzzDecode holds the decoder against the types of prometheus/common, read by
// encoding/json, which is what client_golang does from Go 1.27 on. (The module
// in clientgolang holds the whole of Read against the whole of its client.)
// What the decoder accepts they accept, with the same points.
func FuzzDecode(f *testing.F) {
	for _, s := range seeds {
		f.Add([]byte(s))
	}
	labels := question().Labels.list()
	f.Fuzz(func(t *testing.T, answer []byte) {
		got := &matrixSink{}
		if decode(bytes.NewReader(answer), labels, got) != nil || got.histograms > 0 || foldsNames(answer) {
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
				if d := int64(a.Timestamp) - int64(point.Timestamp); d < -1 || d > 1 || !a.Value.Equal(point.Value) {
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
