// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !race

package main

import (
	"database/sql"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/budget"
	"github.com/carbon-exporter/carbon_exporter/internal/directory"
	"github.com/carbon-exporter/carbon_exporter/internal/store"
	"github.com/carbon-exporter/carbon_exporter/internal/store/storetest"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// usedBy is what a key uses in each interval of a test's store, in kWh.
type usedBy struct {
	usage.Key
	busy, idle usage.KWh
}

var (
	aliceMuon = usedBy{usage.Key{Project: "ISIS", Machine: "Muon", User: "alice", Group: "Muons"}, 0.012, 0.0005}
	bobMuon   = usedBy{usage.Key{Project: "ISIS", Machine: "Muon", User: "bob", Group: "Muons"}, 0.006, 0.0005}
	nobodys   = usedBy{usage.Key{Project: "CLF", Machine: "SANS", User: usage.Unattributed, Group: "CLF"}, 0.001, 0.002}
)

// recordOf is an interval as the exporter makes it: 12 and 1 W a core.
func recordOf(i usage.Interval, state usage.State, used ...usedBy) usage.Record {
	rec := usage.Record{
		Interval: i, State: state, PUE: 1, FetchedAt: i.End().Add(2 * time.Minute), Coverage: map[string]usage.Coverage{},
		Queries: usage.Queries{Busy: "busy", Idle: "idle"},
	}
	machines := map[string]bool{}
	for _, piece := range i.Pieces() {
		for _, u := range used {
			rec.Facts = append(rec.Facts, usage.Fact{
				Key: u.Key, Start: piece.Start, Energy: usage.ByMode[usage.KWh]{Busy: u.busy, Idle: u.idle},
				CPU: usage.BusyIdle[usage.CPUSeconds]{Busy: usage.CPUSeconds(u.busy * 300_000), Idle: usage.CPUSeconds(u.idle * 3_600_000)},
			})
			rec.Coverage[u.Project] = usage.Coverage{Seen: 3000, Capacity: 4000}
			if !machines[u.Machine] {
				rec.Ratings = append(rec.Ratings, usage.Rating{Machine: u.Machine, Watts: usage.BusyIdle[usage.Watts]{Busy: 12, Idle: 1}, Source: "default"})
			}
			machines[u.Machine] = true
		}
		if state == usage.Provisional || state == usage.Settled {
			rec.Prices = append(rec.Prices, usage.PiecePrice{Start: piece.Start, Price: usage.Price{
				Intensity: 200, Kind: usage.Actual, Provider: "uk", Grid: "GB", SlotFrom: usage.SlotAt(piece.Start), FetchedAt: i.End().Add(time.Hour),
			}})
		}
	}
	return rec
}

// storeOf is a store in London's time that holds records, in use by a
// carbon_exporter.
func storeOf(t *testing.T, recs ...usage.Record) (path string, s *store.Store) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "carbon.db")
	zone, err := time.LoadLocation("Europe/London")
	if err != nil {
		t.Fatal(err)
	}
	o := store.Options{Exclusive: true, Interval: usage.SlotLength, Timezone: zone}
	if len(recs) > 0 {
		o.Interval = recs[0].Interval.Length
	}
	if s, err = store.Open(t.Context(), path, o); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	storetest.Commit(t, s, recs...)
	return path, s
}

// intervalsOf are those of a length in a time.
func intervalsOf(t *testing.T, from, to string, length time.Duration) (all []usage.Interval) {
	t.Helper()
	var ends [2]time.Time
	for i, text := range []string{from, to} {
		at, err := time.Parse(time.RFC3339, text)
		if err != nil {
			t.Fatal(err)
		}
		ends[i] = at
	}
	for i := usage.IntervalAt(ends[0], length); i.Start.Before(ends[1]); i = i.Next() {
		all = append(all, i)
	}
	return all
}

