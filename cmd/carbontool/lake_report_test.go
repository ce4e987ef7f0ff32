// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !race

package main

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/lake/laketest"
	"github.com/carbon-exporter/carbon_exporter/internal/report"
	"github.com/carbon-exporter/carbon_exporter/internal/store"
	"github.com/carbon-exporter/carbon_exporter/internal/store/storetest"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// lakeSite is a store of a site that publishes.
type lakeSite struct {
	*store.Store
	laketest.Dir
	name, path string
	zone       *time.Location
	length     time.Duration
	random     *rand.Rand
}

func newLakeSite(t *testing.T, d laketest.Dir, name, zone string, length time.Duration) *lakeSite {
	t.Helper()
	seed := uint64(name[0])
	s := &lakeSite{Dir: d, name: name, length: length, path: filepath.Join(t.TempDir(), "carbon.db"), random: rand.New(rand.NewPCG(seed, 1))}
	var err error
	if s.zone, err = time.LoadLocation(zone); err == nil {
		s.Store, err = store.Open(t.Context(), s.path, store.Options{Interval: length, Timezone: s.zone})
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Store.Close() })
	return s
}

// use stores usage of random people in the intervals of days, in local time. Some intervals are empty.
func (s *lakeSite) use(policy usage.Policy, from, to string) {
	s.Helper()
	var recs []usage.Record
	for _, i := range intervalsOf(s.TB.(*testing.T), s.at(from), s.at(to), s.length) {
		if s.random.IntN(12) == 0 && !policy.Restate {
			recs = append(recs, usage.Record{Interval: i, State: usage.Empty, FetchedAt: i.End()})
			continue
		}
		var used []usedBy
		for _, u := range []usedBy{aliceMuon, bobMuon, nobodys} {
			if s.random.IntN(4) > 0 || len(used) == 0 {
				u.busy, u.idle = usage.KWh(s.random.ExpFloat64()), usage.KWh(s.random.Float64()/7)
				used = append(used, u)
			}
		}
		rec := recordOf(i, usage.Settled, used...)
		rec.Embodied = map[string]usage.GramsPerCoreHour{"Muon": 0.5}
		for n := range rec.Prices {
			rec.Prices[n].Intensity = usage.GramsPerKWh(100 + 300*s.random.Float64())
			rec.Prices[n].Basis = usage.Basis{Signal: usage.Average, Emissions: usage.Direct, Electricity: usage.Consumption}
		}
		recs = append(recs, rec)
	}
	storetest.CommitAs(s.TB, s.Store, policy, recs...)
}

// at is when a day begins here.
func (s *lakeSite) at(day string) string {
	at, err := time.ParseInLocation(time.DateOnly, day, s.zone)
	if err != nil {
		s.Fatal(err)
	}
	return at.UTC().Format(time.RFC3339)
}

func (s *lakeSite) publish(at string) {
	s.Helper()
	t, err := time.Parse(time.RFC3339, at)
	if err != nil {
		s.Fatal(err)
	}
	s.Publish(s.Store, s.name, s.zone, t)
}

var restate = usage.Policy{Restate: true, Why: usage.BecauseRestate}

// rowsOfCSV are the rows of a report, by the names of its columns.
func rowsOfCSV(t *testing.T, got called) (rows []map[string]string) {
	t.Helper()
	lines, err := csv.NewReader(strings.NewReader(got.stdout)).ReadAll()
	if got.code != exitDone || err != nil || len(lines) < 2 {
		t.Fatalf("%v: %+v", err, got)
	}
	for _, line := range lines[1:] {
		row := map[string]string{}
		for i, cell := range line {
			row[lines[0][i]] = cell
		}
		rows = append(rows, row)
	}
	return rows
}

// notInALake are the columns that a lake does not have, or says otherwise.
var notInALake = []string{
	"energy_low_kwh", "energy_high_kwh", "emissions_low_gco2eq", "emissions_high_gco2eq", "error_unknown_ratio", "cpu_coverage_ratio",
}

