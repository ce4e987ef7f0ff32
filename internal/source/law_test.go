// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !race

package source

import (
	"fmt"
	"maps"
	"net/http"
	"strings"
	"testing"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// set is a series of a mode under other labels for attribution, at the four edges.
func set(labels, mode string, values ...string) string {
	return `{"metric":{` + labels + `,"mode":"` + mode + `"},"values":[` + every(noonEnd-3600, values) + `]}`
}

// coresOf is the cores of such a label set.
func coresOf(labels, n string) string {
	return `{"metric":{` + labels + `},"values":[` + every(noonEnd-1800, []string{n, n, n}) + `]}`
}

// doubts is a reading's doubts as state, reason and host.
func doubts(r usage.Reading) string {
	var all []string
	for _, d := range r.Doubts {
		all = append(all, fmt.Sprintf("%s %s %s", d.Host, d.State, d.Reason))
	}
	return strings.Join(all, ", ")
}

// What the edges alone say. A host that needs a closer look gets none here, since the server
// has no raw samples: it is not_looked.
func TestTheLaw(t *testing.T) {
	const notLooked = "a refused not_looked"
	list := func(all ...string) string { return strings.Join(all, ",") }
	user := func(values ...string) string { return atEdges("a", "user", values...) }
	idle := func(values ...string) string { return atEdges("a", "idle", values...) }
	one := inPieces("a", "1", "1", "1")
	named, unnamed := `"cloud_project_name":"ISIS","machine_name":"Muon","instance":"a","user":"ada"`, `"instance":"a"`
	changed := `"cloud_project_name":"DLS","machine_name":"Muon","instance":"a","user":"bob"`
	at := func(s string, busy, idle usage.CPUSeconds) usage.Sample {
		x := sample("a", busy, idle)
		switch s {
		case unnamed:
			x.Series = usage.Series{Project: usage.Unknown, Machine: usage.Unknown, Host: "a"}
		case changed:
			x.Project, x.User = "DLS", "bob"
		}
		return x
	}
	full := usage.Coverage{Seen: 1800, Capacity: 1800}
	for _, test := range []struct {
		name            string
		counters, cores string
		want            []usage.Sample
		doubts          string
		coverage        usage.Coverage // of ISIS
		rejects         usage.Rejects
	}{
		{name: "nothing"},
		{name: "exactly", counters: steady("a", 450, 1350, 3), cores: one, want: []usage.Sample{sample("a", 450, 1350)}, coverage: full},
		{name: "idle throughout", counters: steady("a", 0, 1800, 3), cores: one, want: []usage.Sample{sample("a", 0, 1800)}, coverage: full},
		{name: "busy throughout", counters: steady("a", 1800, 0, 3), cores: one, want: []usage.Sample{sample("a", 1800, 0)}, coverage: full},
		{name: "a scrape's shift more", counters: steady("a", 450, 1400, 3), cores: one, want: []usage.Sample{sample("a", 450, 1400)}, coverage: usage.Coverage{Seen: 1800, Capacity: 1800}},
		{name: "a scrape's shift less", counters: steady("a", 450, 1300, 3), cores: one, want: []usage.Sample{sample("a", 450, 1300)}, coverage: usage.Coverage{Seen: 1750, Capacity: 1800}},
		{name: "4 % more", counters: steady("a", 450, 1422, 3), cores: one, doubts: notLooked, coverage: usage.Coverage{Capacity: 1800}, rejects: usage.Rejects{"not_looked": 1}},
		{name: "4 % less", counters: steady("a", 450, 1278, 3), cores: one, doubts: notLooked, coverage: usage.Coverage{Capacity: 1800}, rejects: usage.Rejects{"not_looked": 1}},
		{name: "nothing at all grows", counters: list(user("5", "5", "5", "5"), idle("7", "7", "7", "7")), cores: one, doubts: notLooked, coverage: usage.Coverage{Capacity: 1800}, rejects: usage.Rejects{"not_looked": 1}},
		{
			name: "a counter falls by a 64th of a second", counters: list(user("5", "5", "4.984375", "5"), idle("0", "1800", "3600", "5400")), cores: one,
			want: []usage.Sample{sample("a", 0, 1800)}, coverage: usage.Coverage{Seen: 1799.984375, Capacity: 1800},
		},
		{
			name: "a counter of 64 cores falls by a second", counters: list(user("50", "50", "49", "50"), idle("0", "115200", "230400", "345600")), cores: inPieces("a", "64", "64", "64"),
			want: []usage.Sample{sample("a", 0, 115200)}, coverage: usage.Coverage{Seen: 115199, Capacity: 115200},
		},
		{name: "a counter falls by more, and another makes up for it", counters: list(user("100", "100", "90", "90"), idle("0", "1800", "3610", "5410")), cores: one, doubts: notLooked, coverage: usage.Coverage{Capacity: 1800}, rejects: usage.Rejects{"not_looked": 1}},
		{name: "stolen time is time", counters: list(steady("a", 450, 450, 3), atEdges("a", "steal", "0", "900", "1800", "2700")), cores: one, want: []usage.Sample{sample("a", 450, 450)}, coverage: full},
		{name: "guest time is part of user", counters: list(steady("a", 900, 900, 3), atEdges("a", "guest", "0", "900", "1800", "2700")), cores: one, want: []usage.Sample{sample("a", 900, 900)}, coverage: full},
		{name: "other time that is part of busy modes", counters: list(steady("a", 900, 900, 3), atEdges("a", "steal", "0", "300", "600", "900")), cores: one, want: []usage.Sample{sample("a", 900, 900)}, coverage: full},
		{name: "several modes of a kind", counters: list(steady("a", 400, 1300, 3), atEdges("a", "system", "0", "50", "100", "150"), atEdges("a", "iowait", "7", "57", "107", "157")), cores: one, want: []usage.Sample{sample("a", 450, 1350)}, coverage: full},
		{name: "cores not known, a whole number of them grew", counters: steady("a", 900, 2700, 3), want: []usage.Sample{sample("a", 900, 2700)}, coverage: usage.Coverage{Seen: 3600, Capacity: 3600}},
		{name: "cores not known, and no whole number", counters: steady("a", 900, 1800, 3), doubts: notLooked, rejects: usage.Rejects{"not_looked": 1}},
		{name: "cores that are none", counters: steady("a", 450, 1350, 3), cores: inPieces("a", "0", "0.5", "NaN"), want: []usage.Sample{sample("a", 450, 1350)}, coverage: full},
		{name: "no idle mode", counters: user("0", "450", "900", "1350"), doubts: "a refused no_cores", rejects: usage.Rejects{"no_cores": 1}},
		{name: "no busy mode", counters: idle("0", "1800", "3600", "5400"), cores: one, doubts: "a refused half", coverage: usage.Coverage{Capacity: 1800}, rejects: usage.Rejects{"half": 1}},
		{name: "no mode that is configured", counters: atEdges("a", "kernel", "0", "1800", "3600", "5400"), doubts: "a refused half", rejects: usage.Rejects{"half": 1}},
		{name: "NaN where it begins", counters: list(user("0", "NaN", "0", "0"), idle("0", "1800", "3600", "5400")), cores: one, doubts: "a refused invalid", coverage: usage.Coverage{Capacity: 1800}, rejects: usage.Rejects{rejectNaN: 1}},
		{name: "NaN where it ends", counters: list(user("0", "0", "NaN", "0"), idle("0", "1800", "3600", "5400")), cores: one, doubts: "a refused invalid", coverage: usage.Coverage{Capacity: 1800}, rejects: usage.Rejects{rejectNaN: 1}},
		{name: "NaN at the edge beyond", counters: list(user("NaN", "0", "0", "NaN"), idle("0", "1800", "3600", "5400")), cores: one, want: []usage.Sample{sample("a", 0, 1800)}, coverage: full, rejects: usage.Rejects{rejectNaN: 2}},
		{name: "infinite, negative, and more than any counter", counters: list(user("0", "+Inf", "-1", "0"), idle("0", "1800", "1e16", "5400")), cores: one, doubts: "a refused invalid", coverage: usage.Coverage{Capacity: 1800}, rejects: usage.Rejects{rejectInfinite: 1, rejectNegative: 1, rejectOverCapacity: 1}},
		{name: "a word", counters: list(user("0", "0", "many", "0"), idle("0", "1800", "3600", "5400")), cores: one, doubts: "a refused invalid", coverage: usage.Coverage{Capacity: 1800}, rejects: usage.Rejects{rejectNotANumber: 1}},
		{name: "not seen where it begins", counters: list(user("", "", "450", "900"), idle("", "", "1350", "2700")), cores: one, doubts: notLooked, coverage: usage.Coverage{Capacity: 1800}, rejects: usage.Rejects{"not_looked": 1}},
		{name: "a mode that appears", counters: list(steady("a", 450, 1350, 3), atEdges("a", "steal", "", "", "0", "0")), cores: one, doubts: notLooked, coverage: usage.Coverage{Capacity: 1800}, rejects: usage.Rejects{"not_looked": 1}},
		{name: "it lived between the edges", counters: "", cores: inPieces("a", "", "1", ""), doubts: notLooked, coverage: usage.Coverage{Capacity: 1800}, rejects: usage.Rejects{"not_looked": 1}},
		{name: "it lived before and after", counters: list(user("0", "", "", "0"), idle("0", "", "", "5400")), cores: inPieces("a", "1", "", "1")},
		{name: "it lived before", counters: list(user("0", "", "", ""), idle("0", "", "", "")), cores: inPieces("a", "1", "", "")},
		{
			name: "two label sets, of which one has half the cores", counters: list(set(named, "user", "0", "450", "900", "1350"), set(named, "idle", "0", "1350", "2700", "4050"), set(changed, "user", "0", "0", "0", "0"), set(changed, "idle", "0", "1800", "3600", "5400")),
			cores: list(coresOf(named, "2"), coresOf(changed, "2")), want: []usage.Sample{at(changed, 0, 1800), at(named, 450, 1350)}, coverage: usage.Coverage{Seen: 1800, Capacity: 1800},
		},
		{
			name: "two label sets of one host, one names nothing", counters: list(set(unnamed, "user", "1", "451", "901", "1351"), set(unnamed, "idle", "3", "1353", "2703", "4053"), set(named, "user", "0", "450", "900", "1350"), set(named, "idle", "0", "1350", "2700", "4050")),
			cores: list(coresOf(named, "1"), coresOf(unnamed, "1")), want: []usage.Sample{at(named, 450, 1350)}, coverage: full, rejects: usage.Rejects{rejectDuplicate: 1},
		},
		{
			name: "two label sets of two machines", counters: list(set(changed, "user", "70001", "70451", "70901", "71351"), set(changed, "idle", "3", "1353", "2703", "4053"), set(named, "user", "0", "450", "900", "1350"), set(named, "idle", "0", "1350", "2700", "4050")),
			cores: list(coresOf(named, "1"), coresOf(changed, "1")), doubts: notLooked, rejects: usage.Rejects{"not_looked": 1},
		},
		{name: "the same labels twice", counters: list(user("0", "450", "900", "1350"), user("0", "449", "899", "1349"), idle("0", "1350", "2700", "4050")), cores: one, want: []usage.Sample{sample("a", 450, 1350)}, coverage: full, rejects: usage.Rejects{rejectDuplicate: 4}},
		{name: "the same labels twice, and then NaN", counters: list(user("0", "450", "900", "1350"), user("NaN", "NaN", "NaN", "NaN"), idle("0", "1350", "2700", "4050")), cores: one, want: []usage.Sample{sample("a", 450, 1350)}, coverage: full, rejects: usage.Rejects{rejectNaN: 4}},
		{name: "the same labels twice, and NaN before", counters: list(user("NaN", "NaN", "NaN", "NaN"), user("0", "450", "900", "1350"), idle("0", "1350", "2700", "4050")), cores: one, want: []usage.Sample{sample("a", 450, 1350)}, coverage: full, rejects: usage.Rejects{rejectNaN: 4}},
		{name: "a histogram", counters: list(steady("a", 450, 1350, 3), `{"metric":{"instance":"a","mode":"user"},"histograms":[[1782909000,{"count":"1"}]]}`), cores: one, want: []usage.Sample{sample("a", 450, 1350)}, coverage: full, rejects: usage.Rejects{rejectHistogram: 1}},
		{name: "points between the edges", counters: list(steady("a", 450, 1350, 3), series("b", `,"mode":"user"`, fmt.Sprintf(`[%d,"1"],[0,"1"],[99999999999999,"1"]`, noonEnd+1))), cores: one, want: []usage.Sample{sample("a", 450, 1350)}, coverage: full, rejects: usage.Rejects{rejectTimestamp: 3}},
	} {
		t.Run(test.name, func(t *testing.T) {
			reading, rejects := read(t, (&server{counters: says(matrix(nonEmpty(test.counters)...)), cores: says(matrix(nonEmpty(test.cores)...))}).client(t))
			if fmt.Sprint(reading.Samples) != fmt.Sprint(test.want) {
				t.Errorf("got %v, want %v", reading.Samples, test.want)
			}
			if got := doubts(reading); got != test.doubts {
				t.Errorf("doubts %q, want %q: %+v", got, test.doubts, reading.Doubts)
			}
			if reading.Coverage["ISIS"] != test.coverage && !strings.Contains(test.name, "two label sets of two") {
				t.Errorf("coverage %v, want %v", reading.Coverage, test.coverage)
			}
			if !maps.Equal(rejects, test.rejects) {
				t.Errorf("rejects %v, want %v", rejects, test.rejects)
			}
			if reading.Final != (test.doubts == "" && !strings.Contains(test.name, "it lived before")) { // it may come back
				t.Errorf("final is %v", reading.Final)
			}
		})
	}
}

func nonEmpty(list string) []string {
	if list == "" {
		return nil
	}
	return []string{list}
}

// Of a host that is refused the cores count, in whose project it was.
func TestARefusedHostIsPresentAndCovered(t *testing.T) {
	reading, _ := read(t, (&server{
		counters: says(matrix(steady("a", 450, 1350, 3), atEdges("b", "user", "0", "NaN", "0", "0"), atEdges("b", "idle", "0", "5400", "10800", "16200"))),
		cores:    says(matrix(inPieces("a", "1", "1", "1"), inPieces("b", "3", "3", "3"))),
	}).client(t))
	if want := (usage.Presence{Hosts: 2, Cores: 4}); reading.Present["ISIS"] != want || len(reading.Present) != 1 {
		t.Errorf("present %v, want %v", reading.Present, want)
	}
	if want := (usage.Coverage{Seen: 1800, Capacity: 7200}); reading.Coverage["ISIS"] != want {
		t.Errorf("coverage %v, want %v", reading.Coverage, want)
	}
	if d := reading.Doubts[0]; d.Cores != 3 || d.Series != sample("b", 0, 0).Series || d.Detail == "" {
		t.Errorf("doubt %+v", d)
	}
}

// With cores of the operator a host needs no idle mode, nor a label of the core.
func TestCoresOfTheOperatorBesideCounters(t *testing.T) {
	users := atEdges("a", "user", "0", "450", "900", "1350")
	for _, test := range []struct {
		name, counters, cores string
		want                  []usage.Sample
		doubts                string
	}{
		{name: "no idle mode", counters: users, cores: inPieces("a", "2", "2", "2"), want: []usage.Sample{sample("a", 450, 3150)}},
		{name: "cores that name the host alone", counters: users, cores: `{"metric":{"instance":"a"},"values":[` + every(noonEnd-1800, []string{"2", "2", "2"}) + `]}`, want: []usage.Sample{sample("a", 450, 3150)}},
		{name: "an idle mode, and cores that name the host alone", counters: steady("a", 450, 1350, 3), cores: `{"metric":{"instance":"a"},"values":[` + every(noonEnd-1800, []string{"1", "1", "1"}) + `]}`, want: []usage.Sample{sample("a", 450, 1350)}},
		{name: "an idle mode, and cores that are not known", counters: steady("a", 450, 1350, 3), cores: inPieces("a", "1", "", "1"), want: []usage.Sample{sample("a", 450, 1350)}},
		{name: "cores of a host that is not seen at the edges", counters: steady("a", 450, 1350, 3), cores: inPieces("a", "1", "1", "1") + "," + inPieces("b", "2", "2", "2"), want: []usage.Sample{sample("a", 450, 1350)}, doubts: "b refused not_looked"},
		{name: "cores of it are not known", counters: users, cores: inPieces("a", "", "", "2"), doubts: "a refused no_cores"},
		{name: "busy for longer than its cores can be", counters: users, cores: inPieces("a", "0", "0", "0"), doubts: "a refused no_cores"},
		{name: "busy throughout", counters: atEdges("a", "user", "0", "1800", "3600", "5400"), cores: inPieces("a", "1", "1", "1"), want: []usage.Sample{sample("a", 1800, 0)}},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := &server{counters: says(matrix(test.counters)), cores: says(matrix(test.cores))}
			c := s.client(t)
			c.Query.CoresQuery = "cores"
			reading, _ := read(t, c)
			if fmt.Sprint(reading.Samples) != fmt.Sprint(test.want) || doubts(reading) != test.doubts {
				t.Errorf("got %v, doubts %+v, want %v, %s", reading.Samples, reading.Doubts, test.want, test.doubts)
			}
			if len(test.want) > 0 && test.doubts == "" && (len(reading.Present) != 1 || reading.Present["ISIS"].Hosts != 1) {
				t.Errorf("present %v", reading.Present)
			}
		})
	}
}

