// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package clientgolang

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/common/model"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

func answer(series string) []byte {
	return []byte(`{"status":"success","data":{"resultType":"matrix","result":[` + series + `]}}`)
}

// lawful are the counters of one core of a host that is half busy.
func lawful(run []usage.Interval) []byte {
	var all []string
	for mode, offset := range map[string]float64{"user": 0.5, "idle": 1000} {
		var points []string
		for i := range len(run) + 1 {
			points = append(points, fmt.Sprintf(`[%d,"%g"]`, run[0].Start.Unix()+int64(i)*1800, offset+float64(i)*900))
		}
		all = append(all, fmt.Sprintf(`{"metric":{"instance":"a","user":"b","mode":%q},"values":[%s]}`, mode, strings.Join(points, ",")))
	}
	return answer(strings.Join(all, ","))
}

// FuzzRead holds what Read makes of an answer against what follows from
// client_golang's reading of it: what is accepted here without a refused sample is
// accepted there, and the samples are what its counters grew by.
func FuzzRead(f *testing.F) {
	run := intervals(4)
	end := run[0].End().Unix()
	if readings, _, err := ours(lawful(run), run); err != nil || len(readings) != 4 || len(readings[3].Samples) != 1 || readings[3].Samples[0].CPU.Busy != 900 {
		f.Fatalf("a lawful host gives %+v, %v", readings, err)
	}
	f.Add(lawful(run))
	f.Add([]byte(nothing))
	f.Add(answer(fmt.Sprintf(`{"metric":{"instance":"a","user":"b","mode":"user"},"values":[[%d,"1.5"],[%d.0,"NaN"],[%d,"-1"],[%d.5,"3"]]}`, end, end+1800, end+3600, end+5400)))
	f.Add(answer(fmt.Sprintf(`{"metric":{"instance":"a","mode":"idle"},"values":[[%d,"1"]]},{"metric":{"instance":"a","mode":"idle","x":"y"},"values":[[%d,"2"]]}`, end, end)))
	f.Add(answer(fmt.Sprintf(`{"metric":{"instance":"\u0000\ud83d\ude00\"\\"},"values":[ [ %d , "1e3" ] ]}`, end)))
	f.Add(answer(`{"metric":{},"histograms":[[1,{"count":"1","sum":"2","buckets":[[0,"1","2","3"]]}]]}`))
	f.Add([]byte(`{"data":{"result":[],"resultType":"matrix"},"infos":["i"],"warnings":[],"status":"success"}`))
	f.Add([]byte(`{"status":"success","warnings":["w"],"data":{"resultType":"matrix","result":[]}}`))
	f.Add([]byte(`{"status":"error","errorType":"bad_data","error":"e"}`))
	f.Fuzz(func(t *testing.T, answer []byte) {
		readings, rejects, err := ours(answer, run)
		if err != nil || rejects["histogram"] > 0 || foldsNames(answer) {
			return
		}
		matrix, warnings, err := theirs(answer, run)
		odd := rejects["not_a_number"] + rejects["timestamp"]
		if err != nil && (odd > 0 || strings.Contains(err.Error(), "out of range")) {
			return // one odd sample is refused alone here, and spoils the whole answer there
		}
		warnings = slices.DeleteFunc(warnings, func(w string) bool { return strings.HasPrefix(w, "PromQL info:") })
		if err != nil || len(warnings) > 0 {
			t.Fatalf("accepted, but: %v, warnings %v, %v", err, warnings, matrix)
		}
		grew := expected(matrix, run)
		for _, reading := range readings {
			for _, s := range reading.Samples {
				want := grew[place{reading.Piece.Start.Unix(), s.Series}]
				if !mended(s.Series) && !slices.ContainsFunc(want, func(w usage.BusyIdle[float64]) bool {
					return near(float64(s.CPU.Busy), w.Busy) && near(float64(s.CPU.Idle), w.Idle)
				}) {
					t.Errorf("%s: got %+v, want %v", reading.Piece, s, want)
				}
			}
		}
	})
}

// near allows for the order in which modes are added up: counters are up to 1e15.
func near(a, b float64) bool { return math.Abs(a-b) <= 1 }

// place is a sample's.
type place struct {
	start int64
	usage.Series
}

// expected is what the counters grew by at each place. Label sets that lack a name and that have
// "unknown" in its place are different series of the same place. Times are milliseconds.
func expected(matrix model.Matrix, run []usage.Interval) map[place][]usage.BusyIdle[float64] {
	type counter struct {
		series usage.Series
		mode   string
	}
	counters := map[counter]map[int64]float64{}
	for _, stream := range matrix {
		name := func(label model.LabelName) string { return string(stream.Metric[label]) }
		c := counter{usage.Series{Project: name("cloud_project_name"), Machine: name("machine_name"), Host: name("instance"), User: name("user")}, name("mode")}
		if counters[c] == nil {
			counters[c] = map[int64]float64{}
		}
		for _, point := range stream.Values {
			at := int64(math.Round(float64(point.Timestamp) / 1000))
			if math.Abs(float64(point.Timestamp)-1000*float64(at)) <= 2 {
				counters[c][at] = max(counters[c][at], float64(point.Value))
			}
		}
	}
	grew := map[place][]usage.BusyIdle[float64]{}
	for _, interval := range run {
		bySeries := map[usage.Series]usage.BusyIdle[float64]{}
		for c, values := range counters {
			after, ok := values[interval.End().Unix()]
			before, too := values[interval.Start.Unix()]
			if !ok || !too {
				continue
			}
			sum := bySeries[c.series]
			switch modes[c.mode] {
			case "busy":
				sum.Busy += after - before
			case "idle":
				sum.Idle += after - before
			}
			bySeries[c.series] = sum
		}
		for series, sum := range bySeries {
			for _, name := range []*string{&series.Project, &series.Machine, &series.Host} {
				*name = cmp.Or(*name, usage.Unknown)
			}
			sum.Busy, sum.Idle = max(sum.Busy, 0), max(sum.Idle, 0)
			at := place{interval.Start.Unix(), series}
			grew[at] = append(grew[at], sum)
		}
	}
	return grew
}

// mended says whether a name is not as it came: too long, not UTF-8, with NUL.
func mended(s usage.Series) bool {
	all := s.Project + s.Machine + s.Host + s.User
	return strings.Contains(all, "\uFFFD") || len(all) > 1024
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