// csvReport is the report of a store as CSV: what is in each row by field.
func csvReport(t *testing.T, path string, args ...string) []map[string]string {
	t.Helper()
	got := call(append([]string{"report", "--format=csv", "--storage.path", path}, args...)...)
	if got.code != exitDone || got.stderr != "" {
		t.Fatalf("exit code %d, stderr %s", got.code, got.stderr)
	}
	lines, err := csv.NewReader(strings.NewReader(got.stdout)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var rows []map[string]string
	for _, line := range lines[1:] {
		row := map[string]string{}
		for i, name := range lines[0] {
			row[name] = line[i]
		}
		rows = append(rows, row)
	}
	return rows
}

func number(t *testing.T, row map[string]string, field string) float64 {
	t.Helper()
	v, err := strconv.ParseFloat(row[field], 64)
	if err != nil {
		t.Fatalf("%s of %s %s: %v", field, row["row"], row["name"], err)
	}
	return v
}

func near(a, b float64) bool { return math.Abs(a-b) <= 1e-9*max(math.Abs(a), math.Abs(b)) }

// TestReportOverAClockChange has usage in every half hour of a London October and
// the days around it, and counts the half hours of each period by hand.
func TestReportOverAClockChange(t *testing.T) {
	var recs []usage.Record
	for _, i := range intervalsOf(t, "2025-09-29T00:00:00Z", "2025-11-05T00:00:00Z", usage.SlotLength) {
		recs = append(recs, recordOf(i, usage.Settled, aliceMuon, nobodys))
	}
	path, _ := storeOf(t, recs...)
	const each = 0.012 + 0.0005 + 0.001 + 0.002
	for _, c := range []struct {
		name, args string
		halfHours  []int
	}{
		{"days", "--from=2025-10-25 --to=2025-10-28 --by=day", []int{48, 50, 48}},
		{"a month", "--month=2025-10", []int{2 * 745}},
		{"a month by itself", "--month=2025-10 --by=month", []int{2 * 745}},
		{"its weeks, from Wednesday to Friday", "--month=2025-10 --by=week", []int{5 * 48, 7 * 48, 7 * 48, 7*48 + 2, 5 * 48}},
		{"months, cut at both ends", "--from=2025-09-30T12:00 --to=2025-11-02T06:00 --by=month", []int{24, 2 * 745, 48 + 12}},
		{"the hour that is there twice", "--from=2025-10-26T00:00:00Z --to=2025-10-26T02:00:00Z", []int{4}},
		{"half hours that begin in it", "--from=2025-10-26T00:10:00Z --to=2025-10-26T01:10:00Z", []int{2}},
	} {
		t.Run(c.name, func(t *testing.T) {
			all := 0
			var got []int
			for _, row := range csvReport(t, path, append(strings.Fields(c.args), "--scope=ada")...) {
				n, err := strconv.Atoi(row["intervals"])
				if err != nil {
					t.Fatal(err)
				}
				if kwh := number(t, row, "energy_kwh"); !near(kwh, float64(n)*each) {
					t.Errorf("%s %s: %v kWh in %d half hours", row["row"], row["period_start"], kwh, n)
				}
				if number(t, row, "intervals_answered") != float64(n) || number(t, row, "cpu_coverage_ratio") != 0.75 {
					t.Errorf("answered %s of %d, %s of the CPU time seen", row["intervals_answered"], n, row["cpu_coverage_ratio"])
				}
				switch row["row"] {
				case "member":
					got = append(got, n)
					all += n
				case "total":
					if n != all {
						t.Errorf("in all %d half hours, the periods have %d", n, all)
					}
				}
			}
			if fmt.Sprint(got) != fmt.Sprint(c.halfHours) {
				t.Errorf("half hours %v, want %v", got, c.halfHours)
			}
		})
	}
}

// TestReportAndTheViews holds the report over all time to the views of the store.
func TestReportAndTheViews(t *testing.T) {
	var recs []usage.Record
	states := []usage.State{usage.Settled, usage.Provisional, usage.Unpriced}
	none := nobodys
	none.Group = usage.Unattributed // where the views have nobody
	for n, i := range intervalsOf(t, "2025-10-25T00:00:00Z", "2025-10-27T00:00:00Z", usage.SlotLength) {
		used := []usedBy{aliceMuon, none}
		if n%5 != 0 {
			used = append(used, bobMuon)
		}
		recs = append(recs, recordOf(i, states[n%3], used...))
	}
	path, _ := storeOf(t, recs...)
	db, err := sql.Open("sqlite", "file:"+path+"?mode=ro")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for scope, key := range map[string]string{"project": "cloud_project_name", "machine": "machine_name", "user": "user_id", "group": "group_name"} {
		t.Run(scope, func(t *testing.T) {
			members := 0
			for _, row := range csvReport(t, path, "--from=2025-01-01", "--scope="+scope) {
				if row["row"] != "member" {
					continue
				}
				members++
				for _, view := range []struct{ name, columns string }{
					{"totals", "busy_cpu_seconds_total, idle_cpu_seconds_total, busy_kwh, idle_kwh, busy_gCo2eq, idle_gCo2eq"},
					// The mean over the member's intervals, grams over those with a price.
					{"averages", "NULL, NULL, avg_busy_energy_kwh * n, avg_idle_energy_kwh * n, avg_busy_carbon_gCo2eq * priced, avg_idle_carbon_gCo2eq * priced"},
				} {
					query := fmt.Sprintf(`SELECT %s FROM v_%s_%s, (SELECT count(*) AS n, count(busy_gCo2eq) AS priced FROM fact_usage
						WHERE scope = 'user' AND user_id IN (SELECT DISTINCT user_id FROM v_usage WHERE %s = ?1)) WHERE %s = ?1`, view.columns, scope, view.name, key, key)
					if scope == "project" || scope == "machine" {
						query = fmt.Sprintf(`SELECT %s FROM v_%s_%s, (SELECT count(*) AS n, count(busy_gCo2eq) AS priced FROM v_%s_timeseries WHERE %s = ?1) WHERE %s = ?1`,
							view.columns, scope, view.name, scope, key, key)
					}
					var v [6]*float64
					if err := db.QueryRowContext(t.Context(), query, row["name"]).Scan(&v[0], &v[1], &v[2], &v[3], &v[4], &v[5]); err != nil {
						t.Fatalf("%s: %v", query, err)
					}
					for i, field := range []string{"busy_cpu_seconds", "idle_cpu_seconds", "busy_kwh", "idle_kwh", "busy_gco2eq", "idle_gco2eq"} {
						if v[i] != nil && !near(number(t, row, field), *v[i]) {
							t.Errorf("%s: %s is %s, v_%s_%s has %v", row["name"], field, row[field], scope, view.name, *v[i])
						}
					}
				}
			}
			if want := map[string]int{"project": 2, "machine": 2, "user": 3, "group": 2}[scope]; members != want {
				t.Errorf("%d members, want %d", members, want)
			}
		})
	}
	t.Run("a user who has moved", func(t *testing.T) {
		// The views follow the present group, the report has that of the time.
		moved := aliceMuon
		moved.Group = "Lasers"
		path, _ := storeOf(t, recordOf(recs[0].Interval, usage.Settled, aliceMuon), recordOf(recs[1].Interval, usage.Settled, moved))
		var names []string
		for _, row := range csvReport(t, path, "--from=2025-01-01", "--scope=group") {
			names = append(names, row["name"])
		}
		if got := strings.Join(names, " "); got != "Lasers Muons total" {
			t.Errorf("got %s", got)
		}
	})
}

func TestReportSharesAndUnknowns(t *testing.T) {
	at := intervalsOf(t, "2025-10-25T00:00:00Z", "2025-10-25T03:00:00Z", usage.SlotLength)
	path, s := storeOf(t,
		recordOf(at[0], usage.Settled, aliceMuon, nobodys), recordOf(at[1], usage.Provisional, aliceMuon, nobodys),
		recordOf(at[2], usage.Unpriced, aliceMuon, bobMuon), usage.Record{Interval: at[3], State: usage.Empty, PUE: 1, FetchedAt: at[4].Start},
	)
	if _, err := s.SaveDirectory(t.Context(), directory.Learned{People: []directory.Person{{ID: "alice", Name: "Alice Adams"}}, Directory: directory.Directory{AsOf: at[3].Start}}, false); err != nil {
		t.Fatal(err)
	}
	rows := csvReport(t, path, "--from=2025-10-25T00:00:00Z", "--to=2025-10-25T03:00:00Z", "--scope=user")
	const alice, bob, none = 3 * 0.0125, 0.0065, 2 * 0.003
	for i, want := range []map[string]string{
		{"name": "alice", "unpriced_ratio": "0.333333", "provisional_ratio": "0.333333", "idle_ratio": "0.040000", "unattributed_ratio": "0", "emissions_gco2eq": "5.000000"},
		{"name": "bob", "unpriced_ratio": "1", "provisional_ratio": "0", "busy_gco2eq": "", "idle_gco2eq": "", "emissions_gco2eq": "", "intensity_gco2eq_per_kwh": ""},
		{"name": "unattributed", "unpriced_ratio": "0", "provisional_ratio": "0.500000", "unattributed_ratio": "1", "idle_ratio": "0.666667"},
		{
			"name": "total", "row": "total", "intervals": "6", "intervals_answered": "4", "intervals_empty": "1", "cpu_coverage_ratio": "",
			"unattributed_ratio": fmt.Sprintf("%.6f", none/(alice+bob+none)), "error_unknown_ratio": "1", "energy_low_kwh": "",
		},
	} {
		for field, text := range want {
			got := rows[i][field]
			if strings.Contains(text, ".") {
				got = fmt.Sprintf("%.6f", number(t, rows[i], field))
			}
			if got != text {
				t.Errorf("%s of %s is %s, want %s", field, want["name"], got, text)
			}
		}
	}
	for _, args := range [][]string{{"--format=table"}, {"--format=csv"}, {"--format=json"}} {
		args = append([]string{"report", "--from=2025-10-25", "--to=2025-10-26", "--scope=user", "--storage.path", path}, args...)
		if got := call(args...); got.code != exitDone || strings.Contains(got.stdout, "Adams") {
			t.Errorf("%v: a name that was not asked for: %s", args, got.stdout)
		}
		if got := call(append(args, "--names")...); got.code != exitDone || !strings.Contains(got.stdout, "Alice Adams") {
			t.Errorf("%v: no name: %s%s", args, got.stdout, got.stderr)
		}
	}
}

func TestReportOfNothing(t *testing.T) {
	i := intervalsOf(t, "2025-10-25T00:00:00Z", "2025-10-25T00:30:00Z", usage.SlotLength)[0]
	path, _ := storeOf(t, recordOf(i, usage.Settled, aliceMuon))
	empty, _ := storeOf(t)
	const has = "the store has usage from 2025-10-25T01:00:00+01:00 to 2025-10-25T01:30:00+01:00"
	for _, c := range []struct{ name, path, format, stdout, says string }{
		{"a table", path, "table", "Usage by project, 2025-11-01 00:00 to 2025-11-01 01:00, Europe/London\n0 of 2 intervals collected: 0 settled, 0 provisional, 0 unpriced, 0 empty; 0 missing, 2 unasked\n", "2 intervals: 0 empty, 0 missing, 2 unasked); " + has},
		{"csv", path, "csv", "row,period_start,period_end,scope,name,", has},
		{"json", path, "json", "{\n  \"scope\": \"project\",\n", has},
		{"a store without usage", empty, "csv", "row,", "the store is empty"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := call("report", "--from=2025-11-01", "--to=2025-11-01T01:00", "--format="+c.format, "--storage.path", c.path)
			if got.code != exitDone || !strings.HasPrefix(got.stdout, c.stdout) {
				t.Errorf("exit code %d, stdout %s", got.code, got.stdout)
			}
			if want := "carbontool report: no usage stored from 2025-11-01T00:00:00Z to 2025-11-01T01:00:00Z ("; !strings.HasPrefix(got.stderr, want) ||
				!strings.HasSuffix(got.stderr, c.says+"\n") || strings.Count(got.stderr, "\n") != 1 {
				t.Errorf("stderr %s", got.stderr)
			}
			if c.format == "json" && (!json.Valid([]byte(got.stdout)) || !strings.Contains(got.stdout, `"rows": [],`) || !strings.Contains(got.stdout, `"total": null`)) {
				t.Errorf("json %s", got.stdout)
			}
		})
	}
}

