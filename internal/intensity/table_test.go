// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !race

package intensity

import (
	"strings"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

func tableOf(t *testing.T, zone string) *Table {
	t.Helper()
	place, err := PlaceOf(zone)
	if err != nil {
		t.Fatal(err)
	}
	return &Table{Place: place, Name: "table", GridName: zone, Now: func() time.Time { return now }}
}

func TestTableHasEverySlot(t *testing.T) {
	g := tableOf(t, "FR")
	for _, test := range []struct {
		from, to string
		want     int
	}{
		{"2025-12-31T23:10:00Z", "2026-01-01T01:00:00Z", 3},
		{"2024-02-29T00:00:00Z", "2024-03-01T00:00:00Z", 48},
		{"2031-06-01T12:00:00Z", "2031-06-01T12:00:00Z", 0},
	} {
		slots, rejects, err := g.Slots(t.Context(), at(test.from), at(test.to))
		if len(slots) != test.want || len(rejects) != 0 || err != nil {
			t.Errorf("%s: got %d slots, %v, %v, want %d", test.from, len(slots), rejects, err, test.want)
		}
		for _, s := range slots {
			if *s.Actual != 44.18 || s.Forecast != nil || s.Quality != usage.QualityYearly || s.Provider != "table" || s.Grid != "FR" ||
				s.Basis.String() != "average lifecycle" || !s.FetchedAt.Equal(now) || !g.Final(s) {
				t.Errorf("got %+v", s)
			}
		}
	}
	if slots, _, err := g.Outlook(t.Context(), now); len(slots) != 0 || err != nil {
		t.Errorf("got %v, %v", slots, err)
	}
}

func TestASlotOfAnOlderTableIsNotFinal(t *testing.T) {
	g, other := tableOf(t, "FR"), usage.GramsPerKWh(50)
	if g.Final(usage.Slot{Actual: &other}) || g.Final(usage.Slot{Forecast: &g.Place.Intensity}) {
		t.Error("another value is final")
	}
}

func TestTableCreditsItsMakers(t *testing.T) {
	if got, want := tableOf(t, "DE").Terms().Credit, "Ember, Yearly Electricity Data, 2024, CC BY 4.0"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestZonesOfTheTable(t *testing.T) {
	for zone, want := range map[string]string{
		"FR": "France", "fra": "France", "de": "Germany", "DE_LU": "Germany", "DK-DK1": "Denmark", "NO2": "Norway",
		"US-CAL-CISO": "United States", "GB": "United Kingdom", "uk": "United Kingdom", "EL": "Greece", "XK": "Kosovo",
		"EU": "EU", "world": "World", "TWN": "Taiwan",
	} {
		for _, text := range []string{zone, " " + zone + " "} {
			if p, err := PlaceOf(text); err != nil || !strings.HasPrefix(p.Name, want) {
				t.Errorf("%q: got %+v, %v, want %s", text, p, err, want)
			}
		}
	}
}

func TestAZoneThatIsNotInTheTableNamesNearOnes(t *testing.T) {
	for zone, want := range map[string]string{
		"":        `the table has no country ""; give the code`,
		"Germany": `the table has no country "Germany"; near it are DE (Germany)`,
		"GER":     `near it are DE (Germany)`,
		"SWI":     "CH (Switzerland)",
		"FX":      "near it are FK (Falkland Islands",
		"Asia":    `the table has no country "Asia"`,
		"CF":      `the table has no country "CF"`, // its only value is 0
		"12":      `the table has no country "12"; give`,
		"ÄÖ":      `the table has no country "ÄÖ"; give`,
	} {
		if p, err := PlaceOf(zone); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %+v, %v, want %s", zone, p, err, want)
		}
	}
}

// TestTableIsSane: every place has one value that a grid can have, and is found by its codes.
func TestTableIsSane(t *testing.T) {
	if len(places()) < 200 {
		t.Errorf("only %d places", len(places()))
	}
	for _, p := range places() {
		if !(p.Intensity > 0 && p.Intensity <= usage.MaxIntensity) || p.Year < 2020 || p.Year > 2100 || p.Name == "" {
			t.Errorf("got %+v", p)
		}
		for _, code := range []string{p.ISO2, p.ISO3} {
			if code == "" {
				code = strings.ToLower(p.Name)
			}
			if found, err := PlaceOf(code); err != nil || found != p {
				t.Errorf("%s: got %+v, %v, want %s", code, found, err, p.Name)
			}
		}
	}
}

func FuzzPlaceOf(f *testing.F) {
	for _, zone := range []string{"", "FR", "DE_LU", "-", "\xff", "Germany", "ß"} {
		f.Add(zone)
	}
	f.Fuzz(func(t *testing.T, zone string) {
		if p, err := PlaceOf(zone); (err == nil) != (p.Intensity > 0) {
			t.Errorf("got %+v, %v", p, err)
		}
	})
}
