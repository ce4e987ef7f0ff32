// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !race

package store

import (
	"context"
	"errors"
	"fmt"
	"math/rand"
	"path/filepath"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/sqlite"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

var (
	lifecycle = usage.FactorSet{Name: "lifecycle", Sources: []usage.GridName{{Provider: "emaps", Grid: "FR"}, {Provider: "yearly", Grid: "FR"}}}
	market    = usage.FactorSet{Name: "market", Sources: []usage.GridName{{Provider: "market", Grid: "contract"}}}
)

func actualOf(source usage.GridName, from time.Time, v float64) usage.Slot {
	value := usage.GramsPerKWh(v)
	return usage.Slot{From: from, Actual: &value, Quality: usage.QualityFinal, Provider: source.Provider, Grid: source.Grid, FetchedAt: from.Add(time.Hour)}
}

func putSlots(tb testing.TB, s *Store, slots ...usage.Slot) {
	tb.Helper()
	if _, err := s.SaveSlots(context.Background(), slots); err != nil {
		tb.Fatal(err)
	}
}

func keepFactors(tb testing.TB, s *Store, sets ...usage.FactorSet) {
	tb.Helper()
	if err := s.KeepFactors(context.Background(), sets); err != nil {
		tb.Fatal(err)
	}
}

// countFactors adds up whatever is due.
func countFactors(tb testing.TB, s *Store) (all usage.FactorsCounted) {
	tb.Helper()
	for {
		done, err := s.CountFactors(context.Background(), 3)
		if err != nil {
			tb.Fatal(err)
		}
		all.Days, all.Changed = all.Days+done.Days, all.Changed+done.Changed
		if !done.More {
			return all
		}
	}
}

func factorTotals(tb testing.TB, s *Store, sets ...string) usage.FactorTotals {
	tb.Helper()
	var all usage.FactorTotals
	err := s.View(context.Background(), func(v *View) (err error) {
		sum, err := v.Summary(context.Background())
		if err != nil {
			return err
		}
		var kwh usage.ByModeSum[usage.KWh]
		for _, t := range sum.Totals {
			kwh.Add(t.Energy)
		}
		all, err = v.Factors(context.Background(), sets, kwh.Total())
		return err
	})
	if err != nil {
		tb.Fatal(err)
	}
	return all
}

// factorRows is what is stored of factors but for news.
func factorRows(tb testing.TB, s *Store) string {
	return fmt.Sprint(
		readRows(tb, s.reader, `SELECT factors, day, p.cloud_project_name, g.group_name, kwh, gco2eq FROM factor_day
			JOIN dim_project p USING (project_id) JOIN dim_group g USING (group_id) ORDER BY 1, 2, 3, 4`),
		readRows(tb, s.reader, `SELECT factors, p.cloud_project_name, g.group_name, days, hex(sums) FROM factor_total
			JOIN dim_project p USING (project_id) JOIN dim_group g USING (group_id) ORDER BY 1, 2, 3`))
}

func tallies(tb testing.TB, s *Store, scope usage.Scope, p usage.Period, sets ...usage.FactorSet) map[string]map[string]usage.FactorTally {
	tb.Helper()
	all, err := s.FactorTallies(context.Background(), scope, sets, p)
	if err != nil {
		tb.Fatal(err)
	}
	return all[0]
}

func near(a, b float64) bool { return a == b || a-b < 1e-9*max(a, b) && b-a < 1e-9*max(a, b) }

func TestOtherFactorsOfOneDay(t *testing.T) {
	s := newStore(t)
	keepFactors(t, s, lifecycle, market)
	ann, bob := key("p", "m", "ann", "g"), key("q", "m", "bob", "g")
	gpu := fact(bob, at(2).Start, 1, 0)
	gpu.Energy.Measured, gpu.Beside = 3, &usage.Beside{Devices: []usage.DeviceEnergy{{Name: "gpu", Energy: 3}}}
	commit(t, s, unpriced(at(1), fact(ann, at(1).Start, 1, 0.5)), unpriced(at(2), gpu), unpriced(at(3), fact(ann, at(3).Start, 8, 0)))
	putSlots(t, s,
		actualOf(lifecycle.Sources[1], at(1).Start, 500), actualOf(lifecycle.Sources[0], at(1).Start, 100), // the first source counts
		actualOf(lifecycle.Sources[1], at(2).Start, 50), usage.Slot{From: at(3).Start, Provider: "emaps", Grid: "FR", FetchedAt: at(4).Start},
		actualOf(usage.GridName{Provider: "emaps", Grid: "DE"}, at(3).Start, 900))
	countFactors(t, s)
	want := usage.FactorTotals{
		Totals: []usage.FactorTotal{
			{Factors: "lifecycle", Project: "p", Group: "g", FactorTally: usage.FactorTally{Energy: 1.5, Emissions: 150, Known: true}},
			{Factors: "lifecycle", Project: "q", Group: "g", FactorTally: usage.FactorTally{Energy: 4, Emissions: 200, Known: true}},
		},
		Unpriced: map[string]usage.KWh{"lifecycle": 8, "market": 13.5},
	}
	if got := factorTotals(t, s, "lifecycle", "market"); !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	// A set that nobody has begun with knows nothing.
	if got := factorTotals(t, s, "residual"); len(got.Totals) != 0 || got.Unpriced["residual"] != 13.5 {
		t.Errorf("got %+v", got)
	}
	putSlots(t, s, actualOf(lifecycle.Sources[0], at(2).Start, 10), actualOf(lifecycle.Sources[0], at(3).Start, 0))
	countFactors(t, s)
	got := factorTotals(t, s, "lifecycle")
	if p, q := got.Totals[0], got.Totals[1]; p.Emissions != 150 || p.Energy != 9.5 || q.Emissions != 40 || got.Unpriced["lifecycle"] != 0 {
		t.Errorf("a better source and one of 0 g/kWh: %+v", got)
	}
}

func TestWithoutOtherFactorsNothingIsWritten(t *testing.T) {
	s := newStore(t)
	keepFactors(t, s)
	commit(t, s, withPrice(unpriced(at(1), fact(key("p", "m", "u", "g"), at(1).Start, 1, 1)), 100, usage.Settled))
	putSlots(t, s, actualOf(lifecycle.Sources[0], at(1).Start, 100))
	for _, table := range []string{"factor_source", "factor_news", "factor_day", "factor_total"} {
		if rows := readRows(t, s.reader, "SELECT * FROM "+table); len(rows) != 0 {
			t.Errorf("%s has %v", table, rows)
		}
	}
	if done := countFactors(t, s); done.Days != 0 {
		t.Errorf("%+v", done)
	}
}

// Whatever comes in whatever order, and however often it is added up meanwhile, the result is the
// same to the last bit, and what the facts and factors come to.
func TestOtherFactorsComeToTheSameInAnyOrder(t *testing.T) {
	r := rand.New(rand.NewSource(7))
	zone, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	var recs []usage.Record
	var slots []usage.Slot
	for n := range 96 {
		if n%5 != 0 {
			recs = append(recs, randomRecord(r, at(n)))
		}
		for _, source := range append(slices.Clone(lifecycle.Sources), market.Sources...) {
			if r.Intn(3) > 0 {
				slots = append(slots, actualOf(source, at(n).Start, r.Float64()*900))
			}
		}
	}
	var first string
	for round := range 4 {
		s := openStore(t, filepath.Join(t.TempDir(), "carbon.db"), Options{Exclusive: true, Interval: half, Timezone: zone})
		begin := r.Intn(len(recs))
		r.Shuffle(len(recs), func(i, j int) { recs[i], recs[j] = recs[j], recs[i] })
		r.Shuffle(len(slots), func(i, j int) { slots[i], slots[j] = slots[j], slots[i] })
		for n := range max(len(recs), len(slots)) {
			if n == begin {
				keepFactors(t, s, market, lifecycle)
			}
			if n < len(slots) {
				putSlots(t, s, slots[n])
			}
			if n < len(recs) {
				commit(t, s, recs[n])
			}
			if round > 0 && r.Intn(9) == 0 {
				countFactors(t, s)
			}
		}
		countFactors(t, s)
		got := factorRows(t, s)
		if first == "" {
			first = got
		}
		if got != first {
			t.Errorf("round %d: got\n%s\nwant\n%s", round, got, first)
		}
		putSlots(t, s, slots...)
		if done := countFactors(t, s); done.Changed != 0 || factorRows(t, s) != first {
			t.Errorf("the same again has changed %d days", done.Changed)
		}
		holdFactors(t, s, recs, slots)
	}
}

// holdFactors compares the sums with what records and slots come to, set by set and group by group.
func holdFactors(t *testing.T, s *Store, recs []usage.Record, slots []usage.Slot) {
	t.Helper()
	by := map[usage.GridName]map[time.Time]usage.GramsPerKWh{}
	for _, slot := range slots {
		name := usage.GridName{Provider: slot.Provider, Grid: slot.Grid}
		if by[name] == nil {
			by[name] = map[time.Time]usage.GramsPerKWh{}
		}
		by[name][slot.From] = *slot.Actual
	}
	energy, grams := map[string]float64{}, map[string]float64{}
	for _, rec := range recs {
		for _, f := range rec.Facts {
			for _, set := range []usage.FactorSet{lifecycle, market} {
				for _, source := range set.Sources {
					if v, ok := by[source][f.Start]; ok {
						id := set.Name + f.Project + f.Group
						energy[id] += float64(f.Energy.Total())
						grams[id] += float64(f.Energy.Total()) * float64(v)
						break
					}
				}
			}
		}
	}
	got := factorTotals(t, s, "lifecycle", "market").Totals
	if len(got) != len(energy) {
		t.Errorf("%d totals, want %d", len(got), len(energy))
	}
	for _, total := range got {
		id := total.Factors + total.Project + total.Group
		if !near(float64(total.Energy), energy[id]) || !near(float64(total.Emissions), grams[id]) {
			t.Errorf("%s: %v kWh and %v g, want %v and %v", id, total.Energy, total.Emissions, energy[id], grams[id])
		}
	}
	// Stored days and facts say the same, also of part of a day.
	for _, p := range []usage.Period{{From: at(0).Start, To: at(96).Start}, {From: at(13).Start, To: at(77).Start}} {
		projects := tallies(t, s, usage.ScopeProject, p, lifecycle, market)
		users := tallies(t, s, usage.ScopeUser, p, lifecycle, market)
		for _, set := range []string{"lifecycle", "market"} {
			var a, b usage.FactorSum
			for _, tally := range projects[set] {
				a.AddTally(tally)
			}
			for _, tally := range users[set] {
				b.AddTally(tally)
			}
			if x, y := a.Tally(), b.Tally(); !near(float64(x.Emissions), float64(y.Emissions)) || !near(float64(x.Energy), float64(y.Energy)) || !x.Known {
				t.Errorf("%s: projects have %+v, users %+v", set, x, y)
			}
		}
	}
}

func TestOtherFactorsOutliveThePerKeyRows(t *testing.T) {
	s := newStore(t)
	keepFactors(t, s, market)
	for n := range 48 * 3 {
		commit(t, s, withPrice(unpriced(at(n), fact(key("p", "m", "u", "g"), at(n).Start, 1, 0)), 100, usage.Settled))
		putSlots(t, s, actualOf(market.Sources[0], at(n).Start, 10))
	}
	now := at(48 * 3).Start
	prune := func() (n int) {
		for {
			done, err := s.Prune(t.Context(), now, 36*time.Hour, "")
			if err != nil {
				t.Fatal(err)
			}
			if n += done.Intervals; !done.More {
				return n
			}
		}
	}
	if n := prune(); n != 0 {
		t.Fatalf("%d intervals were pruned before they were added up", n)
	}
	countFactors(t, s)
	if n := prune(); n != 48 {
		t.Fatalf("%d intervals were pruned, want those of the first day", n)
	}
	before := factorRows(t, s)
	putSlots(t, s, actualOf(market.Sources[0], at(5).Start, 999))
	countFactors(t, s)
	if got := factorRows(t, s); got != before {
		t.Errorf("a day without per-key rows was added up again: %s", got)
	}
	first := usage.Period{From: at(0).Start, To: at(48).Start}
	if got := tallies(t, s, usage.ScopeAda, first, market)["market"]["ada"]; got != (usage.FactorTally{Energy: 48, Emissions: 480, Known: true}) {
		t.Errorf("the first day: %+v", got)
	}
	if got := tallies(t, s, usage.ScopeAda, first, lifecycle); len(got) != 0 {
		t.Errorf("a set that was not there: %+v", got)
	}
	for _, scope := range []usage.Scope{usage.ScopeUser, usage.ScopeMachine} {
		if _, err := s.FactorTallies(t.Context(), scope, []usage.FactorSet{market}, first); !errors.Is(err, usage.ErrPruned) {
			t.Errorf("%s: %v", scope, err)
		}
	}
	// Other sources count for what is kept, and the set keeps its past.
	other := usage.FactorSet{Name: "market", Sources: []usage.GridName{{Provider: "other", Grid: "x"}}}
	keepFactors(t, s, other)
	countFactors(t, s)
	if got := factorTotals(t, s, "market"); len(got.Totals) != 1 || got.Totals[0].Emissions != 480 || got.Unpriced["market"] != 96 {
		t.Errorf("with other sources: %+v", got)
	}
	keepFactors(t, s)
	keepFactors(t, s, market)
	countFactors(t, s)
	if got := factorRows(t, s); got != before {
		t.Errorf("the set is back: %s, was %s", got, before)
	}
}

func TestAddingUpOtherFactorsIsBounded(t *testing.T) {
	s := newStore(t)
	for n := range 10 {
		i := at(48 * n)
		commit(t, s, unpriced(i, fact(key("p", "m", "u", "g"), i.Start, 1, 0)))
		putSlots(t, s, actualOf(market.Sources[0], i.Start, 10))
	}
	keepFactors(t, s, market)
	for n, want := range []usage.FactorsCounted{{Days: 4, Changed: 4, More: true}, {Days: 4, Changed: 4, More: true}, {Days: 2, Changed: 2}, {}} {
		if got, err := s.CountFactors(t.Context(), 4); err != nil || got != want {
			t.Errorf("call %d: %+v, %v, want %+v", n, got, err, want)
		}
	}
}

// News that come while a day is added up are not lost.
func TestNewsWhileADayIsAddedUp(t *testing.T) {
	s := newStore(t)
	keepFactors(t, s, market)
	commit(t, s, unpriced(at(1), fact(key("p", "m", "u", "g"), at(1).Start, 1, 0)))
	putSlots(t, s, actualOf(market.Sources[0], at(1).Start, 10))
	var work *factorDay
	if err := s.read(t.Context(), func(tx *sqlite.Tx) (err error) { work, err = s.nextFactorDay(t.Context(), tx); return err }); err != nil {
		t.Fatal(err)
	}
	putSlots(t, s, actualOf(market.Sources[0], at(1).Start, 70))
	if err := s.write(t.Context(), func(tx *sqlite.Tx) error { _, err := work.put(t.Context(), tx); return err }); err != nil {
		t.Fatal(err)
	}
	countFactors(t, s)
	if got := factorTotals(t, s, "market"); got.Totals[0].Emissions != 70 {
		t.Errorf("got %+v", got)
	}
}

// Local midnight in Kathmandu is within a half hour of UTC.
func TestOtherFactorsWhereMidnightIsWithinAHalfHour(t *testing.T) {
	zone, err := time.LoadLocation("Asia/Kathmandu")
	if err != nil {
		t.Fatal(err)
	}
	const quarter = 15 * time.Minute
	path := filepath.Join(t.TempDir(), "carbon.db")
	s := openStore(t, path, Options{Exclusive: true, Interval: quarter, Timezone: zone})
	midnight := time.Date(2025, 9, 11, 18, 15, 0, 0, time.UTC)
	for n := -4; n < 4; n++ {
		i := usage.Interval{Start: midnight.Add(time.Duration(n) * quarter), Length: quarter}
		commit(t, s, unpriced(i, fact(key("p", "m", "u", "g"), i.Start, 1, 0)))
	}
	keepFactors(t, s, market)
	countFactors(t, s)
	putSlots(t, s, actualOf(market.Sources[0], midnight.Add(-quarter), 10))
	countFactors(t, s)
	if got := readRows(t, s.reader, "SELECT kwh, gco2eq FROM factor_day ORDER BY day"); !reflect.DeepEqual(got, [][]any{{1.0, 10.0}, {1.0, 10.0}}) {
		t.Errorf("got %v", got)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = openStore(t, path, Options{Exclusive: true, Interval: quarter, Timezone: time.UTC})
	countFactors(t, s)
	if got := readRows(t, s.reader, "SELECT kwh, gco2eq FROM factor_day ORDER BY day"); !reflect.DeepEqual(got, [][]any{{2.0, 20.0}}) {
		t.Errorf("in UTC: %v", got)
	}
	if got := factorTotals(t, s, "market"); got.Totals[0].Emissions != 20 || got.Unpriced["market"] != 6 {
		t.Errorf("in UTC: %+v", got)
	}
}

// BenchmarkCountFactors adds up one day of 200 keys again, of a year of them.
func BenchmarkCountFactors(b *testing.B) {
	s := openStore(b, filepath.Join(b.TempDir(), "carbon.db"), Options{Interval: half})
	var day []any
	for n := range 48 {
		rec := benchRecord(n)
		rec.Facts = slices.DeleteFunc(rec.Facts, func(f usage.Fact) bool { return f.Machine != "machine-1" })
		rec.Attendance, rec.Ratings, rec.Coverage = nil, rec.Ratings[1:2], nil
		putSlots(b, s, actualOf(market.Sources[0], rec.Interval.Start, float64(n)))
		day = append(day, rec)
	}
	if _, err := commitAll(b.Context(), s, day...); err != nil {
		b.Fatal(err)
	}
	// The same day again, for a year.
	const days = "WITH RECURSIVE later(d) AS (SELECT 86400 UNION ALL SELECT d + 86400 FROM later WHERE d < 364 * 86400) "
	execute(b, s.writer, days+"INSERT INTO usage_interval(start, seconds, state, kwh) SELECT start + d, seconds, state, kwh FROM later, usage_interval")
	execute(b, s.writer, days+"INSERT INTO usage_fact SELECT start + d, key_id, busy_cpu_seconds, idle_cpu_seconds, busy_kwh, idle_kwh FROM later, usage_fact")
	execute(b, s.writer, days+`INSERT INTO intensity_slot(provider, grid, slot_start, actual, fetched_at)
		SELECT provider, grid, slot_start + d, actual, fetched_at FROM later, intensity_slot`)
	keepFactors(b, s, market)
	began := cpu(b)
	done := countFactors(b, s)
	b.Logf("a year at once: %d days in %v of CPU", done.Days, cpu(b)-began)
	start := at(100 * 48).Start
	var spent time.Duration
	for factor := 301.0; b.Loop(); factor++ {
		b.StopTimer()
		slot := actualOf(market.Sources[0], start, factor)
		slot.FetchedAt = slot.FetchedAt.Add(time.Hour)
		putSlots(b, s, slot)
		b.StartTimer()
		began := cpu(b)
		if done := countFactors(b, s); done.Changed != 1 {
			b.Fatalf("%+v", done)
		}
		spent += cpu(b) - began
	}
	b.ReportMetric(spent.Seconds()*1000/float64(b.N), "cpu-ms/day")
}
