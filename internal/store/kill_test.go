package store

import (
	"bufio"
	"context"
	"fmt"
	"math/rand"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// victim names the store that this binary, run a second time, writes until it
// is killed.
const victim = "CARBON_TEST_VICTIM"

func TestMain(m *testing.M) {
	if path := os.Getenv(victim); path != "" {
		fmt.Println(writeForever(path))
		os.Exit(1)
	}
	os.Exit(m.Run())
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
		if err := s.Commit(ctx, rec); err != nil {
			return err
		}
		if n == 0 {
			fmt.Println("writing")
		}
	}
}

func TestKilledAtAnyMoment(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewSource(1))
	path := filepath.Join(t.TempDir(), "carbon.db")
	for n := range 20 {
		child := exec.Command(self)
		child.Env = append(os.Environ(), victim+"="+path)
		out, err := child.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := child.Start(); err != nil {
			t.Fatal(err)
		}
		// Every fourth is killed as it opens or migrates, the others as they write.
		kill := time.AfterFunc(time.Duration(r.Intn(120))*time.Millisecond, func() { child.Process.Kill() })
		if n%4 > 0 {
			kill.Stop()
			if line, err := bufio.NewReader(out).ReadString('\n'); line != "writing\n" {
				child.Process.Kill()
				t.Fatalf("kill %d: the child says %q, %v", n, line, err)
			}
			kill.Reset(time.Duration(r.Intn(60_000)) * time.Microsecond)
		}
		child.Wait() //nolint:errcheck // it was killed

		s, err := Open(t.Context(), path, Options{Exclusive: true, Interval: half})
		if err != nil {
			t.Fatalf("kill %d: %v", n, err)
		}
		if verdict := readRows(t, s.reader, "PRAGMA quick_check"); verdict[0][0] != "ok" {
			t.Fatalf("kill %d: %v", n, verdict)
		}
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
