// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !race

package stating

import (
	"bytes"
	"errors"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/privacy"
	"github.com/carbon-exporter/carbon_exporter/internal/statement"
	"github.com/carbon-exporter/carbon_exporter/internal/store"
	"github.com/carbon-exporter/carbon_exporter/internal/store/storetest"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

var byID = privacy.Labels{Mode: privacy.ID}

func bytesOf(t *testing.T, p statement.Print) string {
	t.Helper()
	var b bytes.Buffer
	if err := errors.Join(p.WriteHTML(&b), p.WriteCSV(&b, func(s string) string { return s }), p.WriteJSON(&b)); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestAStatementIsIssuedOnce(t *testing.T) {
	s := newSite(t, byID)
	s.fill("2026-09", 1, usage.Settled)
	s.fill("2026-10", 1.5, usage.Settled)
	first := s.issue(isis("2026-10"), false)
	if first.Number != 1 || first.Previous != "" || first.Intervals.Settled != 31 || first.Whole == nil {
		t.Fatalf("%+v", first.Document)
	}
	if second := s.issue(ada("2026-10"), false); second.Number != 2 || second.Previous != first.Hash {
		t.Errorf("the second is %d and follows %s", second.Number, second.Previous)
	}
	s.restate(record(days("2026-10")[0], 9, 300, usage.Settled), usage.BecauseRecost)
	s.Now, s.Version = s.Now.AddDate(1, 0, 0), "9.9.9"
	st, fresh, err := s.Issue(t.Context(), isis("2026-10"), true)
	if err != nil || fresh || bytesOf(t, s.print(st)) != bytesOf(t, first) {
		t.Errorf("the same again is another one, %v, %v", fresh, err)
	}
	if faults := verdict(s); faults != "[]" {
		t.Error(faults)
	}
}

// The total is what report and /metrics have, to a millionth.
func TestTheNumbersAreThoseOfTheStore(t *testing.T) {
	s := newSite(t, byID)
	s.fill("2025-10", 0.5, usage.Settled)
	s.fill("2026-10", 1.5, usage.Settled)
	p := s.issue(isis("2026-10"), false)
	accounts, err := s.Store.Accounts(t.Context(), usage.Period{From: at("2026-10-01"), To: at("2026-11-01")})
	if err != nil {
		t.Fatal(err)
	}
	for _, tally := range accounts[0].By(usage.ScopeGroup) {
		if tally.Name != "ISIS" {
			continue
		}
		if off := math.Abs(float64(tally.Energy.Total() - p.Whole.Energy.KWh())); off > 1e-6 || p.Whole.Energy == 0 {
			t.Errorf("%v kWh, and the store has %v", p.Whole.Energy, tally.Energy.Total())
		}
		if off := math.Abs(float64(tally.Emissions.Total() - p.Whole.Emissions.Grams())); off > 1e-6*float64(tally.Emissions.Total()) {
			t.Errorf("%v g, and the store has %v", p.Whole.Emissions, tally.Emissions.Total())
		}
	}
	if len(p.Projects) != 2 || len(p.Machines) != 2 || len(p.People) != 3 || *p.Projects[0].Coverage >= 1 || p.Machines[0].Power != "config" {
		t.Errorf("%+v\n%+v\n%+v", p.Projects, p.Machines, p.People)
	}
	if w := p.Whole; w.EnergyLow == nil || *w.EnergyLow >= w.Energy || *w.EnergyHigh <= w.Energy || w.Embodied != nil || w.Unattributed <= 0 || *p.Method.PUELow != 1.2 {
		t.Errorf("%+v", w)
	}
	before, year := p.Comparisons[0], p.Comparisons[1]
	if before.Energy != nil || before.Emissions != nil || before.Month != "2026-09" || before.Intervals.Unasked != 30 {
		t.Errorf("a month that the store does not have is %+v", before)
	}
	if year.Energy == nil || year.Month != "2025-10" || *year.Energy >= p.Whole.Energy {
		t.Errorf("a year before: %+v", year)
	}
	if len(p.Budgets) != 2 || p.Budgets[0].Name != "of ISIS" || math.Abs(*p.Budgets[0].Used-float64(p.Whole.Emissions.Grams())) > 1e-3 ||
		*p.Budgets[1].Used <= float64(year.Energy.KWh()) {
		t.Errorf("budgets: %+v", p.Budgets)
	}
	if len(p.Credits) != 1 || p.Credits[0].Licence != "CC BY 4.0" || p.Method.Prices[0].Basis != "average direct consumption" {
		t.Errorf("%+v %+v", p.Credits, p.Method.Prices)
	}
}

// What was used after the month does not count in its budgets.
func TestBudgetsEndWithTheMonth(t *testing.T) {
	s := newSite(t, byID)
	s.fill("2026-08", 1, usage.Settled)
	want, err := s.Preview(t.Context(), isis("2026-08"))
	if err != nil {
		t.Fatal(err)
	}
	s.fill("2026-09", 5, usage.Settled)
	got, err := s.Preview(t.Context(), isis("2026-08"))
	if err != nil || *got.Budgets[0].Used != *want.Budgets[0].Used || *got.Budgets[1].Used != *want.Budgets[1].Used {
		t.Errorf("budgets were %+v and are %+v, %v", want.Budgets, got.Budgets, err)
	}
}

func TestWhenAStatementMayBeIssued(t *testing.T) {
	s := newSite(t, byID)
	s.fill("2026-08", 1, usage.Settled)
	s.fill("2026-09", 1, usage.Provisional)
	storetest.Commit(t, s.Store, record(days("2026-11")[0], 1, 100, usage.Settled))
	for _, c := range []struct {
		name        string
		of          Subject
		provisional bool
		want        string
	}{
		{"not over", isis("2026-11"), true, "2026-11 is not over; look at it with --preview"},
		{"not begun", isis("2027-01"), true, "2027-01 is not over"},
		{"not final", isis("2026-09"), false, "30 of 30 intervals of 2026-09 are not final (30 provisional, 0 without carbon intensity, 0 missing, 0 never asked for)"},
		{"never asked for", isis("2026-07"), true, "no usage of group ISIS is stored for 2026-07"},
		{"nobody of that name", Subject{usage.ScopeGroup, "Isis", "2026-08"}, false, `the store has no group "Isis"; it has CLF, ISIS`},
		{"no such project", Subject{usage.ScopeProject, "x", "2026-08"}, false, `the store has no project "x"; it has CDAaaS, IDAaaS`},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, _, err := s.Issue(t.Context(), c.of, c.provisional); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %s", err, c.want)
			}
		})
	}
	if all, err := s.Store.Statements(t.Context()); err != nil || len(all) != 0 {
		t.Errorf("%d were issued, %v", len(all), err)
	}
	for _, of := range []Subject{isis("2026-11"), isis("2026-09"), isis("2026-07")} {
		if p, err := s.Preview(t.Context(), of); err != nil || !p.IsDraft() || len(p.Notices()) == 0 {
			t.Errorf("a preview of %s: %v, and it says %q", of.Month, err, p.Notices())
		}
	}
	if p := s.issue(isis("2026-09"), true); p.Intervals.Provisional != 30 || !strings.Contains(strings.Join(p.Notices(), " "), "PROVISIONAL: 30 of 30") {
		t.Errorf("issued as provisional it says %q", p.Notices())
	}
}

