// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package ingest

import (
	"context"
	"errors"
	"maps"
	"math"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/attribution"
	"github.com/carbon-exporter/carbon_exporter/internal/directory"
	"github.com/carbon-exporter/carbon_exporter/internal/power"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// registry is a directory whose records a test writes.
type registry struct {
	down   error
	census directory.Census
}

func (g *registry) settings(s *Settings) {
	s.Workspaces = true
	s.Directory = &Directory{
		Census: func(context.Context) (directory.Census, []directory.RecordReject, error) {
			return g.census, nil, g.down
		},
		Learn: attribution.Learn, Every: 5 * time.Minute,
	}
}

// nameless is a rig whose series have no user, and the address of one host.
func nameless(t *testing.T, g *registry) (*rig, string) {
	t.Helper()
	return namelessBy(t, g.settings)
}

func namelessBy(t *testing.T, change func(*Settings)) (*rig, string) {
	t.Helper()
	r := newRig(t, change)
	truth := r.server.truth
	r.server.truth = func(i usage.Interval) map[usage.Series]usage.BusyIdle[usage.CPUSeconds] {
		all := map[usage.Series]usage.BusyIdle[usage.CPUSeconds]{}
		for s, cpu := range truth(i) {
			s.User = ""
			all[s] = all[s].Plus(cpu)
		}
		return all
	}
	return r, r.cloud.Hosts()[0].Instance
}

func people(ids ...string) (all []directory.Person) {
	for _, id := range ids {
		all = append(all, directory.Person{ID: id})
	}
	return all
}

func (r *rig) users() map[string]float64 {
	all := map[string]float64{}
	for _, t := range r.summary().Totals {
		all[t.User] += float64(t.Energy.Total())
	}
	return all
}

func (r *rig) learn() error {
	return r.spine.librarian().learn(context.Background(), r.spine.current())
}

func TestADirectoryThatComesLateAttributesWhatIsNotSettled(t *testing.T) {
	g := &registry{down: errors.New("nobody answers")}
	r, host := nameless(t, g)
	if err := r.learn(); err == nil {
		t.Fatal("a directory that is down gives no error")
	}
	r.both()
	before := r.users()
	if len(before) != 1 || before[usage.Unattributed] == 0 {
		t.Fatalf("without a directory users are %v", before)
	}
	g.down = nil
	g.census = directory.Census{
		People:     people("ada"),
		Workspaces: []directory.Workspace{{Document: "1", Host: directory.HostName(host), Owner: "ada", Created: start.Add(-72 * time.Hour)}},
	}
	if err := r.learn(); err != nil {
		t.Fatal(err)
	}
	r.both()
	after := r.users()
	if after["ada"] == 0 || !near(after["ada"]+after[usage.Unattributed], before[usage.Unattributed]) {
		t.Errorf("users have %v, were %v", after, before)
	}
	if err := r.learn(); err != nil {
		t.Fatal(err)
	}
	asked := r.server.asked
	r.both()
	if r.server.asked != asked {
		t.Error("nothing new, and Prometheus is asked again")
	}

	// A start without MongoDB goes by what the store remembers.
	g.down = errors.New("nobody answers")
	r.restart()
	r.now = r.now.Add(30 * time.Minute)
	r.both()
	if next := r.users(); next["ada"] <= after["ada"] {
		t.Errorf("after a restart without the directory users have %v, had %v", next, after)
	}
}

func TestSettledIntervalsStayWhoseTheyWere(t *testing.T) {
	g := &registry{}
	r, host := nameless(t, g)
	r.both()
	r.now = r.now.Add(49 * time.Hour)
	r.both()
	r.both()
	_, settled, _ := r.site()
	if settled == 0 {
		t.Fatal("nothing is settled")
	}
	g.census = directory.Census{
		People:     people("ada"),
		Workspaces: []directory.Workspace{{Document: "1", Host: directory.HostName(host), Owner: "ada", Created: start.Add(-72 * time.Hour)}},
	}
	if err := r.learn(); err != nil {
		t.Fatal(err)
	}
	r.both()
	_, after, _ := r.site()
	if !near(float64(after), float64(settled)) {
		t.Errorf("settled energy was %v, is %v", settled, after)
	}
	for _, total := range r.summary().Totals {
		if total.User == "ada" && total.SettledEnergy.Total() != 0 {
			t.Error("settled usage has another user now")
		}
	}
}

// A first start reaches back for days, all of them old enough to be final.
func TestOldIntervalsAreNotFinalBeforeTheDirectoryWasRead(t *testing.T) {
	late := func() (*rig, *registry) {
		g := &registry{down: errors.New("nobody answers yet")}
		r, host := nameless(t, g)
		g.census = directory.Census{
			People:     people("ada"),
			Workspaces: []directory.Workspace{{Document: "1", Host: directory.HostName(host), Owner: "ada", Created: start.Add(-100 * time.Hour)}},
		}
		set := r.spine.current()
		set.Lookback = 72 * time.Hour
		r.spine.Reload(set)
		if err := r.learn(); err == nil {
			t.Fatal("a directory that is down gives no error")
		}
		r.both()
		r.both()
		if n := r.states(); n[usage.Settled] != 0 || n[usage.Provisional] < 140 {
			t.Fatalf("before the directory was read, intervals by state are %v", n)
		}
		return r, g
	}
	settled := func(r *rig, user string) (kwh usage.KWh) {
		for _, total := range r.summary().Totals {
			if total.User == user {
				kwh += total.SettledEnergy.Total()
			}
		}
		return kwh
	}

	r, g := late()
	g.down = nil
	if err := r.learn(); err != nil {
		t.Fatal(err)
	}
	if err := r.carbon(); err != nil {
		t.Fatal(err)
	}
	if n := r.states(); n[usage.Settled] != 0 {
		t.Errorf("%d intervals are final before they were attributed again", n[usage.Settled])
	}
	r.both()
	if n := r.states(); n[usage.Settled] < 90 || settled(r, "ada") == 0 {
		t.Errorf("intervals by state are %v, ada has %v kWh that are final", n, settled(r, "ada"))
	}

	r, _ = late()
	r.now = r.now.Add(24 * time.Hour)
	r.both()
	if n := r.states(); n[usage.Settled] < 90 || settled(r, "ada") != 0 {
		t.Errorf("a day without MongoDB: intervals by state are %v, ada has %v kWh that are final", n, settled(r, "ada"))
	}
}

func TestABackfillReadsTheDirectoryFirst(t *testing.T) {
	for _, down := range []error{nil, errors.New("nobody answers")} {
		g := &registry{down: down}
		r, host := nameless(t, g)
		g.census = directory.Census{
			People:     people("ada"),
			Workspaces: []directory.Workspace{{Document: "1", Host: directory.HostName(host), Owner: "ada", Created: start.Add(-100 * time.Hour)}},
		}
		last := Range{Period: usage.Period{From: start.Add(-48 * time.Hour), To: start.Add(-24 * time.Hour)}}
		if done, err := r.tool().Backfill(t.Context(), last); err != nil || done.Finished != 48 {
			t.Fatalf("%+v, %v", done, err)
		}
		switch n := r.states(); {
		case down == nil && (r.users()["ada"] == 0 || n[usage.Settled] == 0):
			t.Errorf("users have %v, intervals by state are %v", r.users(), n)
		case down != nil && (r.users()[usage.Unattributed] == 0 || n[usage.Settled] != 0):
			t.Errorf("without a directory users have %v, intervals by state are %v", r.users(), n)
		}
	}
}

func TestAHalfHourOfTwoOwnersIsDivided(t *testing.T) {
	g := &registry{}
	r, host := nameless(t, g)
	name, handover := directory.HostName(host), start.Add(-20*time.Minute)
	g.census = directory.Census{People: people("ada", "bob"), Workspaces: []directory.Workspace{
		{Document: "1", Host: name, Owner: "ada", Created: start.Add(-30 * time.Minute), Deleted: handover},
		{Document: "2", Host: name, Owner: "bob", Created: handover},
	}}
	if err := r.learn(); err != nil {
		t.Fatal(err)
	}
	r.both()
	users := r.users()
	if !near(2*users["ada"], users["bob"]) || users["ada"] == 0 {
		t.Errorf("ten minutes of ada and twenty of bob, by time: %v", users)
	}
}

func TestTheHostsOfTheNewestPollAreTheActiveWorkspaces(t *testing.T) {
	g := &registry{}
	r, host := nameless(t, g)
	began := start.Add(-5 * time.Hour)
	g.census = directory.Census{
		People:     people("ada"),
		Workspaces: []directory.Workspace{{Document: "1", Host: directory.HostName(host), Owner: "ada", Created: began}},
	}
	if err := r.learn(); err != nil {
		t.Fatal(err)
	}
	r.both()
	active, err := r.store.Active(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	found := false
	for _, a := range active {
		if a.Host != host {
			continue
		}
		found = true
		if a.User != "ada" || !a.Started.Equal(began) || !near(float64(a.Energy.Total()), r.users()["ada"]) || !a.Priced {
			t.Errorf("got %+v; ada has %v", a, r.users()["ada"])
		}
	}
	if !found {
		t.Errorf("%s is not among %v", host, active)
	}
}

// box is a usage writer that keeps what it gets, and can be away.
type box struct {
	down     error
	contents map[time.Time]usage.Rollup
}

func (*box) Name() string                    { return "box" }
func (b *box) Prepare(context.Context) error { return b.down }
func (b *box) Write(_ context.Context, rollups []usage.Rollup) error {
	if b.down != nil {
		return b.down
	}
	for _, p := range rollups {
		b.contents[p.Interval.Start] = p
	}
	return nil
}

func TestAUsageWriterThatWasAwayGetsEverythingOnce(t *testing.T) {
	b := &box{contents: map[time.Time]usage.Rollup{}, down: errors.New("away")}
	r := newRig(t)
	write := func() error { return r.spine.writerLoop().write(context.Background(), b) }
	if err := r.energy(); err != nil {
		t.Fatal(err)
	}
	if err := write(); err == nil {
		t.Fatal("a writer that is away gives no error")
	}
	b.down = nil
	if err := write(); err != nil {
		t.Fatal(err)
	}
	r.restart()
	if err := errors.Join(r.carbon(), write()); err != nil { // restated: priced now
		t.Fatal(err)
	}
	groups, users := map[string]float64{}, map[string]float64{}
	for at, p := range b.contents {
		for _, g := range p.Groups {
			groups["kwh"] += float64(g.Energy.Total())
			if g.Emissions == nil {
				t.Fatalf("%v has no grams", at)
			}
			groups["grams"] += float64(g.Emissions.Total())
		}
		for _, u := range p.Users {
			users["kwh"] += float64(u.Energy.Total())
			users["grams"] += float64(u.Emissions.Total())
		}
	}
	kwh, _, grams := r.site()
	for _, got := range []map[string]float64{groups, users} {
		if len(b.contents) != 48 || !near(got["kwh"], float64(kwh)) || !near(got["grams"], float64(grams)) {
			t.Errorf("%d intervals, %v; the site used %v kWh, %v g", len(b.contents), maps.Clone(got), kwh, grams)
		}
	}
	if n, err := r.store.RollupsPending(context.Background(), b.Name()); n != 0 || err != nil {
		t.Errorf("%d are left, %v", n, err)
	}
}

func TestPartsAddUpToTheirHost(t *testing.T) {
	parts := []usage.Part{
		{Series: usage.Series{Host: "a"}, Key: usage.Key{User: "x", Machine: "m"}, To: start, CPU: usage.BusyIdle[usage.CPUSeconds]{Busy: 0.1}},
		{Series: usage.Series{Host: "a"}, Key: usage.Key{User: "y", Machine: "m"}, To: start, CPU: usage.BusyIdle[usage.CPUSeconds]{Busy: 0.2}},
		{Series: usage.Series{Host: usage.Unknown}, Key: usage.Key{User: "y", Machine: "m"}, To: start, CPU: usage.BusyIdle[usage.CPUSeconds]{Busy: 5}},
	}
	all := loads(power.Model{}, nil, attributed{parts: parts}, nil)
	none := func(string) usage.Rating { return usage.Rating{} }
	got := hostsIn(power.Model{}, all, start, none, 1)
	if len(got) != 1 || got[0].Host != "a" || math.Abs(float64(got[0].CPU.Busy)-0.3) > 1e-12 {
		t.Errorf("got %+v", got)
	}
	if facts := factsOf(power.Model{}, all, start, none, 1); len(facts) != 2 {
		t.Errorf("got %+v", facts)
	}
}

// The page is turned while a run is being stored: what was composed by the old one
// is not, and is composed again. Nobody waits for anybody.
func TestAPageThatIsTurnedInMidRunIsNoticed(t *testing.T) {
	g := &registry{}
	r, host := nameless(t, g)
	if err := r.learn(); err != nil {
		t.Fatal(err)
	}
	g.census = directory.Census{
		People:     people("ada"),
		Workspaces: []directory.Workspace{{Document: "1", Host: directory.HostName(host), Owner: "ada", Created: start.Add(-72 * time.Hour)}},
	}
	learned := make(chan error, 1)
	turned := &turning{Store: r.store, turn: func() {
		go func() { learned <- r.learn() }() // waits for the store, which is being written
		for old := r.spine.book.current.Load(); r.spine.book.current.Load() == old; {
			time.Sleep(time.Millisecond)
		}
	}}
	r.live.collector.store = turned
	if err := r.energy(); err != nil {
		t.Fatal(err)
	}
	if err := <-learned; err != nil {
		t.Fatal(err)
	}
	if turned.calls < 2 {
		t.Errorf("the run was stored %d times, want a second time", turned.calls)
	}
	if users := r.users(); users["ada"] == 0 {
		t.Errorf("users are %v", users)
	}
}

// turning turns the page inside the first transaction, before it is decided what is
// stored.
type turning struct {
	Store
	turn  func()
	calls int
}

func (s *turning) Update(ctx context.Context, run []usage.Interval, decide usage.Decide) ([]usage.Outcome, error) {
	s.calls++
	first := s.calls == 1
	return s.Store.Update(ctx, run, func(was usage.Stored) (usage.Record, usage.Policy, error) {
		if first {
			first = false
			s.turn()
		}
		return decide(was)
	})
}
