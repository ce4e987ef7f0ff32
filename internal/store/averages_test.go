// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !race

package store

import (
	"fmt"
	"math/rand"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

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
		if _, err := s.SaveMachineAverage(t.Context(), a); err != nil {
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
	if _, err := s.SaveMachineAverage(t.Context(), average("Muon", 0, at(1).Start, time.Time{})); err == nil {
		t.Error("a busy core of 0 W was stored")
	}
}

func hour(n int) time.Time { return time.Date(2026, 10, 1, n, 0, 0, 0, time.UTC) }

// validity is an average with no other numbers than its own.
func validity(busy usage.Watts, from int, to int) MachineAverage {
	a := MachineAverage{
		Rating: usage.Rating{Machine: "Muon", Watts: usage.BusyIdle[usage.Watts]{Busy: busy, Idle: 1}, Source: "calibrated"},
		From:   hour(from),
	}
	if to > 0 {
		a.To = hour(to)
	}
	return a
}

func TestANewAverageEndsAnOlderOne(t *testing.T) {
	for _, c := range []struct {
		name  string
		saved []MachineAverage
		want  string // watts and validity of each row
	}{
		{"alone", []MachineAverage{validity(9, 0, 0)}, "9: 0-"},
		{"this year's ends last year's", []MachineAverage{validity(9, 0, 0), validity(7, 10, 0)}, "9: 0-10, 7: 10-"},
		{"of the same start it takes the place", []MachineAverage{validity(9, 0, 0), validity(7, 10, 0), validity(6, 10, 0)}, "9: 0-10, 6: 10-"},
		{"last year's, learned later, ends with this year's", []MachineAverage{validity(7, 10, 0), validity(9, 0, 0)}, "9: 0-10, 7: 10-"},
		{"one that lasts longer is in force again", []MachineAverage{validity(9, 0, 0), validity(7, 10, 20)}, "9: 0-, 7: 10-20"},
		{"the same in another order", []MachineAverage{validity(7, 10, 20), validity(9, 0, 0)}, "9: 0-, 7: 10-20"},
		{"between two", []MachineAverage{validity(9, 0, 0), validity(7, 20, 0), validity(8, 10, 0)}, "9: 0-10, 8: 10-20, 7: 20-"},
		{"one that ends as it ends", []MachineAverage{validity(9, 0, 20), validity(7, 10, 20)}, "9: 0-10, 7: 10-20"},
		{"one that was over", []MachineAverage{validity(9, 0, 5), validity(7, 10, 0)}, "9: 0-5, 7: 10-"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newStore(t)
			other := validity(3, 1, 0)
			other.Machine = "SANS"
			for _, a := range append([]MachineAverage{other}, c.saved...) {
				planned, err := s.Place(t.Context(), a)
				if err != nil {
					t.Fatal(err)
				}
				stored, err := s.SaveMachineAverage(t.Context(), a)
				if err != nil || !reflect.DeepEqual(stored, planned) {
					t.Errorf("stored %+v, %v, planned %+v", stored, err, planned)
				}
			}
			if got := validities(t, s, "Muon"); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
			if got := validities(t, s, "SANS"); got != "3: 1-" {
				t.Errorf("another machine type has %s", got)
			}
		})
	}
}

func validities(t *testing.T, s *Store, machine string) (all string) {
	t.Helper()
	rows, err := s.reader.QueryContext(t.Context(), `SELECT busy_watts, (valid_from - ?2) / 3600, (valid_to - ?2) / 3600
		FROM machine_average WHERE machine_name = ?1 ORDER BY valid_from`, machine, hour(0).Unix())
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var watts float64
		var from int64
		var to *int64
		if err := rows.Scan(&watts, &from, &to); err != nil {
			t.Fatal(err)
		}
		if all != "" {
			all += ", "
		}
		all += fmt.Sprintf("%v: %d-", watts, from)
		if to != nil {
			all += fmt.Sprint(*to)
		}
	}
	return all
}

// TestCutsOfValidityChangeNothing compares the rows, whose ends are tidied, with
// the rule alone: of all averages valid at a time, the one that began last. None
// takes the place of another: what that one has ended stays ended.
func TestCutsOfValidityChangeNothing(t *testing.T) {
	for seed := range int64(40) {
		r := rand.New(rand.NewSource(seed))
		s := newStore(t)
		var saved []MachineAverage
		for n := range 1 + r.Intn(8) {
			from := r.Intn(20)
			a := validity(usage.Watts(1+n), from, from+1+r.Intn(10))
			if r.Intn(2) == 0 {
				a.To = time.Time{}
			}
			if slices.ContainsFunc(saved, func(o MachineAverage) bool { return o.From.Equal(a.From) }) {
				continue
			}
			saved = append(saved, a)
			if _, err := s.SaveMachineAverage(t.Context(), a); err != nil {
				t.Fatal(err)
			}
		}
		for at := range 32 {
			var want usage.Watts
			var began time.Time
			for _, a := range saved {
				if !a.From.After(hour(at)) && (a.To.IsZero() || a.To.After(hour(at))) && !a.From.Before(began) {
					want, began = a.Watts.Busy, a.From
				}
			}
			got, err := s.MachineAverages(t.Context(), hour(at))
			if err != nil {
				t.Fatal(err)
			}
			if got["Muon"].Watts.Busy != want {
				t.Fatalf("seed %d, hour %d: %v W are in force, want %v; rows %s", seed, at, got["Muon"].Watts.Busy, want, validities(t, s, "Muon"))
			}
		}
	}
}

