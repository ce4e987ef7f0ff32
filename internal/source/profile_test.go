// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !race

package source

import (
	"fmt"
	"math"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

func TestGrowth(t *testing.T) {
	nan := math.NaN()
	for _, tc := range []struct {
		name    string
		counter []float64
		want    []float64
	}{
		{"steady", []float64{100, 160, 220}, []float64{60, 60}},
		{"busy at first", []float64{0, 60, 60, 60}, []float64{60, 0, 0}},
		{"a reboot counts from 0", []float64{100, 160, 20, 80}, []float64{60, 20, 60}},
		{"a gap is filled evenly", []float64{100, nan, nan, 190}, []float64{30, 30, 30}},
		{"a new host in the place of another, after a gap", []float64{500, 560, nan, 40}, []float64{60, 20, 20}},
		{"what was before the first and after the last is not known", []float64{nan, 5, 6, nan}, []float64{0, 1, 0}},
		{"nothing known", []float64{nan, nan}, []float64{0}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := growth(tc.counter); !reflect.DeepEqual(got, tc.want) {
				t.Errorf("got %v, want %v", got, tc.want)
			}
		})
	}
}

// minutes are the points of a counter at the given minutes of the half hour.
func minutes(values map[int]string) string {
	var points []string
	for m := range 31 {
		if v, ok := values[m]; ok {
			points = append(points, fmt.Sprintf(`[%d,"%s"]`, noon.Unix()+int64(60*m), v))
		}
	}
	return strings.Join(points, ",")
}

func profiled(t *testing.T, s *server, series ...usage.Series) map[usage.Series]usage.Profile {
	t.Helper()
	profiles, err := s.client(t).Profiles(t.Context(), halfHour[0], series)
	if err != nil {
		t.Fatal(err)
	}
	return profiles
}

func TestAProfileSaysWhenInThePieceTimeWasUsed(t *testing.T) {
	one := sample("172.16.100.5:9100", 0, 0).Series
	s := &server{parts: says(matrix(
		series(one.Host, `,"`+partLabel+`":"busy"`, minutes(map[int]string{0: "1000", 10: "1600", 30: "1600"})),
		series(one.Host, `,"`+partLabel+`":"idle"`, minutes(map[int]string{0: "0", 10: "0", 30: "1200"})),
		series("another", `,"`+partLabel+`":"idle"`, minutes(map[int]string{0: "0", 30: "1800"})),
	))}
	profiles := profiled(t, s, one)
	if len(profiles) != 1 || profiles[one].Step != time.Minute || len(profiles[one].CPU) != 30 {
		t.Fatalf("got %v", profiles)
	}
	var first, rest usage.BusyIdle[usage.CPUSeconds]
	for i, step := range profiles[one].CPU {
		if i < 10 {
			first = first.Plus(step)
		} else {
			rest = rest.Plus(step)
		}
	}
	if first.Busy != 600 || first.Idle != 0 || rest.Busy != 0 || rest.Idle != 1200 {
		t.Errorf("first ten minutes %v, rest %v", first, rest)
	}
	want := `instance=~"172\\.16\\.100\\.5:9100"`
	if len(s.asked) != 1 || strings.Count(s.asked[0], want) != 2 {
		t.Errorf("asked %q, want it to name the host by %s", s.asked, want)
	}
}

func TestProfilesOfOddAnswers(t *testing.T) {
	one := sample("a", 0, 0).Series
	for _, tc := range []struct {
		name, answer string
		want         int // profiles
	}{
		{"nothing", matrix(), 0},
		{"another part", matrix(series("a", `,"`+partLabel+`":"cores"`, minutes(map[int]string{0: "1"}))), 0},
		{"values that are none", matrix(series("a", `,"`+partLabel+`":"busy"`, minutes(map[int]string{0: "NaN", 1: "+Inf", 2: "-1"}))), 1},
		{"times out of the piece", matrix(series("a", `,"`+partLabel+`":"busy"`, fmt.Sprintf(`[1,"5"],[%d,"7"]`, noonEnd+3600))), 1},
	} {
		t.Run(tc.name, func(t *testing.T) {
			profiles := profiled(t, &server{parts: says(tc.answer)}, one)
			if len(profiles) != tc.want {
				t.Fatalf("got %v", profiles)
			}
			for _, p := range profiles {
				for _, step := range p.CPU {
					if step.Total() != 0 {
						t.Errorf("got %v", p.CPU)
					}
				}
			}
		})
	}
}

func TestProfilesOfManyHostsAreAskedForInSeveralQueries(t *testing.T) {
	s := &server{}
	var many []usage.Series
	for n := range 2*maxProfiled + 1 {
		many = append(many, sample(fmt.Sprint("host-", n), 0, 0).Series)
	}
	profiled(t, s, many...)
	if len(s.asked) != 3 {
		t.Errorf("asked %d queries, want 3", len(s.asked))
	}
}

func TestNoProfileIsAskedForWhereThereIsNone(t *testing.T) {
	s := &server{}
	given := s.client(t)
	given.Query.BusyQuery, given.Query.IdleQuery = "busy", "idle"
	minute := usage.Interval{Start: noon, Length: time.Minute}
	for _, tc := range []struct {
		name   string
		client *Client
		piece  usage.Interval
	}{
		{"queries of the operator's", given, halfHour[0]},
		{"a piece as short as a step", s.client(t), minute},
	} {
		t.Run(tc.name, func(t *testing.T) {
			profiles, err := tc.client.Profiles(t.Context(), tc.piece, []usage.Series{sample("a", 0, 0).Series})
			if len(profiles) != 0 || err != nil {
				t.Errorf("got %v, %v", profiles, err)
			}
		})
	}
	if len(s.asked) != 0 {
		t.Errorf("asked %q", s.asked)
	}
}

func TestBooted(t *testing.T) {
	at := noon.Add(time.Hour)
	boot := noon.Add(-time.Hour)
	answer := func(host, v string) string {
		return fmt.Sprintf(`{"metric":{"instance":"%s"},"values":[[%d,"%s"]]}`, host, at.Unix(), v)
	}
	s := &server{boots: says(matrix(
		answer("a:9100", fmt.Sprint(boot.Unix())), answer("future", fmt.Sprint(at.Unix()+60)), answer("none", "NaN"), answer("", "5"), answer("zero", "0"),
	))}
	boots, err := s.client(t).Booted(t.Context(), at)
	if err != nil {
		t.Fatal(err)
	}
	if want := map[string]time.Time{"a:9100": boot}; !reflect.DeepEqual(boots, want) {
		t.Errorf("got %v, want %v", boots, want)
	}
	if want := `max by (instance) (node_boot_time_seconds{job="node"})`; s.asked[0] != want {
		t.Errorf("asked %s, want %s", s.asked[0], want)
	}
	s.boots = status(http.StatusInternalServerError, "")
	if boots, err := s.client(t).Booted(t.Context(), at); err == nil {
		t.Errorf("got %v of a server that fails", boots)
	}
}
