// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !race

package store

import (
	"reflect"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

func TestWhatIsKnownOfASlot(t *testing.T) {
	s := newStore(t)
	slot := func(forecast, actual *usage.GramsPerKWh, word string, minute int) usage.Slot {
		return usage.Slot{
			From: at(1).Start, Forecast: forecast, Actual: actual, Index: word, Provider: "uk", Grid: "GB",
			FetchedAt: at(1).Start.Add(time.Duration(minute) * time.Minute),
		}
	}
	for _, c := range []struct {
		name    string
		answers []usage.Slot
		want    usage.Slot
	}{
		{"both null is kept as unknown", []usage.Slot{slot(nil, nil, "", 1)}, slot(nil, nil, "", 1)},
		{"an actual comes later", []usage.Slot{slot(new(usage.GramsPerKWh(180)), nil, "moderate", 1), slot(new(usage.GramsPerKWh(180)), new(usage.GramsPerKWh(175)), "moderate", 31)}, slot(new(usage.GramsPerKWh(180)), new(usage.GramsPerKWh(175)), "moderate", 31)},
		{"null never erases an actual, nor confirms it", []usage.Slot{slot(new(usage.GramsPerKWh(180)), new(usage.GramsPerKWh(175)), "low", 1), slot(nil, nil, "", 2)}, slot(new(usage.GramsPerKWh(180)), new(usage.GramsPerKWh(175)), "low", 1)},
		{"null never erases a forecast", []usage.Slot{slot(new(usage.GramsPerKWh(180)), nil, "low", 1), slot(nil, nil, "", 2)}, slot(new(usage.GramsPerKWh(180)), nil, "low", 2)},
		{"a revised actual", []usage.Slot{slot(new(usage.GramsPerKWh(180)), new(usage.GramsPerKWh(175)), "low", 1), slot(new(usage.GramsPerKWh(181)), new(usage.GramsPerKWh(176)), "high", 2)}, slot(new(usage.GramsPerKWh(181)), new(usage.GramsPerKWh(176)), "high", 2)},
		{"0 is a value", []usage.Slot{slot(new(usage.GramsPerKWh(9)), new(usage.GramsPerKWh(8)), "low", 1), slot(new(usage.GramsPerKWh(9)), new(usage.GramsPerKWh(0)), "low", 2)}, slot(new(usage.GramsPerKWh(9)), new(usage.GramsPerKWh(0)), "low", 2)},
		{"an older answer changes nothing", []usage.Slot{slot(new(usage.GramsPerKWh(180)), nil, "low", 5), slot(new(usage.GramsPerKWh(1)), new(usage.GramsPerKWh(2)), "high", 4)}, slot(new(usage.GramsPerKWh(180)), nil, "low", 5)},
		{"the same answer again", []usage.Slot{slot(new(usage.GramsPerKWh(180)), nil, "low", 5), slot(new(usage.GramsPerKWh(180)), nil, "low", 5)}, slot(new(usage.GramsPerKWh(180)), nil, "low", 5)},
		{"two of one answer: the later wins", []usage.Slot{slot(new(usage.GramsPerKWh(180)), nil, "low", 5), slot(new(usage.GramsPerKWh(181)), nil, "low", 5)}, slot(new(usage.GramsPerKWh(181)), nil, "low", 5)},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.want.Grid = c.name
			for _, answer := range c.answers {
				answer.Grid = c.name
				if _, err := s.SaveSlots(t.Context(), []usage.Slot{answer}); err != nil {
					t.Fatal(err)
				}
			}
			got, err := s.Slots(t.Context(), "uk", c.name, at(1).Start, at(2).Start)
			if err != nil || !reflect.DeepEqual(got, []usage.Slot{c.want}) {
				t.Errorf("got %+v, %v, want %+v", got, err, c.want)
			}
		})
	}
}

func TestSlotsOfAGridAndATime(t *testing.T) {
	s := newStore(t)
	var slots []usage.Slot
	for _, n := range []int{3, 1, 2, 0} {
		for _, grid := range []string{"GB", "region 13"} {
			slots = append(slots, usage.Slot{From: at(n).Start, Forecast: new(usage.GramsPerKWh(n)), Provider: "uk", Grid: grid, FetchedAt: at(4).Start})
		}
	}
	if _, err := s.SaveSlots(t.Context(), slots); err != nil {
		t.Fatal(err)
	}
	if _, err := s.SaveSlots(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	got, err := s.Slots(t.Context(), "uk", "region 13", at(1).Start, at(3).Start)
	if err != nil || len(got) != 2 || !got[0].From.Equal(at(1).Start) || !got[1].From.Equal(at(2).Start) {
		t.Errorf("got %+v, %v", got, err)
	}
	if got, err := s.Slots(t.Context(), "static", "GB", at(0).Start, at(9).Start); err != nil || len(got) != 0 {
		t.Errorf("another provider has %+v, %v", got, err)
	}
}

// A clock that ran ahead has left slots that are newer than any answer to come.
func TestSlotsOfAClockThatRanAhead(t *testing.T) {
	s := newStore(t)
	grams := func(g usage.GramsPerKWh) *usage.GramsPerKWh { return &g }
	slot := func(n int, forecast, actual *usage.GramsPerKWh, fetched time.Time) usage.Slot {
		return usage.Slot{From: at(n).Start, Forecast: forecast, Actual: actual, Provider: "uk", Grid: "GB", FetchedAt: fetched}
	}
	now, ahead := at(4).Start, at(4).Start.AddDate(2, 0, 0)
	for _, answer := range [][]usage.Slot{
		{slot(1, grams(10), nil, ahead), slot(2, grams(20), grams(21), ahead), slot(3, grams(30), grams(31), now.Add(time.Hour))},
		{slot(1, grams(11), nil, now), slot(2, grams(22), nil, now), slot(3, grams(33), grams(34), now)},
	} {
		if _, err := s.SaveSlots(t.Context(), answer); err != nil {
			t.Fatal(err)
		}
	}
	got, err := s.Slots(t.Context(), "uk", "GB", at(0).Start, now)
	want := []usage.Slot{
		slot(1, grams(11), nil, now),
		slot(2, grams(22), grams(21), at(2).Start),        // the actual is known, not when it was
		slot(3, grams(30), grams(31), now.Add(time.Hour)), // an hour is no clock that ran ahead
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%v\ngot  %+v\nwant %+v", err, got, want)
	}
}
