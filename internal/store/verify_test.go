// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"fmt"
	"math/rand"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// verify gives the checks that failed, with their first faults.
func verify(tb testing.TB, path string, now time.Time) (failed []string) {
	tb.Helper()
	verdicts, err := Verify(tb.Context(), path, now, nil)
	if err != nil {
		tb.Fatal(err)
	}
	for _, v := range verdicts {
		if v.Count > 0 {
			failed = append(failed, v.Check+": "+strings.Join(v.Faults, "; "))
		}
	}
	return failed
}

var later = at(5000).Start

// A store that was written by its own functions, in any order and with all that
// happens in the life of an interval, is as it should be.
func TestAStoreIsAsItShouldBeWhateverHappened(t *testing.T) {
	for seed, tc := range []struct {
		zone   string
		length time.Duration
	}{{"Europe/London", half}, {"Asia/Kathmandu", time.Hour}, {"America/St_Johns", 45 * time.Minute}, {"UTC", 5 * time.Minute}} {
		t.Run(tc.zone, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "carbon.db")
			s := openStore(t, path, Options{Exclusive: true, Interval: tc.length, Timezone: zone(t, "Pacific/Auckland")})
			r := rand.New(rand.NewSource(int64(seed)))
			one := func(n int) usage.Interval {
				return usage.IntervalAt(epoch.Add(time.Duration(n)*7*time.Hour), tc.length)
			}
			for step := range 120 {
				i := one(r.Intn(60))
				rec, policy := randomRecord(r, i), usage.Policy{}
				doubt := r.Float64()
				rec.Ratings[0].Error = &doubt
				if step%2 == 0 {
					rec = instrument(rand.New(rand.NewSource(int64(step))), rec)
				}
				if r.Intn(2) == 0 && rec.State != usage.Unpriced {
					rec.State, policy.Restate = usage.Settled, r.Intn(2) == 0
				}
				switch r.Intn(8) {
				case 0:
					rec, policy = usage.Record{Interval: i, State: usage.Empty, FetchedAt: i.End()}, usage.Policy{AskAgain: i.End()}
				case 1:
					_ = reprice(t.Context(), s, i, priced(i, 50+r.Float64()*300), usage.Settled) // if there is something to price
				}
				if _, err := commitAll(t.Context(), s, with(rec, policy)); err != nil {
					t.Fatal(err)
				}
				if step == 80 {
					if err := s.Close(); err != nil {
						t.Fatal(err)
					}
					s = openStore(t, path, Options{Exclusive: true, Interval: tc.length, Timezone: zone(t, tc.zone)})
					pruneAll(t, s, one(60).Start, "")
					forgetNow(t, s, "u1")
					schedule(t, s, one(60), one(61).End())
				}
			}
			if failed := verify(t, path, later); failed != nil {
				t.Errorf("%q", failed)
			}
			if n := len(readRows(t, s.reader, "SELECT 1 FROM usage_interval WHERE pruned = 1")); n == 0 {
				t.Error("nothing was pruned")
			}
			for state, n := range summary(t, s).States {
				if n == 0 {
					t.Errorf("no interval is %s", state)
				}
			}
		})
	}
}