func TestModesThatAreNotListedAreNamed(t *testing.T) {
	reading, _ := read(t, (&server{
		counters: says(matrix(steady("a", 450, 1170, 3), atEdges("a", "interrupt", "0", "180", "360", "540"), atEdges("a", "guest", "0", "400", "800", "1200"), steady("b", 900, 900, 3))),
		cores:    says(matrix(inPieces("a", "1", "1", "1"), inPieces("b", "1", "1", "1"))),
	}).client(t))
	if want := map[string]float64{"interrupt": 0.05}; !maps.Equal(reading.Unlisted, want) {
		t.Errorf("got %v, want %v", reading.Unlisted, want)
	}
	if want := []usage.Sample{sample("a", 450, 1170), sample("b", 900, 900)}; fmt.Sprint(reading.Samples) != fmt.Sprint(want) {
		t.Errorf("got %v, want %v", reading.Samples, want)
	}
}

// Counters telescope: what the intervals of a run add up to is the growth over all of it.
func TestPiecesOfARunAddUpToTheGrowth(t *testing.T) {
	f := &fleet{}
	for i := range 5 {
		m := f.machine(fmt.Sprint(i), i+1, 1e6)
		m.runs(-100+float64(i)/7, 5*30+100)
	}
	run := halfHours(5)
	got := map[string]usage.CPUSeconds{}
	for _, r := range readRun(t, (&server{fleet: f}).client(t), run) {
		for _, s := range r.Samples {
			got[s.Host] += s.CPU.Total()
		}
		if len(r.Doubts) > 0 || !r.Final {
			t.Errorf("%s: %+v", r.Piece, r)
		}
	}
	for i := range 5 {
		var want float64
		for _, s := range f.series {
			if s.host == fmt.Sprint(i) {
				before, _ := s.value(seconds(run[0].Start))
				after, _ := s.value(seconds(run[4].End()))
				want += after - before
			}
		}
		if diff := float64(got[fmt.Sprint(i)]) - want; diff > 1e-6 || diff < -1e-6 {
			t.Errorf("host %d: got %v, want %v", i, got[fmt.Sprint(i)], want)
		}
	}
}

