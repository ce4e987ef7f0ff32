// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !race

package store

import (
	"fmt"
	"math/rand"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// heard is an answer about slots, some minutes after the day began.
func heard(minute int, slots ...usage.Slot) []usage.Slot {
	for i := range slots {
		slots[i].Provider, slots[i].Grid, slots[i].FetchedAt = "some", "FR", epoch.Add(time.Duration(minute)*time.Minute)
	}
	return slots
}

func said(n int, forecast, actual any) usage.Slot {
	grams := func(v any) *usage.GramsPerKWh {
		if v == nil {
			return nil
		}
		return new(usage.GramsPerKWh(v.(int)))
	}
	return usage.Slot{From: at(n).Start, Forecast: grams(forecast), Actual: grams(actual)}
}

// fixed is a slot of a provider that is sure of it.
func fixed(slot usage.Slot, q usage.Quality) usage.Slot {
	slot.Quality = q
	return slot
}

// actuals are those of the first slots of the day, "?" where none is known and "!" where one is in
// doubt.
func actuals(t *testing.T, s *Store, n int) string {
	t.Helper()
	known, err := s.Slots(t.Context(), "some", "FR", at(0).Start, at(n).Start)
	if err != nil {
		t.Fatal(err)
	}
	all := make([]string, n)
	for i := range all {
		all[i] = "?"
	}
	for _, slot := range known {
		i := int(slot.From.Sub(epoch) / half)
		if slot.Actual != nil {
			all[i] = fmt.Sprint(*slot.Actual)
		}
		if !slot.DoubtedAt.IsZero() {
			all[i] += "!"
		}
	}
	return strings.Join(all, " ")
}

func TestAZeroIsBelievedWhenItIsExpectedOrSaidAgain(t *testing.T) {
	for _, c := range []struct {
		name    string
		answers [][]usage.Slot
		doubted []int
		want    string
	}{
		{"its forecast says 200", [][]usage.Slot{heard(600, said(0, 200, 0))}, []int{1}, "?!"},
		{"its stored forecast says 200", [][]usage.Slot{heard(0, said(0, 200, nil)), heard(600, said(0, nil, 0))}, []int{0, 1}, "?!"},
		{"its forecast says 9", [][]usage.Slot{heard(600, said(0, 9, 0))}, []int{0}, "0"},
		{"its forecast says 10", [][]usage.Slot{heard(600, said(0, 10, 0))}, []int{1}, "?!"},
		{"nothing is expected", [][]usage.Slot{heard(600, said(0, nil, 0))}, []int{0}, "0"},
		{"the slot before has 200", [][]usage.Slot{heard(600, said(0, nil, 200), said(1, nil, 0))}, []int{1}, "200 ?!"},
		{"the slot before has 9", [][]usage.Slot{heard(600, said(0, nil, 9), said(1, nil, 0))}, []int{0}, "9 0"},
		{"there is no slot right before", [][]usage.Slot{heard(600, said(0, nil, 200), said(2, nil, 0))}, []int{0}, "200 ? 0"},
		{"hours of it", [][]usage.Slot{heard(600, said(0, nil, 200), said(1, nil, 0), said(2, nil, 0), said(3, nil, 0))}, []int{3}, "200 ?! ?! ?!"},
		{"hours of it, one by one", [][]usage.Slot{heard(0, said(0, nil, 200)), heard(30, said(1, nil, 0)), heard(60, said(2, nil, 0))}, []int{0, 1, 1}, "200 ?! ?!"},
		{"said again too soon", [][]usage.Slot{heard(600, said(0, 200, 0)), heard(659, said(0, 200, 0))}, []int{1, 1}, "?!"},
		{"said again an hour later", [][]usage.Slot{heard(600, said(0, 200, 0)), heard(630, said(0, 200, 0)), heard(660, said(0, 200, 0))}, []int{1, 1, 0}, "0"},
		{"and again", [][]usage.Slot{heard(600, said(0, 200, 0)), heard(660, said(0, 200, 0)), heard(670, said(0, 200, 0))}, []int{1, 0, 0}, "0"},
		{"another value takes the doubt away", [][]usage.Slot{heard(600, said(0, 200, 0)), heard(630, said(0, 200, 190)), heard(660, said(0, 200, 0))}, []int{1, 0, 1}, "190!"},
		{"no value does not", [][]usage.Slot{heard(600, said(0, 200, 0)), heard(630, said(0, 200, nil)), heard(660, said(0, 200, 0))}, []int{1, 0, 0}, "0"},
		{"another forecast does", [][]usage.Slot{heard(600, said(0, 200, 0)), heard(630, said(0, 5, 0))}, []int{1, 0}, "0"},
		{"an actual is not replaced by it", [][]usage.Slot{heard(600, said(0, nil, 190)), heard(630, said(0, nil, 0))}, []int{0, 1}, "190!"},
		{"an actual is replaced an hour later", [][]usage.Slot{heard(600, said(0, nil, 190)), heard(630, said(0, nil, 0)), heard(690, said(0, nil, 0))}, []int{0, 1, 0}, "0"},
		{"an older answer says nothing", [][]usage.Slot{heard(600, said(0, 200, 190)), heard(590, said(0, 200, 0))}, []int{0, 0}, "190"},
		{"a clock that ran ahead for a year", [][]usage.Slot{heard(525600, said(0, 200, 0)), heard(600, said(0, 200, 0)), heard(660, said(0, 200, 0))}, []int{1, 1, 0}, "0"},
		{"a fixed value", [][]usage.Slot{heard(600, said(0, nil, 200), fixed(said(1, nil, 0), usage.QualityFinal), fixed(said(2, nil, 0), usage.QualityYearly))}, []int{0}, "200 0 0"},
		{"an estimate", [][]usage.Slot{heard(600, said(0, nil, 200), fixed(said(1, nil, 0), usage.QualityEstimated))}, []int{1}, "200 ?!"},
		{"final, but forecast otherwise", [][]usage.Slot{heard(600, fixed(said(0, 200, 0), usage.QualityFinal))}, []int{1}, "?!"},
		{"below 0 by its sign only", [][]usage.Slot{heard(600, negative(said(0, 200, 0)))}, []int{1}, "?!"},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "carbon.db")
			for n, answer := range c.answers { // with a restart between any two
				s := openStore(t, path, Options{Exclusive: true, Interval: half})
				doubted, err := s.SaveSlots(t.Context(), answer)
				if err != nil || doubted != c.doubted[n] {
					t.Errorf("answer %d: doubted %d, want %d, %v", n, doubted, c.doubted[n], err)
				}
				if err := s.Close(); err != nil {
					t.Fatal(err)
				}
			}
			s := openStore(t, path, Options{})
			if got := actuals(t, s, strings.Count(c.want, " ")+1); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
			want := strings.Count(c.want, "!")
			if rows := readRows(t, s.reader, "SELECT 1 FROM intensity_doubt"); len(rows) != want {
				t.Errorf("%d doubts are remembered, want %d", len(rows), want)
			}
		})
	}
}

