// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !race

package source

import (
	"fmt"
	"maps"
	"math"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

func TestSamples(t *testing.T) {
	end := fmt.Sprint(noonEnd)
	tests := []struct {
		name       string
		busy, idle string // the result's elements
		want       []usage.Sample
		rejects    usage.Rejects
	}{
		{name: "a host", busy: host("a", "600.5"), idle: host("a", "1200.25"), want: []usage.Sample{sample("a", 600.5, 1200.25)}},
		{name: "a host that was idle throughout", busy: host("a", "0"), idle: host("a", "1800"), want: []usage.Sample{sample("a", 0, 1800)}},
		{
			name: "hosts of which one name begins the other", busy: host("172.16.100.5", "5") + "," + host("172.16.100.50", "50"), idle: host("172.16.100.50", "51") + "," + host("172.16.100.5", "6"),
			want: []usage.Sample{sample("172.16.100.5", 5, 6), sample("172.16.100.50", 50, 51)},
		},
		{name: "no series", want: nil},
		{name: "a series without points", busy: series("a", "", ""), idle: series("a", "", ""), want: nil},
		{name: "NaN", busy: host("a", "NaN"), idle: host("a", "1"), rejects: usage.Rejects{rejectNaN: 1}},
		{name: "NaN in the other mode", busy: host("a", "1"), idle: host("a", "NaN"), rejects: usage.Rejects{rejectNaN: 1}},
		{name: "NaN on another host", busy: host("a", "NaN") + "," + host("b", "1"), idle: host("a", "1") + "," + host("b", "2"), want: []usage.Sample{sample("b", 1, 2)}, rejects: usage.Rejects{rejectNaN: 1}},
		{name: "infinite", busy: host("a", "+Inf"), idle: host("a", "-Inf"), rejects: usage.Rejects{rejectInfinite: 2}},
		{name: "beyond a float64", busy: host("a", "1e999"), idle: host("a", "1"), rejects: usage.Rejects{rejectInfinite: 1}},
		{name: "negative", busy: host("a", "-0.001"), idle: host("a", "1"), rejects: usage.Rejects{rejectNegative: 1}},
		{name: "1e308", busy: host("a", "1e308"), idle: host("a", "1"), rejects: usage.Rejects{rejectOverCapacity: 1}},
		{name: "more than any host has, cores not known", busy: host("a", "1800000001"), idle: host("a", "1"), rejects: usage.Rejects{rejectOverCapacity: 1}},
		{name: "two series of one host", busy: host("a", "7") + "," + host("a", "9") + "," + host("a", "8"), idle: host("a", "1"), want: []usage.Sample{sample("a", 9, 1)}, rejects: usage.Rejects{rejectDuplicate: 2}},
		{name: "two series of one host, the first is NaN", busy: host("a", "NaN") + "," + host("a", "9"), idle: host("a", "1"), want: []usage.Sample{sample("a", 9, 1)}, rejects: usage.Rejects{rejectNaN: 1}},
		{name: "two series of one host, the second is NaN", busy: host("a", "9") + "," + host("a", "NaN"), idle: host("a", "1"), want: []usage.Sample{sample("a", 9, 1)}, rejects: usage.Rejects{rejectNaN: 1}},
		{
			name: "points off the grid", busy: series("a", "", `[0,"1"],[`+end+`.5,"1"],[`+end+`.0,"2"],[99999999999999,"1"],[-1,"1"],[1782910800,"1"]`), idle: host("a", "1"),
			want: []usage.Sample{sample("a", 2, 1)}, rejects: usage.Rejects{rejectTimestamp: 5},
		},
		{
			name: "points off the grid, and none on it", busy: series("a", "", `[0,"1"]`) + "," + host("b", "1"), idle: host("a", "1") + "," + host("b", "1"),
			want: []usage.Sample{sample("b", 1, 1)}, rejects: usage.Rejects{rejectTimestamp: 1},
		},
		{name: "a histogram", busy: `{"metric":{"instance":"a"},"histograms":[[` + end + `,{"count":"1","sum":"2","buckets":[[0,"1","2","3"]]}]]}`, rejects: usage.Rejects{rejectHistogram: 1}},
		{
			name: "labels that are absent", busy: `{"metric":{},"values":[[` + end + `,"1"]]}`, idle: `{"metric":{"user":""},"values":[[` + end + `,"2"]]}`,
			want: []usage.Sample{{Series: usage.Series{Project: usage.Unknown, Machine: usage.Unknown, Host: usage.Unknown}, CPU: usage.BusyIdle[usage.CPUSeconds]{Busy: 1, Idle: 2}}},
		},
		{name: "labels that nobody asked for", busy: series("a", `,"__name__":"x","job":"y"`, `[`+end+`,"1"]`), idle: host("a", "2"), want: []usage.Sample{sample("a", 1, 2)}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			reading, rejects := read(t, (&server{busy: says(matrix(test.busy)), idle: says(matrix(test.idle))}).given(t))
			if fmt.Sprint(reading.Samples) != fmt.Sprint(test.want) {
				t.Errorf("got %+v, want %+v", reading.Samples, test.want)
			}
			if !maps.Equal(rejects, test.rejects) {
				t.Errorf("rejects %v, want %v", rejects, test.rejects)
			}
			if reading.Coverage != nil {
				t.Errorf("coverage %v of cores that nobody counted", reading.Coverage)
			}
		})
	}
}

