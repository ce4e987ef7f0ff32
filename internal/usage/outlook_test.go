// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package usage

import (
	"math"
	"math/rand"
	"testing"
	"time"
)

// noonAnd is ten past noon and so much later.
func noonAnd(later time.Duration) time.Time {
	return time.Date(2026, 1, 15, 12, 10, 0, 0, time.UTC).Add(later)
}

// forecasts are slots from noon on; a negative value stands for none.
func forecasts(values ...float64) []Slot {
	slots := make([]Slot, len(values))
	for n, v := range values {
		slots[n].From = SlotAt(noonAnd(0)).Add(time.Duration(n) * SlotLength)
		if v >= 0 {
			slots[n].Forecast = new(GramsPerKWh(v))
		}
	}
	return slots
}

func repeat(n int, v float64) []float64 {
	all := make([]float64, n)
	for i := range all {
		all[i] = v
	}
	return all
}

func TestBestWindow(t *testing.T) {
	const none = -1 // no forecast, and no window
	for _, c := range []struct {
		name   string
		values []float64
		later  time.Duration
		length time.Duration
		first  int // slots after noon
		mean   GramsPerKWh
	}{
		{"the lowest mean, not the lowest slot", []float64{80, 10, 90, 40, 40, 80}, 0, time.Hour, 3, 40},
		{"the first of equals", []float64{50, 30, 50, 50, 30, 50}, 0, time.Hour, 0, 40},
		{"equal in another order", []float64{0.3, 0.1, 0.2, 9, 0.2, 0.1, 0.3}, 0, 90 * time.Minute, 0, 0.2},
		{"it may begin with the slot of now", []float64{10, 10, 50, 50}, 0, time.Hour, 0, 10},
		{"not with the slot before, when its time is over", []float64{10, 10, 50, 50}, 30 * time.Minute, time.Hour, 1, 30},
		{"the moment the slot turns", []float64{10, 10, 50, 50}, 20 * time.Minute, time.Hour, 1, 30},
		{"a slot is the shortest", []float64{50, 20, 60}, 0, 30 * time.Minute, 1, 20},
		{"0 is a forecast", []float64{50, 0, 0, 60}, 0, time.Hour, 1, 0},
		{"a missing slot is in no window", []float64{95, 10, none, 20, 80, 80}, 0, time.Hour, 3, 50},
		{"every window has a missing slot", []float64{90, none, 10, none, 20}, 0, time.Hour, none, 0},
		{"all that there is", []float64{90, 30}, 0, time.Hour, 0, 60},
		{"longer than all that there is", []float64{90, 30}, 0, 90 * time.Minute, none, 0},
		{"nothing", nil, 0, time.Hour, none, 0},
		{"all is over", []float64{90, 30}, 24 * time.Hour, time.Hour, none, 0},
		{"48 hours, the longest", append(repeat(96, 70), 10), 0, 48 * time.Hour, 0, 70},
		{"beyond the coming 48 hours", append(repeat(96, 70), 10), 0, time.Hour, 0, 70},
		{"longer than 48 hours", repeat(200, 70), 0, 49 * time.Hour, none, 0},
		{"no time at all", repeat(96, 70), 0, 0, none, 0},
		{"less than none", repeat(96, 70), 0, -time.Hour, none, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, ok := OutlookAt(forecasts(c.values...), noonAnd(c.later)).Best(c.length)
			if c.first == none {
				if ok {
					t.Errorf("got %+v, want none", got)
				}
				return
			}
			from := SlotAt(noonAnd(0)).Add(time.Duration(c.first) * SlotLength)
			if !ok || !got.From.Equal(from) || !got.To.Equal(from.Add(c.length)) || math.Abs(float64(got.Mean-c.mean)) > 1e-12 {
				t.Errorf("got %+v, %v, want %v from %s", got, ok, c.mean, from)
			}
		})
	}
}

