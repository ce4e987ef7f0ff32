// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !race

package source

import (
	"testing"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// aliases says what hosts are called, by piece.
func aliases(all map[string][]string) *infos {
	t := infoTable{rows: map[string]*infoRow{}}
	for host, names := range all {
		r := &infoRow{at: make([]float64, len(names)+1), who: make([]*said, len(names)+1)}
		for i, name := range names {
			if name != "" {
				r.who[i] = &said{alias: name}
			}
		}
		t.rows[host] = r
	}
	t.on = []string{"instance"}
	return &infos{tables: []infoTable{t}}
}

func TestHostsByWhatTheyAreCalled(t *testing.T) {
	for _, test := range []struct {
		name    string
		hosts   []string
		aliases map[string][]string
		booked  [][]string // by piece
		asked   string
		want    []string // by piece; "several" and "" are nobody
	}{
		{
			"by its name, without port",
			[]string{"10.0.0.1:9100"},
			nil,
			[][]string{{"10.0.0.1:9100"}},
			"10.0.0.1",
			[]string{"10.0.0.1:9100"},
		},
		{
			"by its alias",
			[]string{"10.0.0.1:9100"},
			map[string][]string{"10.0.0.1:9100": {"worker-1"}},
			[][]string{{"10.0.0.1:9100"}},
			"worker-1",
			[]string{"10.0.0.1:9100"},
		},
		{
			"nobody",
			[]string{"10.0.0.1:9100"},
			nil,
			[][]string{{"10.0.0.1:9100"}},
			"worker-9",
			[]string{""},
		},
		{
			"a name is more than an alias",
			[]string{"a", "worker-1"},
			map[string][]string{"a": {"worker-1"}, "worker-1": {"worker-1"}},
			[][]string{{"a", "worker-1"}},
			"worker-1",
			[]string{"worker-1"},
		},
		{
			"a host with a domain, by its name alone",
			[]string{"node001.cluster:9100"},
			nil,
			[][]string{{"node001.cluster:9100"}},
			"node001",
			[]string{"node001.cluster:9100"},
		},
		{
			"a host by its name and a domain",
			[]string{"node001:9100"},
			nil,
			[][]string{{"node001:9100"}},
			"node001.cluster",
			[]string{"node001:9100"},
		},
		{
			"another domain is another host",
			[]string{"node001.one"},
			nil,
			[][]string{{"node001.one"}},
			"node001.other",
			[]string{""},
		},
		{
			"an address has no parts",
			[]string{"10.0.0.1:9100"},
			nil,
			[][]string{{"10.0.0.1:9100"}},
			"10",
			[]string{""},
		},
		{
			"two hosts with a domain",
			[]string{"node001.one", "node001.other"},
			nil,
			[][]string{{"node001.one", "node001.other"}},
			"node001",
			[]string{"several"},
		},
		{
			"two clusters",
			[]string{"a", "b"},
			map[string][]string{"a": {"worker-1"}, "b": {"worker-1"}},
			[][]string{{"a", "b"}},
			"worker-1",
			[]string{"several"},
		},
		{
			"a node that is renamed",
			[]string{"a", "b"},
			map[string][]string{"a": {"worker-1", "worker-1"}, "b": {"", "worker-1"}},
			[][]string{{"a"}, {"b"}},
			"worker-1",
			[]string{"a", "b"},
		},
		{
			"an address that another node gets",
			[]string{"a", "b"},
			map[string][]string{"a": {"worker-1", "worker-2"}, "b": {"", "worker-1"}},
			[][]string{{"a"}, {"a", "b"}},
			"worker-1",
			[]string{"a", "b"},
		},
	} {
		n := callHosts(test.hosts, aliases(test.aliases), 0, len(test.want))
		readings := make([]usage.Reading, len(test.booked))
		for i, hosts := range test.booked {
			for _, h := range hosts {
				readings[i].Samples = append(readings[i].Samples, usage.Sample{Series: usage.Series{Host: h}})
			}
		}
		n.booked(readings)
		for i, want := range test.want {
			got, several := n.host(test.asked, i)
			if several {
				got = "several"
			}
			if got != want {
				t.Errorf("%s, piece %d: %q, want %q", test.name, i, got, want)
			}
		}
	}
}
