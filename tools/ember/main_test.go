// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// TestTableIsDerived: the table of the program is what the extract says, and nobody's hand.
func TestTableIsDerived(t *testing.T) {
	records, err := read("intensities.csv")
	if err != nil {
		t.Fatal(err)
	}
	want, err := derive(records)
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile("../../internal/intensity/ember.csv")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, text(want)) {
		t.Error("internal/intensity/ember.csv is not what the extract says: run make ember")
	}
}

func TestWhatIsLeftOut(t *testing.T) {
	derived, err := derive([][]string{
		header,
		{"FR", "FRA", "France", "2024", "44"},
		{"", "", "Asia", "2024", "572"},
		{"", "", "EU", "2024", "213"},
		{"CF", "CAF", "Central African Republic", "2022", "0"},
		{"XX", "XXX", "Old", "2019", "5"},
		{"YY", "YYY", "Not so old", "2020", "5"},
	})
	var names []string
	for _, r := range derived[1:] {
		names = append(names, r[2])
	}
	if want := []string{"France", "EU", "Not so old"}; !slices.Equal(names, want) || err != nil {
		t.Errorf("got %q, %v, want %q", names, err, want)
	}
}

func TestExtractJoinsValuesAndCodes(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	values := write("v.json", `{"FRA":{"country_code":"FRA","country_or_region":"France","year":2024,"emissions_intensity_gco2_per_kwh":44.18},"EU":{"country_code":"","country_or_region":"EU","year":2024,"emissions_intensity_gco2_per_kwh":213.02}}`)
	records, err := extract(values, write("c.csv", "a,b,c,d\nFrance,France,FR,FRA\n"))
	if err != nil || len(records) != 3 || !slices.Equal(records[1], []string{"", "", "EU", "2024", "213.02"}) || !slices.Equal(records[2], []string{"FR", "FRA", "France", "2024", "44.18"}) {
		t.Errorf("got %q, %v", records, err)
	}
	if _, err := extract(values, write("d.csv", "a,b,c,d\nSpain,Spain,ES,ESP\n")); err == nil {
		t.Error("a country without a code is taken")
	}
}
