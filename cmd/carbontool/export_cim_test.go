// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !race

package main

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/cim"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// cimRecords are the records of an export, each held to the schema.
func cimRecords(t *testing.T, stdout string) (all []cim.Record) {
	t.Helper()
	schema, err := cim.Cloud()
	if err != nil {
		t.Fatal(err)
	}
	var raw []json.RawMessage
	if err := json.Unmarshal([]byte(stdout), &raw); err != nil {
		t.Fatalf("%v: %s", err, stdout)
	}
	for _, record := range raw {
		if err := schema.Check(record); err != nil {
			t.Errorf("%v: %s", err, record)
		}
		var r cim.Record
		if err := json.Unmarshal(record, &r); err != nil {
			t.Fatal(err)
		}
		all = append(all, r)
	}
	return all
}

func TestExportCIM(t *testing.T) {
	args, _ := threeHours(t)
	got := call(slices.Concat([]string{"export", "cim", "--site-name=RAL-LCG2", "--from=2026-01-03", "--to=2026-01-04"}, args)...)
	if want := "carbontool export: of 48 intervals, 45 are not known and not in the export; see carbontool intervals\n" +
		"carbontool export: of 48 intervals, 1 have energy and no emissions yet: export them again later\n"; got.code != exitDone || got.stderr != want {
		t.Errorf("got %+v", got)
	}
	records := cimRecords(t, got.stdout)
	if len(records) != 1 { // of one project and machine type, whoever used it
		t.Fatalf("got %s", got.stdout)
	}
	r := records[0]
	if r.EnergyWh != 1.25*15*1000 || *r.CPU != 1500 || *r.Efficiency != 0.2 || r.Owner != "ISIS" || r.CloudComputeService != "RAL-LCG2" || r.PUE != 1 {
		t.Errorf("got %s", got.stdout)
	}
	if r.Emissions != nil || r.Intensity != nil || r.CPUFactor != nil { // a half hour has no price
		t.Errorf("got %s", got.stdout)
	}
	if r.StartExecTime != "2026-01-03T00:00:00Z" || r.EndExecTime != "2026-01-04T00:00:00Z" || r.WallClock != 86400 {
		t.Errorf("got %s", got.stdout)
	}
	if strings.Contains(got.stdout, "alice") || strings.Contains(got.stdout, "bob") {
		t.Error("people are named")
	}
}

func TestExportCIMOfGroups(t *testing.T) {
	facts := []usage.Fact{used(slotAt(0), "ISIS", "alice", 1), used(slotAt(0), "ISIS", "bob", 2)}
	facts[1].Group = "h"
	args, _ := exportedFrom(t, "", interval(slotAt(0), 200, facts...))
	got := call(slices.Concat([]string{
		"export", "cim", "--site-name=RAL-LCG2", "--cloud-type=openstack", "--cloud-service=IRIS", "--owner=group",
		"--cpu-normalization-factor=2.5", "--from=2026-01-03T12:00", "--to=2026-01-03T12:30",
	}, args)...)
	if got.code != exitDone || got.stderr != "" {
		t.Fatalf("got %+v", got)
	}
	var said []string
	for _, r := range cimRecords(t, got.stdout) {
		said = append(said, strings.TrimSpace(fmt.Sprintln(r.Owner, r.EnergyWh, *r.Emissions, *r.Intensity, *r.CPUFactor, r.CloudType, r.CloudComputeService, r.WallClock)))
	}
	if want := []string{"g 1250 250 200 2.5 openstack IRIS 1800", "h 2500 500 200 2.5 openstack IRIS 1800"}; !slices.Equal(said, want) {
		t.Errorf("got %q", said)
	}
}

// fourDays are days of many keys at many prices, some of them unpriced.
func fourDays(t *testing.T, yaml string) []string {
	t.Helper()
	var recs []usage.Record
	for n := range 4 * 48 {
		price := float64(n%5) * 41.7
		var facts []usage.Fact
		for u := range 5 {
			facts = append(facts, used(slotAt(n), fmt.Sprint("P", (n+u)%3), fmt.Sprint("user", u), 0.1+float64(n*7%11)/7+float64(u)/3))
		}
		withDevice(&facts[0], 1.0/3)
		recs = append(recs, interval(slotAt(n), price, facts...))
	}
	args, _ := exportedFrom(t, yaml, recs...)
	return args
}

