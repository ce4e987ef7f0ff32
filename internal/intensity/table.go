// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package intensity

import (
	"bytes"
	"cmp"
	"context"
	_ "embed"
	"encoding/csv"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// Table is the yearly carbon intensity of a country, from a file that ships with the program: the
// last link of a chain, for what no other source has. A half hour has the newest year of its
// country, whatever year it is in itself: another year would be no nearer to it.
//
// The values are Ember's: of what a country generates, over the life cycle. As a last resort they
// stand in for what it consumes, too, so their basis leaves that open.
type Table struct {
	Place    Place
	Name     string // of the provider, for metrics
	GridName string
	Now      func() time.Time
}

// Place is a country of the table, the EU or the world.
type Place struct {
	ISO2, ISO3 string // empty: it is no country
	Name       string
	Year       int
	Intensity  usage.GramsPerKWh
}

// Provider returns the provider's name for metrics.
func (t *Table) Provider() string { return t.Name }

// Grid returns the grid's name for metrics.
func (t *Table) Grid() string { return t.GridName }

// Terms credits whoever made the table.
func (t *Table) Terms() usage.Terms {
	return usage.Terms{
		Basis:   usage.Basis{Signal: usage.Average, Emissions: usage.Lifecycle},
		Open:    true,
		Licence: "CC BY 4.0",
		Credit:  fmt.Sprintf("Ember, Yearly Electricity Data, %d, CC BY 4.0", t.Place.Year),
		Link:    "https://ember-energy.org/data/yearly-electricity-data/",
	}
}

// Slots returns every slot that begins in [from, to). It never fails.
func (t *Table) Slots(_ context.Context, from, to time.Time) ([]usage.Slot, usage.Rejects, error) {
	var slots []usage.Slot
	fetchedAt, basis := t.Now(), t.Terms().Basis
	for at := firstSlot(from); at.Before(to); at = at.Add(usage.SlotLength) {
		slots = append(slots, usage.Slot{
			From: at, Actual: new(t.Place.Intensity), Quality: usage.QualityYearly, Basis: basis,
			Provider: t.Name, Grid: t.GridName, FetchedAt: fetchedAt,
		})
	}
	return slots, usage.Rejects{}, nil
}

// Outlook returns nothing: every time would be the best.
func (t *Table) Outlook(context.Context, time.Time) ([]usage.Slot, usage.Rejects, error) {
	return nil, usage.Rejects{}, nil
}

// Final reports whether a slot will not be revised. It will be if it is from an older table.
func (t *Table) Final(slot usage.Slot) bool {
	return slot.Actual != nil && *slot.Actual == t.Place.Intensity
}

//go:embed ember.csv
var emberCSV []byte

// places are those of the table, by name. The file is ours: a test reads all of it.
var places = sync.OnceValue(func() []Place {
	records, err := csv.NewReader(bytes.NewReader(emberCSV)).ReadAll()
	if err != nil {
		panic(err)
	}
	var all []Place
	for _, r := range records[1:] {
		year, badYear := strconv.Atoi(r[3])
		grams, badValue := strconv.ParseFloat(r[4], 64)
		if err := cmp.Or(badYear, badValue); err != nil {
			panic(err)
		}
		all = append(all, Place{ISO2: r[0], ISO3: r[1], Name: r[2], Year: year, Intensity: usage.GramsPerKWh(grams)})
	}
	return all
})

// otherCodes are codes of countries that others use in place of those of ISO 3166.
var otherCodes = map[string]string{"UK": "GB", "EL": "GR"}

// PlaceOf finds the place of a zone: the code of a country in two or three letters, EU or WORLD, in
// any case. A part of a country is its country, however it is written: DE_LU, DK-DK1, NO2,
// US-CAL-CISO.
func PlaceOf(zone string) (Place, error) {
	code := strings.ToUpper(strings.TrimSpace(zone))
	if end := strings.IndexFunc(code, func(r rune) bool { return !unicode.IsLetter(r) }); end >= 0 {
		code = code[:end]
	}
	if iso, ok := otherCodes[code]; ok {
		code = iso
	}
	if code != "" {
		for _, p := range places() {
			if code == p.ISO2 || code == p.ISO3 || p.ISO3 == "" && code == strings.ToUpper(p.Name) {
				return p, nil
			}
		}
	}
	return Place{}, fmt.Errorf("the table has no country %q%s; give the code of a country, such as FR, or EU, or WORLD", zone, near(zone, code))
}

// near names some places that may be meant.
func near(zone, code string) string {
	zone = strings.ToUpper(strings.TrimSpace(zone))
	rank := func(p Place) int {
		switch name := strings.ToUpper(p.Name); {
		case p.ISO2 == "" || zone == "" || code == "":
			return 0
		case name == zone:
			return 4
		case strings.HasPrefix(name, zone) || len(zone) > 3 && strings.Contains(name, zone):
			return 3
		case len(code) > 1 && len(code) < 4 && strings.HasPrefix(p.ISO3, code[:2]):
			return 2
		case len(code) < 4 && strings.HasPrefix(p.ISO2, code[:1]):
			return 1
		}
		return 0
	}
	found := slices.DeleteFunc(slices.Clone(places()), func(p Place) bool { return rank(p) == 0 })
	slices.SortStableFunc(found, func(a, b Place) int { return cmp.Compare(rank(b), rank(a)) })
	var names []string
	for _, p := range found[:min(len(found), 4)] {
		names = append(names, fmt.Sprintf("%s (%s)", p.ISO2, p.Name))
	}
	if len(names) == 0 {
		return ""
	}
	return "; near it are " + strings.Join(names, ", ")
}