// TestALakeReportsWhatTheStoreReports: for whole days, every number that a lake has is that of the
// report of the store, to the last digit, by every scope and divided by days, weeks and months.
func TestALakeReportsWhatTheStoreReports(t *testing.T) {
	d := laketest.New(t)
	for n, zone := range []string{"Europe/London", "Pacific/Auckland"} { // with days of 23 and 25 hours, and intervals of two days
		s := newLakeSite(t, d, fmt.Sprint("site-", n), zone, 2*time.Hour)
		s.use(usage.Policy{}, "2026-03-27", "2026-04-06")
		s.publish("2026-04-07T00:00:00Z")
		s.use(restate, "2026-03-29", "2026-03-30")
		s.publish("2026-04-08T00:00:00Z")
		for _, c := range []struct{ scope, by string }{{"site", ""}, {"site", "day"}, {"project", "week"}, {"machine", ""}, {"user", "month"}, {"group", "day"}} {
			args := []string{"--format=csv", "--from=2026-03-28", "--to=2026-04-05", "--scope=" + c.scope}
			if c.by != "" {
				args = append(args, "--by="+c.by)
			}
			want := rowsOfCSV(t, call(append([]string{"report", "--storage.path", s.path}, args...)...))
			got := rowsOfCSV(t, call(append([]string{"lake", "report", "--objstore.config-file", d.Config(), "--site", s.name}, args...)...))
			if len(got) != len(want) {
				t.Fatalf("%s, %v: %d rows, want %d", zone, c, len(got), len(want))
			}
			for i, row := range want {
				for column, cell := range row {
					is := got[i][column]
					switch {
					case slices.Contains(notInALake[:4], column) || column == "cpu_coverage_ratio":
						cell = ""
					case column == "error_unknown_ratio":
						cell = "1"
					case c.scope == "site" && column == "name" && cell == "site":
						cell = s.name
					}
					if is != cell {
						t.Errorf("%s, %v, row %d: %s is %q, want %q", zone, c, i, column, is, cell)
					}
				}
			}
		}
	}
}

// lakeOf are two sites of one time zone: in one, a day is missing and one has intervals that were
// never read; the other begins later.
func lakeOf(t *testing.T) (d laketest.Dir, a, b *lakeSite) {
	d = laketest.New(t)
	a, b = newLakeSite(t, d, "a", "Europe/London", time.Hour), newLakeSite(t, d, "b", "Europe/London", time.Hour)
	a.use(usage.Policy{}, "2026-10-23", "2026-10-25")
	a.use(usage.Policy{}, "2026-10-26", "2026-10-28") // nobody has asked for a Sunday of 25 hours
	b.use(usage.Policy{}, "2026-10-24", "2026-10-27")
	a.publish("2026-10-28T12:00:00Z")
	b.publish("2026-10-28T12:00:00Z")
	return d, a, b
}

func lakeReportOf(t *testing.T, d laketest.Dir, args ...string) (doc struct {
	Intervals report.Intervals
	Lake      report.Lake
	Rows      []map[string]any
	Total     map[string]any
},
) {
	t.Helper()
	got := call(append([]string{"lake", "report", "--objstore.config-file", d.Config(), "--from=2026-10-22", "--to=2026-10-29", "--format=json"}, args...)...)
	if err := json.Unmarshal([]byte(got.stdout), &doc); err != nil || got.code != exitDone {
		t.Fatalf("%v: %+v", err, got)
	}
	return doc
}

func TestALakeSaysWhatItLacks(t *testing.T) {
	d, _, _ := lakeOf(t)
	d.Remove(filepath.Join("manifest", "site=a", "day=2026-10-26.json"))
	doc := lakeReportOf(t, d)
	if len(doc.Rows) != 2 || doc.Total["energy_kwh"] == nil {
		t.Errorf("rows %v, total %v", doc.Rows, doc.Total)
	}
	want := []string{
		"a: not published, so not known: 2026-10-26",
		"a: not in the lake, which has 2026-10-23 to 2026-10-27 of this site: 2026-10-22, 2026-10-28 (2 days)",
		"a: 25 hours of usage were never read and are in no number: 2026-10-25",
		"b: not in the lake, which has 2026-10-24 to 2026-10-26 of this site: 2026-10-22 to 2026-10-23, 2026-10-27 to 2026-10-28 (4 days)",
	}
	if got := doc.Lake.Lacks(); !slices.Equal(got, want) {
		t.Errorf("it lacks %q", got)
	}
	n := doc.Intervals
	if n.Missing != 25+24 || n.Unasked != 6*24 || n.All != n.Settled+n.Empty+n.Missing+n.Unasked || n.All != 2*(6*24+25) {
		t.Errorf("intervals %+v", n)
	}
	for format, where := range map[string]func(called) string{"table": func(c called) string { return c.stdout }, "csv": func(c called) string { return c.stderr }} {
		got := call("lake", "report", "--objstore.config-file", d.Config(), "--from=2026-10-22", "--to=2026-10-29", "--format", format)
		for _, line := range want {
			if !strings.Contains(where(got), line) {
				t.Errorf("%s does not say %q: %+v", format, line, got)
			}
		}
	}
}

