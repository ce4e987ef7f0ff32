// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"fmt"
	"math/rand"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

func zone(tb testing.TB, name string) *time.Location {
	tb.Helper()
	loc, err := time.LoadLocation(name)
	if err != nil {
		tb.Fatal(err)
	}
	return loc
}

// zones whose days are not UTC's: with clock changes, quarters of an hour, and
// far from Greenwich.
var zones = []string{"Europe/London", "Asia/Kathmandu", "Pacific/Auckland", "America/St_Johns", "UTC"}

// clockChange begins the night before London's clocks go back.
var clockChange = time.Date(2025, 10, 25, 12, 0, 0, 0, time.UTC)

func TestPeriodsAreTheSumsOfTheirIntervals(t *testing.T) {
	for seed, name := range zones {
		t.Run(name, func(t *testing.T) {
			r := rand.New(rand.NewSource(int64(seed)))
			s := openStore(t, filepath.Join(t.TempDir(), "carbon.db"), Options{Exclusive: true, Interval: half, Timezone: zone(t, name)})
			const intervals = 80
			for _, n := range r.Perm(intervals) {
				i := usage.Interval{Start: clockChange.Add(time.Duration(n) * half), Length: half}
				rec := randomRecord(r, i)
				commit(t, s, rec)
				if rec.State != usage.Settled && r.Intn(3) == 0 {
					commit(t, s, randomRecord(r, i)) // again, otherwise
				}
			}
			for range 20 {
				a, b := r.Intn(intervals+1), r.Intn(intervals+1)
				p := usage.Period{From: clockChange.Add(time.Duration(min(a, b)) * half), To: clockChange.Add(time.Duration(max(a, b)) * half)}
				holdAccount(t, s, account(t, s, p))
			}
			holdAccount(t, s, account(t, s, usage.Period{From: clockChange.Add(-day), To: clockChange.Add(9 * day)}))
		})
	}
}

func account(tb testing.TB, s *Store, p usage.Period) Account {
	tb.Helper()
	all, err := s.Accounts(tb.Context(), p)
	if err != nil {
		tb.Fatal(err)
	}
	return all[0]
}

