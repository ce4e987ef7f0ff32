// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"fmt"
	"math/rand"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// randomAttendance has some hosts of some projects, some of them in doubt.
func randomAttendance(r *rand.Rand) *usage.Attendance {
	reading := usage.Reading{Present: map[string]usage.Presence{}, Final: r.Intn(2) == 0}
	for p := range 4 {
		hosts := r.Intn(5)
		if hosts == 0 {
			continue
		}
		project := fmt.Sprint("p", p)
		reading.Present[project] = usage.Presence{Hosts: hosts, Cores: hosts * 4}
		for h := range r.Intn(hosts + 1) {
			reading.Doubts = append(reading.Doubts, doubt(project, fmt.Sprint("h", h), usage.HostStates()[1+r.Intn(2)], usage.DoubtReasons()[r.Intn(9)]))
		}
	}
	if r.Intn(3) == 0 {
		reading.Unlisted = map[string]float64{"interrupt": r.Float64()}
	}
	return usage.Attend([]usage.Reading{reading})
}

func doubt(project, host string, state usage.HostState, why usage.DoubtReason) usage.Doubt {
	return usage.Doubt{
		Series: usage.Series{Project: project, Machine: "m", Host: host}, Cores: 4, State: state, Reason: why, Detail: "as seen on " + host,
	}
}

// attending adds the hosts of a reading to a record.
func attending(rec usage.Record, reading usage.Reading) usage.Record {
	rec.Attendance = usage.Attend([]usage.Reading{reading})
	return rec
}

