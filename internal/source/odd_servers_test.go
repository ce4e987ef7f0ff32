// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !race

package source

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

func TestAnswersThatAreWholeAfterAll(t *testing.T) {
	series := host("a", "1")
	for name, answer := range map[string]string{
		"isPartial that is false":          `{"status":"success","isPartial":false,"data":{"resultType":"matrix","result":[` + series + `]}}`,
		"isPartial that is null":           `{"status":"success","isPartial":null,"data":{"resultType":"matrix","result":[` + series + `]}}`,
		"infos among the warnings":         `{"status":"success","warnings":["PromQL info: metric might not be a counter"],"data":{"resultType":"matrix","result":[` + series + `]}}`,
		"infos where they belong":          `{"status":"success","infos":["PromQL info: metric might not be a counter"],"data":{"resultType":"matrix","result":[` + series + `]}}`,
		"statistics of VictoriaMetrics":    `{"status":"success","isPartial":false,"data":{"resultType":"matrix","result":[` + series + `]},"stats":{"seriesFetched":"1","executionTimeMsec":3}}`,
		"warnings that are null":           `{"status":"success","warnings":null,"data":{"resultType":"matrix","result":[` + series + `]}}`,
		"the type after the result's name": `{"data":{"resultType":"matrix","result":[` + series + `]},"status":"success"}`,
	} {
		reading, rejects := read(t, (&server{busy: says(answer), idle: says(answer)}).given(t))
		if want := []usage.Sample{sample("a", 1, 1)}; fmt.Sprint(reading.Samples) != fmt.Sprint(want) || len(rejects) > 0 {
			t.Errorf("%s: got %v, rejects %v", name, reading.Samples, rejects)
		}
	}
	none := says(`{"status":"success","data":{"resultType":"matrix","result":null}}`)
	if reading, _ := read(t, (&server{busy: none, idle: none}).given(t)); len(reading.Samples) != 0 {
		t.Errorf("null is not an empty list: %v", reading.Samples)
	}
}

// A warning beside a remark is a warning.
func TestAWarningIsAWarning(t *testing.T) {
	answer := says(`{"status":"success","warnings":["PromQL info: x","PromQL warning: y"],"data":{"resultType":"matrix","result":[]}}`)
	if f, _ := failure(t, (&server{busy: answer, idle: answer}).given(t), halfHour); f.Reason != usage.ReasonPartial || !strings.Contains(f.Detail, "y") {
		t.Errorf("got %+v", f)
	}
}

func TestServersThatTakeNoPOST(t *testing.T) {
	for _, code := range []int{http.StatusMethodNotAllowed, http.StatusForbidden, http.StatusNotImplemented} {
		posts, gets := 0, 0
		readOnly := func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodPost {
				posts++
				http.Error(w, "read only", code)
				return
			}
			gets++
			io.WriteString(w, matrix(host("a", "1")))
		}
		c := (&server{busy: readOnly, idle: readOnly}).given(t)
		for range 2 {
			answer, _, err := c.Read(t.Context(), halfHour)
			readings := answer.All()
			if err != nil || len(readings[0].Samples) != 1 {
				t.Fatalf("%d: %v, %v", code, readings, err)
			}
		}
		if posts != 1 || gets < 4 {
			t.Errorf("%d: asked by POST %d times and by GET %d times", code, posts, gets)
		}
		if only := c.OfProject("p"); !only.get.Load() {
			t.Errorf("%d: a client of one project asks by POST again", code)
		}
	}
}

// What refuses GET as well says why in its first answer.
func TestServersThatTakeNeither(t *testing.T) {
	neither := func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			http.Error(w, "no rights", http.StatusForbidden)
			return
		}
		http.NotFound(w, r)
	}
	c := (&server{busy: neither, idle: neither}).given(t)
	if f, _ := failure(t, c, halfHour); f.Status != http.StatusForbidden || c.get.Load() {
		t.Errorf("got %+v", f)
	}
}

// A half that is absent is unknown, and unknown is never 0.
func TestAHalfThatIsAbsentIsNotNothing(t *testing.T) {
	both := matrix(host("a", "1"), host("b", "2"))
	one := matrix(host("a", "7"))
	for name, s := range map[string]*server{
		"busy of one host": {busy: says(one), idle: says(both)},
		"idle of one host": {busy: says(both), idle: says(one)},
	} {
		reading, rejects := read(t, s.given(t))
		if len(reading.Samples) != 1 || reading.Samples[0].Host != "a" || rejects[rejectHalf] != 1 {
			t.Errorf("%s: got %v, rejects %v", name, reading.Samples, rejects)
		}
	}
	for name, s := range map[string]*server{
		"a rule for busy that does not exist": {idle: says(both)},
		"a rule for idle that does not exist": {busy: says(both)},
		"two halves of unlike hosts":          {busy: says(one), idle: says(matrix(host("b", "2")))},
	} {
		f, _ := failure(t, s.given(t), halfHour)
		if f.Reason != usage.ReasonPartial || !strings.Contains(f.Detail, "only one of busy and idle") {
			t.Errorf("%s: got %+v", name, f)
		}
	}
	if reading, rejects := read(t, (&server{}).given(t)); len(reading.Samples) != 0 || len(rejects) != 0 {
		t.Errorf("nothing of both is empty, not %v, %v", reading.Samples, rejects)
	}
}
