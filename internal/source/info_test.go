// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !race

package source

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// infoSeries is what an Info answers: when labels were seen last, at the ends of pieces from
// noon on.
func infoSeries(labels string, seen ...string) string {
	return `{"metric":{` + labels + `},"values":[` + every(noonEnd, seen) + `]}`
}

func TestWhatOtherMetricsSayOfAHost(t *testing.T) {
	run := twoHalfHours
	for _, test := range []struct {
		name   string
		answer []string
		want   [2]said
	}{
		{"it says nothing of this host", []string{infoSeries(`"instance":"b","tenant":"x"`, "1", "2")}, [2]said{}},
		{"it says the same throughout", []string{infoSeries(`"instance":"a","tenant":"x","flavor":"m1"`, "1", "2")}, [2]said{{project: "x", machine: "m1"}, {project: "x", machine: "m1"}}},
		{"it changes", []string{infoSeries(`"instance":"a","tenant":"x"`, "5", ""), infoSeries(`"instance":"a","tenant":"y"`, "", "9")}, [2]said{{project: "x"}, {project: "y"}}},
		{"it changes within a piece: the newest", []string{infoSeries(`"instance":"a","tenant":"x"`, "5", "6"), infoSeries(`"instance":"a","tenant":"y"`, "4", "9")}, [2]said{{project: "x"}, {project: "y"}}},
		{"it says two things at once: the first by name", []string{infoSeries(`"instance":"a","tenant":"y"`, "5", "6"), infoSeries(`"instance":"a","tenant":"x"`, "5", "6")}, [2]said{{project: "x"}, {project: "x"}}},
		{"it says no more in the second piece", []string{infoSeries(`"instance":"a","tenant":"x"`, "5", "")}, [2]said{{project: "x"}, {}}},
		{"it says nothing until the piece after the second", []string{infoSeries(`"instance":"a","tenant":"x"`, "", "", "5")}, [2]said{{}, {project: "x"}}},
		{"it was not scraped in the first piece", []string{infoSeries(`"instance":"a","tenant":"x"`, "", "5")}, [2]said{{project: "x"}, {project: "x"}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := &server{boots: says(matrix(test.answer...))}
			all, err := s.client(t).askInfo(t.Context(), []Info{{Query: "host_info", Project: "tenant", Machine: "flavor"}}, run, []string{"instance"})
			if err != nil {
				t.Fatal(err)
			}
			for i, want := range test.want {
				got := all.of(func(string) string { return "a" }, i)
				if got == nil {
					got = &said{}
				}
				if *got != want {
					t.Errorf("piece %d: got %+v, want %+v", i, *got, want)
				}
			}
		})
	}
}

func TestTheQueryOfAnInfo(t *testing.T) {
	i := Info{Query: "libvirt_domain_openstack_info # inovex", Project: "project.name", User: "user_name"}
	want := "max by (domain, \"project.name\", user_name) (max_over_time(timestamp(libvirt_domain_openstack_info # inovex\n)[2h30m:1m]))"
	if got := i.query([]string{"domain"}, halfHour[0].Length); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// What is said of a host is in its samples, in the count of who is there and in its doubts.
func TestAHostIsBookedAsIsSaid(t *testing.T) {
	s := &server{
		counters: says(matrix(steady("a", 900, 900, 3))), cores: says(matrix(inPieces("a", "1", "1", "1"))),
		boots: func(w http.ResponseWriter, r *http.Request) {
			if strings.Contains(r.FormValue("query"), "host_info") {
				says(matrix(infoSeries(`"instance":"a","tenant":"x"`, "5", "6", "7", "8", "9")))(w, r)
				return
			}
			says(matrix())(w, r)
		},
	}
	c := s.client(t)
	c.Query.Info = []Info{{Query: "host_info", Project: "tenant"}}
	answer, _, err := c.Read(t.Context(), halfHour)
	readings := answer.All()
	if err != nil {
		t.Fatal(err)
	}
	want := sample("a", 900, 900)
	want.Project = "x"
	if got := fmt.Sprint(readings[0].Samples); got != fmt.Sprint([]usage.Sample{want}) {
		t.Errorf("got %s, want %v", got, want)
	}
	if got := fmt.Sprint(readings[0].Present); got != fmt.Sprint(map[string]usage.Presence{"x": {Hosts: 1, Cores: 1}}) {
		t.Errorf("present: %s", got)
	}
	there, err := c.Present(t.Context(), halfHour)
	if err != nil || fmt.Sprint(there[0]) != fmt.Sprint(readings[0].Present) {
		t.Errorf("present: %v, %v", there, err)
	}
}