func TestAReportAsOfATimeStaysAsItWas(t *testing.T) {
	d, a, _ := lakeOf(t)
	before := lakeReportOf(t, d)
	a.use(restate, "2026-10-24", "2026-10-25")
	a.publish("2026-11-05T00:00:00Z")
	a.use(restate, "2026-10-23", "2026-10-25")
	a.publish("2026-11-06T00:00:00Z")
	for _, c := range []struct {
		asOf string
		same bool
	}{{"2026-10-28T13:00:00Z", true}, {"2026-11-04", true}, {"2026-11-05T12:00:00Z", false}, {"", false}} {
		var args []string
		if c.asOf != "" {
			args = []string{"--as-of", c.asOf}
		}
		got := lakeReportOf(t, d, args...)
		if same := got.Total["energy_kwh"] == before.Total["energy_kwh"]; same != c.same {
			t.Errorf("as of %q: %v kWh, and %v before", c.asOf, got.Total["energy_kwh"], before.Total["energy_kwh"])
		}
	}
	got := lakeReportOf(t, d, "--as-of=2026-10-28T00:00:00Z")
	if len(got.Rows) != 0 || got.Total != nil || len(got.Lake.Sites[0].Missing) != 5 || len(got.Lake.Sites[1].Missing) != 3 {
		t.Errorf("before anything was published there are %v, %v", got.Rows, got.Lake.Sites)
	}
}

func TestALakeReportThatFails(t *testing.T) {
	d, _, _ := lakeOf(t)
	const use = "; see carbontool lake report --help\n"
	for _, c := range []struct {
		name string
		args []string
		want called
	}{
		{"no bucket", []string{"--month=2026-10"}, called{exitUsage, "", "--objstore.config-file: must be given, as the configuration has no section lake" + use}},
		{"no such site", []string{"--month=2026-10", "--objstore.config-file", d.Config(), "--site=c"}, called{exitFailed, "", "FILESYSTEM " + d.Path + ": there is no site c in it; it has a, b\n"}},
		{"a part of a day", []string{"--from=2026-10-01T12:00", "--objstore.config-file", d.Config()}, called{exitUsage, "", "--from: a lake has whole days: give a day such as 2026-10-01" + use}},
		{"and at the end", []string{"--from=2026-10-01", "--to=2026-10-02T12:00", "--objstore.config-file", d.Config()}, called{exitUsage, "", "--to: a lake has whole days: give a day such as 2026-10-02" + use}},
		{"a time that is to come", []string{"--from=2026-10-01", "--as-of=2999-01-01", "--objstore.config-file", d.Config()}, called{exitUsage, "", "--as-of: 2999-01-01 is in the future" + use}},
		{"nobody", []string{"--top=0", "--objstore.config-file", d.Config()}, called{exitUsage, "", "--top: must be at least 1, is 0" + use}},
	} {
		c.want.stderr = "carbontool lake report: " + c.want.stderr
		if got := call(append([]string{"lake", "report"}, c.args...)...); got != c.want {
			t.Errorf("%s: %+v", c.name, got)
		}
	}
	facts := "facts/site=a/day=2026-10-24/facts.parquet"
	text := d.Read(facts)
	text[len(text)/2] ^= 1
	d.Write(facts, text)
	want := "carbontool lake report: a: 2026-10-24: " + facts + ": its bytes are not those that its manifest says (SHA-256); see carbontool lake verify\n"
	if got := call("lake", "report", "--objstore.config-file", d.Config(), "--month=2026-10"); got.code != exitFailed || got.stdout != "" || got.stderr != want {
		t.Errorf("a file that was changed: %+v", got)
	}
}
