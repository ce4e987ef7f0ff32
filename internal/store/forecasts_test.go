// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !race

package store

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// answer is what is known n slots after the epoch and at the given minute of that
// slot: forecasts of the slots [from, to), counted from the epoch, each of its own
// number and the time it was made, so that it can be told where one came from.
func answer(n, minute, from, to int, change ...func(*usage.Slot)) []usage.Slot {
	var slots []usage.Slot
	for i := from; i < to; i++ {
		slot := usage.Slot{
			From: at(i).Start, Forecast: new(usage.GramsPerKWh(i) + usage.GramsPerKWh(n)/100), Provider: "uk", Grid: "GB",
			FetchedAt: at(n).Start.Add(time.Duration(minute) * time.Minute),
		}
		for _, c := range change {
			c(&slot)
		}
		slots = append(slots, slot)
	}
	return slots
}

func outlook(n, minute int) []usage.Slot { return answer(n, minute, n, n+96) }

// withActual makes a slot final, a unit above its forecast.
func withActual(s *usage.Slot) { s.Actual = new(*s.Forecast + 1) }

func saveSlots(t *testing.T, s *Store, answers ...[]usage.Slot) {
	t.Helper()
	for _, slots := range answers {
		if _, err := s.SaveSlots(t.Context(), slots); err != nil {
			t.Fatal(err)
		}
	}
}

// archived lists the rows of the archive as slot+lead=value, numbers of slots and
// leads in slots.
func archived(t *testing.T, s *Store, where string) string {
	t.Helper()
	var words []string
	for _, row := range readRows(t, s.reader, "SELECT slot_start, ahead, gco2eq_per_kwh FROM forecast_seen WHERE "+where+" ORDER BY slot_start, ahead") {
		words = append(words, fmt.Sprintf("%d+%d=%v", (row[0].(int64)-epoch.Unix())/1800, row[1].(int64)/1800, row[2]))
	}
	return strings.Join(words, " ")
}