// TestTheBestWindowEndsInTime: it is the best of those that do, whenever that is.
func TestTheBestWindowEndsInTime(t *testing.T) {
	r := rand.New(rand.NewSource(2))
	for range 300 {
		values := make([]float64, 1+r.Intn(96))
		for i := range values {
			values[i] = float64(r.Intn(40)-1) / 8
		}
		length := time.Duration(1+r.Intn(12)) * SlotLength
		until := noonAnd(time.Duration(r.Intn(50*60)) * time.Minute)
		o := OutlookAt(forecasts(values...), noonAnd(0))
		best, found := o.BestUntil(length, until)
		// What begins after it cannot be known, and is not needed.
		known := int(until.Sub(o.From) / SlotLength)
		want, some := OutlookAt(forecasts(values[:min(known, len(values))]...), noonAnd(0)).Best(length)
		if found != some || best != want {
			t.Fatalf("%s of %v until %s: got %+v, %v, want %+v, %v", length, values, until, best, found, want, some)
		}
		if found && best.To.After(until) {
			t.Fatalf("it ends at %s, after %s", best.To, until)
		}
	}
}

// TestLawsOfTheBestWindow: it is one of the windows, none is better and none as
// good is earlier; and neither the order of the slots, nor those of the past, nor
// actuals change it.
func TestLawsOfTheBestWindow(t *testing.T) {
	r := rand.New(rand.NewSource(1))
	for range 300 {
		values := make([]float64, 1+r.Intn(110))
		for i := range values {
			values[i] = float64(r.Intn(40)) / 8
			if r.Intn(30) == 0 {
				values[i] = -1
			}
		}
		now := noonAnd(time.Duration(r.Intn(600)) * time.Minute)
		length := time.Duration(1+r.Intn(12)) * SlotLength
		slots := forecasts(values...)
		best, found := OutlookAt(slots, now).Best(length)

		slotsLong, ahead := int(length/SlotLength), int(SlotAt(now).Sub(slots[0].From)/SlotLength)
		some, earliest := false, -1
		for n := ahead; n+slotsLong <= min(len(values), ahead+96); n++ {
			sum, whole := 0.0, true
			for _, v := range values[n : n+slotsLong] {
				sum, whole = sum+v, whole && v >= 0
			}
			mean := GramsPerKWh(sum / float64(slotsLong)) // exact: eighths
			some = some || whole
			if whole && mean < best.Mean {
				t.Fatalf("%v: the window of slot %d has %v, less than %+v", values, n, mean, best)
			}
			if whole && mean == best.Mean && earliest < 0 {
				earliest = n
			}
		}
		if found != some || found && !best.From.Equal(slots[0].From.Add(time.Duration(earliest)*SlotLength)) {
			t.Fatalf("%v: got %+v, %v, want that of slot %d", values, best, found, earliest)
		}

		other := append([]Slot(nil), slots...)
		for i := range other {
			other[i].Actual = new(GramsPerKWh(r.Float64()))
		}
		other = append(other, Slot{From: SlotAt(now).Add(-SlotLength), Forecast: new(GramsPerKWh(0))})
		r.Shuffle(len(other), func(i, j int) { other[i], other[j] = other[j], other[i] })
		if again, ok := OutlookAt(other, now).Best(length); ok != found || again != best {
			t.Fatalf("%v: got %+v, and %+v in another order", values, best, again)
		}
	}
}

func TestHowFarAheadAForecastWasSeen(t *testing.T) {
	for _, c := range []struct {
		name, seen, slot string
		want             time.Duration
	}{
		{"as the half hour begins", "12:00:00", "12:30", 30 * time.Minute},
		{"a little later", "12:00:41", "15:00", 3 * time.Hour},
		{"as the half hour ends", "12:29:59", "12:30", 30 * time.Minute},
		{"the slot of now is not ahead", "12:29:59", "12:00", 0},
		{"nor is one that is over", "12:00:00", "11:30", -30 * time.Minute},
	} {
		t.Run(c.name, func(t *testing.T) {
			at := func(clock string) time.Time {
				v, err := time.Parse(time.RFC3339, "2026-01-15T"+clock+"Z")
				if err != nil {
					t.Fatal(err)
				}
				return v
			}
			if got := ForecastLead(Slot{From: at(c.slot + ":00"), FetchedAt: at(c.seen)}); got != c.want {
				t.Errorf("got %v, want %v", got, c.want)
			}
		})
	}
	for _, lead := range ForecastLeads() {
		if lead <= 0 || lead%SlotLength != 0 || lead >= OutlookLength {
			t.Errorf("nothing is ever seen %v ahead", lead)
		}
	}
}