func proofOf(t *testing.T, s *Store, i usage.Interval) usage.Proof {
	t.Helper()
	p, err := s.Proof(t.Context(), i)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// three hosts of a project, one of each state.
func mixed(final bool) usage.Reading {
	return usage.Reading{
		Present: map[string]usage.Presence{"IDAaaS": {Hosts: 3, Cores: 12}}, Final: final, Unlisted: map[string]float64{"interrupt": 0.02},
		Doubts: []usage.Doubt{
			doubt("IDAaaS", "b", usage.HostRefused, usage.DoubtLeap), doubt("IDAaaS", "a", usage.HostInterpolated, usage.DoubtHole),
		},
	}
}

func exact(hosts int) usage.Reading {
	return usage.Reading{Present: map[string]usage.Presence{"IDAaaS": {Hosts: hosts, Cores: 4 * hosts}}, Final: true}
}

func TestWhoWasThereIsStoredWithTheInterval(t *testing.T) {
	s := newStore(t)
	rec := attending(threeKeys(at(1)), mixed(true))
	rec.Queries = usage.Queries{Busy: "b", Idle: "i", Growth: true}
	commit(t, s, rec, threeKeys(at(2)))
	p := proofOf(t, s, at(1))
	if !reflect.DeepEqual(p.Attendance, rec.Attendance) || !p.Queries.Growth {
		t.Errorf("stored %+v, growth %v\nwant %+v", p.Attendance, p.Queries.Growth, rec.Attendance)
	}
	if p := proofOf(t, s, at(2)); p.Attendance != nil {
		t.Errorf("nothing is known of the second, stored is %+v", p.Attendance)
	}
	if a := summary(t, s).Attended; a.Interval != at(2) || a.Attendance != nil {
		t.Errorf("the newest interval is %+v", a)
	}

	// What replaces an interval replaces them, an empty one as well.
	commit(t, s, attending(threeKeys(at(1)), exact(2)))
	if p := proofOf(t, s, at(1)); len(p.Attendance.Doubts)+len(p.Attendance.Doubtful)+len(p.Attendance.Unlisted) > 0 || p.Attendance.Present["IDAaaS"].Hosts != 2 {
		t.Errorf("replaced: %+v", p.Attendance)
	}
	commit(t, s, threeKeys(at(1)))
	for _, table := range []string{"interval_hosts", "interval_doubts", "interval_doubt"} {
		if rows := readRows(t, s.reader, "SELECT * FROM "+table); len(rows) > 0 {
			t.Errorf("%s keeps %v", table, rows)
		}
	}
}

func TestAnIntervalInWhichAllHostsAreRefusedIsTheNewest(t *testing.T) {
	s := newStore(t)
	commit(t, s, attending(threeKeys(at(1)), exact(2)))
	empty := usage.Record{Interval: at(2), State: usage.Empty, FetchedAt: at(3).Start}
	commit(t, s, attending(empty, usage.Reading{Present: map[string]usage.Presence{}}))
	if a := summary(t, s).Attended; a.Interval != at(1) || a.Attendance.Hosts("IDAaaS")[usage.HostExact] != 2 {
		t.Errorf("with nobody there since, the newest is %+v", a)
	}
	refused := usage.Reading{Present: map[string]usage.Presence{"CLF": {Hosts: 1, Cores: 4}}, Doubts: []usage.Doubt{doubt("CLF", "a", usage.HostRefused, usage.DoubtShort)}}
	empty.Coverage = map[string]usage.Coverage{"CLF": {Capacity: 7200}}
	commit(t, s, attending(empty, refused))
	a := summary(t, s).Attended
	if a.Interval != at(2) || a.Attendance.Hosts("CLF")[usage.HostRefused] != 1 || a.Coverage["CLF"].Capacity != 7200 {
		t.Errorf("the newest is %+v", a)
	}
	if n := summary(t, s).Newest.Interval; n != at(1) {
		t.Errorf("the newest usage is of %v", n)
	}
}

func TestOneProjectsHostsAreReplacedAlone(t *testing.T) {
	s := newStore(t)
	both := mixed(true)
	both.Present["CLF"] = usage.Presence{Hosts: 2, Cores: 8}
	both.Doubts = append(both.Doubts, doubt("CLF", "c", usage.HostRefused, usage.DoubtShort))
	commit(t, s, with(attending(threeKeys(at(1)), both), usage.Policy{RereadAt: at(7).Start}))
	one := attending(threeKeys(at(1)), exact(3))
	one.Facts = slices.DeleteFunc(one.Facts, func(f usage.Fact) bool { return f.Project != "IDAaaS" })
	commit(t, s, with(one, usage.Policy{Project: new("IDAaaS")}))
	a := proofOf(t, s, at(1)).Attendance
	if a.Hosts("IDAaaS")[usage.HostExact] != 3 || a.Hosts("CLF")[usage.HostRefused] != 1 || len(a.Doubts) != 1 || a.Unlisted["interrupt"] != 0.02 {
		t.Errorf("stored %+v", a)
	}
	if run := toReread(t, s, at(7).Start); len(run) != 1 {
		t.Errorf("%d to read again: the answer was of one project", len(run))
	}
}

func TestWhichHostsWereInDoubtIsDeletedWithRetention(t *testing.T) {
	s := newStore(t)
	for n := range 48 {
		commit(t, s, withPrice(attending(threeKeys(at(n)), mixed(false)), 200, usage.Settled))
	}
	commit(t, s, withPrice(threeKeys(at(48*keptDays+60)), 200, usage.Settled))
	if p := pruneAll(t, s, at(48*keptDays+61).Start, ""); p.Intervals != 48 {
		t.Fatalf("%+v", p)
	}
	p := proofOf(t, s, at(1))
	if !p.Pruned || len(p.Attendance.Doubts) != 0 || p.Attendance.Hosts("IDAaaS")[usage.HostRefused] != 1 {
		t.Errorf("pruned %v, left is %+v", p.Pruned, p.Attendance)
	}
	if rows := readRows(t, s.reader, "SELECT * FROM interval_doubt"); len(rows) != 0 {
		t.Errorf("%d are left", len(rows))
	}
}

func toReread(t *testing.T, s *Store, now time.Time) []usage.Reread {
	t.Helper()
	run, err := s.ToReread(t.Context(), now, 5*time.Hour, 99)
	if err != nil {
		t.Fatal(err)
	}
	return run
}

func TestEachAnswerIsReadASecondTime(t *testing.T) {
	s := newStore(t)
	again := func(i usage.Interval) usage.Policy { return usage.Policy{RereadAt: i.End().Add(3 * time.Hour)} }
	empty := usage.Record{Interval: at(3), State: usage.Empty, FetchedAt: at(4).Start}
	commit(t, s, with(attending(threeKeys(at(1)), exact(2)), again(at(1))), with(threeKeys(at(2)), again(at(2))), with(empty, again(at(3))),
		threeKeys(at(4)), with(attending(threeKeys(at(5)), mixed(true)), again(at(5))),
		with(withPrice(threeKeys(at(6)), 200, usage.Settled), again(at(6))))
	now := at(6).End().Add(3 * time.Hour)
	if run := toReread(t, s, at(1).End().Add(3*time.Hour-time.Second)); len(run) != 0 {
		t.Errorf("%+v are read again too early", run)
	}
	run := toReread(t, s, now)
	if len(run) != 3 || run[0].Interval != at(1) || !run[0].Sure || run[0].Present["IDAaaS"].Hosts != 2 || run[1].Present != nil || run[1].Sure || run[2].State != usage.Empty {
		t.Fatalf("to be read again: %+v", run)
	}
	if err := s.Reread(t.Context(), []usage.Interval{at(1), at(2)}); err != nil {
		t.Fatal(err)
	}
	if run := toReread(t, s, now); len(run) != 1 || run[0].Interval != at(3) {
		t.Errorf("to be read again: %+v", run)
	}
	if err := s.RereadLater(t.Context(), at(3), now.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	if run := toReread(t, s, now); len(run) != 1 || run[0].Interval != at(5) || run[0].Sure {
		t.Errorf("to be read again: %+v; one that was read once, and one that is settled, are not", run)
	}
	if run := toReread(t, s, now.Add(-5*24*time.Hour)); len(run) != 1 {
		t.Errorf("after a clock that ran ahead %+v are read again", run)
	}
	// An answer that is dropped is an answer.
	less := threeKeys(at(5))
	less.Facts = less.Facts[:1]
	commit(t, s, with(less, usage.Policy{Again: true}))
	if run := toReread(t, s, now); len(run) != 0 {
		t.Errorf("%+v are read again although they were answered", run)
	}
	// One that settles is not read again.
	commit(t, s, with(withPrice(threeKeys(at(7)), 200, usage.Provisional), again(at(7))))
	pending, err := s.Pending(t.Context())
	if err != nil || !pending[len(pending)-1].Reread {
		t.Errorf("pending: %+v, %v", pending, err)
	}
	if err := reprice(t.Context(), s, at(7), priced(at(7), 200), usage.Settled); err != nil {
		t.Fatal(err)
	}
	if rows := readRows(t, s.reader, "SELECT start FROM usage_interval WHERE state = 'settled' AND reread_at IS NOT NULL"); len(rows) != 0 {
		t.Errorf("%v are settled and yet to be read again", rows)
	}
}

func TestTheEndOfAHoleMakesItsIntervalsDueOnce(t *testing.T) {
	s := newStore(t)
	now := at(9).End()
	schedule(t, s, at(1), now)
	empty := usage.Record{Interval: at(4), State: usage.Empty, FetchedAt: at(5).Start}
	commit(t, s, threeKeys(at(1)), threeKeys(at(2)), withPrice(threeKeys(at(3)), 200, usage.Settled),
		with(empty, usage.Policy{AskAgain: at(6).Start}), withPrice(threeKeys(at(5)), 200, usage.Provisional))
	late := threeKeys(at(6))
	late.FetchedAt = at(8).Start
	commit(t, s, late)
	last := threeKeys(at(7))
	last.Hole = usage.Period{From: at(2).Start.Add(time.Minute), To: at(7).End()}
	commit(t, s, last)
	want(t, "what was read in the hole", due(t, s, now, 9), "2unpriced")
	commit(t, s, threeKeys(at(2)))
	want(t, "and after the settled one", due(t, s, now, 9), "4empty 5provisional")
	for _, i := range []usage.Interval{at(4), at(5)} {
		rec := withPrice(threeKeys(i), 200, usage.Provisional)
		rec.FetchedAt = now
		commit(t, s, rec)
	}
	rec := threeKeys(at(2))
	rec.FetchedAt = now
	commit(t, s, rec, last)
	want(t, "the same hole again", due(t, s, now, 9), "8 9")
}

func TestAFullerAnswerIsOneOfMoreMachines(t *testing.T) {
	scaled := func(by float64, hosts int) given {
		rec := attending(threeKeys(at(1)), exact(hosts))
		for i := range rec.Facts {
			rec.Facts[i].CPU.Busy *= usage.CPUSeconds(by)
			rec.Facts[i].CPU.Idle *= usage.CPUSeconds(by)
		}
		return with(rec, usage.Policy{Again: true})
	}
	for _, c := range []struct {
		name string
		rec  given
		kept bool // what there was
	}{
		{"one machine of two thousand is lost", scaled(0.9995, 1999), true},
		{"as many machines, a rounding less", scaled(0.9995, 2000), false},
		{"one more", scaled(1.0005, 2001), false},
		{"fewer that have more", scaled(1.0005, 1999), false},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newStore(t)
			commit(t, s, attending(threeKeys(at(1)), exact(2000)))
			before := dump(t, s)
			commit(t, s, c.rec)
			if kept := dump(t, s) == before; kept != c.kept {
				t.Errorf("kept: %v, want %v", kept, c.kept)
			}
		})
	}
}

