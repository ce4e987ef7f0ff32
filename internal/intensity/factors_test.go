// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !race

package intensity

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

func TestEachKindHasAFactorAndItsSource(t *testing.T) {
	all := factors()
	for _, provider := range []map[string]string{entsoeKinds, eiaKinds} {
		for code, kind := range provider {
			if _, ok := all[kind]; ok == (kind == kindStorage) {
				t.Errorf("%s is %s: has a factor: %v", code, kind, ok)
			}
		}
	}
	for kind, f := range all {
		if f.lifecycle < 5 || f.lifecycle > 1200 || f.direct < 0 || f.direct > 1200 {
			t.Errorf("%s: %+v", kind, f)
		}
	}
	if f := all[kindOther]; f.lifecycle != 700 || f.direct != 300 {
		t.Errorf("other is %+v", f)
	}
	lines := strings.Split(strings.TrimSpace(string(factorsCSV)), "\n")
	lines = slices.DeleteFunc(lines, func(line string) bool { return strings.HasPrefix(line, "#") })
	if names := lines[1:]; !slices.IsSorted(names) || len(names) != len(all) {
		t.Errorf("%d rows of %d kinds, in order: %v", len(names), len(all), slices.IsSorted(names))
	}
	for _, line := range lines {
		if cells := strings.SplitN(line, ",", 4); len(cells) != 4 || cells[3] == "" {
			t.Errorf("no source: %s", line)
		}
	}
}

func TestTheBasisChoosesTheFactors(t *testing.T) {
	gas := factors()["gas"]
	for emissions, want := range map[string]struct {
		grams usage.GramsPerKWh
		basis string
	}{
		"":              {490, "average lifecycle production"},
		usage.Lifecycle: {490, "average lifecycle production"},
		usage.Direct:    {394, "average direct production"},
	} {
		if got := gas.of(emissions); got != want.grams {
			t.Errorf("%q: %v", emissions, got)
		}
		for _, api := range []API{&ENTSOE{Emissions: emissions}, &EIA{Emissions: emissions}} {
			if got := api.Terms().Basis.String(); got != want.basis {
				t.Errorf("%T of %q: %s", api, emissions, got)
			}
		}
	}
}

func TestZonesHaveCodesThatCanBe(t *testing.T) {
	codes := map[string]string{}
	for zone, eic := range zoneEICs() {
		if len(eic) != eicLength || !validEIC(eic) {
			t.Errorf("%s: %s is no EIC", zone, eic)
		}
		if codes[eic] != "" {
			t.Errorf("%s and %s are both %s", zone, codes[eic], eic)
		}
		codes[eic] = zone
	}
	// Each of the EU, of the EEA, and Switzerland.
	for zone := range strings.FieldsSeq("AT BE BG CH CY CZ DE DE_LU DK1 DK2 EE ES FI FR GR HR HU IE_SEM IS IT_CALA IT_CNOR IT_CSUD IT_NORD IT_SARD IT_SICI IT_SUD LT LU LV MT NL NO1 NO2 NO3 NO4 NO5 PL PT RO SE1 SE2 SE3 SE4 SI SK") {
		if _, err := ZoneEIC(zone); err != nil {
			t.Error(err)
		}
	}
	if len(slices.Collect(maps.Keys(codes))) < 55 {
		t.Errorf("only %d zones", len(codes))
	}
}

func TestAZoneIsANameOrACode(t *testing.T) {
	for _, test := range []struct{ zone, want, fault string }{
		{zone: "FR", want: "10YFR-RTE------C"},
		{zone: "de-lu", want: "10Y1001A1001A82H"},
		{zone: "DE_LU", want: "10Y1001A1001A82H"},
		{zone: "NO_1", want: "10YNO-1--------2"},
		{zone: " 10yfr-rte------c", want: "10YFR-RTE------C"},
		{zone: "10YMA-ONE------O", want: "10YMA-ONE------O"},
		{zone: "10YFR-RTE------D", fault: "its last character does not fit the others"},
		{zone: "10YFR-RTE-----_C", fault: "its last character does not fit"},
		{zone: "Atlantis", fault: "set the EIC of the area, which has 16 characters"},
		{zone: "", fault: "no bidding zone"},
	} {
		got, err := ZoneEIC(test.zone)
		if got != test.want || (err == nil) != (test.fault == "") || err != nil && !strings.Contains(err.Error(), test.fault) {
			t.Errorf("%s: got %s, %v", test.zone, got, err)
		}
	}
}