// holdAccount wants an account to be the sum of the facts, to the last bit, and its
// members to add up to the site in every scope.
func holdAccount(t *testing.T, s *Store, a Account) {
	t.Helper()
	want := totals{}
	var list []usage.Total
	if err := s.View(t.Context(), func(v *View) (err error) {
		if err := s.addFacts(t.Context(), v.tx, a.Period, want); err != nil {
			return err
		}
		list, err = want.list(t.Context(), v.naming)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	for i := range list {
		list[i].Last = time.Time{}
	}
	if got := a.Keys(); len(got)+len(list) > 0 && !reflect.DeepEqual(got, list) {
		t.Errorf("%v to %v: %+v\nfacts have %+v", a.From, a.To, got, list)
	}
	var site usage.Tally
	for _, scope := range usage.Scopes() {
		var sum usage.Tally
		for _, m := range a.By(scope) {
			sum.Energy, sum.Emissions, sum.CPU = sum.Energy.Plus(m.Energy), sum.Emissions.Plus(m.Emissions), sum.CPU.Plus(m.CPU)
			sum.Unpriced, sum.Provisional, sum.Unattributed = sum.Unpriced+m.Unpriced, sum.Provisional+m.Provisional, sum.Unattributed+m.Unattributed
		}
		if scope == usage.ScopeAda {
			site = sum
		}
		got := []any{float64(sum.Energy.Busy), float64(sum.Emissions.Idle), float64(sum.CPU.Busy), float64(sum.Unpriced), float64(sum.Provisional), float64(sum.Unattributed)}
		if !same(got, []any{float64(site.Energy.Busy), float64(site.Emissions.Idle), float64(site.CPU.Busy), float64(site.Unpriced), float64(site.Provisional), float64(site.Unattributed)}) {
			t.Errorf("%s adds up to %+v, the site is %+v", scope, sum, site)
		}
	}
}

func TestAnotherTimezoneCountsTheDaysAnew(t *testing.T) {
	path := filepath.Join(t.TempDir(), "carbon.db")
	s := openStore(t, path, Options{Exclusive: true, Interval: half, Timezone: zone(t, "Europe/London")})
	r := rand.New(rand.NewSource(5))
	for n := range 100 {
		commit(t, s, randomRecord(r, at(n)))
	}
	all := usage.Period{From: at(0).Start, To: at(100).Start}
	want := account(t, s, all).Keys()
	if tool, err := Open(t.Context(), path, Options{Timezone: zone(t, "Asia/Tokyo")}); err == nil {
		tool.Close()
		t.Fatal("another program may count days otherwise")
	} else if !strings.Contains(err.Error(), "has daily sums in Europe/London, but the configuration says timezone: Asia/Tokyo; start carbon_exporter with this configuration") {
		t.Errorf("got %v", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = openStore(t, path, Options{Exclusive: true, Interval: half, Timezone: zone(t, "Asia/Tokyo")})
	if got := account(t, s, all).Keys(); !reflect.DeepEqual(got, want) {
		t.Errorf("the sums are %+v, not %+v", got, want)
	}
	for n := range 5 {
		from := time.Date(2025, 9, 11+n, 0, 0, 0, 0, s.Timezone())
		holdAccount(t, s, account(t, s, usage.Period{From: from, To: from.AddDate(0, 0, 1)}))
	}
	holdTotals(t, s)
	if tool := openStore(t, path, Options{}); tool.Timezone().String() != "Asia/Tokyo" || tool.Interval() != half {
		t.Errorf("whoever asks for nothing gets %s and %s", tool.Timezone(), tool.Interval())
	}
}

func TestSettledCountersNeverFall(t *testing.T) {
	s := newStore(t)
	commit(t, s, withPrice(threeKeys(at(1)), 200, usage.Settled), withPrice(threeKeys(at(2)), 200, usage.Settled))
	before := summary(t, s).Totals
	commit(t, s, with(withPrice(threeKeys(at(1)), 50, usage.Settled), usage.Policy{Restate: true, Why: usage.BecauseRestate}))
	for i, total := range summary(t, s).Totals {
		if total.SettledEmissions != before[i].SettledEmissions || total.SettledEnergy != before[i].SettledEnergy {
			t.Errorf("%v: the counters fall to %v from %v", total.Key, total.SettledEmissions, before[i].SettledEmissions)
		}
		if total.Emissions.Busy >= before[i].Emissions.Busy && before[i].Emissions.Busy > 0 {
			t.Errorf("%v: the gauge stays %v", total.Key, total.Emissions)
		}
	}
	// They wait until there is more again.
	commit(t, s, withPrice(threeKeys(at(3)), 100, usage.Settled))
	for i, total := range summary(t, s).Totals {
		if total.SettledEmissions != before[i].SettledEmissions {
			t.Errorf("%v: %v before what was shown is reached", total.Key, total.SettledEmissions)
		}
	}
	commit(t, s, withPrice(threeKeys(at(4)), 100, usage.Settled))
	for i, total := range summary(t, s).Totals {
		want := usage.Grams(float64(before[i].SettledEmissions.Busy) / 400 * 450)
		if got := total.SettledEmissions.Busy; !same([]any{float64(got)}, []any{float64(want)}) {
			t.Errorf("%v: %v, want %v", total.Key, got, want)
		}
	}
}

func TestChangesSayWhatWasAndWhy(t *testing.T) {
	s := newStore(t)
	price := func(v float64, kind usage.Kind, provider string) []usage.PiecePrice {
		p := priceAt(at(1).Start, v)
		p.Kind, p.Provider = kind, provider
		return []usage.PiecePrice{p}
	}
	commit(t, s, threeKeys(at(1)))
	for _, p := range [][]usage.PiecePrice{
		price(180, usage.Forecast, "uk"), price(185, usage.Forecast, "uk"), price(185, usage.Forecast, "uk"),
		price(170, usage.Actual, "uk"), price(171, usage.Actual, "uk"), price(210.89, usage.Forecast, "static"),
	} {
		if err := reprice(t.Context(), s, at(1), p, usage.Provisional); err != nil {
			t.Fatal(err)
		}
	}
	restated := withPrice(threeKeys(at(1)), 210.89, usage.Settled)
	restated.Prices = price(210.89, usage.Forecast, "static")
	restated.Facts[0].Energy.Busy += 1
	commit(t, s, with(restated, usage.Policy{Restate: true, Why: usage.BecauseRecost}))
	changes, err := readChanges(t.Context(), s.reader, at(1))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, c := range changes {
		if !c.Piece.Equal(at(1).Start) || time.Since(c.At) > time.Hour {
			t.Errorf("of %v at %v", c.Piece, c.At)
		}
		got = append(got, fmt.Sprintf("%s %v>%v %.3f>%.3f", c.Why, c.Was.Intensity, c.Is.Intensity, c.EnergyWas, c.EnergyIs))
	}
	want := []string{
		"forecast_revised 180>185 0.091>0.091", "actual 185>170 0.091>0.091", "actual_revised 170>171 0.091>0.091",
		"provider 171>210.89 0.091>0.091", "recost 210.89>210.89 0.091>1.091",
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %q\nwant %q", got, want)
	}
}

func TestARecordAboutOneProjectLeavesTheOthers(t *testing.T) {
	s := newStore(t)
	commit(t, s, withPrice(threeKeys(at(1)), 200, usage.Settled))
	project := "CDAaaS"
	part := withPrice(unpriced(at(1), fact(artemisA, at(1).Start, 0.5, 0.25)), 200, usage.Settled)
	about := usage.Policy{Restate: true, Why: usage.BecauseRestate, Project: &project}
	commit(t, s, with(part, about))
	got := map[string]usage.KWh{}
	for _, m := range account(t, s, usage.Period{From: at(1).Start, To: at(2).Start}).By(usage.ScopeProject) {
		got[m.Name] = m.Energy.Total()
	}
	if len(got) != 2 || !same([]any{float64(got["IDAaaS"]), float64(got["CDAaaS"])}, []any{0.087, 0.75}) {
		t.Errorf("got %v", got)
	}
	holdSums(t, s)
	holdTotals(t, s)
	for name, rec := range map[string]usage.Record{
		"an interval that holds nothing": func() usage.Record {
			p := part
			p.Interval = at(5)
			p.Facts = []usage.Fact{fact(artemisA, at(5).Start, 1, 1)}
			p.Prices = priced(at(5), 1)
			return p
		}(),
		"another PUE": func() usage.Record { p := part; p.PUE = 1.5; return p }(),
	} {
		outcomes, err := commitAll(t.Context(), s, with(rec, about))
		if err != nil || len(outcomes) != 1 || outcomes[0].Left == nil {
			t.Errorf("%s: %v, %v", name, outcomes, err)
		}
	}
	if n := len(readRows(t, s.reader, "SELECT 1 FROM interval_power")); n != 2 {
		t.Errorf("%d machine types have power, want both", n)
	}
}

func TestARecordIsGivenBackAsItWasCommitted(t *testing.T) {
	s := newStore(t)
	rec := withPrice(threeKeys(at(1)), 200, usage.Provisional)
	rec.Queries = usage.Queries{Busy: "busy", Idle: "idle"}
	commit(t, s, rec)
	before := dump(t, s)
	got, err := recordOf(t, s, at(1))
	if err != nil {
		t.Fatal(err)
	}
	if got.Queries != rec.Queries || got.State != rec.State || !reflect.DeepEqual(got.Prices, rec.Prices) || !reflect.DeepEqual(got.Coverage, rec.Coverage) {
		t.Errorf("got %+v\nwant %+v", got, rec)
	}
	commit(t, s, got)
	if after := dump(t, s); after != before {
		t.Errorf("committed again it is\n%s\nnot\n%s", after, before)
	}
	if none, err := recordOf(t, s, at(7)); err != nil || none.State != usage.Missing || len(none.Facts) > 0 {
		t.Errorf("of nothing: %+v, %v", none, err)
	}
}