func TestWhereAnAverageIsFromIsKept(t *testing.T) {
	s := newStore(t)
	sigma := 0.031
	a := validity(9.5, 0, 0)
	a.Error = &sigma
	a.Calibration = &Calibration{RSquared: 0.97, Observations: 336, From: "ipmi_watts, 2026-10-01 to 2026-11-01", At: hour(5)}
	if _, err := s.SaveMachineAverage(t.Context(), a); err != nil {
		t.Fatal(err)
	}
	var sigmaKept, r2 float64
	var n, at int64
	var from string
	if err := s.reader.QueryRowContext(t.Context(), "SELECT error, r_squared, observations, learned_from, learned_at FROM machine_average").
		Scan(&sigmaKept, &r2, &n, &from, &at); err != nil {
		t.Fatal(err)
	}
	if sigmaKept != sigma || r2 != 0.97 || n != 336 || from != a.Calibration.From || at != hour(5).Unix() {
		t.Errorf("kept %v, %v, %v, %q, %v", sigmaKept, r2, n, from, at)
	}
	got, err := s.MachineAverages(t.Context(), hour(1))
	if err != nil || got["Muon"].Error == nil || *got["Muon"].Error != sigma || got["Muon"].Source != "calibrated" {
		t.Errorf("got %+v, %v", got, err)
	}
	plain := validity(9, 0, 0)
	if _, err := s.SaveMachineAverage(t.Context(), plain); err != nil {
		t.Fatal(err)
	}
	var known int
	if err := s.reader.QueryRowContext(t.Context(), `SELECT count(error) + count(r_squared) + count(observations) + count(learned_from)
		+ count(learned_at) FROM machine_average`).Scan(&known); err != nil || known != 0 {
		t.Errorf("of an average that was not learned %d numbers are known, %v", known, err)
	}
}

func TestWhatWasLearnedIsForgotten(t *testing.T) {
	learned := func(busy usage.Watts, from, to int) MachineAverage {
		a := validity(busy, from, to)
		a.Calibration = &Calibration{At: hour(from)}
		return a
	}
	for _, c := range []struct {
		name  string
		saved []MachineAverage
		at    int
		n     int64
		want  string
	}{
		{"nothing was learned", []MachineAverage{validity(9, 0, 0)}, 5, 0, "9: 0-"},
		{"what is in force ends", []MachineAverage{learned(9, 0, 0)}, 5, 1, "9: 0-5"},
		{"what is over stays", []MachineAverage{learned(9, 0, 0), learned(8, 3, 0)}, 5, 1, "9: 0-3, 8: 3-5"},
		{"what has not begun is gone", []MachineAverage{learned(9, 0, 0), learned(8, 5, 0), learned(7, 8, 0)}, 5, 2, "9: 0-5"},
		{"what was not learned is in force again", []MachineAverage{validity(9, 0, 0), learned(8, 2, 10)}, 5, 1, "9: 0-, 8: 2-5"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newStore(t)
			other := learned(3, 1, 0)
			other.Machine = "SANS"
			for _, a := range append([]MachineAverage{other}, c.saved...) {
				if _, err := s.SaveMachineAverage(t.Context(), a); err != nil {
					t.Fatal(err)
				}
			}
			n, err := s.ForgetLearned(t.Context(), "Muon", hour(c.at))
			if got := validities(t, s, "Muon"); err != nil || n != c.n || got != c.want {
				t.Errorf("%d of them, %v; left is %s, want %s", n, err, got, c.want)
			}
			if got := validities(t, s, "SANS"); got != "3: 1-" {
				t.Errorf("another machine type has %s", got)
			}
			all, err := s.Learned(t.Context(), hour(c.at))
			if _, there := all["Muon"]; err != nil || there || len(all) != 1 {
				t.Errorf("learned is %v, %v", all, err)
			}
		})
	}
}

func TestWhenAnAverageWasLearnedLast(t *testing.T) {
	s := newStore(t)
	if last, err := s.LastLearned(t.Context()); err != nil || !last.IsZero() {
		t.Errorf("before any: %v, %v", last, err)
	}
	if _, err := s.SaveMachineAverage(t.Context(), validity(9, 0, 0)); err != nil {
		t.Fatal(err)
	}
	for _, at := range []int{7, 3} {
		a := validity(9, at, 0)
		a.Calibration = &Calibration{At: hour(at)}
		if _, err := s.SaveMachineAverage(t.Context(), a); err != nil {
			t.Fatal(err)
		}
	}
	if last, err := s.LastLearned(t.Context()); err != nil || !last.Equal(hour(7)) {
		t.Errorf("got %v, %v", last, err)
	}
}
