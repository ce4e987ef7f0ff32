// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !race

package source

import (
	"context"
	"maps"
	"math"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// instantly sends one instant query to a server that answers so.
func instantly(t *testing.T, code int, answer string) (values []Value, asked url.Values, err error) {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := r.ParseForm(); err != nil || r.URL.Path != "/api/v1/query" {
			t.Errorf("%s: %v", r.URL.Path, err)
		}
		asked = r.Form
		w.WriteHeader(code)
		if _, err := w.Write([]byte(answer)); err != nil {
			t.Error(err)
		}
	}))
	defer server.Close()
	c := clientOf(t, server.URL)
	ctx, done := context.WithTimeout(t.Context(), late)
	defer done()
	values, err = c.Instant(ctx, "sum(jobs)", noon)
	return values, asked, err
}

func TestInstant(t *testing.T) {
	data := func(kind, result string) string {
		return `{"status":"success","data":{"resultType":"` + kind + `","result":` + result + `}}`
	}
	for _, c := range []struct {
		name, answer string
		want         []Value
	}{
		{
			"series",
			data("vector", `[{"metric":{"project":"ISIS"},"value":[1,"12.5"]},{"metric":{"project":"CLF","x":"\"y\""},"value":[1.5,"0"]}]`),
			[]Value{{map[string]string{"project": "ISIS"}, 12.5}, {map[string]string{"project": "CLF", "x": `"y"`}, 0}},
		},
		{"one sum, which has no labels", data("vector", `[{"metric":{},"value":[1,"3"]}]`), []Value{{nil, 3}}},
		{"no series", data("vector", `[]`), nil},
		{"a number of no series", data("scalar", `[1,"42"]`), []Value{{nil, 42}}},
		{"what is no number is for the reader", data("vector", `[{"metric":{},"value":[1,"NaN"]},{"metric":{},"value":[1,"+Inf"]}]`), []Value{{nil, math.NaN()}, {nil, math.Inf(1)}}},
		{"a remark is no warning", strings.TrimSuffix(data("scalar", `[1,"1"]`), "}") + `,"infos":["metric might not be a counter"]}`, []Value{{nil, 1}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, asked, err := instantly(t, http.StatusOK, c.answer)
			if err != nil || len(got) != len(c.want) {
				t.Fatalf("got %v, %v, want %v", got, err, c.want)
			}
			for i, v := range got {
				same := v.Value == c.want[i].Value || math.IsNaN(v.Value) && math.IsNaN(c.want[i].Value)
				if !same || !maps.Equal(v.Labels, c.want[i].Labels) {
					t.Errorf("got %v, want %v", v, c.want[i])
				}
			}
			if asked.Get("query") != "sum(jobs)" || asked.Get("time") != queryTime(noon) || asked.Get("partial_response") != "false" {
				t.Errorf("asked %v", asked)
			}
		})
	}
}

func TestInstantFails(t *testing.T) {
	for _, c := range []struct {
		name   string
		code   int
		answer string
		reason string
		words  string
	}{
		{"a query that is no PromQL", 400, `{"status":"error","errorType":"bad_data","error":"1:5: parse error"}`, usage.ReasonBadRequest, "parse error"},
		{"a part of the answer", 200, `{"status":"success","warnings":["a store is down"],"data":{"resultType":"vector","result":[]}}`, usage.ReasonPartial, "a store is down"},
		{"a range of samples", 200, `{"status":"success","data":{"resultType":"matrix","result":[]}}`, usage.ReasonMalformed, `is a "matrix"`},
		{"a text", 200, `{"status":"success","data":{"resultType":"string","result":[1,"a"]}}`, usage.ReasonMalformed, `is a "string"`},
		{"a histogram", 200, `{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"histogram":[1,{}]}]}}`, usage.ReasonMalformed, "such as a histogram"},
		{"no data", 200, `{"status":"success"}`, usage.ReasonMalformed, `is a ""`},
		{"a value that is a word", 200, `{"status":"success","data":{"resultType":"scalar","result":[1,"many"]}}`, usage.ReasonMalformed, "many"},
		{"a value of three", 200, `{"status":"success","data":{"resultType":"scalar","result":[1,"2","3"]}}`, usage.ReasonMalformed, "a time and a value"},
		{"a value without quotes", 200, `{"status":"success","data":{"resultType":"scalar","result":[1,2]}}`, usage.ReasonMalformed, "cannot unmarshal"},
		{"it breaks off", 200, `{"status":"success","data":{"resultType":"scalar","result":[1,"2"]}`, usage.ReasonMalformed, "EOF"},
		{"an endless answer", 200, `{"status":"success","data":{"resultType":"vector","result":[{"metric":{"a":"` + strings.Repeat("x", maxSeriesBytes+1<<20), usage.ReasonLimit, "bytes"},
	} {
		t.Run(c.name, func(t *testing.T) {
			values, _, err := instantly(t, c.code, c.answer)
			f := usage.FailureOf(err)
			if f == nil || f.Reason != c.reason || !strings.Contains(err.Error(), c.words) || !strings.Contains(err.Error(), "query sum(jobs)") {
				t.Errorf("got %v, %v, want %s with %q", values, err, c.reason, c.words)
			}
		})
	}
}

func TestARangeInAnExpression(t *testing.T) {
	for _, c := range []struct {
		expr   string
		length time.Duration
		want   string
	}{
		{"sum(increase(jobs_total[$__range]))", 24 * time.Hour, "sum(increase(jobs_total[1d]))"},
		{"rate(jobs_total[$__range]) * $__range_seconds", 90 * time.Minute, "rate(jobs_total[1h30m]) * 5400"},
		{"count(up)", time.Hour, "count(up)"},
	} {
		if got := InRange(c.expr, c.length); got != c.want {
			t.Errorf("%s over %v is %s, want %s", c.expr, c.length, got, c.want)
		}
	}
}
