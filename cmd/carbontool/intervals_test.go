// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !race

package main

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/store"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// ledger is a site whose store has something of every state.
func ledger(t *testing.T) *newSite {
	t.Helper()
	bad := time.Date(2025, 1, 3, 12, 0, 0, 0, time.UTC)
	p := &prometheus{retention: time.Date(2025, 1, 3, 6, 0, 0, 0, time.UTC)}
	p.fault = func(end time.Time) string {
		if end.After(bad) && !end.After(bad.Add(time.Hour)) {
			return `{"status":"error","errorType":"execution","error":"too many samples"}`
		}
		return ""
	}
	s := siteOf(t, p, "timezone: UTC\nprometheus: {url: URL, busy_query: busy, idle_query: idle}\n")
	s.call("backfill", "--from=2025-01-03", "--to=2025-01-04")
	s.configure("carbon_intensity: {uk: {url: URL/none}}\n")
	s.call("backfill", "--from=2025-01-10", "--to=2025-01-10T02:00")
	return s
}

func TestIntervals(t *testing.T) {
	s := ledger(t)
	const why = "query busy: too_large: http status 422: execution: too many samples"
	s.says(called{stdout: `FROM                  TO                    STATE     INTERVALS  HOSTS  INTERPOLATED  REFUSED  ATTEMPTS  REASON
2025-01-03T00:00:00Z  2025-01-03T06:00:00Z  empty            12      0             0        0         -  -
2025-01-03T06:00:00Z  2025-01-03T12:00:00Z  settled          12      3             0        0         -  -
2025-01-03T12:00:00Z  2025-01-03T13:00:00Z  missing           2      -             -        -         1  ` + why + `
2025-01-03T13:00:00Z  2025-01-04T00:00:00Z  settled          22      3             0        0         -  -
2025-01-10T00:00:00Z  2025-01-10T02:00:00Z  unpriced          4      3             0        0         -  -
52 intervals: 34 settled, 4 unpriced, 12 empty, 2 missing.
`}, "intervals")
	s.says(called{stdout: `FROM                  TO                    STATE    INTERVALS  ATTEMPTS  REASON
2025-01-03T12:00:00Z  2025-01-03T13:00:00Z  missing          2         1  ` + why + `
2 intervals: 2 missing.
`}, "intervals", "--state=missing", "--state=provisional")
	s.says(called{stdout: `FROM                  TO                    STATE    INTERVALS  HOSTS  INTERPOLATED  REFUSED  ATTEMPTS  REASON
2025-01-03T11:30:00Z  2025-01-03T12:00:00Z  settled          1      3             0        0         -  -
2025-01-03T12:00:00Z  2025-01-03T12:30:00Z  missing          1      -             -        -         1  ` + why + `
2 intervals: 1 settled, 1 missing.
`}, "intervals", "--from=2025-01-03T11:30", "--to=2025-01-03T12:30")
	s.says(called{stdout: "No intervals found.\n"}, "intervals", "--state=provisional")
	s.says(called{stdout: "[]\n"}, "intervals", "--state=provisional", "--format=json")

	got := s.call("intervals", "--format=json")
	var all []struct {
		From, To  time.Time
		State     string
		Intervals int
		Attempts  int
		Error     *string
	}
	if err := json.Unmarshal([]byte(got.stdout), &all); err != nil || len(all) != 5 {
		t.Fatalf("%v: %s", err, got.stdout)
	}
	if g := all[2]; g.State != "missing" || g.Intervals != 2 || g.Attempts != 1 || g.Error == nil || *g.Error != why || g.To.Sub(g.From) != time.Hour {
		t.Errorf("%+v", g)
	}
	if all[1].Error != nil {
		t.Errorf("%+v", all[1])
	}
}

