// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"database/sql"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// stored adds something up in a store.
func (s *newSite) stored(query string) (sum float64) {
	s.t.Helper()
	db, err := sql.Open("sqlite", "file:"+s.store+"?mode=ro")
	if err != nil {
		s.t.Fatal(err)
	}
	defer db.Close()
	if err := db.QueryRow(query).Scan(&sum); err != nil {
		s.t.Fatal(err)
	}
	return sum
}

const (
	siteKWh     = "SELECT total(busy_kwh + idle_kwh) FROM fact_usage WHERE scope = 'ada'"
	howMany     = "SELECT count(*) FROM usage_interval"
	halfHourKWh = 3 * 900 * 13 / 3.6e6 // three hosts at 12 and 1 W
)

func TestBackfill(t *testing.T) {
	s := siteOf(t, &prometheus{retention: time.Date(2025, 1, 3, 6, 0, 0, 0, time.UTC)}, "")
	whole := []string{"backfill", "--from=2025-01-03", "--to=2025-01-05"}
	s.says(called{stderr: "carbontool backfill: created the store STORE\n", stdout: `2025-01-03T00:00:00Z to 2025-01-05T00:00:00Z, 96 intervals of 30m
  stored             84  84 settled
  empty              12  Prometheus has no data for that time, for example before its retention: unknown, not 0
`}, whole...)
	if got := s.stored(siteKWh); !alike(got, 84*halfHourKWh) {
		t.Errorf("the site has %v kWh, want %v", got, 84*halfHourKWh)
	}
	s.says(called{stdout: `2025-01-03T00:00:00Z to 2025-01-05T00:00:00Z, 96 intervals of 30m
  stored              0
  empty              12  Prometheus has no data for that time, for example before its retention: unknown, not 0
  already there      84
`}, whole...)
	s.configure("power: {busy_watts: 24, idle_watts: 2}\n")
	s.says(called{stdout: `2025-01-03T00:00:00Z to 2025-01-04T00:00:00Z, 48 intervals of 30m
  stored             36  36 settled
  empty              12  Prometheus has no data for that time, for example before its retention: unknown, not 0
`}, "backfill", "--from=2025-01-03", "--to=2025-01-04", "--restate")
	if got := s.stored(siteKWh); !alike(got, (84+36)*halfHourKWh) {
		t.Errorf("restated the site has %v kWh, want %v", got, (84+36)*halfHourKWh)
	}
	s.server.retention = time.Now()
	s.says(called{stdout: `2025-01-04T00:00:00Z to 2025-01-04T02:00:00Z, 4 intervals of 30m
  stored              0
  kept                4  Prometheus now has less data than is stored
`}, "backfill", "--from=2025-01-04", "--to=2025-01-04T02:00", "--restate")
	s.says(called{stdout: "No complete interval of 30m starts in this range.\n"},
		"backfill", "--from=2025-01-04T00:01", "--to=2025-01-04T00:02")
}

func alike(a, b float64) bool { return a-b < 1e-9 && b-a < 1e-9 }

func TestBackfillOfOneProject(t *testing.T) {
	s := siteOf(t, &prometheus{}, "")
	s.call("backfill", "--from=2025-01-03", "--to=2025-01-04")
	s.says(called{stdout: `2025-01-02T00:00:00Z to 2025-01-05T00:00:00Z, 144 intervals of 30m
  stored              0
  settled            48  final; use --restate to redo them
  nothing yet        96  not stored yet, and one project would look like all of them; leave out --project
`}, "backfill", "--from=2025-01-02", "--to=2025-01-05", "--project=CLF")
	s.says(called{stdout: `2025-01-03T00:00:00Z to 2025-01-04T00:00:00Z, 48 intervals of 30m
  stored             48  48 settled
`}, "backfill", "--from=2025-01-03", "--to=2025-01-04", "--project=CLF", "--restate")
	if got := s.stored(siteKWh); !alike(got, 48*halfHourKWh) {
		t.Errorf("the site has %v kWh, want %v", got, 48*halfHourKWh)
	}
	s.configure("power: {pue: 1.5}\n")
	s.says(called{stdout: `2025-01-03T00:00:00Z to 2025-01-04T00:00:00Z, 48 intervals of 30m
  stored              0
  other factors      48  made with other watts or another PUE; redo all projects
`}, "backfill", "--from=2025-01-03", "--to=2025-01-04", "--project=CLF", "--restate")
	s.says(called{code: exitUsage, stderr: "carbontool backfill: --project: there is no project \"CLFF\"; known projects: CLF, ISIS; see carbontool backfill --help\n"},
		"backfill", "--from=2025-01-03", "--to=2025-01-04", "--project=CLFF")
}