func TestWhatIsWrongIsFound(t *testing.T) {
	first := func(column string) string { return fmt.Sprintf("WHERE %s = %d", column, at(0).Start.Unix()) }
	for _, tc := range []struct {
		name string
		sql  string
		want []string
	}{
		{"a reference to nothing", "DELETE FROM dim_machine WHERE machine_id = 1", []string{"references: "}},
		{
			"a fact that was lost", "DELETE FROM usage_fact WHERE key_id = 1 AND start = (SELECT min(start) FROM usage_fact)",
			[]string{"scopes: 2025-09-11T00:00:00Z: 4 rows of fact_usage differ from the sums of the facts", "sums: 2025-09-11: the day's sums differ from its facts for 1 keys"},
		},
		{
			"a fact that was counted twice", "UPDATE usage_fact SET busy_kwh = 2 * busy_kwh " + first("start"),
			[]string{"scopes: ", "sums: 2025-09-11: the day's sums differ from its facts for 2 keys"},
		},
		{
			"a fact below nothing", "UPDATE usage_fact SET idle_kwh = -1 " + first("start"),
			[]string{"intervals: 2025-09-11T00:00:00Z: is settled and has a fact that is negative or not a number", "scopes: ", "sums: "},
		},
		{
			"a fact of no interval", fmt.Sprintf("INSERT INTO usage_fact VALUES (%d, 1, 1, 1, 1, 1)", at(3000).Start.Unix()),
			[]string{"intervals: 1 rows of usage_fact belong to no interval with usage"},
		},
		{
			"a row of a project that is wrong", "UPDATE fact_usage SET idle_kwh = idle_kwh + 1 WHERE scope = 'project' AND ts = '2025-09-11T00:00:00Z' AND project_id = 1",
			[]string{"scopes: 2025-09-11T00:00:00Z: 1 rows of fact_usage differ from the sums of the facts; 2025-09-11T00:00:00Z: idle_kwh of scope project add up to "},
		},
		{
			"no row of a site", "DELETE FROM fact_usage WHERE scope = 'ada' AND ts = '2025-09-11T00:00:00Z'",
			[]string{"scopes: 2025-09-11T00:00:00Z: 1 rows of fact_usage differ from the sums of the facts; 2025-09-11T00:00:00Z: fact_usage has no row for the site"},
		},
		{
			"grams of 0 for unpriced", "UPDATE fact_usage SET busy_gCo2eq = 0, idle_gCo2eq = 0 WHERE busy_gCo2eq IS NULL",
			[]string{"scopes: "},
		},
		{"a site with other energy", "UPDATE usage_interval SET kwh = kwh + 1 " + first("start"), []string{"scopes: 2025-09-11T00:00:00Z: the site has "}},
		{
			"a price that was lost", "DELETE FROM interval_price " + first("start"),
			[]string{"intervals: 2025-09-11T00:00:00Z: is settled and has 1 pieces and 0 prices", "scopes: ", "sums: "},
		},
		{"a price of no interval", fmt.Sprintf("UPDATE interval_price SET start = %d ", at(3000).Start.Unix()) + first("start"), []string{"intervals: ", "scopes: ", "sums: "}},
		{"a price that was changed", "UPDATE interval_price SET gco2eq_per_kwh = gco2eq_per_kwh + 1 " + first("start"), []string{"scopes: ", "sums: "}},
		{
			"a price of no known quality", "UPDATE interval_price SET quality = '' " + first("start"),
			[]string{"intervals: 2025-09-11T00:00:00Z: is settled and has a price of the quality \"\" for its piece 2025-09-11T00:00:00Z; there is no such quality"},
		},
		{
			"priced without a price", "UPDATE usage_interval SET state = 'provisional' WHERE state = 'unpriced'",
			[]string{"intervals: 2025-09-12T04:00:00Z: is provisional and has 1 pieces and 0 prices", "scopes: 2025-09-12T04:00:00Z: is provisional, but "},
		},
		{
			"missing with usage", "UPDATE usage_interval SET state = 'missing' " + first("start"),
			[]string{"intervals: 3 rows of usage_fact belong to no interval with usage; 1 rows of interval_price", "sums: "},
		},
		{
			"pruned with facts", "UPDATE usage_interval SET pruned = 1 " + first("start"),
			[]string{"intervals: 2025-09-11T00:00:00Z: is settled and has per-key rows that are marked as deleted"},
		},
		{
			"no facts, and not pruned", "DELETE FROM usage_fact " + first("start"),
			[]string{"intervals: 2025-09-11T00:00:00Z: is settled and has no facts", "scopes: ", "sums: "},
		},
		{
			"another length", "UPDATE usage_interval SET seconds = 900 " + first("start"),
			[]string{"intervals: 2025-09-11T00:00:00Z: is 15m0s long; the store has intervals of 30m0s; 3 rows", "sums: "},
		},
		{
			"an interval off the grid", fmt.Sprintf("INSERT INTO usage_interval(start, seconds, state) VALUES (%d, 1800, 'missing')", at(0).Start.Unix()+60),
			[]string{"intervals: 2025-09-11T00:01:00Z: is 30m0s long; the store has intervals of 30m0s"},
		},
		{"a day that was lost", "DELETE FROM usage_day WHERE day = (SELECT min(day) FROM usage_day)", []string{"sums: 2025-09-11: the day's sums differ from its facts for 3 keys; the days do not add up to the all-time sums for 3 keys"}},
		{"a day that was counted twice", "INSERT INTO usage_day SELECT day + 400, sums, more FROM usage_day LIMIT 1", []string{"sums: the days do not add up to the all-time sums for 3 keys; 2026-10-16: the day has sums but no usage"}},
		{"all time that was lost", "DELETE FROM usage_total", []string{"sums: the days do not add up to the all-time sums for 3 keys"}},
		{"another time of last usage", "UPDATE usage_total SET sums = substr(sums, 1, 31) || x'00' || substr(sums, 33)", []string{"sums: the time of last use is wrong for 1 keys"}},
		{
			"an older program's", "PRAGMA user_version = 3",
			[]string{"schema: was written by an older program; this one uses version "},
		},
		{"a newer program's", "PRAGMA user_version = 999", []string{"schema: was written by a newer program; this one knows version "}},
		{"nothing", "SELECT 1", nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "carbon.db")
			s := openStore(t, path, Options{Interval: half})
			for n := range 60 {
				rec := threeKeys(at(n))
				if n < 56 {
					rec = withPrice(rec, 200+float64(n), usage.Settled)
				}
				commit(t, s, rec)
			}
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			if err := database(t, path, tc.sql).Close(); err != nil {
				t.Fatal(err)
			}
			before := hash(t, path)
			got := verify(t, path, later)
			if len(got) != len(tc.want) || !slices.EqualFunc(got, tc.want, strings.HasPrefix) {
				t.Errorf("got  %q\nwant %q", got, tc.want)
			}
			if hash(t, path) != before {
				t.Error("the file was changed")
			}
		})
	}
}

