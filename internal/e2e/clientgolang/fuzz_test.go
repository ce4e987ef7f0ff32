package clientgolang

import (
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

// FuzzRead holds what Read makes of an answer against what follows from
// client_golang's reading of it: what is accepted here without a refused sample is
// accepted there, and the samples are those of its points.
func FuzzRead(f *testing.F) {
	run := intervals(4)
	end := run[0].End().Unix()
	f.Add([]byte(nothing))
	f.Add(answer(fmt.Sprintf(`{"metric":{"instance":"a","user":"b"},"values":[[%d,"1.5"],[%d.0,"NaN"],[%d,"-1"],[%d.5,"3"]]}`, end, end+1800, end+3600, end+5400)))
	f.Add(answer(fmt.Sprintf(`{"metric":{"instance":"a"},"values":[[%d,"1"]]},{"metric":{"instance":"a","x":"y"},"values":[[%d,"2"]]}`, end, end)))
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
		good, points := expected(matrix, run)
		found, refused := 0, 0
		for _, reading := range readings {
			for _, s := range reading.Samples {
				found++
				if want, ok := good[place{reading.Piece.Start.Unix(), s.Series}]; !mended(s.Series) && (!ok || float64(s.CPU.Busy) != want) {
					t.Errorf("%s: got %+v, want %v %v", reading.Piece, s, want, ok)
				}
			}
		}
		for _, n := range rejects {
			refused += n
		}
		refused /= 2 // busy and idle have the same answer
		if found+refused < len(good) || found+refused > points {
			t.Errorf("%d samples and %d rejects of %d points in %d places", found, refused, points, len(good))
		}
	})
}

// place is a sample's.
type place struct {
	start int64
	usage.Series
}

// expected is the largest good value at each place, and how many points there
// were. Their timestamps are milliseconds.
func expected(matrix model.Matrix, run []usage.Interval) (map[place]float64, int) {
	good, points := map[place]float64{}, 0
	for _, stream := range matrix {
		name := func(label model.LabelName) string {
			if v := stream.Metric[label]; v != "" {
				return string(v)
			}
			return usage.Unknown
		}
		series := usage.Series{Project: name("cloud_project_name"), Machine: name("machine_name"), Host: name("instance"), User: string(stream.Metric["user"])}
		points += len(stream.Values)
		for _, point := range stream.Values {
			for _, interval := range run {
				v := float64(point.Value)
				if point.Timestamp == model.TimeFromUnixNano(interval.End().UnixNano()) && v >= 0 && !math.IsInf(v, 0) {
					p := place{interval.Start.Unix(), series}
					good[p] = max(good[p], v)
				}
			}
		}
	}
	return good, points
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
