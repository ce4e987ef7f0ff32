// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !race

package main

import (
	"database/sql"
	"encoding/json"
	"errors"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/directory"
	"github.com/carbon-exporter/carbon_exporter/internal/store/storetest"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// product is a line of an explanation.
var product = regexp.MustCompile(`([0-9.]+) s x ([0-9.]+) W / 3600000 x ([0-9.]+) = [0-9.]+ kWh; x ([0-9.]+) = [0-9.]+ g`)

// TestExplanationsMultiplyToTheStore multiplies the factors of both forms, and
// wants what the store's own views have.
func TestExplanationsMultiplyToTheStore(t *testing.T) {
	hour := intervalsOf(t, "2025-07-01T10:00:00Z", "2025-07-01T11:00:00Z", time.Hour)[0] // two pieces
	rec := recordOf(hour, usage.Settled, aliceMuon, bobMuon, nobodys)
	rec.Prices[1].Intensity = 87.5
	path, _ := storeOf(t, rec)
	db, err := sql.Open("sqlite", "file:"+path+"?mode=ro")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, c := range []struct {
		name, args, where string
		products          int
	}{
		{"a project", "--project=ISIS", "cloud_project_name = 'ISIS'", 8},
		{"a user", "--project=ISIS --user=alice", "user_id = 'alice'", 4},
		{"what is nobody's", "--project=CLF --user=unattributed", "user_id = 'unattributed'", 4},
		{"all at once, from the middle of the interval", "--project=ISIS --machine=Muon --user=bob --group=Muons --ts=2025-07-01T11:59:59", "user_id = 'bob'", 4},
	} {
		t.Run(c.name, func(t *testing.T) {
			var kwh, grams float64
			if err := db.QueryRowContext(t.Context(), "SELECT sum(busy_kwh + idle_kwh), sum(busy_gCo2eq + idle_gCo2eq) FROM v_usage WHERE "+c.where).Scan(&kwh, &grams); err != nil {
				t.Fatal(err)
			}
			args := append([]string{"explain", "--ts=2025-07-01T10:30:00Z", "--storage.path", path}, strings.Fields(c.args)...)
			if strings.Contains(c.args, "--ts") {
				args = append(args[:1], args[2:]...)
			}
			text := call(args...)
			if text.code != exitDone || text.stderr != "" || !strings.Contains(text.stdout, ", 2025-07-01T10:00:00Z to 2025-07-01T11:00:00Z (11:00 BST to 12:00 BST in Europe/London)\n") {
				t.Fatalf("%+v", text)
			}
			var energy, emissions float64
			found := product.FindAllStringSubmatch(text.stdout, -1)
			for _, m := range found {
				var f [4]float64
				for i := range f {
					f[i], _ = strconv.ParseFloat(m[i+1], 64)
				}
				energy += f[0] * f[1] / 3600000 * f[2]
				emissions += f[0] * f[1] / 3600000 * f[2] * f[3]
			}
			if len(found) != c.products || !near(energy, kwh) || !near(emissions, grams) {
				t.Errorf("%d products give %v kWh and %v g, the store has %v and %v", len(found), energy, emissions, kwh, grams)
			}
			object := call(append(args, "--format=json")...)
			var e struct {
				Usage []struct {
					PUE        float64 `json:"pue_ratio"`
					Intensity  float64 `json:"intensity_gco2eq_per_kwh"`
					Busy, Idle struct {
						CPU   float64 `json:"cpu_seconds"`
						Watts float64
					}
				}
			}
			if err := json.Unmarshal([]byte(object.stdout), &e); err != nil {
				t.Fatal(err)
			}
			energy, emissions = 0, 0
			for _, u := range e.Usage {
				v := (u.Busy.CPU*u.Busy.Watts + u.Idle.CPU*u.Idle.Watts) / 3600000 * u.PUE
				energy, emissions = energy+v, emissions+v*u.Intensity
			}
			if !near(energy, kwh) || !near(emissions, grams) {
				t.Errorf("json gives %v kWh and %v g, the store has %v and %v", energy, emissions, kwh, grams)
			}
		})
	}
}

func TestExplainSaysWhyThereIsNothing(t *testing.T) {
	at := intervalsOf(t, "2025-10-25T00:00:00Z", "2025-10-25T03:00:00Z", usage.SlotLength)
	path, s := storeOf(t,
		recordOf(at[0], usage.Settled, aliceMuon), recordOf(at[1], usage.Unpriced, aliceMuon, nobodys),
	)
	storetest.CommitAs(t, s, usage.Policy{AskAgain: at[5].Start},
		usage.Record{Interval: at[2], State: usage.Empty, PUE: 1, FetchedAt: at[3].Start})
	if _, err := s.Schedule(t.Context(), at[0], at[5].Start); err != nil {
		t.Fatal(err)
	}
	if err := s.Failed(t.Context(), at[3:4], errors.New("query cpu seconds: timeout"), at[5].Start); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ name, ts, args, says string }{
		{"unpriced", "2025-10-25T00:59:59Z", "", "unpriced: energy is known"},
		{"empty", "2025-10-25T01:00:00Z", "", "it is queried once more at 2025-10-25T02:30:00Z"},
		{"missing, with an attempt that failed", "2025-10-25T01:30:00Z", "", "failed attempts: 1; last error: query cpu seconds: timeout; next attempt after 2025-10-25T02:30:00Z"},
		{"missing and not tried", "2025-10-25T02:00:00Z", "", "missing: due, and not fetched yet"},
		{"before the store", "2020-01-01", "", "unasked: Prometheus was never asked for it; the store has usage from 2025-10-25T00:00:00Z to 2025-10-25T01:00:00Z"},
		{"a project without usage", "2025-10-25T00:00:00Z", "--project=CLF", "the project has no usage in the interval"},
		{"a user of another", "2025-10-25T00:30:00Z", "--user=unattributed", "the project has usage for machine type Muon, user alice, group Muons"},
	} {
		t.Run(c.name, func(t *testing.T) {
			args := append([]string{"explain", "--ts", c.ts, "--storage.path", path}, strings.Fields(c.args)...)
			if !strings.Contains(c.args, "--project") {
				args = append(args, "--project=ISIS")
			}
			got := call(args...)
			if got.code != exitDone || got.stderr != "" || !strings.Contains(got.stdout, c.says) {
				t.Errorf("%+v", got)
			}
			if got := call(append(args, "--format=json")...); got.code != exitDone || !json.Valid([]byte(got.stdout)) {
				t.Errorf("json: %+v", got)
			}
		})
	}
}

