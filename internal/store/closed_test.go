// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"fmt"
	"maps"
	"math/rand"
	"path/filepath"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// TestWhatIsRememberedIsWhatIsStored: usage since several times is to the last bit what an account of
// the same time has, while days go by and this program or another stores, prices, settles and
// restates intervals of any day.
func TestWhatIsRememberedIsWhatIsStored(t *testing.T) {
	for seed := range int64(2) {
		r := rand.New(rand.NewSource(seed))
		path := filepath.Join(t.TempDir(), "carbon.db")
		london := zone(t, "Europe/London")
		s := openStore(t, path, Options{Exclusive: true, Interval: half, Timezone: london})
		beside := openStore(t, path, Options{Interval: half})
		last := 0
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
			commit(t, who, with(rec, usage.Policy{Restate: true, Why: usage.BecauseRestate}))
			holdSpent(t, s, fmt.Sprintf("seed %d, step %d", seed, step))
		}
		if len(s.closed.spans) == 0 {
			t.Errorf("seed %d: nothing is remembered", seed)
		}
	}
}

func holdSpent(t *testing.T, s *Store, when string) {
	t.Helper()
	if err := s.View(t.Context(), func(v *View) error {
		held, _, err := v.Span(t.Context())
		if err != nil {
			return err
		}
		y, m, d := held.To.Add(-1).In(s.zone).Date()
		times := []From{
			{Time: time.Date(y, m, d, 0, 0, 0, 0, s.zone)},
			{Time: time.Date(y, m, 1, 0, 0, 0, 0, s.zone), Bounds: true},
			{Time: time.Date(y, m-3, 1, 0, 0, 0, 0, s.zone)},
		}
		spent, err := v.SpentSince(t.Context(), times...)
		if err != nil {
			return err
		}
		for i, got := range spent {
			p := usage.Period{From: times[i].Time, To: held.To}
			accounts, err := v.Accounts(t.Context(), p)
			if err != nil {
				return err
			}
			var want []usage.KeyUsage
			for _, k := range accounts[0].Keys() {
				want = append(want, usage.KeyUsage{Key: k.Key, Energy: k.Energy, Emissions: k.Emissions, Priced: k.Priced})
			}
			slices.SortFunc(got.Keys, func(a, b usage.KeyUsage) int { return a.Compare(b.Key) })
			if len(want) != len(got.Keys) || len(want) > 0 && !reflect.DeepEqual(got.Keys, want) {
				t.Fatalf("%s: since %s\n%+v, want\n%+v", when, p.From, got.Keys, want)
			}
			if got.Missing != accounts[0].Missing || got.Unpriced != accounts[0].Unpriced {
				t.Fatalf("%s: misses %s and %s, want %s and %s", when, got.Missing, got.Unpriced, accounts[0].Missing, accounts[0].Unpriced)
			}
			if _, site := usage.BoundsOf(accounts[0].Keys()); times[i].Bounds && !reflect.DeepEqual(got.Bounds, site) {
				t.Fatalf("%s: bounds %v, want %v", when, got.Bounds, site)
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}

// TestClosedDaysAreReadOnce: a new interval takes nothing of what has long ended.
func TestClosedDaysAreReadOnce(t *testing.T) {
	s := newStore(t)
	for n := range 40 {
		commit(t, s, withPrice(threeKeys(at(n*48)), 100, usage.Settled))
	}
	holdSpent(t, s, "first")
	spans := maps.Clone(s.closed.spans)
	commit(t, s, withPrice(threeKeys(at(39*48+1)), 100, usage.Settled))
	holdSpent(t, s, "another interval of today")
	if len(spans) == 0 || !reflect.DeepEqual(s.closed.spans, spans) {
		t.Errorf("has %v, had %v", s.closed.spans, spans)
	}
	commit(t, s, withPrice(threeKeys(at(40*48)), 100, usage.Settled))
	holdSpent(t, s, "the next day")
	if reflect.ValueOf(s.closed.spans[2].sums).Pointer() != reflect.ValueOf(spans[2].sums).Pointer() {
		t.Error("the days before were read again")
	}
}