// Two servers scrape every host: each core counts once, from the first reading on.
func TestPairsOfServersAreCountedOnce(t *testing.T) {
	f := &fleet{}
	for i := range 3 {
		m := f.machine(fmt.Sprint(i), 2, 5000)
		m.clone(`,"replica":"b"`).unseen(0.5).runs(-99.5, 199)
		m.runs(-100, 199)
	}
	s := &server{fleet: f}
	c := s.client(t)
	for range 2 {
		reading, _ := read(t, c)
		if len(reading.Samples) != 3 || len(reading.Doubts) > 0 || reading.Coverage["ISIS"].Capacity != 3*2*1800 {
			t.Fatalf("got %+v", reading)
		}
		for _, x := range reading.Samples {
			if x.CPU.Busy != 900 || x.CPU.Idle != 2700 {
				t.Errorf("got %+v", x)
			}
		}
	}
	if s.times(ofCounters) != 3 || s.times(ofSpread) != 2 || s.times(ofRaw) != 0 {
		t.Errorf("asked %q", s.asked)
	}
	if !c.OfProject("ISIS").once.Load() {
		t.Error("a client of one project finds that out again")
	}
}

// Among pairs a host label that two machines share is seen by how far their counters are apart.
func TestUnlikeMachinesAmongPairs(t *testing.T) {
	f := &fleet{}
	for i := range 3 {
		m := f.machine(fmt.Sprint(i), 2, 5000)
		m.clone(`,"replica":"b"`).runs(-100, 199)
		m.runs(-100, 199)
	}
	f.machine("x", 1, 90_000).clone(`,"exported_instance":"x1"`).runs(-100, 199)
	f.machine("x", 1, 5000).clone(`,"exported_instance":"x2"`).runs(-100, 199)
	reading, _ := read(t, (&server{fleet: f}).client(t))
	if len(reading.Samples) != 3 || doubts(reading) != "x refused mixed" || !strings.Contains(reading.Doubts[0].Detail, "exported_instance") {
		t.Errorf("got %+v", reading)
	}
}