func TestUsageOfTheFutureIsFound(t *testing.T) {
	got := verify(t, aStore(t), at(18).Start)
	if len(got) != 1 || got[0] != "intervals: 2025-09-11T09:00:00Z: is provisional and has usage but ends in the future; 2025-09-11T09:30:00Z: is provisional and has usage but ends in the future" {
		t.Errorf("got %q", got)
	}
}

func TestDamageIsAVerdict(t *testing.T) {
	path := change(t, aStore(t), func(b []byte) []byte {
		copy(b[len(b)/2/4096*4096:], strings.Repeat("\xa5", 4096))
		return b
	})
	verdicts, err := Verify(t.Context(), path, later, nil)
	if err != nil || len(verdicts) != 1 || verdicts[0].Check != "file" || verdicts[0].Count == 0 {
		t.Errorf("got %+v, %v", verdicts, err)
	}
}

func TestWhatCannotBeVerified(t *testing.T) {
	dir := t.TempDir()
	garbage := filepath.Join(dir, "garbage.db")
	if err := os.WriteFile(garbage, []byte(strings.Repeat("no database\n", 1000)), 0o600); err != nil {
		t.Fatal(err)
	}
	other := filepath.Join(dir, "other.db")
	database(t, other, "CREATE TABLE t (x)")
	for path, want := range map[string]string{
		filepath.Join(dir, "none.db"): "there is no such file",
		dir:                           "is not a regular file",
		garbage:                       "is not a SQLite database",
		newFile(t, filepath.Join(dir, "empty.db")): "is empty; no carbon_exporter has written to it",
		other: "is a SQLite database of another program",
	} {
		if _, err := Verify(t.Context(), path, later, nil); err == nil || err.Error() != "open store "+path+": "+want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

// It needs no right to write: neither the file nor beside it.
func TestAStoreIsVerifiedWhereNothingCanBeWritten(t *testing.T) {
	path := aStore(t)
	// A directory in the place of the log cannot be made a file, whoever asks.
	if err := os.Mkdir(path+"-wal", 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, 0o400); err != nil {
		t.Fatal(err)
	}
	if failed := verify(t, path, later); failed != nil {
		t.Errorf("%q", failed)
	}
}

// What is in the write-ahead log alone is a part of it, also of a copy that lacks
// the file of locks.
func TestTheLogIsVerifiedToo(t *testing.T) {
	s := newStore(t)
	for n := range 20 {
		commit(t, s, withPrice(threeKeys(at(n)), 200, usage.Provisional))
	}
	copied := filepath.Join(t.TempDir(), "carbon.db")
	copyFile(t, s.path, copied)
	copyFile(t, s.path+"-wal", copied+"-wal")
	before := hash(t, copied)
	verdicts, err := Verify(t.Context(), copied, later, nil)
	if err != nil || len(verdicts) != 7 || verdicts[3].Found != "20: 20 provisional" {
		t.Errorf("got %+v, %v", verdicts, err)
	}
	if hash(t, copied) != before {
		t.Error("the copy was changed")
	}
}

// Whoever looks sees one moment, whatever is committed meanwhile.
func TestAStoreIsVerifiedWhileItIsWritten(t *testing.T) {
	path := filepath.Join(t.TempDir(), "carbon.db")
	s := openStore(t, path, Options{Exclusive: true, Interval: half})
	r := rand.New(rand.NewSource(1))
	commit(t, s, withPrice(randomRecord(r, at(0)), 200, usage.Provisional))
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		for n := 1; ctx.Err() == nil; n++ {
			if _, err := commitAll(context.WithoutCancel(ctx), s, randomRecord(r, at(n)), randomRecord(r, at(n/2))); err != nil {
				done <- err
				return
			}
		}
		done <- nil
	}()
	for range 6 {
		if failed := verify(t, path, later); failed != nil {
			t.Errorf("%q", failed)
		}
	}
	stop()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}
