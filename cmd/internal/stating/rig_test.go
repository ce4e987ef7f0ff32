// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package stating

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/config"
	"github.com/carbon-exporter/carbon_exporter/internal/privacy"
	"github.com/carbon-exporter/carbon_exporter/internal/statement"
	"github.com/carbon-exporter/carbon_exporter/internal/store"
	"github.com/carbon-exporter/carbon_exporter/internal/store/storetest"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// length is that of intervals: few, so that a whole month is quickly filled.
const length = 24 * time.Hour

// site is a store with a maker of statements.
type site struct {
	*testing.T
	path string
	Maker
}

const settings = `
prometheus: {url: http://127.0.0.1:9}
carbon_intensity: {uk: {url: http://127.0.0.1:9}}
budgets:
  - {name: of ISIS, scope: group, target: ISIS, period: month, kgco2eq: 40}
  - {name: of CLF, scope: group, target: CLF, period: month, kwh: 3}
  - {name: year, scope: group, target: ISIS, period: year, kwh: 50000}
`

func newSite(t *testing.T, labels privacy.Labels) *site {
	t.Helper()
	path := filepath.Join(t.TempDir(), "carbon.db")
	st, err := store.Open(t.Context(), path, store.Options{Interval: length, Timezone: time.UTC})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { st.Close() })
	c, err := config.Parse("carbon.yml", []byte("timezone: UTC\n"+settings))
	if err != nil {
		t.Fatal(err)
	}
	return &site{t, path, Maker{Store: st, Config: c, Labels: labels, Now: at("2026-11-09"), Version: "0.1.0"}}
}

func at(date string) time.Time {
	day, err := time.Parse(time.DateOnly, date)
	if err != nil {
		panic(err)
	}
	return day
}

// days are the intervals of a month.
func days(month string) (all []usage.Interval) {
	for i := usage.IntervalAt(at(month+"-01"), length); i.Start.Format("2006-01") == month; i = i.Next() {
		all = append(all, i)
	}
	return all
}

// record has usage of three people in two projects and two groups. The amounts have many digits.
func record(i usage.Interval, scale, price float64, state usage.State) usage.Record {
	rec := usage.Record{Interval: i, State: state, PUE: 1.2, FetchedAt: i.End().Add(time.Minute), Coverage: map[string]usage.Coverage{
		"IDAaaS": {Seen: 1700, Capacity: 1800}, "CDAaaS": {Seen: 1800, Capacity: 1800},
	}}
	doubt := 0.1
	for _, machine := range []string{"Muon", "Artemis"} {
		rec.Ratings = append(rec.Ratings, usage.Rating{Machine: machine, Watts: usage.BusyIdle[usage.Watts]{Busy: 12, Idle: 1}, Source: "config", Error: &doubt})
	}
	keys := []usage.Key{
		{Project: "IDAaaS", Machine: "Muon", User: "alice", Group: "ISIS"},
		{Project: "IDAaaS", Machine: "Artemis", User: "bob", Group: "ISIS"},
		{Project: "CDAaaS", Machine: "Muon", User: "bob", Group: "ISIS"},
		{Project: "CDAaaS", Machine: "Muon", User: "carol", Group: "CLF"},
		{Project: "IDAaaS", Machine: "Muon", User: usage.Unattributed, Group: "ISIS"},
	}
	for p, piece := range i.Pieces() {
		for n, k := range keys {
			kwh := scale * float64(n+1) / 3 / float64(47+p)
			rec.Facts = append(rec.Facts, usage.Fact{
				Key: k, Start: piece.Start, CPU: usage.BusyIdle[usage.CPUSeconds]{Busy: 900, Idle: 900},
				Energy: usage.ByMode[usage.KWh]{Busy: usage.KWh(kwh), Idle: usage.KWh(kwh / 7)},
			})
		}
		if state == usage.Unpriced {
			continue
		}
		rec.Prices = append(rec.Prices, usage.PiecePrice{Start: piece.Start, Price: usage.Price{
			Intensity: usage.GramsPerKWh(price + float64(p)/9), Kind: usage.Actual, Basis: usage.BasisOf("average direct consumption"),
			Provider: "uk", Grid: "GB", SlotFrom: usage.SlotAt(piece.Start), FetchedAt: i.End(),
		}})
	}
	return rec
}

// fill stores a month.
func (s *site) fill(month string, scale float64, state usage.State) {
	s.Helper()
	var all []usage.Record
	for _, i := range days(month) {
		all = append(all, record(i, scale, 100, state))
	}
	storetest.Commit(s, s.Store, all...)
}

// restate replaces an interval.
func (s *site) restate(rec usage.Record, why usage.Why) {
	s.Helper()
	storetest.CommitAs(s, s.Store, usage.Policy{Restate: true, Why: why, Again: true}, rec)
}

func (s *site) print(st usage.Statement) statement.Print {
	s.Helper()
	p, err := statement.Of(st)
	if err != nil {
		s.Fatal(err)
	}
	return p
}

func (s *site) issue(of Subject, provisional bool) statement.Print {
	s.Helper()
	st, _, err := s.Issue(s.Context(), of, provisional)
	if err != nil {
		s.Fatal(err)
	}
	return s.print(st)
}

func isis(month string) Subject { return Subject{usage.ScopeGroup, "ISIS", month} }

func ada(month string) Subject { return Subject{usage.ScopeAda, "ada", month} }

// stored is what the store has of a subject now.
func (s *site) stored(of Subject) statement.Amounts {
	s.Helper()
	p, err := monthOf(of.Month, time.UTC)
	if err != nil {
		s.Fatal(err)
	}
	all, err := s.Store.Accounts(s.Context(), p)
	if err != nil {
		s.Fatal(err)
	}
	return statement.Sum(all[0].Of(of.Scope, of.Member).Keys())
}

func verdict(s *site) string {
	s.Helper()
	v, err := s.Store.VerifyStatements(s.Context())
	if err != nil {
		s.Fatal(err)
	}
	return fmt.Sprint(v.Faults)
}
