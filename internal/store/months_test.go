// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"math/rand"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// sumMonths takes all steps there are.
func sumMonths(t *testing.T, s *Store) (steps int) {
	t.Helper()
	for {
		more, err := s.SumMonths(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if !more {
			return steps
		}
		steps++
	}
}

// months are the months that have sums, and the last day that is included, as dates.
func months(t *testing.T, s *Store) (all [][2]string) {
	t.Helper()
	for _, row := range readRows(t, s.reader, "SELECT month, until FROM usage_month ORDER BY month") {
		all = append(all, [2]string{dayStart(row[0].(int64)).Format(time.DateOnly), dayStart(row[1].(int64)).Format(time.DateOnly)})
	}
	return all
}

// accountOf is the usage of a period by key.
func accountOf(t *testing.T, s *Store, p usage.Period) []usage.Total {
	t.Helper()
	accounts, err := s.Accounts(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	return accounts[0].Keys()
}

func dates(t *testing.T, s *Store, from, to string) usage.Period {
	t.Helper()
	var p usage.Period
	for text, at := range map[string]*time.Time{from: &p.From, to: &p.To} {
		day, err := time.ParseInLocation(time.DateOnly, text, s.zone)
		if err != nil {
			t.Fatal(err)
		}
		*at = day
	}
	return p
}

// TestMonthsAreTheSumOfTheirDays: whatever is stored, priced, settled, restated or filled in, of any
// day, by this program or another, before or after the day became part of its month.
func TestMonthsAreTheSumOfTheirDays(t *testing.T) {
	for seed := range int64(2) {
		r := rand.New(rand.NewSource(seed))
		path := filepath.Join(t.TempDir(), "carbon.db")
		s := openStore(t, path, Options{Exclusive: true, Interval: half, Timezone: zone(t, "Europe/London")})
		beside := openStore(t, path, Options{Interval: half})
		last, included := 0, 0
		for step := range 60 {
			who, n := s, last+r.Intn(96)
			if r.Intn(3) == 0 {
				n = r.Intn(last + 1)
			}
			if r.Intn(3) == 0 {
				who = beside
			}
			last = max(last, n)
			rec := threeKeys(at(n))
			rec.Facts[r.Intn(3)].Energy.Busy = usage.KWh(r.Float64())
			rec.FetchedAt = epoch.Add(time.Duration(1000+step) * half)
			rec = withPrice(rec, float64(50+r.Intn(300)), []usage.State{usage.Provisional, usage.Settled}[r.Intn(2)])
			date := dateOf(at(n).Start, s.zone)
			included += len(readRows(t, s.reader, "SELECT 1 FROM usage_month WHERE month <= ?1 AND until >= ?1", date))
			commit(t, who, with(rec, usage.Policy{Restate: true, Why: usage.BecauseRestate}))
			if r.Intn(4) == 0 {
				sumMonths(t, s)
			}
		}
		sumMonths(t, s)
		if len(months(t, s)) < 2 || included == 0 {
			t.Fatalf("seed %d: months %v, and %d changes of days that were included", seed, months(t, s), included)
		}
		holdVerdicts(t, path)
	}
}

func holdVerdicts(t *testing.T, path string) {
	t.Helper()
	verdicts, err := Verify(t.Context(), path, later, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range verdicts {
		if len(v.Faults) > 0 {
			t.Errorf("%s: %q", v.Check, v.Faults)
		}
	}
}

// TestAMonthIsReadInsteadOfItsDays: the sums of its days may be gone.
func TestAMonthIsReadInsteadOfItsDays(t *testing.T) {
	s := newStore(t)
	for n := range 60 { // from 11 September to 9 November
		commit(t, s, withPrice(threeKeys(at(n*48)), float64(100+n), usage.Settled))
	}
	all := []usage.Period{
		dates(t, s, "2025-09-01", "2025-10-01"), dates(t, s, "2025-09-11", "2025-11-10"), dates(t, s, "2025-09-20", "2025-11-08"),
		dates(t, s, "2025-10-01", "2025-11-06"), dates(t, s, "2025-10-01", "2025-11-09"),
	}
	within := dates(t, s, "2025-10-01", "2025-10-31") // not all of October: its days are read
	var want [][]usage.Total
	for _, p := range all {
		want = append(want, accountOf(t, s, p))
	}
	middle := accountOf(t, s, within)
	if steps := sumMonths(t, s); steps != 3 {
		t.Errorf("took %d steps, want one for each month", steps)
	}
	if got, want := months(t, s), [][2]string{{"2025-09-01", "2025-09-30"}, {"2025-10-01", "2025-10-31"}, {"2025-11-01", "2025-11-05"}}; !reflect.DeepEqual(got, want) {
		t.Fatalf("months %v, want %v", got, want)
	}
	if got := accountOf(t, s, within); !reflect.DeepEqual(got, middle) {
		t.Errorf("%v: %+v, want %+v", within, got, middle)
	}
	execute(t, s.writer, "DELETE FROM usage_day WHERE day IN (SELECT d.day FROM usage_day d JOIN usage_month m ON d.day >= m.month AND d.day <= m.until WHERE m.month > ?)",
		dateOf(epoch, time.UTC))
	for i, p := range all {
		if got := accountOf(t, s, p); !reflect.DeepEqual(got, want[i]) {
			t.Errorf("%v: %+v, want %+v", p, got, want[i])
		}
	}
}

func TestMonthsGoOn(t *testing.T) {
	path := filepath.Join(t.TempDir(), "carbon.db")
	s := openStore(t, path, Options{Exclusive: true, Interval: half, Timezone: time.UTC})
	if n := sumMonths(t, s); n != 0 {
		t.Errorf("an empty store took %d steps", n)
	}
	add := func(days ...int) {
		for _, n := range days {
			commit(t, s, withPrice(threeKeys(at(n*48)), 100, usage.Settled))
		}
		sumMonths(t, s)
	}
	hold := func(when string, want ...[2]string) {
		t.Helper()
		if got := months(t, s); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: months %v, want %v", when, got, want)
		}
	}
	add(0)
	hold("a day that has not long ended")
	add(1, 2, 3, 4)
	hold("the first days", [2]string{"2025-09-01", "2025-09-11"})
	add(8)
	hold("some days later", [2]string{"2025-09-01", "2025-09-15"})
	add(-20)
	hold("a month before was filled in", [2]string{"2025-08-01", "2025-08-22"}, [2]string{"2025-09-01", "2025-09-15"})
	add(7, -19)
	hold("days were filled in", [2]string{"2025-08-01", "2025-08-23"}, [2]string{"2025-09-01", "2025-09-15"})
	add(30)
	hold("the next month", [2]string{"2025-08-01", "2025-08-23"}, [2]string{"2025-09-01", "2025-09-19"})
	holdVerdicts(t, path)
	for {
		done, err := s.Prune(t.Context(), at(60*48).Start, 10*day, "")
		if err != nil {
			t.Fatal(err)
		}
		if !done.More {
			break
		}
	}
	holdVerdicts(t, path)
}

func TestMonthsInAnotherTimeZone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "carbon.db")
	s := openStore(t, path, Options{Exclusive: true, Interval: half, Timezone: time.UTC})
	for n := range 40 {
		commit(t, s, withPrice(threeKeys(at(n*48+47)), 100, usage.Settled))
	}
	sumMonths(t, s)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = openStore(t, path, Options{Exclusive: true, Interval: half, Timezone: zone(t, "Europe/Berlin")})
	if got := months(t, s); got != nil {
		t.Errorf("months %v are left of the days of UTC", got)
	}
	sumMonths(t, s)
	if got := months(t, s); len(got) != 2 || got[0][1] != "2025-09-30" {
		t.Errorf("months %v", got)
	}
	holdVerdicts(t, path)
}

func TestADamagedMonthIsFound(t *testing.T) {
	for name, query := range map[string]string{
		"other sums":        "UPDATE usage_month SET sums = (SELECT sums FROM usage_day ORDER BY day LIMIT 1)",
		"of two months":     "UPDATE usage_month SET until = until + 31",
		"from another day":  "UPDATE usage_month SET month = month + 1",
		"a day was changed": "UPDATE usage_day SET sums = x'' WHERE day = (SELECT min(day) FROM usage_day)",
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "carbon.db")
			s := openStore(t, path, Options{Exclusive: true, Interval: half, Timezone: time.UTC})
			for n := range 15 {
				commit(t, s, withPrice(threeKeys(at(n*48)), 100, usage.Settled))
			}
			sumMonths(t, s)
			execute(t, s.writer, query)
			verdicts, err := Verify(t.Context(), path, later, nil)
			if err != nil {
				t.Fatal(err)
			}
			found := false
			for _, v := range verdicts {
				for _, fault := range v.Faults {
					found = found || len(fault) > 20 && fault[:20] == "2025-09: the month's"
				}
			}
			if !found {
				t.Errorf("found %+v", verdicts)
			}
		})
	}
}