// A store that the program of before has written goes on: what is known of hosts stands
// beside intervals of which nothing is.
func TestAStoreOfTheProgramBeforeGoesOnWithHosts(t *testing.T) {
	text, err := os.ReadFile("testdata/schema7.sql")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "carbon.db")
	if err := database(t, path, string(text)).Close(); err != nil {
		t.Fatal(err)
	}
	s := openStore(t, path, Options{Exclusive: true})
	was := summary(t, s).Attended
	if was.Attendance != nil || len(was.Coverage) == 0 {
		t.Fatalf("before: %+v", was)
	}
	if run := toReread(t, s, was.Interval.End().Add(4*time.Hour)); len(run) != 0 {
		t.Errorf("%d intervals of before are read again", len(run))
	}
	next := was.Interval.Next()
	rec := attending(threeKeys(next), mixed(true))
	rec.Queries = usage.Queries{Busy: "b", Idle: "i", Growth: true}
	commit(t, s, rec)
	if a := summary(t, s).Attended; a.Interval != next || a.Attendance.Hosts("IDAaaS")[usage.HostRefused] != 1 {
		t.Errorf("after: %+v", a)
	}
	before, after := proofOf(t, s, was.Interval), proofOf(t, s, next)
	if before.Attendance != nil || before.Queries.Growth || !after.Queries.Growth {
		t.Errorf("before %+v %+v, after %+v", before.Attendance, before.Queries, after.Queries)
	}
	verdicts, err := Verify(t.Context(), path, next.End(), nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range verdicts {
		if v.Count > 0 {
			t.Errorf("%s: %q", v.Check, v.Faults)
		}
	}
}

