// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !race

package intensity

import (
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

func TestStaticHasEverySlot(t *testing.T) {
	s := &Static{Intensity: 210.89, GridName: "GB", Now: func() time.Time { return now }}
	tests := []struct {
		name, from, to string
		want           int
	}{
		{name: "a day", from: "2026-06-01T00:00:00Z", to: "2026-06-02T00:00:00Z", want: 48},
		{name: "the day London's clocks go forward", from: "2026-03-29T00:00:00Z", to: "2026-03-30T00:00:00Z", want: 48},
		{name: "the day London's clocks go back", from: "2026-10-25T00:00:00Z", to: "2026-10-26T00:00:00Z", want: 48},
		{name: "over new year", from: "2026-12-31T23:00:00Z", to: "2027-01-01T01:00:00Z", want: 4},
		{name: "from and to inside of slots", from: "2026-06-01T12:05:00Z", to: "2026-06-01T13:10:00Z", want: 2},
		{name: "nothing", from: "2026-06-01T12:00:00Z", to: "2026-06-01T12:00:00Z"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			slots, rejects, err := s.Slots(t.Context(), at(test.from), at(test.to))
			if len(slots) != test.want || len(rejects) != 0 || err != nil {
				t.Fatalf("got %d slots, %v, %v, want %d", len(slots), rejects, err, test.want)
			}
			next := firstSlot(at(test.from))
			for _, slot := range slots {
				if !slot.From.Equal(next) || slot.Forecast != nil || *slot.Actual != 210.89 || slot.Index != "" {
					t.Fatalf("got %+v, want the slot of %s", slot, next)
				}
				if slot.Provider != "static" || slot.Grid != "GB" || !slot.FetchedAt.Equal(now) {
					t.Fatalf("got %+v", slot)
				}
				next = next.Add(usage.SlotLength)
			}
		})
	}
}

func TestStaticHasNoForecast(t *testing.T) {
	s := &Static{Intensity: 45, GridName: "GB", Now: func() time.Time { return now }}
	if slots, _, err := s.Outlook(t.Context(), at("2026-06-01T12:10:00Z")); err != nil || len(slots) != 0 {
		t.Errorf("got %d slots, %v", len(slots), err)
	}
}

func TestStaticIsFinalUntilTheValueIsAnother(t *testing.T) {
	s := &Static{Intensity: 45, Now: func() time.Time { return now }}
	slots, _, err := s.Slots(t.Context(), now, now.Add(usage.SlotLength))
	if err != nil || len(slots) != 1 {
		t.Fatal(slots, err)
	}
	if !s.Final(slots[0]) {
		t.Error("its own slot is not final")
	}
	other := &Static{Intensity: 46, Now: s.Now}
	if other.Final(slots[0]) {
		t.Error("a slot of another value is final")
	}
	if s.Final(usage.Slot{From: now, Forecast: new(usage.GramsPerKWh(45))}) {
		t.Error("a slot without a value is final")
	}
}

func TestStaticPricesTheVectors(t *testing.T) {
	tests := []struct {
		name      string
		energy    usage.KWh
		intensity usage.GramsPerKWh
		want      float64
	}{
		{name: "0.13 kWh at 45", energy: 0.13, intensity: 45, want: 5.85},
		{name: "0.075 kWh at 45", energy: 0.075, intensity: 45, want: 3.375},
		{name: "0.0815801833 kWh at 231.5", energy: 0.0815801833, intensity: 231.5, want: 18.8858124},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := &Static{Intensity: test.intensity, Now: func() time.Time { return now }}
			slots, _, err := s.Slots(t.Context(), now, now.Add(usage.SlotLength))
			if err != nil || len(slots) != 1 {
				t.Fatal(slots, err)
			}
			price, ok := slots[0].Price()
			got := float64(test.energy.At(price.Intensity))
			if !ok || got < test.want-1e-7 || got > test.want+1e-7 {
				t.Errorf("got %v g, want %v", got, test.want)
			}
		})
	}
}