// The law of adjustments on a real store, with all that changes what was stated.
func TestStatementsAndAdjustmentsAreWhatTheStoreHas(t *testing.T) {
	s := newSite(t, byID)
	r := rand.New(rand.NewPCG(7, 8))
	months := []string{"2026-05", "2026-06", "2026-07", "2026-08"}
	subjects := []Subject{isis(""), ada(""), {usage.ScopeProject, "CDAaaS", ""}}
	told := map[usage.Scope][]statement.Document{}
	s.fill(months[0], 1, usage.Settled)
	for n, month := range months {
		for m, other := range months[:n] {
			i := days(other)[r.IntN(28)]
			s.restate(record(i, 1+r.Float64(), 50+100*r.Float64(), usage.Settled), []usage.Why{usage.BecauseRecost, usage.BecauseRestate}[m%2])
		}
		if n > 0 {
			s.fill(month, 1+float64(n)/7, []usage.State{usage.Settled, usage.Provisional, usage.Unpriced}[n%3])
		}
		for _, of := range subjects {
			of.Month = month
			p := s.issue(of, true)
			told[of.Scope] = append(told[of.Scope], p.Document)
			for _, d := range told[of.Scope] {
				now := of
				now.Month = d.Month
				if got, want := statement.Told(told[of.Scope], d.Number), s.stored(now); got != want {
					t.Fatalf("%s: of %s was told %+v, and the store has %+v", p.Subject(), d.Month, got, want)
				}
			}
		}
	}
	last := told[usage.ScopeAda][len(months)-1]
	if len(last.Adjustments) != len(months)-1 {
		t.Errorf("the last statement has the adjustments %+v", last.Adjustments)
	}
	if faults := verdict(s); faults != "[]" {
		t.Error(faults)
	}
}

