// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"database/sql"
	"fmt"
	"io"
	"math/rand"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

const (
	oldDays = 16
	oldKeys = 15
)

// pruneToTheEnd takes all steps, one behind the other, and says so after the first.
func pruneToTheEnd(path string) error {
	ctx := context.Background()
	s, err := Open(ctx, path, Options{Exclusive: true, Interval: half})
	if err != nil {
		return err
	}
	defer s.Close()
	for n := 0; ; n++ {
		done, err := s.Prune(ctx, at(48*oldDays).Start, keptDays*day, "")
		if n == 0 {
			fmt.Println("begun")
		}
		if err != nil || !done.More {
			return err
		}
	}
}

// oldStore has days that are all settled, and is closed.
func oldStore(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "carbon.db")
	s := openStore(t, path, Options{Exclusive: true, Interval: half})
	for d := range oldDays {
		var recs []usage.Record
		for n := range 48 {
			i := at(48*d + n)
			var facts []usage.Fact
			for k := range oldKeys {
				facts = append(facts, fact(key("p", fmt.Sprint("m", k%3), fmt.Sprint("u", k), "g"), i.Start, float64(n+1)/7, float64(k+d)/9))
			}
			recs = append(recs, withPrice(unpriced(i, facts...), float64(100+n), usage.Settled))
		}
		if _, err := commitAll(t.Context(), s, anySlice(recs)...); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	in, err := os.Open(from)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	out, err := os.Create(to)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(out, in); err != nil {
		t.Fatal(err)
	}
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
}

// unpruned is all of a store that pruning must leave as it is.
func unpruned(t *testing.T, s *Store) string {
	t.Helper()
	var kept strings.Builder
	for line := range strings.Lines(dump(t, s)) {
		if table := strings.Fields(line)[0]; table != "usage_fact" && table != "usage_interval" && table != "pruned_key" {
			kept.WriteString(line)
		}
	}
	return kept.String()
}

func TestKilledAsItPrunes(t *testing.T) {
	r := rand.New(rand.NewSource(3))
	first := oldStore(t)
	s := openStore(t, first, Options{Exclusive: true, Interval: half})
	want, sum := unpruned(t, s), summary(t, s)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	halfway := 0
	for kills := 0; kills < 8; {
		path := filepath.Join(t.TempDir(), "carbon.db")
		copyFile(t, first, path)
		for ended := false; !ended && kills < 8; kills++ {
			// Every fourth may be killed in its first step, the others behind it.
			ended = killing(t, "prune", path, kills%4 == 3, time.Duration(r.Intn(15_000))*time.Microsecond)
			s := wholeAgain(t, path)
			if got := summary(t, s); !reflect.DeepEqual(got, sum) {
				t.Fatalf("kill %d: the summary was %+v, it is %+v", kills, sum, got)
			}
			if got := unpruned(t, s); got != want {
				t.Fatalf("kill %d: more than facts has changed", kills)
			}
			for _, row := range readRows(t, s.reader, `SELECT i.start, i.pruned, (SELECT count(*) FROM usage_fact f WHERE f.start = i.start) AS n
				FROM usage_interval i WHERE n <> CASE pruned WHEN 1 THEN 0 ELSE ? END`, oldKeys) {
				t.Errorf("kill %d: an interval has lost some of its facts: %v", kills, row)
			}
			gone := readRows(t, s.reader, "SELECT count(*) FROM usage_interval WHERE pruned = 1")[0][0].(int64)
			if gone > 0 && gone < 48*(oldDays-keptDays) {
				halfway++
			}
			if err := s.Close(); err != nil || t.Failed() {
				t.Fatalf("kill %d: %v", kills, err)
			}
		}
	}
	if halfway == 0 {
		t.Error("no kill hit a store that was pruned in part")
	}
}

// migrateOnce opens a store of an older program.
func migrateOnce(path string) error {
	fmt.Println("begun")
	s, err := Open(context.Background(), path, Options{Exclusive: true, Interval: half})
	if err != nil {
		return err
	}
	return s.Close()
}

func TestKilledAsItMigrates(t *testing.T) {
	r := rand.New(rand.NewSource(4))
	first := versionTwo(t)
	const intervals, keys = 800, 20
	db := database(t, first,
		fmt.Sprintf("WITH RECURSIVE n(i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < %d) INSERT INTO dim_machine SELECT i, 'm' || i FROM n", keys),
		fmt.Sprintf("WITH RECURSIVE n(i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < %d) INSERT INTO usage_key SELECT i, 1, i, 'a', 1 FROM n", keys),
		fmt.Sprintf(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d)
			INSERT INTO usage_interval(start, seconds, state, kwh, retry_at) SELECT %d + 1800 * i, 1800, 'unpriced', 0.75 * %d, NULL FROM n`, intervals, at(10).Start.Unix(), keys),
		fmt.Sprintf("INSERT INTO usage_fact SELECT start, key_id, 10, 20, 0.5, 0.25 FROM usage_interval, usage_key WHERE start > %d", at(10).Start.Unix()),
	)
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	whole := filepath.Join(t.TempDir(), "carbon.db")
	copyFile(t, first, whole)
	began := time.Now()
	s := wholeAgain(t, whole)
	took := time.Since(began)
	want, sum := dump(t, s), summary(t, s)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	all, err := migrations()
	if err != nil {
		t.Fatal(err)
	}
	const kills, mostTries = 12, 60
	inside := 0
	for n := 0; n < kills || inside < 4 && n < mostTries; n++ {
		path := filepath.Join(t.TempDir(), "carbon.db")
		copyFile(t, first, path)
		// What is written into the file beside it comes right before the transaction.
		begun := func() bool {
			info, err := os.Stat(path + ".lock")
			return err == nil && info.Size() > 0
		}
		if n%3 == 0 { // at any moment of opening it
			killing(t, "migrate", path, false, time.Duration(r.Int63n(int64(took))))
		} else {
			killingWhen(t, "migrate", path, false, begun, time.Duration(r.Int63n(int64(took)/8)))
		}
		if begun() && versionOf(t, path) == 2 {
			inside++
		}
		s := wholeAgain(t, path)
		if got := dump(t, s); got != want {
			t.Errorf("kill %d: migrated it is\n%s\nwant\n%s", n, got, want)
		}
		if got := summary(t, s); !reflect.DeepEqual(got, sum) {
			t.Errorf("kill %d: the summary is %+v, want %+v", n, got, sum)
		}
		if rows := readRows(t, s.reader, "SELECT count(*), count(DISTINCT version) FROM schema_migration"); rows[0][0] != int64(len(all)) || rows[0][1] != rows[0][0] {
			t.Errorf("kill %d: migrations %v, want each of %d once", n, rows, len(all))
		}
		if err := s.Close(); err != nil || t.Failed() {
			t.Fatalf("kill %d: %v", n, err)
		}
	}
	if inside == 0 {
		t.Error("no kill fell into the migration")
	}
	t.Logf("%d kills fell into the migration", inside)
}

// versionOf is that of what a kill has left, looked at so that nothing is changed.
func versionOf(t *testing.T, path string) int64 {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+path+"?mode=ro")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	return readRows(t, db, "PRAGMA user_version")[0][0].(int64)
}