func TestReportsThatAreWrongUse(t *testing.T) {
	path, _ := storeOf(t)
	for _, c := range []struct{ name, args, stderr string }{
		{"only an end", "--to=2025-10-01", "carbontool report: no range: give --from or --month; see carbontool report --help\n"},
		{"an unknown scope", "--scope=rack --month=2025-10", `carbontool report: --scope: must be site, ada, project, machine, user or group, is "rack"; see carbontool report --help` + "\n"},
		{"an unknown format", "--format=xml --month=2025-10", `carbontool report: --format: must be table, csv or json, is "xml"; see carbontool report --help` + "\n"},
		{"an unknown period", "--by=year --month=2025-10", `carbontool report: --by: must be day, week or month, is "year"; see carbontool report --help` + "\n"},
		{"reversed", "--from=2025-10-02 --to=2025-10-01", "carbontool report: --to: 2025-10-01T00:00:00+01:00 is not after --from; see carbontool report --help\n"},
		{"the future", "--from=2999-01-01", "carbontool report: --from: 2999-01-01 is in the future; see carbontool report --help\n"},
		{"a top of none", "--top=0 --month=2025-10", "carbontool report: --top: must be at least 1, is 0; see carbontool report --help\n"},
		{"a top below it", "--top=-3 --month=2025-10", "carbontool report: --top: must be at least 1, is -3; see carbontool report --help\n"},
		{"names of projects", "--names --month=2025-10", "carbontool report: --names: only users have names; add --scope=user; see carbontool report --help\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			called{code: exitUsage, stderr: c.stderr}.by(t, append([]string{"report", "--storage.path", path}, strings.Fields(c.args)...)...)
		})
	}
}

