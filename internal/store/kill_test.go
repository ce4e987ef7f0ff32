// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"bufio"
	"context"
	"fmt"
	"math/rand"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// victim is what this binary, run a second time, does until it is killed: the name
// of one of victims, a colon, and the path of its store.
const victim = "CARBON_TEST_VICTIM"

// victims say a line once they have begun with what is to be cut short.
var victims = map[string]func(path string) error{
	"write":      writeForever,
	"prune":      pruneToTheEnd,
	"migrate":    migrateOnce,
	"copy":       copyOnce,
	"copy small": copySmall,
}

func TestMain(m *testing.M) {
	if what, path, ok := strings.Cut(os.Getenv(victim), ":"); ok {
		if err := victims[what](path); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// killing runs a victim and kills it so long after it has begun, or, if at once,
// after it was started. It says whether it had ended by itself.
func killing(t *testing.T, what, path string, atOnce bool, after time.Duration) (ended bool) {
	t.Helper()
	return killingWhen(t, what, path, atOnce, func() bool { return true }, after)
}

// killingWhen is killing, counted from when something is so.
func killingWhen(t *testing.T, what, path string, atOnce bool, when func() bool, after time.Duration) (ended bool) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	child := exec.Command(self)
	child.Env = append(os.Environ(), victim+"="+what+":"+path)
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	defer child.Process.Kill() //nolint:errcheck // it may have ended
	said := bufio.NewReader(out)
	if !atOnce {
		if line, err := said.ReadString('\n'); line != "begun\n" {
			t.Fatalf("the child says %q, %v", line, err)
		}
	}
	gone, killed := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(killed)
		tick := time.NewTicker(100 * time.Microsecond)
		defer tick.Stop()
		for !when() {
			select {
			case <-gone:
				return
			case <-tick.C:
			}
		}
		select {
		case <-gone:
		case <-time.After(after):
			child.Process.Kill() //nolint:errcheck // it may have ended
		}
	}()
	rest, _ := said.ReadString('\n')
	defer func() { <-killed }()
	defer close(gone)
	if err := child.Wait(); err == nil {
		return true
	}
	if rest != "" && rest != "begun\n" {
		t.Fatalf("the child says %q", rest)
	}
	return false
}

// wholeAgain opens what a kill has left.
func wholeAgain(t *testing.T, path string) *Store {
	t.Helper()
	s, err := Open(t.Context(), path, Options{Exclusive: true, Interval: half})
	if err != nil {
		t.Fatal(err)
	}
	if verdict := readRows(t, s.reader, "PRAGMA quick_check"); verdict[0][0] != "ok" {
		t.Fatal(verdict)
	}
	return s
}

const killedKeys = 40

// writeForever commits 16 intervals over and over, other facts each round, and
// says so after the first.
func writeForever(path string) error {
	ctx := context.Background()
	s, err := Open(ctx, path, Options{Exclusive: true, Interval: half})
	if err != nil {
		return err
	}
	for n := 0; ; n++ {
		i := at(n % 16)
		var facts []usage.Fact
		for k := range killedKeys {
			facts = append(facts, fact(key("p", fmt.Sprint("m", k%3), fmt.Sprint("u", k, "-", n%5), "g"), i.Start, float64(n+1)/7, float64(k)/9))
		}
		rec := unpriced(i, facts...)
		if n%3 > 0 {
			rec = withPrice(rec, float64(100+n%7), usage.Provisional)
		}
		if err := commitOne(ctx, s, rec); err != nil {
			return err
		}
		if n == 0 {
			fmt.Println("begun")
		}
	}
}

func TestKilledAtAnyMoment(t *testing.T) {
	r := rand.New(rand.NewSource(1))
	path := filepath.Join(t.TempDir(), "carbon.db")
	for n := range 20 {
		// Every fourth is killed as it opens or migrates, the others as they write.
		if n%4 == 0 {
			killing(t, "write", path, true, time.Duration(r.Intn(120))*time.Millisecond)
		} else {
			killing(t, "write", path, false, time.Duration(r.Intn(60_000))*time.Microsecond)
		}
		s := wholeAgain(t, path)
		holdIntervals(t, s)
		holdTotals(t, s)
		holdSums(t, s)
		if err := s.Close(); err != nil || t.Failed() {
			t.Fatalf("kill %d: %v", n, err)
		}
	}
}

// holdIntervals wants each interval to be there with all its parts or not at all.
func holdIntervals(t *testing.T, s *Store) {
	t.Helper()
	for _, row := range readRows(t, s.reader, `SELECT start, state,
		(SELECT count(*) FROM usage_fact f WHERE f.start = i.start),
		(SELECT count(*) FROM interval_price p WHERE p.start = i.start),
		(SELECT count(*) FROM interval_power w WHERE w.start = i.start),
		(SELECT count(*) FROM fact_usage u WHERE u.ts = strftime('%Y-%m-%dT%H:%M:%SZ', i.start, 'unixepoch')),
		(SELECT count(DISTINCT busy_kwh) FROM usage_fact f WHERE f.start = i.start)
		FROM usage_interval i`) {
		prices := int64(0)
		if row[1] == "provisional" {
			prices = 1
		}
		// The site, one project, three machines, and the users.
		if row[2] != int64(killedKeys) || row[3] != prices || row[4] != int64(3) || row[5] != int64(killedKeys+5) || row[6] != int64(1) {
			t.Errorf("an interval is there in part: %v", row)
		}
	}
	if rows := readRows(t, s.reader, "SELECT start FROM usage_fact EXCEPT SELECT start FROM usage_interval"); len(rows) > 0 {
		t.Errorf("facts of no interval: %v", rows)
	}
}
