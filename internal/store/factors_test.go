package store

import (
	"reflect"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

func grams(v usage.GramsPerKWh) *usage.GramsPerKWh { return &v }

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
		{"an actual comes later", []usage.Slot{slot(grams(180), nil, "moderate", 1), slot(grams(180), grams(175), "moderate", 31)}, slot(grams(180), grams(175), "moderate", 31)},
		{"null never erases an actual, nor confirms it", []usage.Slot{slot(grams(180), grams(175), "low", 1), slot(nil, nil, "", 2)}, slot(grams(180), grams(175), "low", 1)},
		{"null never erases a forecast", []usage.Slot{slot(grams(180), nil, "low", 1), slot(nil, nil, "", 2)}, slot(grams(180), nil, "low", 2)},
		{"a revised actual", []usage.Slot{slot(grams(180), grams(175), "low", 1), slot(grams(181), grams(176), "high", 2)}, slot(grams(181), grams(176), "high", 2)},
		{"0 is a value", []usage.Slot{slot(grams(180), grams(175), "low", 1), slot(grams(180), grams(0), "low", 2)}, slot(grams(180), grams(0), "low", 2)},
		{"an older answer changes nothing", []usage.Slot{slot(grams(180), nil, "low", 5), slot(grams(1), grams(2), "high", 4)}, slot(grams(180), nil, "low", 5)},
		{"the same answer again", []usage.Slot{slot(grams(180), nil, "low", 5), slot(grams(180), nil, "low", 5)}, slot(grams(180), nil, "low", 5)},
		{"two of one answer: the later wins", []usage.Slot{slot(grams(180), nil, "low", 5), slot(grams(181), nil, "low", 5)}, slot(grams(181), nil, "low", 5)},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.want.Grid = c.name
			for _, answer := range c.answers {
				answer.Grid = c.name
				if err := s.SaveSlots(t.Context(), []usage.Slot{answer}); err != nil {
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
			slots = append(slots, usage.Slot{From: at(n).Start, Forecast: grams(usage.GramsPerKWh(n)), Provider: "uk", Grid: grid, FetchedAt: at(4).Start})
		}
	}
	if err := s.SaveSlots(t.Context(), slots); err != nil {
		t.Fatal(err)
	}
	if err := s.SaveSlots(t.Context(), nil); err != nil {
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

func TestWhichMachineAverageIsInForce(t *testing.T) {
	s := newStore(t)
	average := func(machine string, busy usage.Watts, from, to time.Time) MachineAverage {
		return MachineAverage{From: from, To: to, Rating: usage.Rating{
			Machine: machine, Watts: usage.BusyIdle[usage.Watts]{Busy: busy, Idle: 1}, Source: "specpower",
		}}
	}
	for _, a := range []MachineAverage{
		average("Muon", 9, at(10).Start, at(20).Start),
		average("Muon", 7, at(20).Start, time.Time{}),
		average("Muon", 99, at(30).Start, time.Time{}),
		average("Muon", 6, at(30).Start, time.Time{}), // in place of the one before
		average("Artemis", 5, at(0).Start, time.Time{}),
		average("Artemis", 4, at(15).Start, at(25).Start),
	} {
		if err := s.SaveMachineAverage(t.Context(), a); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		name          string
		at            time.Time
		muon, artemis usage.Watts // 0: none
	}{
		{"before any began", at(0).Start.Add(-time.Second), 0, 0},
		{"before one began", at(9).Start, 0, 5},
		{"from its first moment", at(10).Start, 9, 5},
		{"of two the one that began last", at(19).Start, 9, 4},
		{"its end is not its own", at(20).Start, 7, 4},
		{"the longer one again", at(25).Start, 7, 5},
		{"replaced by one of the same start", at(1000).Start, 6, 5},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := s.MachineAverages(t.Context(), c.at)
			if err != nil {
				t.Fatal(err)
			}
			if got["Muon"].Watts.Busy != c.muon || got["Artemis"].Watts.Busy != c.artemis {
				t.Errorf("got %+v", got)
			}
			if r, ok := got["Muon"]; ok && (r.Machine != "Muon" || r.Source != "specpower") {
				t.Errorf("does not say what it is: %+v", r)
			}
		})
	}
	if err := s.SaveMachineAverage(t.Context(), average("Muon", 0, at(1).Start, time.Time{})); err == nil {
		t.Error("a busy core of 0 W was stored")
	}
}