// A project that the store does not know, for example in a store that is new, is
// asked of Prometheus.
func TestBackfillOfAProjectThatOnlyPrometheusKnows(t *testing.T) {
	s := siteOf(t, &prometheus{}, "")
	s.says(called{stderr: "carbontool backfill: created the store STORE\n", stdout: `2025-01-03T00:00:00Z to 2025-01-04T00:00:00Z, 48 intervals of 30m
  stored              0
  nothing yet        48  not stored yet, and one project would look like all of them; leave out --project
`}, "backfill", "--from=2025-01-03", "--to=2025-01-04", "--project=CLF")
}

func TestBackfillTellsWhatFailed(t *testing.T) {
	bad := time.Date(2025, 1, 3, 12, 0, 0, 0, time.UTC)
	p := &prometheus{fault: func(end time.Time) string {
		if end.After(bad) && !end.After(bad.Add(time.Hour)) {
			return `{"status":"error","errorType":"execution","error":"too many samples"}`
		}
		return ""
	}}
	s := siteOf(t, p, "prometheus: {url: URL, busy_query: busy, idle_query: idle}\n")
	got := s.call("backfill", "--from=2025-01-03", "--to=2025-01-04")
	if got.code != exitFailed {
		t.Errorf("exit code %d", got.code)
	}
	want := `2025-01-03T00:00:00Z to 2025-01-04T00:00:00Z, 48 intervals of 30m
  stored             46  46 settled
  failed              2  missing, not 0
failed: 2025-01-03T12:00:00Z to 2025-01-03T13:00:00Z, 2 intervals: query busy: too_large: http status 422: execution: too many samples
`
	if got.stdout != want {
		t.Errorf("stdout\n%s\nwant\n%s", got.stdout, want)
	}
	last := "carbontool backfill: 2 of 48 intervals could not be collected: query busy: too_large: http status 422: execution: too many samples\n"
	if !strings.HasSuffix(got.stderr, last) || !strings.Contains(got.stderr, `level=WARN msg="Fetching an interval failed; skipping it" from=2025-01-03T12:00:00Z err=`) || strings.Contains(got.stderr, "time=") {
		t.Errorf("stderr\n%s", got.stderr)
	}
	p.fault = nil
	s.says(called{stdout: `2025-01-03T00:00:00Z to 2025-01-04T00:00:00Z, 48 intervals of 30m
  stored              2  2 settled
  already there      46
`}, "backfill", "--from=2025-01-03", "--to=2025-01-04")
}

func TestBackfillWithoutAGrid(t *testing.T) {
	s := siteOf(t, &prometheus{}, "carbon_intensity: {uk: {url: URL/none}}\n")
	got := s.call("backfill", "--from=2025-01-03", "--to=2025-01-04")
	if got.code != exitFailed || !strings.Contains(got.stderr, "carbontool backfill: 48 of 48 intervals have no price: carbon intensity of GB, ") {
		t.Errorf("%+v", got)
	}
	if want := `2025-01-03T00:00:00Z to 2025-01-04T00:00:00Z, 48 intervals of 30m
  stored             48  48 unpriced
  unpriced           48  carbon intensity not known yet
`; got.stdout != want {
		t.Errorf("stdout\n%s\nwant\n%s", got.stdout, want)
	}
	s.configure("")
	s.says(called{stdout: `2025-01-03T00:00:00Z to 2025-01-04T00:00:00Z, 48 intervals of 30m
  stored              0
  already there      48  48 of them repriced or now final
`}, "backfill", "--from=2025-01-03", "--to=2025-01-04")
}

func TestBackfillDryRun(t *testing.T) {
	s := siteOf(t, &prometheus{}, "carbon_intensity: {uk: {url: URL}}\nprometheus: {url: URL, busy_query: 'busy[$__interval]', idle_query: 'idle[$__interval]'}\n")
	s.says(called{stdout: `Dry run: no queries are sent and nothing is written.
2024-12-20T00:00:00Z to 2025-01-05T00:00:00Z, 768 intervals of 30m
  to collect        768
Prometheus at URL: 16 runs of up to a day, 2 queries each, 32 requests in all:
  busy[30m]
  idle[30m]
Carbon intensity of GB (uk): 2 windows of up to 13 days, 4 requests.
`}, "backfill", "--from=2024-12-20", "--to=2025-01-05", "--dry-run")
	if _, err := os.Stat(s.store); !errors.Is(err, fs.ErrNotExist) || s.server.asked.Load() != 0 {
		t.Errorf("a dry run made a store, %v, or asked %d times", err, s.server.asked.Load())
	}
	s.configure("")
	s.call("backfill", "--from=2025-01-03", "--to=2025-01-04")
	asked, before := s.server.asked.Load(), s.stored(howMany)
	got := s.call("backfill", "--from=2025-01-02", "--to=2025-01-05", "--dry-run")
	for _, part := range []string{
		"\n  to collect         96\n  already there      48\nPrometheus at " + s.url + ": 2 runs of up to a day, 3 queries each, 6 requests in all:\n",
		"\n  sum by (cloud_project_name, machine_name, instance, user, mode) (node_cpu_seconds_total{cpu!~\"(?i:.*total|all)\"})\n",
		"\nCarbon intensity of contract (static): 1 window of up to 13 days, no requests.\n",
	} {
		if !strings.Contains(got.stdout, part) {
			t.Errorf("%s\ndoes not say %q", got.stdout, part)
		}
	}
	if s.server.asked.Load() != asked || s.stored(howMany) != before || got.code != exitDone || got.stderr != "" {
		t.Errorf("asked %d times more, %v intervals, code %d, stderr %q", s.server.asked.Load()-asked, s.stored(howMany), got.code, got.stderr)
	}
}