func TestExplainWhatIsPruned(t *testing.T) {
	var recs []usage.Record
	for _, i := range intervalsOf(t, "2025-10-24T23:00:00Z", "2025-10-27T00:00:00Z", usage.SlotLength) {
		recs = append(recs, recordOf(i, usage.Settled, aliceMuon, bobMuon))
	}
	path, s := storeOf(t, recs...)
	for more := true; more; {
		p, err := s.Prune(t.Context(), time.Now(), 24*time.Hour, "")
		if err != nil {
			t.Fatal(err)
		}
		more = p.More
	}
	got := call("explain", "--ts=2025-10-25T12:00", "--project=ISIS", "--storage.path", path)
	for _, says := range []string{
		"settled: final", "its per-key details were deleted by --storage.retention", "busy  busy\n", "used for 2025-10-25T11:00:00Z: 200, actual",
		"Total: 5400 s busy, 3600 s idle; 0.019", "; 3.8 gCO2eq (",
	} {
		if !strings.Contains(got.stdout, says) {
			t.Errorf("lacks %q: %+v", says, got)
		}
	}
}

func TestExplainSaysWhoseItWas(t *testing.T) {
	i := intervalsOf(t, "2025-10-25T00:00:00Z", "2025-10-25T00:30:00Z", usage.SlotLength)[0]
	path, s := storeOf(t, recordOf(i, usage.Provisional, aliceMuon, bobMuon))
	learned := directory.Learned{
		Directory: directory.Directory{AsOf: i.End()}, People: []directory.Person{{ID: "alice", Name: "Alice Adams"}},
		Tenures:     []directory.Tenure{{Document: "68c1f00d", Host: "172.16.100.5", Owner: "alice", From: i.Start.Add(-time.Hour)}},
		Memberships: []directory.Membership{{User: "alice", Group: "Muons"}},
	}
	if _, err := s.SaveDirectory(t.Context(), learned, true); err != nil {
		t.Fatal(err)
	}
	price := recordOf(i, usage.Provisional, aliceMuon).Prices
	price[0].Intensity = 180
	storetest.CommitAs(t, s, usage.Policy{PricesOnly: true}, usage.Record{Interval: i, Prices: price, State: usage.Provisional})
	got := call("explain", "--ts=2025-10-25T00:00:00Z", "--project=ISIS", "--storage.path", path)
	for _, says := range []string{
		"  alice: had host 172.16.100.5 since 2025-10-24T23:00:00Z, according to document 68c1f00d\n", "  alice: member of Muons, always\n",
		"  bob: from the label of the series; there is no record in the directory\n",
		"200 (actual, uk, grid GB) to 180 (actual, uk, grid GB): the actual was revised\n", "Queried from Prometheus at 2025-10-25T00:32:00Z, evaluated at 2025-10-25T00:30:00Z\n",
	} {
		if !strings.Contains(got.stdout, says) {
			t.Errorf("lacks %q:\n%s%s", says, got.stdout, got.stderr)
		}
	}
	if strings.Contains(got.stdout, "Adams") {
		t.Error("it names a person")
	}
}