func TestForecastsAsFirstSeen(t *testing.T) {
	const whole = "11+1=11.1 12+2=12.1 14+4=14.1 16+6=16.1 22+12=22.1 34+24=34.1 58+48=58.1 82+72=82.1 104+94=104.1"
	for _, c := range []struct {
		name    string
		answers [][]usage.Slot
		want    string
	}{
		{"an outlook, at the known leads", [][]usage.Slot{outlook(10, 0)}, whole},
		{"at the end of its half hour", [][]usage.Slot{outlook(10, 29)}, whole},
		{"twice in a half hour: the first wins", [][]usage.Slot{outlook(10, 0), answer(10, 20, 10, 106, func(s *usage.Slot) { *s.Forecast = 7 })}, whole},
		{"the same again", [][]usage.Slot{outlook(10, 0), outlook(10, 0)}, whole},
		{"one that is short", [][]usage.Slot{answer(10, 1, 10, 17)}, "11+1=11.1 12+2=12.1 14+4=14.1 16+6=16.1"},
		{"one with a hole", [][]usage.Slot{answer(10, 1, 10, 12), answer(10, 1, 13, 15)}, "11+1=11.1 14+4=14.1"},
		{"what the half hour after adds", [][]usage.Slot{answer(10, 1, 10, 13), answer(11, 1, 11, 14)}, "11+1=11.1 12+1=12.11 12+2=12.1 13+2=13.11"},
		{"a slot without a forecast", [][]usage.Slot{answer(10, 1, 10, 13, func(s *usage.Slot) { s.Forecast = nil })}, ""},
		{"0 is a forecast", [][]usage.Slot{answer(10, 1, 11, 12, func(s *usage.Slot) { *s.Forecast = 0 })}, "11+1=0"},
		{"a backfill of the past", [][]usage.Slot{answer(200, 3, 0, 201, func(s *usage.Slot) {
			if s.From.Before(at(198).Start) {
				withActual(s)
			}
		})}, ""},
		{"a backfill of a grid that has no actuals", [][]usage.Slot{answer(200, 3, 0, 201)}, ""},
		{"a factor that is final at once", [][]usage.Slot{answer(10, 0, 10, 106, withActual)}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newStore(t)
			saveSlots(t, s, c.answers...)
			if got := archived(t, s, "provider = 'uk' AND grid = 'GB'"); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

// TestForecastsAndAClockThatJumps: whatever a wrong clock has said, a forecast of
// the archive was made as far ahead as it says, once the clock is right again.
func TestForecastsAndAClockThatJumps(t *testing.T) {
	actuals := func(n int) []usage.Slot { return answer(n, 5, n-4, n-1, withActual) } // as the grid has them
	// wrong is what an API says to who believes that it is slot n, and asks about
	// the 48 hours from then: forecasts as of the truth, actuals of what is over.
	wrong := func(truth, n int) []usage.Slot {
		return answer(n, 1, n, min(n+96, truth+95), func(s *usage.Slot) {
			*s.Forecast = 999
			if s.From.Before(at(truth - 1).Start) {
				withActual(s)
			}
		})
	}
	for _, c := range []struct {
		name   string
		before int // outlooks, a slot each, before the jump; and as many after it
		slots  int // how far it jumps
		wrong  int // outlooks meanwhile
	}{
		{"an hour ahead", 4, 2, 1},
		{"three hours ahead", 4, 6, 4},
		{"a day ahead", 12, 48, 5},
		{"two days ahead", 4, 94, 5},
		{"two hours behind", 8, -4, 6},
		{"a day behind", 12, -48, 5},
		{"a year behind", 12, -17_520, 2},
		{"a day behind, and nothing is known yet", 0, -48, 5},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, is := newStore(t), newStore(t)
			n := 20_000
			for range c.before {
				saveSlots(t, s, actuals(n), outlook(n, 1))
				saveSlots(t, is, actuals(n), outlook(n, 1))
				n++
			}
			for range c.wrong {
				saveSlots(t, s, wrong(n, n+c.slots))
				n++
			}
			if rows := archived(t, s, "1"); c.slots < 0 && strings.Contains(rows, "=999") {
				t.Errorf("a clock that is behind has filed %s", rows)
			}
			for range max(c.before, 1) {
				saveSlots(t, s, actuals(n), outlook(n, 1))
				saveSlots(t, is, actuals(n), outlook(n, 1))
				n++
			}
			if got, want := archived(t, s, "1"), archived(t, is, "1"); got != want {
				t.Errorf("the archive differs from that of a clock that was away meanwhile:\n got %s\nwant %s", got, want)
			}
		})
	}
	t.Run("a clock that comes back from years ahead", func(t *testing.T) {
		s := newStore(t)
		saveSlots(t, s, outlook(50_000, 1))
		before := archived(t, s, "1")
		saveSlots(t, s, answer(10, 1, 10, 12))
		if got := archived(t, s, "1"); got != "11+1=11.1 "+before {
			t.Errorf("what may be right is gone: %s", got)
		}
	})
	t.Run("another grid's rows are its own", func(t *testing.T) {
		s := newStore(t)
		region := func(slot *usage.Slot) { slot.Grid = "GB-region-13" }
		saveSlots(t, s, answer(12, 1, 12, 14, region), answer(10, 1, 10, 12), answer(9, 5, 20, 21, region, withActual), outlook(11, 1))
		if got := archived(t, s, "grid <> 'GB'"); got != "13+1=13.12" {
			t.Errorf("the region has %s", got)
		}
		if got := archived(t, s, "grid = 'GB' AND slot_start < "+fmt.Sprint(at(13).Start.Unix())); got != "11+1=11.1 12+1=12.11" {
			t.Errorf("the nation has %s", got)
		}
	})
}

func TestForecastErrors(t *testing.T) {
	s := newStore(t)
	since := func(n int) time.Time { return at(n).Start }
	if all, err := s.ForecastErrors(t.Context(), "uk", "GB", since(0)); err != nil || len(all) != 0 {
		t.Errorf("of nothing there is %+v, %v", all, err)
	}
	say := func(n int, forecast usage.GramsPerKWh) func(*usage.Slot) {
		return func(s *usage.Slot) {
			*s.Forecast = forecast
			if s.From.Before(at(n).Start) {
				s.Actual = new(usage.GramsPerKWh(100))
			}
		}
	}
	saveSlots(t, s,
		answer(10, 1, 11, 15, say(0, 130)), // 11, 12 and 14 are 1, 2 and 4 slots ahead
		answer(11, 1, 12, 14, say(0, 90)),  // 12 and 13 are 1 and 2
	)
	if all, err := s.ForecastErrors(t.Context(), "uk", "GB", since(0)); err != nil || len(all) != 0 {
		t.Errorf("without an actual there is %+v, %v", all, err)
	}
	saveSlots(t, s, answer(16, 1, 11, 14, say(14, 100))) // 14 has no actual yet
	e := func(ahead time.Duration, mean usage.GramsPerKWh, pairs int) usage.ForecastError {
		return usage.ForecastError{Provider: "uk", Grid: "GB", Ahead: ahead, Mean: mean, Pairs: pairs}
	}
	for _, c := range []struct {
		name, grid string
		since      int
		want       []usage.ForecastError
	}{
		{"above and below do not make up for each other", "GB", 0, []usage.ForecastError{e(half, 20, 2), e(2*half, 20, 2)}},
		{"from a slot on", "GB", 12, []usage.ForecastError{e(half, 10, 1), e(2*half, 20, 2)}},
		{"one of the leads has none", "GB", 13, []usage.ForecastError{e(2*half, 10, 1)}},
		{"none so late", "GB", 14, nil},
		{"another grid", "GB-region-13", 0, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := s.ForecastErrors(t.Context(), "uk", c.grid, since(c.since))
			if err != nil || !slices.Equal(got, c.want) {
				t.Errorf("got %+v, %v, want %+v", got, err, c.want)
			}
			for _, lead := range usage.ForecastLeads() {
				mean, n, err := forecastError(t, s, "uk", c.grid, lead, since(c.since))
				i := slices.IndexFunc(c.want, func(e usage.ForecastError) bool { return e.Ahead == lead })
				if err != nil || i < 0 && n != 0 || i >= 0 && (n != c.want[i].Pairs || mean != c.want[i].Mean) {
					t.Errorf("of %v ahead there is %v of %d, %v", lead, mean, n, err)
				}
			}
		})
	}
	// The actual is revised: so is the error.
	saveSlots(t, s, answer(17, 1, 11, 12, say(14, 100), func(s *usage.Slot) { s.Actual = new(usage.GramsPerKWh(110)) }))
	if mean, n, err := forecastError(t, s, "uk", "GB", half, since(0)); n != 2 || err != nil || math.Abs(float64(mean-15)) > 1e-12 {
		t.Errorf("after a revision it is %v of %d, %v", mean, n, err)
	}
}

// BenchmarkForecastErrors: four weeks of them, read once a minute.
func BenchmarkForecastErrors(b *testing.B) {
	s := newStore(b)
	for n := range 28 * 48 {
		slots := answer(n, 1, n, n+96)
		if n > 3 {
			slots = append(slots, answer(n, 1, n-3, n-1, withActual)...)
		}
		if _, err := s.SaveSlots(b.Context(), slots); err != nil {
			b.Fatal(err)
		}
	}
	b.ResetTimer()
	for b.Loop() {
		all, err := s.ForecastErrors(b.Context(), "uk", "GB", epoch)
		if err != nil || len(all) != len(usage.ForecastLeads()) {
			b.Fatal(all, err)
		}
	}
}

// forecastError is the entry of ForecastErrors for a lead; n = 0 if there is none.
func forecastError(t *testing.T, s *Store, provider, grid string, ahead time.Duration, since time.Time) (mean usage.GramsPerKWh, n int, err error) {
	t.Helper()
	all, err := s.ForecastErrors(t.Context(), provider, grid, since)
	for _, e := range all {
		if e.Ahead == ahead {
			return e.Mean, e.Pairs, err
		}
	}
	return 0, 0, err
}
