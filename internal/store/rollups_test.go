// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"errors"
	"math"
	"math/rand"
	"reflect"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

func postings(tb testing.TB, s *Store, follower string, limit int) []usage.Rollup {
	tb.Helper()
	all, err := s.Rollups(tb.Context(), follower, limit)
	if err != nil {
		tb.Fatal(err)
	}
	return all
}

func arrived(tb testing.TB, s *Store, follower string, revision int64) {
	tb.Helper()
	if err := s.RollupsWritten(tb.Context(), follower, revision); err != nil {
		tb.Fatal(err)
	}
}

// replica is another system that replaces what it has of each interval.
type replica map[time.Time]usage.Rollup

// follow takes over all there is, so many at a time.
func (r replica) follow(tb testing.TB, s *Store, follower string, limit int) {
	tb.Helper()
	last := int64(0)
	for {
		some := postings(tb, s, follower, limit)
		if len(some) == 0 {
			return
		}
		for _, p := range some {
			if p.Revision <= last {
				tb.Fatalf("revision %d comes after %d", p.Revision, last)
			}
			last = p.Revision
			r[p.Interval.Start] = p
		}
		arrived(tb, s, follower, last)
	}
}

func TestAPostingAddsUpByGroupAndByUser(t *testing.T) {
	s := newStore(t)
	commit(t, s, threeKeys(at(1)))
	p := postings(t, s, "mongodb", 9)
	if len(p) != 1 || p[0].Interval != at(1) || p[0].State != usage.Unpriced || p[0].Intensity != nil || p[0].Users[0].Emissions != nil {
		t.Fatalf("unpriced it is %+v", p)
	}
	if err := reprice(t.Context(), s, at(1), priced(at(1), 200), usage.Provisional); err != nil {
		t.Fatal(err)
	}
	again := postings(t, s, "mongodb", 9)
	if len(again) != 1 || again[0].Revision <= p[0].Revision || *again[0].Intensity != 200 || again[0].State != usage.Provisional {
		t.Fatalf("priced it is %+v", again)
	}
	for _, c := range []struct {
		what       string
		of         []usage.RollupMember
		names      []string
		kwh, grams []float64
	}{
		{"groups", again[0].Groups, []string{"CLF", "ISIS"}, []float64{0.004, 0.087}, []float64{0.8, 17.4}},
		{"users", again[0].Users, []string{"a", "b", "unattributed"}, []float64{0.075, 0.012, 0.004}, []float64{15, 2.4, 0.8}},
	} {
		if len(c.of) != len(c.names) {
			t.Fatalf("%s are %+v", c.what, c.of)
		}
		for i, got := range c.of {
			if got.Name != c.names[i] || math.Abs(float64(got.Energy.Total())-c.kwh[i]) > 1e-12 || math.Abs(float64(got.Emissions.Total())-c.grams[i]) > 1e-9 {
				t.Errorf("%s: got %+v, want %s with %v kWh and %v g", c.what, got, c.names[i], c.kwh[i], c.grams[i])
			}
		}
	}
	if n, err := s.RollupsPending(t.Context(), "mongodb"); n != 1 || err != nil {
		t.Errorf("%d to post, %v", n, err)
	}
	arrived(t, s, "mongodb", again[0].Revision)
	if n, err := s.RollupsPending(t.Context(), "mongodb"); n != 0 || err != nil || len(postings(t, s, "mongodb", 9)) != 0 {
		t.Errorf("%d to post, %v", n, err)
	}
	if len(postings(t, s, "another", 9)) != 1 {
		t.Error("another follower has a position of its own")
	}
}

func TestWhatOthersWouldNotSeeIsNoNews(t *testing.T) {
	s := newStore(t)
	commit(t, s, withPrice(threeKeys(at(1)), 200, usage.Provisional))
	revision := postings(t, s, "f", 9)[0].Revision
	arrived(t, s, "f", revision)
	schedule(t, s, at(1), at(3).End())
	commit(t, s, withPrice(threeKeys(at(1)), 200, usage.Provisional), threeKeys(at(1)),
		usage.Record{Interval: at(2), State: usage.Empty, FetchedAt: at(9).Start})
	later := priced(at(1), 200)
	later[0].FetchedAt = at(50).Start
	if err := reprice(t.Context(), s, at(1), later, usage.Provisional); err != nil {
		t.Fatal(err)
	}
	if p := postings(t, s, "f", 9); len(p) != 0 {
		t.Errorf("got %+v", p)
	}
	if err := reprice(t.Context(), s, at(1), later, usage.Settled); err != nil {
		t.Fatal(err)
	}
	if p := postings(t, s, "f", 9); len(p) != 1 || p[0].State != usage.Settled {
		t.Errorf("that it is settled is news, got %+v", p)
	}
}