func TestBackfillRefuses(t *testing.T) {
	s := siteOf(t, &prometheus{}, "")
	for _, c := range []struct{ name, args, want string }{
		{"no range", "", "no range: give --from"},
		{"a word for a date", "--from=someday", `--from: "someday" is not a time such as 2026-10-01, 2026-10-01T10:30, 2026-10-01T10:30:00Z, 2026-10, yesterday or -1h`},
		{"a range in reverse", "--from=2025-01-04 --to=2025-01-03", "--to: 2025-01-03T00:00:00Z is not after --from"},
		{"the future", "--from=2099-01-01 --to=2099-02-01", "--from: 2099-01-01 is in the future"},
		{"a project without a name", "--from=2025-01-03 --project=", "--project: must not be empty"},
		{"a project that nobody knows", "--from=2025-01-03 --to=2025-01-04 --project=x", `--project: there is no project "x"; known projects: CLF, ISIS`},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := s.call(append([]string{"backfill", "--dry-run"}, strings.Fields(c.args)...)...)
			if want := (called{exitUsage, "", "carbontool backfill: " + c.want + "; see carbontool backfill --help\n"}); got != want {
				t.Errorf("got  %+v\nwant %+v", got, want)
			}
		})
	}
	s.configure("prometheus: {url: URL, busy_query: busy, idle_query: idle}\n")
	s.says(called{code: exitUsage, stderr: "carbontool backfill: --project: prometheus.busy_query and idle_query cannot be restricted to one project; leave out --project; see carbontool backfill --help\n"},
		"backfill", "--from=2025-01-03", "--project=CLF")
	for _, key := range []string{"measured: [{name: ipmi, query: x}]", "devices: [{name: gpu, query: x, unit: J}]", "reconcile: {query: x}", "memory_watts_per_gib: 0.4"} {
		s.configure("prometheus: {url: URL}\npower: {" + key + "}\n")
		s.says(called{code: exitUsage, stderr: "carbontool backfill: --project: with power.measured, devices, reconcile or memory_watts_per_gib energy is that of hosts, which projects may share, so it cannot be had for one project alone; leave out --project; see carbontool backfill --help\n"},
			"backfill", "--from=2025-01-03", "--project=CLF")
	}
	if _, err := os.Stat(s.store); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("what was refused has made a store: %v", err)
	}
	s.configure("")
	s.store = filepath.Join(filepath.Dir(s.store), "nowhere", "carbon.db")
	s.says(called{code: exitFailed, stderr: "carbontool backfill: open store STORE: there is no such file, and no directory " + filepath.Dir(s.store) + " to create it in; check --storage.path\n"},
		"backfill", "--from=2025-01-03", "--to=2025-01-04")
}

// An end in the future is one at now: what is not over is left for another day.
func TestBackfillUpToTheEndOfToday(t *testing.T) {
	s := siteOf(t, &prometheus{}, "")
	from := time.Now().UTC().Add(-3 * time.Hour)
	got := s.call("backfill", "--from="+from.Format(time.RFC3339), "--to="+from.Add(48*time.Hour).Format(time.RFC3339))
	if n := s.stored(howMany); got.code != exitDone || n < 4 || n > 6 {
		t.Errorf("%v intervals are stored; %+v", n, got)
	}
	if n := s.stored("SELECT count(*) FROM usage_interval WHERE start + seconds > unixepoch()"); n != 0 {
		t.Errorf("%v of them are not over", n)
	}
}

func TestBackfillOfWhatIsAlwaysTooMuch(t *testing.T) {
	s := siteOf(t, &prometheus{fault: func(time.Time) string { return `{"status":"error","errorType":"execution","error":"no"}` }},
		"prometheus: {url: URL, busy_query: busy, idle_query: idle}\n")
	got := s.call("backfill", "--from=2025-01-03", "--to=2025-01-10")
	want := "carbontool backfill: from 2025-01-04T00:00:00Z on, after 48 other failed intervals: query busy: too_large: http status 422: execution: no; " +
		"48 of 336 intervals done; run again to resume\n"
	if got.code != exitFailed || !strings.HasSuffix(got.stderr, want) || strings.Count(got.stderr, "skipping it") != 1 ||
		!strings.Contains(got.stdout, "\nfailed: 2025-01-03T00:00:00Z to 2025-01-04T00:00:00Z, 48 intervals: ") {
		t.Errorf("%+v", got)
	}
}
