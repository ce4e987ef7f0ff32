// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !race

package source

import (
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

func TestTheQueryForMeasuredPower(t *testing.T) {
	for _, c := range []struct {
		name, expr string
		window     time.Duration
		values     string
	}{
		{"a metric", "ipmi_dcmi_power_consumption_watts", 30 * time.Minute, "(ipmi_dcmi_power_consumption_watts\n)"},
		{"an expression with a comment", "sum(pdu_watts) # all of them", 5 * time.Minute, "(sum(pdu_watts) # all of them\n)"},
	} {
		t.Run(c.name, func(t *testing.T) {
			over := map[time.Duration]string{30 * time.Minute: "[30m:1m]", 5 * time.Minute: "[5m:30s]"}[c.window]
			sum := "(sum by (instance, machine_name) " + c.values + ")" + over
			want := `label_replace(avg_over_time(` + sum + `), "carbon_exporter_part", "mean", "", "")` +
				` or label_replace(min_over_time(` + sum + `), "carbon_exporter_part", "least", "", "")` +
				` or label_replace(sum by (instance, machine_name) (count_over_time(` + c.values + over + `)), "carbon_exporter_part", "points", "", "")`
			if got := question().measured(c.expr, c.window); got != want {
				t.Errorf("got  %s\nwant %s", got, want)
			}
		})
	}
}

func TestOneMachineType(t *testing.T) {
	for _, c := range []struct{ name, machine, matcher string }{
		{"a name", "Muon", `machine_name="Muon"`},
		{"a name with quotes", `a"b`, `machine_name="a\"b"`},
		{"a name like a regular expression", ".*", `machine_name=".*"`},
		{"those that name none", "unknown", `machine_name=~"unknown|"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := &server{}
			if _, _, err := s.client(t).OfMachine(c.machine).Read(t.Context(), halfHour); err != nil {
				t.Fatal(err)
			}
			if len(s.asked) != 3 { // nothing is found: once more, for what has sums alone
				t.Fatalf("asked %q", s.asked)
			}
			for _, query := range s.asked {
				if n := strings.Count(query, c.matcher); n == 0 || n != strings.Count(query, "node_cpu_seconds_total{") {
					t.Errorf("does not ask for %s alone: %s", c.matcher, query)
				}
			}
		})
	}
	s := &server{}
	whole := s.client(t)
	whole.OfMachine("Muon")
	if _, _, err := whole.Read(t.Context(), halfHour); err != nil || slices.ContainsFunc(s.asked, func(q string) bool { return strings.Contains(q, "Muon") }) {
		t.Errorf("the client of all asked %q, %v", s.asked, err)
	}
}

// watts are the three parts of what is known of a host's power.
func watts(host, machine, mean, least, points string) string {
	labels := `{"instance":"` + host + `","machine_name":"` + machine + `","` + partLabel + `":"`
	of := func(part, v string) string {
		return `{"metric":` + labels + part + `"},"values":[[1782909000,"` + v + `"]]}`
	}
	return strings.Join([]string{of(partMean, mean), of(partLeast, least), of(partPoints, points)}, ",")
}

func TestMeasuredPower(t *testing.T) {
	for _, c := range []struct {
		name    string
		answer  string
		want    []usage.Measurement
		rejects usage.Rejects
	}{
		{"nothing", matrix(), nil, usage.Rejects{}},
		{
			"hosts and one that names neither", matrix(watts("a:9100", "Muon", "130.5", "90", "30"), watts("", "", "4e3", "1", "60")),
			[]usage.Measurement{{Host: "a:9100", Machine: "Muon", Watts: 130.5, Points: 30}, {Watts: 4000, Points: 60}},
			usage.Rejects{},
		},
		{
			"what is no power", matrix(watts("a", "", "NaN", "1", "30"), watts("b", "", "+Inf", "1", "30"), watts("c", "", "-1", "-1", "30"),
				watts("d", "", "0", "0", "30"), watts("e", "", "1e308", "1", "30"), watts("f", "", "-0", "-0", "30")),
			nil,
			usage.Rejects{"nan": 1, "infinite": 1, "negative": 1, "zero": 2, "over_capacity": 1},
		},
		{
			"a mean of good and bad values", matrix(watts("a", "", "100", "-1", "30"), watts("b", "", "100", "0", "30"), watts("c", "", "100", "99", "30")),
			[]usage.Measurement{{Host: "c", Watts: 100, Points: 30}},
			usage.Rejects{"negative": 1, "zero": 1},
		},
		{
			"of another time", matrix(strings.ReplaceAll(watts("a", "", "100", "99", "30"), "1782909000", "1782909060")),
			nil,
			usage.Rejects{"timestamp": 3},
		},
		{
			"a histogram", matrix(`{"metric":{"instance":"a","` + partLabel + `":"mean"},"histograms":[[1782909000,{"count":"1"}]]}`),
			nil,
			usage.Rejects{"histogram": 1},
		},
		{"no answer to our question", matrix(host("a", "100")), nil, usage.Rejects{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			for i := range c.want {
				c.want[i].Piece = halfHour[0]
			}
			s := &server{parts: says(c.answer)}
			got, rejects, err := s.client(t).Measured(t.Context(), halfHour, "power")
			if err != nil || !reflect.DeepEqual(got, c.want) || !reflect.DeepEqual(rejects, c.rejects) {
				t.Errorf("got %+v, %v, %v, want %+v, %v", got, rejects, err, c.want, c.rejects)
			}
		})
	}
}

func TestMeasuredPowerIsAllOrNothing(t *testing.T) {
	for _, c := range []struct {
		name   string
		answer http.HandlerFunc
		reason string
	}{
		{"a query that is none", status(http.StatusBadRequest, `{"status":"error","errorType":"bad_data","error":"parse error"}`), usage.ReasonBadRequest},
		{"too many samples", status(http.StatusUnprocessableEntity, ""), usage.ReasonTooLarge},
		{"an answer that is cut off", says(matrix(watts("a", "", "100", "99", "30"))[:300]), usage.ReasonMalformed},
		{"an answer with warnings", says(strings.Replace(matrix(watts("a", "", "100", "99", "30")), `"success"`, `"success","warnings":["partial"]`, 1)), usage.ReasonPartial},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := &server{parts: c.answer}
			got, rejects, err := s.client(t).Measured(t.Context(), halfHour, "power")
			if f := usage.FailureOf(err); f == nil || f.Reason != c.reason || got != nil || rejects != nil {
				t.Errorf("got %v, %v, %v, want %s", got, rejects, err, c.reason)
			}
		})
	}
	s := &server{}
	run := slices.Repeat(halfHour, maxPoints+1)
	if _, _, err := s.client(t).Measured(t.Context(), run, "power"); !usage.IsTooLarge(err) || len(s.asked) > 0 {
		t.Errorf("a run of more points than Prometheus gives: %v, asked %q", err, s.asked)
	}
	if got, _, err := s.client(t).Measured(t.Context(), nil, "power"); got != nil || err != nil || len(s.asked) > 0 {
		t.Errorf("no run: %v, %v, asked %q", got, err, s.asked)
	}
}