func TestARevisionIsNeverUsedTwice(t *testing.T) {
	s := newStore(t)
	commit(t, s, threeKeys(at(1)), threeKeys(at(2)))
	replica{}.follow(t, s, "f", 9)
	// What was not kept took the newest revision with it.
	execute(t, s.writer, "DELETE FROM usage_interval WHERE start = ?", at(2).Start.Unix())
	commit(t, s, threeKeys(at(3)))
	if p := postings(t, s, "f", 9); len(p) != 1 || p[0].Interval != at(3) {
		t.Errorf("got %+v, want the interval that is new", p)
	}
}

func TestAFollowerEndsEqualToTheStore(t *testing.T) {
	for seed := range int64(6) {
		s := newStore(t)
		r := rand.New(rand.NewSource(seed))
		steady, lazy := replica{}, replica{}
		var alias string
		for range 40 {
			i := at(r.Intn(8))
			var err error
			switch r.Intn(6) {
			case 0:
				state := []usage.State{usage.Provisional, usage.Settled}[r.Intn(2)]
				err = reprice(t.Context(), s, i, priced(i, 50+r.Float64()*300), state)
				if err != nil && len(readRows(t, s.reader, "SELECT 1 FROM usage_fact WHERE start = ?", i.Start.Unix())) == 0 {
					err = nil // nothing to price yet
				}
			case 1:
				err = commitOne(t.Context(), s, usage.Record{Interval: i, State: usage.Empty, FetchedAt: i.End()})
			case 2:
				if alias == "" && r.Intn(4) == 0 {
					alias, _, err = s.Forget(t.Context(), "u1")
				}
			default:
				err = commitOne(t.Context(), s, randomRecord(r, i))
			}
			if err != nil && !errors.Is(err, usage.ErrSettled) {
				t.Fatal(err)
			}
			if r.Intn(3) == 0 {
				steady.follow(t, s, "steady", 1+r.Intn(4))
			}
		}
		steady.follow(t, s, "steady", 3)
		lazy.follow(t, s, "lazy", 100)
		if !reflect.DeepEqual(steady, lazy) {
			t.Fatalf("seed %d: who followed step by step has\n%+v\nwho came late\n%+v", seed, steady, lazy)
		}
		holdReplica(t, s, lazy)
	}
}

// holdReplica wants the postings to be the site, interval by interval, and what
// fact_usage says of each user.
func holdReplica(t *testing.T, s *Store, r replica) {
	t.Helper()
	intervals := map[time.Time]bool{}
	for _, row := range readRows(t, s.reader, `SELECT start, busy_cpu_seconds_total, idle_cpu_seconds_total, busy_kwh, idle_kwh, busy_gCo2eq, idle_gCo2eq, state
		FROM usage_interval JOIN fact_usage ON scope = 'ada' AND unixepoch(ts) = start`) {
		start := unix(row[0].(int64))
		intervals[start] = true
		p := r[start]
		if string(p.State) != row[7] {
			t.Errorf("%s is %s, posted %s", start, row[7], p.State)
		}
		for what, members := range map[string][]usage.RollupMember{"groups": p.Groups, "users": p.Users} {
			if got := total(members); !same(got, row[1:7]) {
				t.Errorf("%s: %s add up to %v, the site is %v", start, what, got, row[1:7])
			}
		}
		users := map[string][]any{}
		for _, u := range readRows(t, s.reader, `SELECT user_id, busy_cpu_seconds_total, idle_cpu_seconds_total, busy_kwh, idle_kwh, busy_gCo2eq, idle_gCo2eq
			FROM fact_usage WHERE scope = 'user' AND unixepoch(ts) = ?`, row[0]) {
			users[u[0].(string)] = u[1:]
		}
		for _, u := range p.Users {
			if got := total([]usage.RollupMember{u}); !reflect.DeepEqual(got, users[u.Name]) {
				t.Errorf("%s: %s has %v, fact_usage %v", start, u.Name, got, users[u.Name])
			}
			delete(users, u.Name)
		}
		if len(users) > 0 {
			t.Errorf("%s: not posted: %v", start, users)
		}
	}
	if len(intervals) != len(r) {
		t.Errorf("%d intervals have facts, posted %d", len(intervals), len(r))
	}
}

func total(members []usage.RollupMember) []any {
	var sums [6]float64
	priced := true
	for _, m := range members {
		for i, v := range []float64{float64(m.CPU.Busy), float64(m.CPU.Idle), float64(m.Energy.Busy), float64(m.Energy.Idle)} {
			sums[i] += v
		}
		if priced = priced && m.Emissions != nil; priced {
			sums[4] += float64(m.Emissions.Busy)
			sums[5] += float64(m.Emissions.Idle)
		}
	}
	all := []any{sums[0], sums[1], sums[2], sums[3], nil, nil}
	if priced {
		all[4], all[5] = sums[4], sums[5]
	}
	return all
}
