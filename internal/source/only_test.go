// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !race

package source

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

func TestOneProjectAloneIsAskedFor(t *testing.T) {
	for _, c := range []struct{ name, project, matcher string }{
		{"by its name", "ISIS", `cloud_project_name="ISIS"`},
		{"like a regular expression", "a|b", `cloud_project_name="a|b"`},
		{"of what names none", usage.Unknown, `cloud_project_name=~"unknown|"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := &server{}
			all := s.client(t)
			only := all.OfProject(c.project)
			if _, _, err := only.Read(t.Context(), halfHour); err != nil {
				t.Fatal(err)
			}
			if len(s.asked) != 3 || !slices.Equal(s.asked[:2], only.Queries(halfHour[0])[:2]) { // nothing is found: once more, for what has sums alone
				t.Errorf("asked %q, said %q", s.asked, only.Queries(halfHour[0]))
			}
			asked := only.UsageQueries(halfHour[0])
			for _, query := range append(s.asked, asked.Busy, asked.Idle) {
				if strings.Count(query, c.matcher) != strings.Count(query, "node_cpu_seconds_total{") {
					t.Errorf("%s\nasks for others too", query)
				}
			}
			if strings.Contains(all.UsageQueries(halfHour[0]).Busy, "cloud_project_name=") {
				t.Error("the client that it was made of asks for it alone as well")
			}
		})
	}
}

// What is too large is then no list of projects to go through.
func TestOneProjectIsNotSplitByProject(t *testing.T) {
	s := &server{counters: status(http.StatusUnprocessableEntity, "")}
	if f, _ := failure(t, s.client(t).OfProject("ISIS"), halfHour); !f.TooLarge || len(s.asked) != 2 {
		t.Errorf("got %+v after %q", f, s.asked)
	}
}

func TestQueriesThatAreAsked(t *testing.T) {
	c := (&server{}).client(t)
	hour := usage.Interval{Start: noon, Length: time.Hour}
	if all := c.Queries(hour); len(all) != 3 || strings.Count(strings.Join(all, ""), "[30m]") != 1 {
		t.Errorf("of an hour: %q", all)
	}
	c.Query.BusyQuery, c.Query.IdleQuery = "busy[$__interval]", "idle[$__interval]"
	if all := c.Queries(hour); !slices.Equal(all, []string{"busy[30m]", "idle[30m]"}) {
		t.Errorf("of the operator's: %q", all)
	}
	c.Query.CoresQuery, c.Query.IdleQuery = "cores[$__interval]", ""
	if all := c.Queries(hour); !slices.Equal(all, []string{"busy[30m]", "cores[30m]"}) {
		t.Errorf("of the operator's without idle: %q", all)
	}
	c.Query.BusyQuery = ""
	if all := c.Queries(hour); !slices.Equal(all, []string{c.Query.counters(nil), "cores[30m]", c.Query.times(nil)}) {
		t.Errorf("of counters, with cores of the operator: %q", all)
	}
}