func TestReportOfWhatIsPruned(t *testing.T) {
	var recs []usage.Record
	for _, i := range intervalsOf(t, "2025-10-24T23:00:00Z", "2025-10-28T12:00:00Z", usage.SlotLength) {
		recs = append(recs, recordOf(i, usage.Settled, aliceMuon))
	}
	path, s := storeOf(t, recs...)
	for more := true; more; {
		p, err := s.Prune(t.Context(), time.Now(), 36*time.Hour, "")
		if err != nil {
			t.Fatal(err)
		}
		more = p.More
	}
	for _, c := range []struct{ name, args, give string }{
		{"from the middle of a day", "--from=2025-10-25T12:00 --to=2025-10-28T06:00", "--from=2025-10-25 --to=2025-10-29"},
		{"a part of one", "--from=2025-10-26T00:00:00Z --to=2025-10-26T02:00:00Z", "--from=2025-10-26 --to=2025-10-27"},
		{"to the middle of a day", "--from=2025-10-25 --to=2025-10-26T12:00", "--from=2025-10-25 --to=2025-10-27"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := call(append([]string{"report", "--storage.path", path}, strings.Fields(c.args)...)...)
			if got.code != exitFailed || !strings.HasSuffix(got.stderr, "only whole days in Europe/London can be added up; give "+c.give+"\n") {
				t.Fatalf("exit code %d, stderr %s", got.code, got.stderr)
			}
			rows := csvReport(t, path, strings.Fields(c.give)...)
			if len(rows) == 0 {
				t.Error("the range that is named has no rows")
			}
		})
	}
	rows := csvReport(t, path, "--from=2025-10-25", "--to=2025-10-28T06:00", "--by=day")
	if n := len(rows); n != 2*4+1 || !near(number(t, rows[n-1], "energy_kwh"), (48+50+48+12)*0.0125) {
		t.Errorf("%d rows, the last is %v", n, rows[n-1])
	}
}

