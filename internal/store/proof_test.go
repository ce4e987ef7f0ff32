// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"errors"
	"reflect"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/directory"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

func proof(t *testing.T, s *Store, i usage.Interval) usage.Proof {
	t.Helper()
	p, err := s.Proof(t.Context(), i)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestAProofHoldsAllThatIsKnown(t *testing.T) {
	s := newStore(t)
	rec := withPrice(threeKeys(at(1)), 200, usage.Provisional)
	rec.Queries = usage.Queries{Busy: "busy", Idle: "idle"}
	commit(t, s, rec)
	forecast, actual := usage.GramsPerKWh(200), usage.GramsPerKWh(180)
	slots := []usage.Slot{
		{From: at(0).Start, Forecast: &forecast, Provider: "uk", Grid: "GB", FetchedAt: at(0).Start},
		{From: at(1).Start, Forecast: &forecast, Actual: &actual, Index: "low", Provider: "uk", Grid: "GB", FetchedAt: at(3).Start},
		{From: at(1).Start, Forecast: &forecast, Provider: "uk", Grid: "GB-region-13", FetchedAt: at(1).Start},
		{From: at(2).Start, Actual: &actual, Provider: "uk", Grid: "GB", FetchedAt: at(3).Start},
	}
	if _, err := s.SaveSlots(t.Context(), slots); err != nil {
		t.Fatal(err)
	}
	if err := reprice(t.Context(), s, at(1), priced(at(1), 180), usage.Provisional); err != nil {
		t.Fatal(err)
	}
	got := proof(t, s, at(1))
	record, err := recordOf(t, s, at(1))
	if err != nil {
		t.Fatal(err)
	}
	changes, err := readChanges(t.Context(), s.reader, at(1))
	if err != nil {
		t.Fatal(err)
	}
	want := usage.Proof{Record: record, Slots: slots[1:3], Changes: changes}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	if len(got.Facts) != 3 || len(got.Changes) != 1 || got.Queries.Busy != "busy" {
		t.Errorf("got %+v", got)
	}
}

func TestAProofOfAnIntervalWithoutFacts(t *testing.T) {
	s := newStore(t)
	if _, err := s.Schedule(t.Context(), at(0), at(3).Start); err != nil {
		t.Fatal(err)
	}
	retry := at(9).Start
	for range 2 {
		if err := s.Failed(t.Context(), []usage.Interval{at(1)}, errors.New("timeout"), retry); err != nil {
			t.Fatal(err)
		}
	}
	commit(t, s, with(usage.Record{Interval: at(2), State: usage.Empty, PUE: 1, FetchedAt: at(3).Start}, usage.Policy{AskAgain: at(5).Start}))
	for _, c := range []struct {
		name string
		n    int
		want usage.Proof
	}{
		{"due and not asked for yet", 0, usage.Proof{Record: usage.Record{State: usage.Missing}}},
		{"failed twice", 1, usage.Proof{Record: usage.Record{State: usage.Missing}, Attempts: 2, Error: "timeout", RetryAt: retry}},
		{"empty, to be asked for once more", 2, usage.Proof{Record: usage.Record{State: usage.Empty, FetchedAt: at(3).Start}, RetryAt: at(5).Start}},
		{"never written down", 7, usage.Proof{Record: usage.Record{State: usage.Unasked}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.want.Interval, c.want.Coverage = at(c.n), map[string]usage.Coverage{}
			if got := proof(t, s, at(c.n)); !reflect.DeepEqual(got, c.want) {
				t.Errorf("got  %+v\nwant %+v", got, c.want)
			}
		})
	}
}

func TestAProofOfWhatIsPruned(t *testing.T) {
	s := newStore(t)
	settledDay(t, s, 0)
	settledDay(t, s, 20)
	if p := pruneAll(t, s, at(48*21).Start, ""); p.Intervals != 4 {
		t.Fatalf("pruned %+v", p)
	}
	got := proof(t, s, at(1))
	if !got.Pruned || got.State != usage.Settled || len(got.Facts) != 0 || len(got.Prices) != 1 || len(got.Ratings) != 2 || got.PUE != 1 {
		t.Errorf("got %+v", got)
	}
	left, used, err := s.ProjectUsage(t.Context(), "IDAaaS", at(1))
	if err != nil || !used || !left.Priced {
		t.Fatalf("%+v, %v, %v", left, used, err)
	}
	if !same([]any{float64(left.Energy.Total()), float64(left.Emissions.Total())}, []any{0.087, 17.4}) {
		t.Errorf("the project has %+v", left)
	}
	if _, used, err := s.ProjectUsage(t.Context(), "none", at(1)); used || err != nil {
		t.Errorf("a project that used nothing: %v, %v", used, err)
	}
	commit(t, s, threeKeys(at(48*20+2)))
	if left, used, err := s.ProjectUsage(t.Context(), "IDAaaS", at(48*20+2)); err != nil || !used || left.Priced || left.Emissions.Total() != 0 {
		t.Errorf("unpriced: %+v, %v, %v", left, used, err)
	}
}

func TestTitles(t *testing.T) {
	s := newStore(t)
	moment := func(n int, d time.Duration) time.Time { return at(n).Start.Add(d) }
	tenure := func(document, host, owner string, from, to time.Time) directory.Tenure {
		return directory.Tenure{Document: document, Host: host, Owner: owner, From: from, To: to}
	}
	had := []directory.Tenure{
		tenure("d1", "10.0.0.1", "alice", moment(0, 0), moment(1, time.Second)), // into the interval
		tenure("d2", "10.0.0.2", "alice", moment(1, 10*time.Minute), time.Time{}),
		tenure("d3", "10.0.0.3", "alice", moment(0, 0), moment(1, 0)), // up to it
		tenure("d4", "10.0.0.4", "alice", moment(2, 0), time.Time{}),  // from its end on
		tenure("d5", "10.0.0.5", "bob", moment(0, 0), time.Time{}),
		tenure("d6", "10.0.0.6", "", moment(0, 0), time.Time{}), // in a pool
	}
	in := []directory.Membership{
		{User: "alice", Group: "Muons"},
		{User: "alice", Group: "Lasers", From: moment(0, 0), To: moment(1, 0)},
		{User: "bob", Group: "Data", From: moment(1, time.Minute)},
	}
	if _, err := s.SaveDirectory(t.Context(), directory.Learned{Tenures: had, Memberships: in, Directory: directory.Directory{AsOf: moment(3, 0)}}, false); err != nil {
		t.Fatal(err)
	}
	got, err := s.Titles(t.Context(), []string{"bob", "nobody", "alice"}, at(1))
	if err != nil {
		t.Fatal(err)
	}
	want := []directory.Title{
		{User: "bob", Tenures: had[4:5], Memberships: in[2:3]},
		{User: "nobody"},
		{User: "alice", Tenures: had[:2], Memberships: in[:1]},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func TestMembersAndTheirNames(t *testing.T) {
	s := newStore(t)
	commit(t, s, threeKeys(at(1)))
	people := directory.Learned{People: []directory.Person{{ID: "zoe", Name: "Zoë"}, {ID: "nameless"}}, Directory: directory.Directory{AsOf: at(1).Start}}
	if _, err := s.SaveDirectory(t.Context(), people, false); err != nil {
		t.Fatal(err)
	}
	for scope, want := range map[usage.Scope][]string{
		usage.ScopeAda: nil, usage.ScopeProject: {"CDAaaS", "IDAaaS"}, usage.ScopeMachine: {"Artemis", "Muon"},
	} {
		if got, err := s.Members(t.Context(), scope); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %q, %v, want %q", scope, got, err, want)
		}
	}
	if users, err := s.Members(t.Context(), usage.ScopeUser); err != nil || users[0] != "a" || users[len(users)-1] != "zoe" {
		t.Errorf("users %q, %v", users, err)
	}
	if names, err := s.DisplayNames(t.Context()); err != nil || !reflect.DeepEqual(names, map[string]string{"zoe": "Zoë"}) {
		t.Errorf("names %v, %v", names, err)
	}
}

func TestCoverageOfAPeriod(t *testing.T) {
	s := newStore(t)
	for n := range 4 {
		rec := threeKeys(at(n))
		rec.Coverage["IDAaaS"] = usage.Coverage{Seen: usage.CPUSeconds(100 * n), Capacity: 1000}
		commit(t, s, rec)
	}
	got, err := s.Coverage(t.Context(), usage.Period{From: at(1).Start, To: at(3).Start})
	want := map[string]usage.Coverage{"IDAaaS": {Seen: 300, Capacity: 2000}, "CDAaaS": {Seen: 3400, Capacity: 3600}}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, %v, want %v", got, err, want)
	}
}

func TestForecastsUsed(t *testing.T) {
	s := newStore(t)
	grid := func(name string, kind usage.Kind) func(usage.Record) usage.Record {
		return func(rec usage.Record) usage.Record {
			for i := range rec.Prices {
				rec.Prices[i].Grid, rec.Prices[i].Kind = name, kind
			}
			return rec
		}
	}
	commit(t, s,
		grid("GB", usage.Forecast)(withPrice(threeKeys(at(1)), 200, usage.Provisional)),
		grid("GB", usage.Forecast)(withPrice(threeKeys(at(2)), 200, usage.Provisional)),
		grid("GB-region-13", usage.Forecast)(withPrice(threeKeys(at(3)), 200, usage.Provisional)),
		grid("FR", usage.Actual)(withPrice(threeKeys(at(4)), 200, usage.Provisional)),
		grid("DE", usage.Forecast)(withPrice(threeKeys(at(9)), 200, usage.Provisional)),
	)
	grids, err := s.GridsUsed(t.Context(), usage.Period{From: at(2).Start, To: at(5).Start})
	if err != nil || !reflect.DeepEqual(grids, []usage.GridName{{Provider: "uk", Grid: "FR"}, {Provider: "uk", Grid: "GB"}, {Provider: "uk", Grid: "GB-region-13"}}) {
		t.Errorf("got the grids %+v, %v", grids, err)
	}
	lead := usage.ForecastLeads()[0]
	for n := range 3 { // forecasts of 100 that turn out to be 110, 120 and 130
		forecast, actual := usage.GramsPerKWh(100), usage.GramsPerKWh(110+10*n)
		slot := usage.Slot{From: at(n + 1).Start, Forecast: &forecast, Provider: "uk", Grid: "GB", FetchedAt: at(n + 1).Start.Add(-lead)}
		later := slot
		later.Actual, later.FetchedAt = &actual, at(n+3).Start
		for _, said := range []usage.Slot{slot, later} {
			if _, err := s.SaveSlots(t.Context(), []usage.Slot{said}); err != nil {
				t.Fatal(err)
			}
		}
	}
	got, err := s.ForecastsUsed(t.Context(), usage.Period{From: at(1).Start, To: at(5).Start}, lead, at(2).Start)
	want := []usage.ForecastError{
		{Provider: "uk", Grid: "GB", Ahead: lead, Mean: 25, Pairs: 2},
		{Provider: "uk", Grid: "GB-region-13", Ahead: lead},
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v, want %+v", got, err, want)
	}
}