func TestPresent(t *testing.T) {
	f := &fleet{}
	f.machine("a", 2, 100).runs(-100, 400)
	f.machine("b", 1, 0).runs(40, 50)
	dls := f.machine("c", 4, 0)
	dls.project = "DLS"
	dls.runs(-100, 400)
	copied := f.machine("c", 4, 0)
	copied.project = "-"
	copied.runs(-100, 400)
	s := &server{fleet: f}
	c := s.client(t)
	for name, run := range map[string][]usage.Interval{"half hours": twoHalfHours, "hours": {{Start: noon, Length: 2 * usage.SlotLength}}} {
		present, err := c.Present(t.Context(), run)
		if err != nil || len(present) != len(run) {
			t.Fatal(present, err)
		}
		want := []map[string]usage.Presence{
			{"ISIS": {Hosts: 1, Cores: 2}, "DLS": {Hosts: 1, Cores: 4}},
			{"ISIS": {Hosts: 2, Cores: 3}, "DLS": {Hosts: 1, Cores: 4}},
		}
		for i, got := range present {
			if !maps.Equal(got, want[len(want)-len(run)+i]) {
				t.Errorf("%s: got %v, want %v", name, got, want[len(want)-len(run)+i])
			}
		}
	}
	if s.times(ofCores) != 2 || len(s.asked) != 2 {
		t.Errorf("asked %q", s.asked)
	}
	s.cores = status(http.StatusInternalServerError, "")
	if present, err := c.Present(t.Context(), halfHour); err == nil {
		t.Errorf("got %v of a server that fails", present)
	}
	if present, err := s.given(t).Present(t.Context(), halfHour); err != nil || len(present) != 1 || len(present[0]) != 0 {
		t.Errorf("of queries of the operator: %v, %v", present, err)
	}
}
