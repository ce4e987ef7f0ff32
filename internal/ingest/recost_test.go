// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !race

package ingest

import (
	"context"
	"maps"
	"math"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/directory"
	"github.com/carbon-exporter/carbon_exporter/internal/intensity"
	"github.com/carbon-exporter/carbon_exporter/internal/power"
	"github.com/carbon-exporter/carbon_exporter/internal/store"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

func watts(busy, idle usage.Watts, pue float64) func(*Settings) {
	return func(s *Settings) {
		s.PUE = pue
		s.Power = func(context.Context, time.Time) (Power, error) {
			return power.Model{Default: usage.Rating{Watts: usage.BusyIdle[usage.Watts]{Busy: busy, Idle: idle}}}, nil
		}
	}
}

// What a recost leaves is what an exporter would have stored that had been set so
// from the beginning.
func TestARecostIsWhatOtherSettingsWouldHaveStored(t *testing.T) {
	other := []func(*Settings){watts(9.5, 1.25, 1.3)}
	want := aged(t, other...)
	want.mustBackfill(hours(-28, -20))

	r := aged(t)
	r.mustBackfill(hours(-28, -20))
	before := r.dump()
	asked := r.server.asked
	dry, err := r.recost(hours(-28, -20).restated().dry(), other...)
	if err != nil {
		t.Fatal(err)
	}
	if got := r.dump(); got != before {
		t.Errorf("a dry run changes the record:\n%s", firstDifference(got, before))
	}
	done, err := r.recost(hours(-28, -20).restated(), other...)
	if err != nil {
		t.Fatal(err)
	}
	wantDone(t, done.Done, map[usage.State]int{usage.Settled: 8, usage.Provisional: 8}, 0, map[error]int{})
	if got, want := r.dump(), want.dump(); got != want {
		t.Errorf("the record differs:\n%s", firstDifference(got, want))
	}
	if r.server.asked != asked {
		t.Error("Prometheus was asked")
	}
	energy := func(r *rig) map[string]float64 {
		all := map[string]float64{}
		for _, t := range r.summary().Totals {
			all[t.Project] += float64(t.Energy.Total())
		}
		return all
	}
	for project, kwh := range energy(want) {
		b, a := done.Before[project], done.After[project]
		if b != dry.Before[project] || a != dry.After[project] {
			t.Errorf("%s: %v to %v, the dry run said %v to %v", project, b, a, dry.Before[project], dry.After[project])
		}
		if !near(float64(a.Energy), kwh) || a.Energy == b.Energy || !b.Priced || !a.Priced {
			t.Errorf("%s: %v to %v, want %v kWh", project, b, a, kwh)
		}
	}
	if len(done.After) != 2 {
		t.Errorf("projects are %v", done.After)
	}
	changes := r.proof(usage.Interval{Start: start.Add(-28 * time.Hour), Length: 30 * time.Minute}).Changes
	if len(changes) != 1 || changes[0].Why != usage.BecauseRecost {
		t.Errorf("changes are %+v", changes)
	}

	// And back again.
	if _, err := r.recost(hours(-28, -20).restated()); err != nil {
		t.Fatal(err)
	}
	if got := r.dump(); got != before {
		t.Errorf("and back again the record differs:\n%s", firstDifference(got, before))
	}
}

func TestARecostLeavesWhatIsSettled(t *testing.T) {
	r := aged(t)
	r.mustBackfill(hours(-28, -20))
	done, err := r.recost(hours(-28, -20), watts(24, 2, 1))
	if err != nil || done.All != 8 || done.Finished != 8 {
		t.Errorf("%+v, %v", done, err)
	}
	wantDone(t, done.Done, map[usage.State]int{usage.Provisional: 8}, 0, map[error]int{usage.ErrSettled: 8})
	kwh := func(from, to time.Time) float64 {
		accounts, err := r.store.Accounts(t.Context(), usage.Period{From: from, To: to})
		if err != nil {
			t.Fatal(err)
		}
		site := accounts[0].By(usage.ScopeAda)[0]
		return float64(site.Energy.Total()) / float64(site.CPU.Busy*12+site.CPU.Idle) * 3.6e6
	}
	if was, is := kwh(start.Add(-28*time.Hour), start.Add(-24*time.Hour)), kwh(start.Add(-24*time.Hour), start.Add(-20*time.Hour)); !near(was, 1) || !near(is, 2) {
		t.Errorf("settled intervals have %v times the energy, provisional ones %v; want 1 and 2", was, is)
	}
}

func TestARecostByAnotherProvider(t *testing.T) {
	contract := func(s *Settings) {
		s.Grid = Chain{&intensity.Static{Intensity: 100, GridName: "contract", Now: func() time.Time { return start }}}
	}
	want := aged(t, contract)
	want.mustBackfill(hours(-28, -20))
	r := aged(t)
	r.mustBackfill(hours(-28, -20))
	dry, err := r.recost(hours(-28, -20).restated().dry(), contract)
	if err != nil {
		t.Fatal(err)
	}
	done, err := r.recost(hours(-28, -20).restated(), contract)
	if err != nil {
		t.Fatal(err)
	}
	for project, a := range done.After {
		if !near(float64(a.Emissions), float64(a.Energy)*100) || a != dry.After[project] || a.Energy != done.Before[project].Energy {
			t.Errorf("%s: %+v to %+v, the dry run said %+v", project, done.Before[project], a, dry.After[project])
		}
	}
	got := map[string]sums{}
	maps.Copy(got, want.scope("ada"))
	for ts, s := range r.scope("ada") {
		if got[ts] != s {
			t.Errorf("%s: %v, want %v", ts, s, got[ts])
		}
	}
	changes := r.proof(usage.Interval{Start: start.Add(-22 * time.Hour), Length: 30 * time.Minute}).Changes
	if len(changes) != 1 || changes[0].Why != usage.BecauseRecost || changes[0].Was.Provider != "uk" || changes[0].Is.Provider != "static" {
		t.Errorf("changes are %+v", changes)
	}
	// A provider that has none leaves what there is.
	unheard := func(s *Settings) {
		s.Grid = Chain{&intensity.UK{Upstream: local(r.grid), URL: "http://grid.test/none", RegionID: 3, Now: func() time.Time { return r.now }}}
	}
	before := r.dump()
	none, err := r.recost(hours(-28, -20).restated(), unheard)
	if err != nil || none.NoPrice != 16 || none.NoCarbon == nil {
		t.Errorf("%+v, %v", none, err)
	}
	if got := r.dump(); got != before {
		t.Errorf("the record differs:\n%s", firstDifference(got, before))
	}
}

func TestLastYearsHardwareKeepsLastYearsWatts(t *testing.T) {
	r := aged(t)
	r.mustBackfill(hours(-28, -20))
	turn := start.Add(-24 * time.Hour)
	for _, a := range []store.MachineAverage{
		{Rating: usage.Rating{Machine: "Muon", Watts: usage.BusyIdle[usage.Watts]{Busy: 24, Idle: 2}, Source: "old"}, From: start.Add(-1000 * time.Hour), To: turn},
		{Rating: usage.Rating{Machine: "Muon", Watts: usage.BusyIdle[usage.Watts]{Busy: 6, Idle: 0.5}, Source: "new"}, From: turn},
	} {
		if _, err := r.store.SaveMachineAverage(t.Context(), a); err != nil {
			t.Fatal(err)
		}
	}
	stored := func(s *Settings) {
		s.Power = func(ctx context.Context, at time.Time) (Power, error) {
			all, err := r.store.MachineAverages(ctx, at)
			return power.Model{Default: usage.Rating{Watts: usage.BusyIdle[usage.Watts]{Busy: 12, Idle: 1}}, Stored: all}, err
		}
	}
	if _, err := r.recost(hours(-28, -20).restated(), stored); err != nil {
		t.Fatal(err)
	}
	for _, day := range []struct {
		from  time.Time
		times float64 // the energy at 12 and 1 W
	}{{start.Add(-48 * time.Hour), 2}, {turn, 0.5}} {
		accounts, err := r.store.Accounts(t.Context(), usage.Period{From: day.from, To: day.from.Add(24 * time.Hour)})
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range accounts[0].By(usage.ScopeMachine) {
			times := day.times
			if m.Name != "Muon" {
				times = 1
			}
			if got, want := float64(m.Energy.Total()), times*float64(m.CPU.Busy*12+m.CPU.Idle)/3.6e6; !near(got, want) {
				t.Errorf("%s from %s: %v kWh, want %v", m.Name, day.from, got, want)
			}
		}
	}
}

func TestARecostOfNothing(t *testing.T) {
	r := aged(t)
	done, err := r.recost(hours(-28, -20).restated())
	if err != nil || done.All != 0 || len(done.After) != 0 {
		t.Errorf("%+v, %v", done, err)
	}
	r.server.retention = start
	r.mustBackfill(hours(-28, -20))
	if done, err := r.recost(hours(-28, -20).restated()); err != nil || done.All != 0 {
		t.Errorf("of empty intervals: %+v, %v", done, err)
	}
}

// The grid is asked for what is not final in the store, and for nothing else.
func TestARecostAsksTheGridForLittle(t *testing.T) {
	r := aged(t)
	r.mustBackfill(hours(-40, -36))
	r.mustBackfill(hours(-4, 0))
	for _, c := range []struct {
		over     Range
		all, ask int
	}{{hours(-40, -30), 8, 0}, {hours(-40, 0), 16, 1}} {
		asked := r.grid.Requests()
		if done, err := r.recost(c.over.restated(), watts(1, 1, 1)); err != nil || done.All != c.all {
			t.Errorf("%+v, %v", done, err)
		}
		if n := r.grid.Requests() - asked; n != c.ask {
			t.Errorf("from %v: the grid was asked %d times, want %d", c.over.From, n, c.ask)
		}
	}
}

func TestWhatIsDueStaysDue(t *testing.T) {
	g := &registry{}
	r := aged(t, g.settings)
	if err := r.learn(); err != nil {
		t.Fatal(err)
	}
	r.both()
	g.census = directory.Census{People: people("eve"), Workspaces: []directory.Workspace{{Document: "1", Host: "10.0.0.3", Owner: "eve", Created: start.Add(-90 * time.Hour)}}}
	if err := r.learn(); err != nil {
		t.Fatal(err)
	}
	if done, err := r.recost(hours(-24, 0), watts(24, 2, 1)); err != nil || done.All != 48 {
		t.Fatalf("%+v, %v", done, err)
	}
	if r.users()["eve"] != 0 {
		t.Fatal("a recost asks nobody whose it was")
	}
	r.both()
	if r.users()["eve"] == 0 {
		t.Error("what was to be attributed again is forgotten")
	}
}

// A recost says what making the machines emitted, before and after. What was not known is not 0.
func TestARecostOfEmbodiedEmissions(t *testing.T) {
	r := aged(t)
	r.mustBackfill(hours(-28, -27))
	hardware := func(s *Settings) {
		s.Embodied = func(string, usage.Interval) (usage.GramsPerCoreHour, bool) { return 0.5, true }
	}
	dry, err := r.recost(hours(-28, -27).restated().dry(), hardware)
	if err != nil {
		t.Fatal(err)
	}
	done, err := r.recost(hours(-28, -27).restated(), hardware)
	if err != nil {
		t.Fatal(err)
	}
	if !maps.Equal(dry.After, done.After) {
		t.Errorf("a dry run promises %+v, and it is %+v", dry.After, done.After)
	}
	all := map[string]usage.Grams{}
	for _, total := range r.summary().Totals {
		all[total.Project] += total.Embodied
	}
	for project, is := range done.After {
		if was := done.Before[project]; was.Hardware || was.Embodied != 0 {
			t.Errorf("%s: nothing was known before, and it is %+v", project, was)
		}
		if !is.Hardware || is.Embodied <= 0 || math.Abs(float64(is.Embodied-all[project])) > 1e-9 {
			t.Errorf("%s: %+v, in the store are %v g", project, is, all[project])
		}
	}
}
