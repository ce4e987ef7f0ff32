// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !race

package source

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

func TestGivenQueries(t *testing.T) {
	one := func(n string) string {
		return fmt.Sprintf(`{"metric":{"instance":"a"},"values":[[%d,"%s"]]}`, noonEnd, n)
	}
	full := usage.Coverage{Seen: 1800, Capacity: 1800}
	want := []usage.Sample{sample("a", 600, 1200)}
	for _, test := range []struct {
		name              string
		busy, idle, cores string // "-": that query is not set
		want              []usage.Sample
		doubts            string
		coverage          usage.Coverage
		rejects           usage.Rejects
	}{
		{name: "busy and idle", busy: host("a", "600"), idle: host("a", "1200"), cores: "-", want: want},
		{name: "cores, too", busy: host("a", "600"), idle: host("a", "1200"), cores: one("1"), want: want, coverage: full},
		{name: "half of it seen", busy: host("a", "300"), idle: host("a", "600"), cores: one("1"), want: []usage.Sample{sample("a", 300, 600)}, coverage: usage.Coverage{Seen: 900, Capacity: 1800}},
		{name: "scrape jitter", busy: host("a", "610"), idle: host("a", "1205"), cores: one("1"), want: []usage.Sample{sample("a", 610, 1205)}, coverage: full},
		{name: "more than cores x time", busy: host("a", "1000"), idle: host("a", "2600"), cores: one("1"), doubts: "a refused leap", coverage: usage.Coverage{Capacity: 1800}, rejects: usage.Rejects{rejectOverCapacity: 1}},
		{name: "a host that cores_query does not name", busy: host("a", "600"), idle: host("a", "1200"), cores: "", want: want},
		{name: "half a core is no number of cores", busy: host("a", "600"), idle: host("a", "1200"), cores: one("0.5"), want: want},
		{name: "NaN is no number of cores", busy: host("a", "600"), idle: host("a", "1200"), cores: one("NaN"), want: want},
		{name: "cores that are a word", busy: host("a", "600"), idle: host("a", "1200"), cores: one("0x1") + "," + host("b", "1"), want: want, rejects: usage.Rejects{rejectNotANumber: 1}},
		{name: "more cores than any host has", busy: host("a", "600"), idle: host("a", "1200"), cores: one("1e9"), want: want},
		{name: "cores by project, of which the most count", busy: host("a", "600"), idle: host("a", "1200"), cores: host("a", "1") + "," + one("2"), want: want, coverage: usage.Coverage{Seen: 1800, Capacity: 3600}},
		{name: "cores at another time", busy: host("a", "600"), idle: host("a", "1200"), cores: `{"metric":{"instance":"a"},"values":[[1,"1"]]}`, want: want},
		{name: "cores of a host without time", busy: "", idle: "", cores: one("1")},
		{name: "idle is what the cores have left", busy: host("a", "600"), idle: "-", cores: one("1"), want: want, coverage: full},
		{name: "busy throughout", busy: host("a", "1800"), idle: "-", cores: one("1"), want: []usage.Sample{sample("a", 1800, 0)}, coverage: full},
		{name: "busy for 2 % more than that", busy: host("a", "1836"), idle: "-", cores: one("1"), want: []usage.Sample{sample("a", 1836, 0)}, coverage: full},
		{name: "busy for longer than its cores can be", busy: host("a", "3600"), idle: "-", cores: one("1"), doubts: "a refused leap", coverage: usage.Coverage{Capacity: 1800}, rejects: usage.Rejects{rejectOverCapacity: 1}},
		{name: "idle that is not known without cores", busy: host("a", "600"), idle: "-", cores: "", doubts: "a refused no_cores", rejects: usage.Rejects{"no_cores": 1}},
		{name: "busy that is none", busy: host("a", "NaN"), idle: "-", cores: one("1"), doubts: "a refused invalid", coverage: usage.Coverage{Capacity: 1800}, rejects: usage.Rejects{rejectNaN: 1}},
		{name: "half of it is absent, beside a whole host", busy: host("a", "600") + "," + host("b", "1"), idle: host("b", "2"), cores: one("1"), want: []usage.Sample{sample("b", 1, 2)}, doubts: "a refused half", coverage: usage.Coverage{Capacity: 1800}, rejects: usage.Rejects{rejectHalf: 1}},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := (&server{busy: says(matrix(nonEmpty(test.busy)...)), idle: says(matrix(nonEmpty(test.idle)...)), cores: says(matrix(nonEmpty(test.cores)...))}).given(t)
			if test.cores != "-" {
				c.Query.CoresQuery = "cores"
			}
			if test.idle == "-" {
				c.Query.IdleQuery = ""
			}
			reading, rejects := read(t, c)
			if fmt.Sprint(reading.Samples) != fmt.Sprint(test.want) || doubts(reading) != test.doubts {
				t.Errorf("got %v, doubts %+v, want %v, %q", reading.Samples, reading.Doubts, test.want, test.doubts)
			}
			if reading.Coverage["ISIS"] != test.coverage {
				t.Errorf("coverage %v, want %v", reading.Coverage, test.coverage)
			}
			if !maps.Equal(rejects, test.rejects) {
				t.Errorf("rejects %v, want %v", rejects, test.rejects)
			}
			if n := reading.Present["ISIS"].Hosts; n != len(test.want)+len(reading.Doubts) {
				t.Errorf("%d hosts are present", n)
			}
		})
	}
}

