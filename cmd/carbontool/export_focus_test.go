// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !race

package main

import (
	"encoding/csv"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/carbon-exporter/carbon_exporter/internal/focus"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// focusRows are the rows of an export by column, each held to the specification.
func focusRows(t *testing.T, stdout string) (rows []map[string]string) {
	t.Helper()
	schema, err := focus.Columns()
	if err != nil {
		t.Fatal(err)
	}
	all, err := csv.NewReader(strings.NewReader(stdout)).ReadAll()
	if err != nil || len(all) == 0 {
		t.Fatalf("%v: %s", err, stdout)
	}
	if err := schema.CheckHead(all[0]); err != nil {
		t.Error(err)
	}
	for _, cells := range all[1:] {
		if err := schema.CheckRow(all[0], cells); err != nil {
			t.Errorf("%v: %q", err, cells)
		}
		row := map[string]string{}
		for i, name := range all[0] {
			row[name] = cells[i]
		}
		rows = append(rows, row)
	}
	return rows
}

var priced = []string{"export", "focus", "--site-name=STFC", "--price-per-kwh=0.25", "--currency=GBP"}

func TestExportFOCUS(t *testing.T) {
	args, _ := threeHours(t)
	got := call(slices.Concat(priced, []string{"--from=2026-01-03T12:30", "--to=2026-01-03T14:00"}, args)...)
	if want := "carbontool export: of 3 intervals, 1 are not known and not in the export; see carbontool intervals\n" +
		"carbontool export: of 3 intervals, 1 have energy and no emissions yet: export them again later\n"; got.code != exitDone || got.stderr != want {
		t.Errorf("got %+v", got)
	}
	rows := focusRows(t, got.stdout)
	want := []map[string]string{
		{"x_UserLabel": "alice", "x_EnergyKwh": "2.5", "BilledCost": "0.625", "x_EmissionsGco2eq": "", "x_CarbonIntensityGco2eqPerKwh": "", "x_UnpricedEnergyKwh": "2.5", "x_State": "unpriced"},
		{"x_UserLabel": "bob", "x_EnergyKwh": "15", "BilledCost": "3.75", "x_EmissionsGco2eq": "1000", "x_CarbonIntensityGco2eqPerKwh": "100", "x_UnpricedEnergyKwh": "5", "x_State": "provisional"},
	}
	if len(rows) != len(want) {
		t.Fatalf("got %s", got.stdout)
	}
	for i, row := range rows {
		for name, cell := range want[i] {
			if row[name] != cell {
				t.Errorf("%s of %s is %q, want %q", name, row["x_UserLabel"], row[name], cell)
			}
		}
		for name, cell := range map[string]string{
			"ChargePeriodStart": "2026-01-03T12:30:00Z", "ChargePeriodEnd": "2026-01-03T14:00:00Z",
			"BillingPeriodStart": "2026-01-01T00:00:00Z", "BillingPeriodEnd": "2026-02-01T00:00:00Z",
			"BillingAccountId": "g", "SubAccountId": "ISIS", "ResourceId": "ISIS/Muon", "RegionId": "",
		} {
			if row[name] != cell {
				t.Errorf("%s is %q, want %q", name, row[name], cell)
			}
		}
	}
}

func TestExportFOCUSAddsUpToTheReport(t *testing.T) {
	for _, tc := range []struct {
		name, yaml string
		rows       int // on each whole day
	}{
		{"users by id", "", 15},
		{"users as one", "attribution: {user_label: none}\n", 3},
		{"one user by id", "attribution: {max_users: 1}\n", 6},
	} {
		t.Run(tc.name, func(t *testing.T) {
			args := fourDays(t, tc.yaml)
			span := []string{"--from=2026-01-04T00:00", "--to=2026-01-06T18:10"}
			kwh, grams := reported(t, append(args, span...))
			got := call(slices.Concat(priced, span, args)...)
			rows := focusRows(t, got.stdout)
			if len(rows) != 3*tc.rows {
				t.Errorf("%d rows, want %d: %s", len(rows), 3*tc.rows, got.stderr)
			}
			sums := map[string]*usage.Sum{"x_EnergyKwh": {}, "x_EmissionsGco2eq": {}, "EffectiveCost": {}}
			for _, row := range rows {
				for name, sum := range sums {
					v, err := strconv.ParseFloat(row[name], 64)
					if err != nil {
						t.Fatalf("%s: %v", name, err)
					}
					sum.Add(v)
				}
				if tc.yaml != "" && row["x_UserLabel"] != "other" && !strings.HasPrefix(row["x_UserLabel"], "user") {
					t.Errorf("shown is %q", row["x_UserLabel"])
				}
			}
			for name, want := range map[string]float64{"x_EnergyKwh": kwh, "x_EmissionsGco2eq": grams, "EffectiveCost": 0.25 * kwh} {
				if got := sums[name].Float64(); !same(got, want) {
					t.Errorf("%s adds up to %v, the report says %v", name, got, want)
				}
			}
			if strings.Contains(tc.yaml, "none") && strings.Contains(got.stdout, "user0") {
				t.Error("people are named")
			}
		})
	}
}

// TestExportFOCUSKeepsNames: the specification wants names as they are, and a program has no use for
// the quote that keeps a spreadsheet from running them.
func TestExportFOCUSKeepsNames(t *testing.T) {
	args, _ := exportedFrom(t, "", interval(slotAt(0), 200, used(slotAt(0), "=1+1, \"a\"", "alice", 1)))
	got := call(slices.Concat(priced, []string{"--month=2026-01", "--region=Harwell"}, args)...)
	rows := focusRows(t, got.stdout)
	if len(rows) != 1 || rows[0]["SubAccountName"] != "=1+1, \"a\"" || rows[0]["RegionName"] != "Harwell" || rows[0]["x_State"] != "settled" {
		t.Errorf("got %s", got.stdout)
	}
}

func TestExportFOCUSOfWhatIsFree(t *testing.T) {
	args, _ := threeHours(t)
	got := call(slices.Concat([]string{"export", "focus", "--site-name=STFC", "--price-per-kwh=0", "--currency=EUR", "--month=2026-01"}, args)...)
	for _, row := range focusRows(t, got.stdout) {
		if row["BilledCost"] != "0" || row["BillingCurrency"] != "EUR" || row["x_EnergyKwh"] == "0" {
			t.Errorf("got %v", row)
		}
	}
}

func TestExportFOCUSUsedInAWrongWay(t *testing.T) {
	args, _ := threeHours(t)
	for _, tc := range []struct {
		flags []string
		want  string
	}{
		{[]string{"--site-name=S", "--currency=GBP"}, "--price-per-kwh: is missing; FOCUS has no unknown costs, so give what a kWh costs, or 0; see "},
		{[]string{"--site-name=S", "--price-per-kwh=1"}, "--currency: is missing; give the currency of --price-per-kwh, such as GBP; see "},
		{[]string{"--currency=GBP", "--price-per-kwh=1"}, "required flag(s) '--site-name' not provided"},
		{[]string{"--site-name=", "--currency=GBP", "--price-per-kwh=1"}, "--site-name: is empty; give the name of the site"},
		{[]string{"--site-name=S", "--currency=gbp", "--price-per-kwh=1"}, `--currency: must be a code of ISO 4217 such as GBP, is "gbp"`},
		{[]string{"--site-name=S", "--currency=GPB", "--price-per-kwh=1"}, `--currency: must be a code of ISO 4217 such as GBP, is "GPB"`},
		{[]string{"--site-name=S", "--currency=GBP", "--price-per-kwh=-1"}, "--price-per-kwh: must be 0 or more, is -1"},
		{[]string{"--site-name=S", "--currency=GBP", "--price-per-kwh=Inf"}, "--price-per-kwh: must be 0 or more, is +Inf"},
		{[]string{"--site-name=S", "--currency=GBP", "--price-per-kwh=1", "--region= "}, "--region: is blank; leave it out"},
	} {
		got := call(slices.Concat([]string{"export", "focus", "--month=2026-01"}, tc.flags, args)...)
		if got.code != exitUsage || got.stdout != "" || !strings.HasPrefix(got.stderr, "carbontool export focus: "+tc.want) {
			t.Errorf("%s: got %+v", tc.flags, got)
		}
	}
}