func TestExplanationsThatAreWrongUse(t *testing.T) {
	i := intervalsOf(t, "2025-10-25T00:00:00Z", "2025-10-25T00:30:00Z", usage.SlotLength)[0]
	path, _ := storeOf(t, recordOf(i, usage.Settled, aliceMuon, nobodys))
	empty, _ := storeOf(t)
	const help = "; see carbontool explain --help\n"
	for _, c := range []struct{ name, path, args, stderr string }{
		{"an unknown project", path, "--ts=2025-10-25T00:00:00Z --project=isis", `carbontool explain: --project: the store has never seen "isis"; it has "CLF" "ISIS"` + help},
		{"of a store that has none", empty, "--ts=2025-10-25T00:00:00Z --project=ISIS", `carbontool explain: --project: the store has never seen "ISIS"; it has no projects` + help},
		{"no name", path, "--ts=2025-10-25T00:00:00Z --project=", `carbontool explain: --project: the store has never seen ""; it has "CLF" "ISIS"` + help},
		{"an unknown machine type", path, "--ts=2025-10-25T00:00:00Z --project=ISIS --machine=Moon", `carbontool explain: --machine: the store has never seen "Moon"` + help},
		{"an unknown user", path, "--ts=2025-10-25T00:00:00Z --project=ISIS --user=carol", `carbontool explain: --user: the store has never seen "carol"` + help},
		{"an unknown group", path, "--ts=2025-10-25T00:00:00Z --project=ISIS --group=", `carbontool explain: --group: the store has never seen ""` + help},
		{"no time", path, "--ts=noon --project=ISIS", `carbontool explain: --ts: "noon" is not a time such as 2026-10-01, 2026-10-01T10:30, 2026-10-01T10:30:00Z, 2026-10, yesterday or -1h` + help},
		{"the future", path, "--ts=2999-01-01 --project=ISIS", "carbontool explain: --ts: 2999-01-01 is in the future" + help},
		{"a time that is twice", path, "--ts=2025-10-26T01:30 --project=ISIS", "carbontool explain: --ts: 2025-10-26T01:30 exists twice in Europe/London: use 2025-10-26T01:30:00+01:00 or 2025-10-26T01:30:00Z" + help},
		{"no project", path, "--ts=2025-10-25", "carbontool explain: required flag(s) '--project' not provided; see carbontool explain --help\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			called{code: exitUsage, stderr: c.stderr}.by(t, append([]string{"explain", "--storage.path", c.path}, strings.Fields(c.args)...)...)
		})
	}
}