func TestOneOddSampleDoesNotSpoilTheAnswer(t *testing.T) {
	for _, value := range []string{
		`"0x10"`, `""`, `"abc"`, `"1_000"`, `"1 000"`, `" 1"`, `"inf"`, `"infinity"`, `"+1"`, `".5"`, `"1."`, `"01"`, `"\u0031"`, `"\\"`, `"]"`, `"\""`,
		`1`, `1e5`, `null`, `true`, `[]`, `["1"]`, `[[["1"],{}]]`, `{}`, `{"a":"]}","b":["1",2]}`,
	} {
		odd := series("a", "", fmt.Sprintf("[%d,%s]", noonEnd, value))
		for name, s := range map[string]*server{
			"busy":                            {busy: says(matrix(odd, host("b", "1"))), idle: says(matrix(host("a", "7"), host("b", "2")))},
			"idle":                            {busy: says(matrix(host("b", "1"), host("a", "7"))), idle: says(matrix(host("b", "2"), odd))},
			"the second of two in one series": {busy: says(matrix(series("a", "", fmt.Sprintf(`[0, "5"] , [ %d , %s ]`, noonEnd, value)), host("b", "1"))), idle: says(matrix(host("a", "7"), host("b", "2")))},
		} {
			reading, rejects := read(t, s.given(t))
			if want := []usage.Sample{sample("b", 1, 2)}; fmt.Sprint(reading.Samples) != fmt.Sprint(want) || rejects[rejectNotANumber] != 1 {
				t.Errorf("%s in %s: got %v, rejects %v", value, name, reading.Samples, rejects)
			}
		}
	}
	for _, at := range []string{`"1782909000"`, "1e9", "null", "true", "[]", "{}", `""`} {
		odd := series("a", "", fmt.Sprintf(`[%s,"1"]`, at))
		reading, rejects := read(t, (&server{busy: says(matrix(odd, host("b", "1"))), idle: says(matrix(host("a", "7"), host("b", "2")))}).given(t))
		if want := []usage.Sample{sample("b", 1, 2)}; fmt.Sprint(reading.Samples) != fmt.Sprint(want) || rejects[rejectTimestamp] != 1 {
			t.Errorf("the time %s: got %v, rejects %v", at, reading.Samples, rejects)
		}
	}
	for _, point := range []string{
		"[]", "[1]", fmt.Sprintf("[%d]", noonEnd), fmt.Sprintf(`[%d,"1","2"]`, noonEnd), fmt.Sprintf(`[[%d,"1"]]`, noonEnd),
		"1", "null", `"x]"`, "{}", `{"a":[1,"]"]}`, "[[[]]]", `["\\"]`,
	} {
		for name, points := range map[string]string{"alone": point, "before a good one": point + `, [0,"1"]`, "after a good one": `[0,"1"] ,` + point} {
			reading, rejects := read(t, (&server{busy: says(matrix(series("a", "", points), host("b", "1"))), idle: says(matrix(host("a", "7"), host("b", "2")))}).given(t))
			if want := []usage.Sample{sample("b", 1, 2)}; fmt.Sprint(reading.Samples) != fmt.Sprint(want) || rejects[rejectTimestamp] == 0 {
				t.Errorf("the sample %s %s: got %v, rejects %v", point, name, reading.Samples, rejects)
			}
		}
	}
}

func TestAnswersWithNothingUsableAreMalformed(t *testing.T) {
	for name, answer := range map[string]string{
		"no sample is a number":         matrix(host("a", "abc"), host("b", "")),
		"no time is a time":             matrix(series("a", "", `["x","1"]`)),
		"all are of another day":        matrix(series("a", "", `[0,"1"],[1800,"2"]`)),
		"all are between the intervals": matrix(series("a", "", fmt.Sprintf(`[%d.5,"1"]`, noonEnd))),
	} {
		if f, _ := failure(t, (&server{busy: says(answer), idle: says(answer)}).given(t), halfHour); f.Reason != usage.ReasonMalformed {
			t.Errorf("%s: got %+v", name, f)
		}
		if f, _ := failure(t, (&server{counters: says(answer)}).client(t), halfHour); f.Reason != usage.ReasonMalformed {
			t.Errorf("%s, of counters: got %+v", name, f)
		}
	}
}

func TestHoursAreReadByTheirHalves(t *testing.T) {
	hour := []usage.Interval{{Start: noon, Length: time.Hour}, {Start: noon.Add(time.Hour), Length: time.Hour}}
	points := ""
	for i := range 4 {
		points += fmt.Sprintf(`,[%d,"%d"]`, noonEnd+int64(i)*1800, i)
	}
	s := &server{busy: says(matrix(series("a", "", points[1:]))), idle: says(matrix(series("a", "", points[1:])))}
	answer, _, err := s.given(t).Read(t.Context(), hour)
	readings := answer.All()
	if err != nil || len(readings) != 4 {
		t.Fatal(len(readings), err)
	}
	for i, r := range readings {
		want := noon.Add(time.Duration(i) * 30 * time.Minute)
		if !r.Piece.Start.Equal(want) || len(r.Samples) != 1 || float64(r.Samples[0].CPU.Busy) != float64(i) {
			t.Errorf("piece %d: %+v", i, r)
		}
	}
}

func TestSumsAreNotChangedByTheOrderOfSeries(t *testing.T) {
	a, b := host("a", "7")+","+host("b", "1"), host("b", "1")+","+host("a", "7")
	sum := func(busy, idle string) (s usage.CPUSeconds) {
		reading, _ := read(t, (&server{busy: says(matrix(busy)), idle: says(matrix(idle))}).given(t))
		for _, x := range reading.Samples {
			s += x.CPU.Total()
		}
		return s
	}
	if x, y := sum(a, b), sum(b, a); x != y || math.Abs(float64(x)-16) > 0 {
		t.Errorf("got %v and %v, want 16", x, y)
	}
}
