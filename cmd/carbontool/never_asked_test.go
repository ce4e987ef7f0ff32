// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"database/sql"
	"strings"
	"testing"
)

// A wrong clock has left three intervals before the first usage, and two in a gap.
func leftByAClock(t *testing.T) *newSite {
	t.Helper()
	s := siteOf(t, &prometheus{}, "")
	for _, day := range []string{"2025-01-03", "2025-06-03"} {
		s.call("backfill", "--from="+day, "--to="+day+"T01:00")
	}
	db, err := sql.Open("sqlite", s.store)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, at := range []string{"1970-01-01 00:00", "1970-01-01 00:30", "2025-01-02 23:30", "2025-03-01 12:00", "2025-03-01 12:30", "2025-06-03 01:00"} {
		if _, err := db.ExecContext(t.Context(), "INSERT INTO usage_interval(start, seconds, state) VALUES (unixepoch(?), 1800, 'missing')", at); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

func TestDropNeverAsked(t *testing.T) {
	s := leftByAClock(t)
	const kept = `2025-01-03T00:00:00Z  2025-01-03T01:00:00Z  settled          2      3             0        0         -  -
`
	const offer = "5 intervals were never asked for, before the first usage or in a gap of more than 90 days; if a wrong clock left them, drop them with --drop-never-asked.\n"
	got := s.call("intervals")
	if !strings.Contains(got.stdout, kept) || !strings.HasSuffix(got.stdout, "10 intervals: 4 settled, 6 missing.\n"+offer) {
		t.Errorf("%+v", got)
	}
	if got := s.call("intervals", "--format=json"); strings.Contains(got.stdout, "never asked") {
		t.Errorf("%+v", got)
	}
	s.says(called{stdout: "Dropped 5 intervals.\n"}, "intervals", "--drop-never-asked", "--yes")
	s.says(called{stdout: `FROM                  TO                    STATE    INTERVALS  HOSTS  INTERPOLATED  REFUSED  ATTEMPTS  REASON
` + kept + `2025-06-03T00:00:00Z  2025-06-03T01:00:00Z  settled          2      3             0        0         -  -
2025-06-03T01:00:00Z  2025-06-03T01:30:00Z  missing          1      -             -        -         -  -
5 intervals: 4 settled, 1 missing.
`}, "intervals")
	s.says(called{stdout: "There are no intervals to drop.\n"}, "intervals", "--drop-never-asked", "--yes")
}

func TestDropNeverAskedRefuses(t *testing.T) {
	s := leftByAClock(t)
	const combined = "carbontool intervals: --drop-never-asked cannot be combined with --from, --to, --state or --format; see carbontool intervals --help\n"
	for _, c := range []struct{ args, want string }{
		{"--drop-never-asked", "carbontool intervals: standard input is not a terminal, so there is nobody to confirm: add --yes; see carbontool intervals --help\n"},
		{"--drop-never-asked --yes --from=2025-01-01", combined},
		{"--drop-never-asked --yes --to=2025-01-01", combined},
		{"--drop-never-asked --yes --state=missing", combined},
		{"--drop-never-asked --yes --format=table", combined},
		{"--yes", "carbontool intervals: --yes belongs to --drop-never-asked; see carbontool intervals --help\n"},
	} {
		if got := s.call(append([]string{"intervals"}, strings.Fields(c.args)...)...); got != (called{exitUsage, "", c.want}) {
			t.Errorf("%s: %+v", c.args, got)
		}
	}
	if got := s.call("intervals"); !strings.Contains(got.stdout, "5 intervals were never asked for") {
		t.Errorf("something was dropped: %+v", got)
	}
	s = siteOf(t, &prometheus{}, "")
	s.says(called{code: exitFailed, stderr: "carbontool intervals: open store STORE: there is no such file; set --storage.path\n"}, "intervals", "--drop-never-asked", "--yes")
}
