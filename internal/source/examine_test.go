// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !race

package source

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"time"
)

// numbered answers queries that hold a text with numbers by a label, and others with nothing. It
// keeps what was asked.
type numbered struct {
	holds, label string
	numbers      map[string]int
	asked        []string
}

func (n *numbered) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	query := r.FormValue("query")
	n.asked = append(n.asked, query)
	var all []string
	if strings.Contains(query, n.holds) {
		for value, v := range n.numbers {
			labels := fmt.Sprintf("%q:%q", n.label, value)
			if n.label == "" {
				labels = ""
			}
			all = append(all, fmt.Sprintf(`{"metric":{%s},"values":[[%s,"%d"]]}`, labels, r.FormValue("end"), v))
		}
	}
	io.WriteString(w, matrix(all...))
}

func (n *numbered) client(t *testing.T) *Client {
	t.Helper()
	web := httptest.NewServer(n)
	t.Cleanup(web.Close)
	return clientOf(t, web.URL)
}

func TestJobs(t *testing.T) {
	s := &numbered{holds: `count by (job) (node_cpu_seconds_total{job="node"})`, label: "job", numbers: map[string]int{"node": 8}}
	c := s.client(t)
	if got, err := c.Jobs(t.Context(), noon, 0); err != nil || !reflect.DeepEqual(got, s.numbers) {
		t.Errorf("got %v, %v", got, err)
	}
	if got, err := c.Jobs(t.Context(), noon, time.Hour); err != nil || len(got) != 0 || s.asked[1] != `count by (job) (count_over_time(node_cpu_seconds_total{job="node"}[1h]))` {
		t.Errorf("got %v, %v, asked %q", got, err, s.asked)
	}
	c.Query.BusyQuery = "busy"
	if got, err := c.Jobs(t.Context(), noon, 0); err != nil || got != nil || len(s.asked) != 2 {
		t.Errorf("queries of the operator: got %v, %v, asked %q", got, err, s.asked)
	}
}

func TestScrapesAreThoseOfFewHosts(t *testing.T) {
	s := &numbered{holds: "count_over_time(", label: "instance", numbers: map[string]int{"host-01": 30, "host-40": 29}}
	c := s.client(t)
	var hosts []string
	for n := range 1000 {
		hosts = append(hosts, fmt.Sprintf("host-%02d", n))
	}
	if got, err := c.Scrapes(t.Context(), halfHour[0], hosts); err != nil || !reflect.DeepEqual(got, s.numbers) {
		t.Errorf("got %v, %v", got, err)
	}
	if n := strings.Count(s.asked[0], "host-"); n != maxScraped {
		t.Errorf("asked about %d hosts: %s", n, s.asked[0])
	}
	if got, err := c.Scrapes(t.Context(), halfHour[0], nil); err != nil || got != nil || len(s.asked) != 1 {
		t.Errorf("of nobody: got %v, %v", got, err)
	}
}

func TestRenamedLabels(t *testing.T) {
	for _, test := range []struct {
		name   string
		holds  string
		labels []string
		has    bool
	}{
		{"one", "exported_project", []string{"project"}, false},
		{"all", "exported_", []string{"project", "machine", "user", "group", "host"}, false},
		{"none, with our metrics", "carbon_exporter_build_info", nil, true},
		{"none of ours", "nothing", nil, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := &numbered{holds: test.holds, numbers: map[string]int{"": 3}}
			labels, has, err := s.client(t).Renamed(t.Context(), noon)
			if err != nil || !reflect.DeepEqual(labels, test.labels) || has != test.has {
				t.Errorf("got %q, %v, %v", labels, has, err)
			}
		})
	}
}