func TestHostsInDoubtAreListedOverIntervals(t *testing.T) {
	s := newStore(t)
	commit(t, s, attending(threeKeys(at(1)), mixed(true)), attending(threeKeys(at(2)), mixed(true)),
		withPrice(attending(threeKeys(at(3)), usage.Reading{
			Present: map[string]usage.Presence{"IDAaaS": {Hosts: 9}}, Doubts: []usage.Doubt{doubt("IDAaaS", "b", usage.HostRefused, usage.DoubtLeap)},
		}), 200, usage.Provisional), threeKeys(at(4)))
	list := func(p usage.Period, limit int, states ...usage.State) string {
		all, n, err := s.Doubted(t.Context(), p, states, limit)
		if err != nil {
			t.Fatal(err)
		}
		text := fmt.Sprint(n)
		for _, d := range all {
			text += fmt.Sprintf(" %s %s %d to %d", d.Host, d.Reason, d.Intervals, d.Newest.Sub(epoch)/half)
		}
		return text
	}
	for _, c := range []struct{ name, got, want string }{
		{"all", list(usage.Period{}, 9), "2 b leap 3 to 3 a hole 2 to 2"},
		{"the first", list(usage.Period{}, 1), "2 b leap 3 to 3"},
		{"of a period", list(usage.Period{From: at(2).Start, To: at(3).Start}, 9), "2 a hole 1 to 2 b leap 1 to 2"},
		{"in a state", list(usage.Period{}, 9, usage.Provisional, usage.Empty), "1 b leap 1 to 3"},
		{"in another", list(usage.Period{}, 9, usage.Settled), "0"},
	} {
		if c.got != c.want {
			t.Errorf("%s: %s, want %s", c.name, c.got, c.want)
		}
	}
	gaps, err := s.Gaps(t.Context(), usage.Period{})
	if err != nil || len(gaps) != 3 || *gaps[0].Hosts != (usage.HostCount{All: 3, Interpolated: 1, Refused: 1}) ||
		*gaps[1].Hosts != (usage.HostCount{All: 9, Refused: 1}) || gaps[2].Hosts != nil {
		t.Errorf("%+v, %v", gaps, err)
	}
}