// reported is what a report says of the site and a range.
func reported(t *testing.T, args []string) (kwh, grams float64) {
	t.Helper()
	got := call(slices.Concat([]string{"report", "--scope=site", "--format=json"}, args)...)
	var report struct {
		Rows []struct {
			Energy float64  `json:"energy_kwh"`
			Grams  *float64 `json:"emissions_gco2eq"`
		} `json:"rows"`
	}
	if err := json.Unmarshal([]byte(got.stdout), &report); err != nil {
		t.Fatalf("%v: %+v", err, got)
	}
	if len(report.Rows) == 0 || report.Rows[0].Grams == nil {
		t.Fatalf("no site: %s", got.stdout)
	}
	return report.Rows[0].Energy, *report.Rows[0].Grams
}

// same reports whether sums are the same but for the rounding of what was added up.
func same(a, b float64) bool { return math.Abs(a-b) <= 1e-12*math.Abs(b) }

func TestExportCIMAddsUpToTheReport(t *testing.T) {
	args := fourDays(t, "")
	for _, span := range [][]string{
		{"--from=2026-01-03", "--to=2026-01-08"},
		{"--from=2026-01-04T07:30", "--to=2026-01-06T18:10"}, // in the middle of days, and of a half hour
	} {
		kwh, _ := reported(t, append(args, span...))
		got := call(slices.Concat([]string{"export", "cim", "--site-name=S"}, span, args)...)
		var sum usage.Sum
		ends := map[string]time.Time{}
		for _, r := range cimRecords(t, got.stdout) {
			sum.Add(r.EnergyWh)
			from, _ := time.Parse(time.RFC3339, r.StartExecTime)
			to, _ := time.Parse(time.RFC3339, r.EndExecTime)
			if from.Before(ends[r.ExecUnitID]) || to.Sub(from) != time.Duration(r.WallClock)*time.Second {
				t.Errorf("%+v begins before %s", r, ends[r.ExecUnitID])
			}
			ends[r.ExecUnitID] = to
		}
		if len(ends) != 3 || !same(sum.Float64(), 1000*kwh) {
			t.Errorf("%v: %d units use %v Wh, the site %v kWh", span, len(ends), sum.Float64(), kwh)
		}
	}
}

func TestExportCIMOfNothing(t *testing.T) {
	args, _ := threeHours(t)
	path, _ := strings.CutPrefix(args[0], "--storage.path=")
	called{
		stdout: "[]\n",
		stderr: "carbontool export: " + path + " has no usage in this range\ncarbontool export: of 48 intervals, 48 are not known and not in the export; see carbontool intervals\n",
	}.by(t, slices.Concat([]string{"export", "cim", "--site-name=S", "--from=2025-01-01", "--to=2025-01-02"}, args)...)
}

func TestExportCIMUsedInAWrongWay(t *testing.T) {
	args, _ := threeHours(t)
	for _, tc := range []struct{ flag, want string }{
		{"--owner=group", "required flag(s) '--site-name' not provided"},
		{"--site-name= ", "--site-name: is empty; give the name of the site"},
		{"--cloud-type=", "--cloud-type: is empty"},
		{"--cpu-normalization-factor=0", "--cpu-normalization-factor: must be a positive number, is 0"},
		{"--cpu-normalization-factor=NaN", "--cpu-normalization-factor: must be a positive number, is NaN"},
		{"--owner=user", `--owner: must be project or group, is "user"`},
	} {
		site := []string{"--site-name=S"}
		if strings.HasPrefix(tc.flag, "--site-name") || strings.HasPrefix(tc.want, "required") {
			site = nil
		}
		got := call(slices.Concat([]string{"export", "cim", "--from=2026-01-03", tc.flag}, site, args)...)
		if got.code != exitUsage || got.stdout != "" || !strings.HasPrefix(got.stderr, "carbontool export cim: "+tc.want) {
			t.Errorf("%s: got %+v", tc.flag, got)
		}
	}
}