func TestWhyAnAdjustmentIs(t *testing.T) {
	for _, c := range []struct {
		name   string
		first  usage.State
		change func(*site)
		want   string
	}{
		{"other watts", usage.Settled, func(s *site) {
			s.restate(record(days("2026-09")[2], 2, 100, usage.Settled), usage.BecauseRecost)
			s.restate(record(days("2026-09")[3], 2, 100, usage.Settled), usage.BecauseRecost)
		}, "recalculated with other watts, PUE or carbon intensity (2 intervals)"},
		{"a revised carbon intensity", usage.Provisional, func(s *site) {
			storetest.CommitAs(s, s.Store, usage.Policy{Again: true}, record(days("2026-09")[2], 1, 140, usage.Settled))
		}, "the provider revised a value (1 interval)"},
		{"usage that came late", usage.Settled, func(s *site) {
			rec := record(days("2026-09")[29], 1, 100, usage.Settled)
			rec.FetchedAt = s.Now.Add(time.Hour)
			storetest.Commit(s, s.Store, rec)
		}, "read since: usage that came late (backfill), or other owners (1 interval)"},
		{"a first price", usage.Unpriced, func(s *site) {
			rec := record(days("2026-09")[2], 1, 100, usage.Settled)
			for i := range rec.Prices {
				rec.Prices[i].FetchedAt, rec.Prices[i].Quality = s.Now.Add(time.Hour), usage.QualityFinal
			}
			if _, err := s.Store.Update(s.Context(), []usage.Interval{rec.Interval}, func(usage.Stored) (usage.Record, usage.Policy, error) {
				return usage.Record{Prices: rec.Prices, State: usage.Settled}, usage.Policy{PricesOnly: true}, nil
			}); err != nil {
				s.Fatal(err)
			}
		}, "a first carbon intensity (1 interval)"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newSite(t, byID)
			s.Now = time.Now().UTC().Truncate(time.Second) // as the store's own clock, which changes have
			for _, i := range days("2026-09")[:29] {
				storetest.Commit(t, s.Store, record(i, 1, 100, c.first))
			}
			s.issue(isis("2026-09"), true)
			c.change(s)
			p, err := s.Preview(t.Context(), isis("2026-08"))
			if err != nil || len(p.Adjustments) != 1 {
				t.Fatalf("%+v, %v", p.Adjustments, err)
			}
			var words []string
			for _, r := range p.Adjustments[0].Reasons {
				words = append(words, r.String())
			}
			if got := strings.Join(words, "; "); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestPeopleAreShownAsOnMetrics(t *testing.T) {
	key := []byte("0123456789abcdef")
	hashed := privacy.Labels{Mode: privacy.Pseudonym, Key: key}
	for _, c := range []struct {
		name   string
		labels privacy.Labels
		want   []string
	}{
		{"by id", byID, []string{"bob", "alice"}},
		{"by pseudonym", hashed, []string{hashed.Shown("bob", nil), hashed.Shown("alice", nil)}},
		{"the one with the most of the whole site", privacy.Labels{Mode: privacy.ID, MaxUsers: 1}, []string{"bob"}},
		{"nobody", privacy.Labels{Mode: privacy.None}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newSite(t, c.labels)
			s.fill("2026-10", 1, usage.Settled)
			p := s.issue(isis("2026-10"), false)
			if strings.Join(p.Labels, " ") != strings.Join(c.want, " ") {
				t.Errorf("people are %q, want %q", p.Labels, c.want)
			}
			if c.want == nil && len(p.People) != 0 {
				t.Errorf("nobody may be shown, and there are %+v", p.People)
			}
			text := bytesOf(t, p)
			for _, user := range []string{"alice", "bob"} {
				if shown := strings.Contains(strings.Join(c.want, " "), user); strings.Contains(text, user) != shown {
					t.Errorf("%s is in it: %v", user, !shown)
				}
			}
		})
	}
}

func TestAForgottenPersonIsAnAliasAndTheHashHolds(t *testing.T) {
	s := newSite(t, byID)
	s.fill("2026-09", 1, usage.Settled)
	s.fill("2026-10", 1, usage.Settled)
	was := s.issue(isis("2026-09"), false)
	alias, found, err := s.Store.Forget(t.Context(), "bob")
	if err != nil || !found {
		t.Fatal(err)
	}
	is := s.issue(isis("2026-09"), false)
	text := bytesOf(t, is)
	if is.Hash != was.Hash || !bytes.Equal(is.Body, was.Body) || strings.Contains(text, "bob") || !strings.Contains(text, alias) {
		t.Errorf("the statement after: %s, people %q", is.Hash, is.Labels)
	}
	next := s.issue(isis("2026-10"), false)
	if len(next.Adjustments) != 0 || strings.Contains(bytesOf(t, next), "bob") {
		t.Errorf("forgetting is no adjustment: %+v", next.Adjustments)
	}
	verdicts, err := store.Verify(t.Context(), s.path, s.Now, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range verdicts {
		if v.Count > 0 {
			t.Errorf("%s: %q", v.Check, v.Faults)
		}
	}
}

// Per-key rows are deleted after a while; months are whole days, and still compared.
func TestAdjustmentsOutliveThePerKeyRows(t *testing.T) {
	s := newSite(t, byID)
	s.fill("2026-08", 1, usage.Settled)
	s.issue(isis("2026-08"), false)
	s.restate(record(days("2026-08")[2], 2, 100, usage.Settled), usage.BecauseRecost)
	s.fill("2026-10", 1, usage.Settled)
	for more := true; more; {
		done, err := s.Store.Prune(t.Context(), s.Now, 10*24*time.Hour, "")
		if err != nil {
			t.Fatal(err)
		}
		more = done.More
	}
	p := s.issue(isis("2026-10"), false)
	if len(p.Adjustments) != 1 || p.Adjustments[0].Energy <= 0 || p.Adjustments[0].Reasons[0].Why != string(usage.BecauseRecost) {
		t.Errorf("%+v", p.Adjustments)
	}
}