// Series that name no host may be those of many machines: they are within what a site has.
func TestGivenSeriesWithoutAHost(t *testing.T) {
	site := fmt.Sprintf(`{"metric":{"cloud_project_name":"ISIS"},"values":[[%d,"1e7"]]}`, noonEnd)
	reading, rejects := read(t, (&server{busy: says(matrix(site, host("a", "1e7"))), idle: says(matrix(site, host("a", "1e7")))}).given(t))
	if len(reading.Samples) != 1 || reading.Samples[0].Host != usage.Unknown || reading.Samples[0].CPU.Busy != 1e7 {
		t.Errorf("got %+v", reading.Samples)
	}
	if doubts(reading) != "a refused invalid" || rejects[rejectOverCapacity] != 2 {
		t.Errorf("of a host that has as much: %+v, %v", reading.Doubts, rejects)
	}
}

// A question that fails fails the reading, whichever it is.
func TestGivenQueriesThatFail(t *testing.T) {
	good := says(matrix(host("a", "1")))
	for name, s := range map[string]*server{
		"query busy": {busy: status(500, "")}, "query idle": {busy: good, idle: status(500, "")}, "query cores": {busy: good, idle: good, cores: status(500, "")},
	} {
		c := s.given(t)
		c.Query.CoresQuery = "cores"
		if f, err := failure(t, c, halfHour); f.Reason != usage.ReasonServer || !strings.HasPrefix(err.Error(), name) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	s := &server{busy: good, idle: good, cores: status(http.StatusUnprocessableEntity, "")}
	c := s.given(t)
	c.Query.CoresQuery = "cores"
	if f, _ := failure(t, c, twoHalfHours); !f.TooLarge || s.times(ofProjects) > 0 {
		t.Errorf("got %+v after %q", f, s.asked)
	}
}

// A window of its own is the interval: what it gives, its doubts and its cores are those of all
// pieces.
func TestAWindowOfItsOwnIsSpread(t *testing.T) {
	hour := []usage.Interval{{Start: noon, Length: time.Hour}}
	at := func(name, v string) string { return series(name, "", fmt.Sprintf(`[%d,"%s"]`, noonEnd+1800, v)) }
	s := &server{busy: says(matrix(at("a", "1000"), at("b", "NaN"))), idle: says(matrix(at("a", "2600"), at("b", "1"))), cores: says(matrix(at("a", "1"), at("b", "2")))}
	c := s.given(t)
	c.Query.BusyQuery, c.Query.IdleQuery, c.Query.CoresQuery = "busy:1h", "idle:1h", "cores / $__interval_seconds"
	readings := readRun(t, c, hour)
	if len(readings) != 2 || !slices.Equal(s.asked, []string{"busy:1h", "idle:1h", "cores / 3600"}) {
		t.Fatalf("%d readings after %q", len(readings), s.asked)
	}
	for i, r := range readings {
		if want := []usage.Sample{sample("a", 500, 1300)}; !slices.Equal(r.Samples, want) || doubts(r) != "b refused invalid" {
			t.Errorf("half %d: %+v", i, r)
		}
		if r.Coverage["ISIS"] != (usage.Coverage{Seen: 1800, Capacity: 5400}) || r.Present["ISIS"] != (usage.Presence{Hosts: 2, Cores: 3}) {
			t.Errorf("half %d: %v, %v", i, r.Coverage, r.Present)
		}
	}
}

// Memory is bounded for cores as for time.
func TestCoresOfTooManyHosts(t *testing.T) {
	var list []string
	for i := range 200_000 {
		list = append(list, fmt.Sprintf(`{"metric":{"instance":"%d"},"values":[]}`, i))
	}
	s := &server{cores: says(matrix(list...))}
	c := s.given(t)
	c.Query.CoresQuery = "cores"
	if f, _ := failure(t, c, halfHours(96)); f.Reason != usage.ReasonLimit || !f.TooLarge {
		t.Errorf("got %+v", f)
	}
}
