// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Command ember derives the yearly carbon intensity of countries, for internal/intensity. It knows
// an extract of Ember's yearly data, the file beside it. Start reading at derive.
package main

import (
	"bytes"
	"cmp"
	"encoding/csv"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
)

func main() {
	root := flag.String("root", ".", "the directory of the repository")
	intensities := flag.String("intensities", "", "make the extract anew, from the file data/output/average-intensities.json of co2.js")
	countries := flag.String("countries", "", "and from its file data/fixtures/countries.csv")
	flag.Parse()
	if err := run(*root, *intensities, *countries); err != nil {
		fmt.Fprintln(os.Stderr, "ember:", err)
		os.Exit(1)
	}
}

func run(root, intensities, countries string) error {
	beside := filepath.Join(root, "tools", "ember", "intensities.csv")
	if intensities != "" {
		records, err := extract(intensities, countries)
		if err != nil {
			return err
		}
		if err := os.WriteFile(beside, text(records), 0o644); err != nil {
			return err
		}
	}
	records, err := read(beside)
	if err != nil {
		return err
	}
	derived, err := derive(records)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(root, "internal", "intensity", "ember.csv"), text(derived), 0o644)
}

// header is that of both files.
var header = []string{"iso2", "iso3", "country", "year", "gco2eq_per_kwh"}

// oldest is how many years before the newest year a value may be.
const oldest = 4

// derive keeps the countries, and of the regions the EU and the world. It leaves out values that
// are too old, and those of 0: where little is generated, emissions are rounded away.
func derive(records [][]string) ([][]string, error) {
	newest := ""
	for _, r := range records[1:] {
		newest = max(newest, r[3])
	}
	last, err := strconv.Atoi(newest)
	if err != nil {
		return nil, fmt.Errorf("the year %q is none", newest)
	}
	derived := [][]string{header}
	for _, r := range records[1:] {
		year, err := strconv.Atoi(r[3])
		if err != nil {
			return nil, fmt.Errorf("%s: the year %q is none", r[2], r[3])
		}
		grams, err := strconv.ParseFloat(r[4], 64)
		if err != nil {
			return nil, fmt.Errorf("%s: %q is no number", r[2], r[4])
		}
		if place := r[1] != "" || r[2] == "EU" || r[2] == "World"; place && grams > 0 && year >= last-oldest {
			derived = append(derived, r)
		}
	}
	return derived, nil
}

// extract reads the newest value of each country and region that co2.js has, sorted by name.
func extract(intensities, countries string) ([][]string, error) {
	held, err := os.ReadFile(intensities)
	if err != nil {
		return nil, err
	}
	var places map[string]struct {
		Code    string      `json:"country_code"`
		Country string      `json:"country_or_region"`
		Year    json.Number `json:"year"`
		Grams   json.Number `json:"emissions_intensity_gco2_per_kwh"`
	}
	if err := json.Unmarshal(held, &places); err != nil {
		return nil, fmt.Errorf("%s: %w", intensities, err)
	}
	names, err := read(countries)
	if err != nil {
		return nil, err
	}
	short := map[string]string{}
	for _, r := range names[1:] { // ember_country_name, unfccc_country_name, country_code_iso_2, country_code_iso_3
		short[r[3]] = r[2]
	}
	short["CYM"] = "KY" // that list gives the Cayman Islands the code of Cyprus
	var records [][]string
	for _, p := range places {
		if p.Code != "" && short[p.Code] == "" {
			return nil, fmt.Errorf("%s: has no code of two letters for %s (%s)", countries, p.Country, p.Code)
		}
		records = append(records, []string{short[p.Code], p.Code, p.Country, p.Year.String(), p.Grams.String()})
	}
	slices.SortFunc(records, func(a, b []string) int { return cmp.Compare(a[2], b[2]) })
	return slices.Concat([][]string{header}, records), nil
}

func read(file string) ([][]string, error) {
	held, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	records, err := csv.NewReader(bytes.NewReader(held)).ReadAll()
	if err == nil && len(records) < 2 {
		err = errors.New("has no rows")
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return records, nil
}

func text(records [][]string) []byte {
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	if err := w.WriteAll(records); err != nil {
		panic(err) // memory takes all
	}
	return b.Bytes()
}