func negative(slot usage.Slot) usage.Slot {
	*slot.Actual *= -1
	return slot
}

func TestTheOrderOfAnAnswerDoesNotMatter(t *testing.T) {
	const want = "200 ?! ?! 150 ?! 0 0 ?"
	r := rand.New(rand.NewSource(1))
	for range 20 {
		s := newStore(t)
		slots := []usage.Slot{
			said(0, nil, 200), said(1, nil, 0), said(2, nil, 0), said(3, nil, 150), said(4, 120, 0), said(5, 3, 0), said(6, 2, 0), said(7, 90, nil),
		}
		r.Shuffle(len(slots), func(i, j int) { slots[i], slots[j] = slots[j], slots[i] })
		if doubted, err := s.SaveSlots(t.Context(), heard(600, slots...)); err != nil || doubted != 3 {
			t.Errorf("doubted %d, %v", doubted, err)
		}
		if got := actuals(t, s, 8); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
		if doubted, err := s.SaveSlots(t.Context(), heard(660, slots...)); err != nil || doubted != 0 {
			t.Errorf("an hour later: doubted %d, %v", doubted, err)
		}
		if got := actuals(t, s, 8); got != "200 0 0 150 0 0 0 ?" {
			t.Errorf("an hour later: got %s", got)
		}
	}
}

func TestADoubtConcernsOneGridOfOneProvider(t *testing.T) {
	s := newStore(t)
	other := heard(600, said(0, nil, 190), said(1, nil, 190))
	other[1].Grid = "DE"
	for _, answer := range [][]usage.Slot{heard(600, said(0, 200, 0)), other[1:], heard(660, said(0, 200, 0))} {
		if _, err := s.SaveSlots(t.Context(), answer); err != nil {
			t.Fatal(err)
		}
	}
	if got := actuals(t, s, 2); got != "0 ?" {
		t.Errorf("got %s", got)
	}
}