// TestReportOfAnotherSite has hours for intervals and days in Tokyo, and no
// configuration beside it.
func TestReportOfAnotherSite(t *testing.T) {
	t.Chdir(t.TempDir())
	tokyo, err := time.LoadLocation("Asia/Tokyo")
	if err != nil {
		t.Fatal(err)
	}
	s, err := store.Open(t.Context(), "carbon.db", store.Options{Exclusive: true, Interval: time.Hour, Timezone: tokyo})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for _, i := range intervalsOf(t, "2025-10-24T12:00:00Z", "2025-10-25T18:00:00Z", time.Hour) {
		storetest.Commit(t, s, recordOf(i, usage.Settled, aliceMuon))
	}
	rows := csvReport(t, "carbon.db", "--from=2025-10-25", "--to=2025-10-26")
	if n := len(rows); n != 2 || rows[0]["period_start"] != "2025-10-25T00:00:00+09:00" || rows[0]["intervals"] != "24" || !near(number(t, rows[0], "energy_kwh"), 48*0.0125) {
		t.Errorf("got %v", rows)
	}
	if err := os.WriteFile("carbon.yml", []byte("interval: 1h\ntimezone: Europe/London\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	got := call("report", "--month=2025-10", "--storage.path=carbon.db", "--config.file=carbon.yml")
	if got.code != exitFailed || !strings.Contains(got.stderr, "has daily sums in Asia/Tokyo, but the configuration says timezone: Europe/London") {
		t.Errorf("a configuration of another zone: %d, %s", got.code, got.stderr)
	}
}

// The whole site has two words, and the answer is in the one that was used.
func TestTheSiteIsCalledAsItWasAskedFor(t *testing.T) {
	all := intervalsOf(t, "2026-10-01T00:00:00Z", "2026-10-01T02:00:00Z", usage.SlotLength)
	path, _ := storeOf(t, recordOf(all[0], usage.Settled, aliceMuon), recordOf(all[1], usage.Settled, aliceMuon, nobodys))
	of := func(word, format string) string {
		t.Helper()
		got := call("report", "--storage.path", path, "--from=2026-10-01", "--to=2026-10-02", "--scope", word, "--format", format)
		if got.code != exitDone || got.stderr != "" {
			t.Fatalf("%+v", got)
		}
		return got.stdout
	}
	for _, format := range []string{"csv", "json"} {
		ada, site := of("ada", format), of("site", format)
		if strings.Contains(site, "ada") || strings.Contains(ada, "site") || ada == strings.ReplaceAll(ada, "ada", "site") || strings.ReplaceAll(ada, "ada", "site") != site {
			t.Errorf("ada is\n%s\nsite is\n%s", ada, site)
		}
	}
	if table := of("site", "table"); !strings.Contains(table, "\nSITE ") || !strings.Contains(table, "\nsite ") || strings.Contains(table, "ada") {
		t.Errorf("got\n%s", table)
	}
}

func TestWithoutFlagsAReportIsOfThisMonth(t *testing.T) {
	path, s := storeOf(t)
	before := time.Now()
	got := call("report", "--storage.path", path)
	for _, at := range []time.Time{before, time.Now()} { // the month may have ended meanwhile
		from := budget.Month.Period(at, s.Timezone()).From.In(s.Timezone()).Format("2006-01-02 15:04")
		if got.code == exitDone && strings.HasPrefix(got.stdout, "Usage by project, "+from+" to ") {
			return
		}
	}
	t.Errorf("%+v", got)
}