// What the metric counts is what is listed.
func TestIntervalsAgreeWithTheMetric(t *testing.T) {
	s := ledger(t)
	st, err := store.Open(t.Context(), s.store, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	sum, err := st.Summary(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	gaps, err := st.Gaps(t.Context(), usage.Period{})
	if err != nil {
		t.Fatal(err)
	}
	for _, g := range gaps {
		sum.States[g.State] -= g.Intervals
	}
	for state, n := range sum.States {
		if n != 0 {
			t.Errorf("carbon_intervals has %d more of %s", n, state)
		}
	}
}

func TestIntervalsRefuse(t *testing.T) {
	s := siteOf(t, &prometheus{}, "")
	s.says(called{code: exitFailed, stderr: "carbontool intervals: open store STORE: there is no such file; set --storage.path\n"}, "intervals")
	for _, c := range []struct{ args, want string }{
		{"--state=lost", `carbontool intervals: --state: must be missing, empty, unpriced, provisional or settled, is "lost"; see carbontool intervals --help` + "\n"},
		{"--format=csv", `carbontool intervals: --format: must be table or json, is "csv"; see carbontool intervals --help` + "\n"},
		{"--from=2099-01-01", "carbontool intervals: --from: 2099-01-01 is in the future; see carbontool intervals --help\n"},
		{"--from=2025-01-02 --to=2025-01-01", "carbontool intervals: --to: 2025-01-01T00:00:00Z is not after --from; see carbontool intervals --help\n"},
	} {
		if got := s.call(append([]string{"intervals"}, strings.Fields(c.args)...)...); got != (called{exitUsage, "", c.want}) {
			t.Errorf("%s: %+v", c.args, got)
		}
	}
}

func TestIntervalsNameTheHostsInDoubt(t *testing.T) {
	at := intervalsOf(t, "2025-10-25T00:00:00Z", "2025-10-25T01:30:00Z", usage.SlotLength)
	var recs []usage.Record
	for n, i := range at {
		rec := recordOf(i, usage.Provisional, aliceMuon)
		if n > 0 {
			rec.Attendance = usage.Attend([]usage.Reading{{
				Present: map[string]usage.Presence{"ISIS": {Hosts: 7, Cores: 28}},
				Doubts: []usage.Doubt{{
					Series: usage.Series{Project: "ISIS", Machine: "Muon", Host: "10.0.0.1:9100"}, State: usage.HostRefused, Reason: usage.DoubtMixed, Detail: "10 unlike machines",
				}},
			}})
		}
		recs = append(recs, rec)
	}
	path, _ := storeOf(t, recs...)
	called{stdout: `FROM                  TO                    STATE        INTERVALS  HOSTS  INTERPOLATED  REFUSED  ATTEMPTS  REASON
2025-10-25T00:00:00Z  2025-10-25T01:30:00Z  provisional          3      7             0        1         -  -
3 intervals: 3 provisional.

HOST           PROJECT  STATE    REASON  INTERVALS  NEWEST                SEEN
10.0.0.1:9100  ISIS     refused  mixed           2  2025-10-25T01:00:00Z  several machines are behind one host label; 10 unlike machines
`}.by(t, "intervals", "--storage.path", path)
	got := call("intervals", "--format=json", "--storage.path", path)
	var all []struct {
		Hosts   *int
		Refused *int `json:"refused_hosts"`
		Doubts  []struct{ Host, Reason string }
	}
	if err := json.Unmarshal([]byte(got.stdout), &all); err != nil || len(all) != 1 || *all[0].Hosts != 7 || *all[0].Refused != 1 ||
		len(all[0].Doubts) != 1 || all[0].Doubts[0].Reason != "mixed" {
		t.Errorf("%v: %s", err, got.stdout)
	}
	got = call("explain", "--ts=2025-10-25T00:30:00Z", "--project=ISIS", "--storage.path", path)
	if !strings.Contains(got.stdout, "\nHosts of the project: 6 exact, 0 interpolated, 1 refused; 28 cores\n  refused  10.0.0.1:9100 (machine type Muon): mixed: ") {
		t.Errorf("%+v", got)
	}
}
