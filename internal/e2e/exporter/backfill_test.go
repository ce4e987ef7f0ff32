// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package exporter_test

import (
	"bytes"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/e2e/built"
)

// fewAtOnce refuses what asks for more than so many points in time, as a
// Prometheus with a low limit of samples does: a range then takes many commits.
type fewAtOnce struct {
	next http.Handler
	most int
}

func (f fewAtOnce) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	// Of a run the counters are asked for with a piece more at either end, and one edge more.
	if form, err := url.ParseQuery(string(body)); err == nil && strings.HasPrefix(form.Get("query"), "sum by") {
		at := func(name string) float64 {
			v, _ := strconv.ParseFloat(form.Get(name), 64)
			return v
		}
		if (at("end")-at("start"))/at("step") >= float64(f.most+2) {
			w.WriteHeader(http.StatusUnprocessableEntity)
			fmt.Fprint(w, `{"status":"error","errorType":"execution","error":"query processing would load too many samples into memory in query execution"}`)
			return
		}
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	f.next.ServeHTTP(w, r)
}

// asked counts what a server is asked.
type asked struct {
	next  http.Handler
	times atomic.Int64
}

func (a *asked) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a.times.Add(1)
	a.next.ServeHTTP(w, r)
}

// running is carbontool while it runs.
type running struct {
	t *testing.T
	*built.Process
}

func startTool(t *testing.T, args ...string) *running {
	t.Helper()
	return &running{t, built.Start(t, exec.Command(filepath.Join(scratch, "carbontool"), args...))}
}

// until waits for something to be so while it runs, and says whether it was.
func (r *running) until(ok func() bool) bool {
	r.t.Helper()
	again := time.NewTicker(2 * time.Millisecond)
	defer again.Stop()
	deadline := time.After(waitFor)
	for {
		select {
		case <-r.Ended:
			return false
		case <-deadline:
			r.t.Fatalf("it does not get on:\n%s", built.Tail(r.Stderr.String()))
		case <-again.C:
			if ok() {
				return true
			}
		}
	}
}

// flags are the range of a span on a place.
func (p place) over(command string, s span, more ...string) []string {
	return slices.Concat([]string{command, "--from=" + s.first.Format(time.RFC3339), "--to=" + s.end.Format(time.RFC3339)}, p.args(), more)
}

// count is a number out of a store that another program writes; 0 while it is not
// there.
func count(t *testing.T, path, query string, args ...any) (n int) {
	t.Helper()
	if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) {
		return 0
	}
	db, err := sql.Open("sqlite", "file:"+path+"?mode=ro&_pragma=busy_timeout(5000)")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.QueryRow(query, args...).Scan(&n); err != nil {
		return 0 // killed before the first migration was whole, or just being made
	}
	return n
}

const withUsage = "SELECT count(*) FROM usage_interval WHERE state IN ('unpriced', 'provisional', 'settled')"

// A backfill that is killed again and again, and goes on each time, loses nothing
// that it has committed and counts nothing twice.
func TestKillNineInABackfill(t *testing.T) {
	t.Parallel()
	s, uk := sharedSite(t), newGrid(t)
	over := spanOf(5*time.Minute, 12*time.Hour)
	asked := &asked{next: fewAtOnce{s.engine.Handler(), 8}}
	where := settings{prometheus: serve(t, asked).URL, uk: uk.URL}.place(t, over)
	if err := os.MkdirAll(filepath.Dir(where.store), 0o700); err != nil {
		t.Fatal(err)
	}
	draw := rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 3))
	all, halfway, committed := len(over.intervals()), 0, 0
	for kills := range 12 {
		r := startTool(t, where.over("backfill", over)...)
		if kills%2 == 0 {
			more := committed + 1 + draw.IntN(20)
			r.until(func() bool { return count(t, where.store, withUsage) >= more })
		} else {
			select {
			case <-time.After(time.Duration(5+draw.IntN(100)) * time.Millisecond):
			case <-r.Ended:
			}
		}
		r.End(os.Kill)
		now := stored(t, where.store)
		if now < committed {
			t.Fatalf("%d intervals were committed, after a kill there are %d", committed, now)
		}
		if committed < now && now < all {
			halfway++
		}
		committed = now
	}
	if halfway == 0 {
		t.Error("no kill hit a backfill on its way")
	}
	code, stdout, stderr := tool(t, where.over("backfill", over)...)
	if code != 0 || !strings.Contains(stdout, fmt.Sprintf("  already there  %6d\n", committed)) {
		t.Fatalf("exit code %d\n%s\n%s", code, stdout, built.Tail(stderr))
	}
	checkIntervals(t, where.store, over)
	checkStore(t, where.store, truth(s.cloud, over, uk.price))

	// Ctrl-C is told what to do next.
	before := asked.times.Load()
	r := startTool(t, where.over("backfill", over, "--restate")...)
	r.until(func() bool { return asked.times.Load() > before+2 }) // a program that has only just been started dies of the signal
	if code := r.End(syscall.SIGINT); code != 1 || !strings.Contains(r.Stderr.String(), "carbontool backfill: interrupted: ") {
		t.Errorf("after SIGINT the exit code is %d\n%s", code, r.Stderr.String())
	}
	checkStore(t, where.store, truth(s.cloud, over, uk.price))
}

// A recost that is killed leaves every interval as it was or as it is to be.
func TestKillNineInARecost(t *testing.T) {
	t.Parallel()
	s, uk := sharedSite(t), newGrid(t)
	over := spanOf(5*time.Minute, 12*time.Hour)
	wanted := settings{prometheus: serve(t, s.engine.Handler()).URL, uk: uk.URL}
	where := wanted.place(t, over)
	if err := os.MkdirAll(filepath.Dir(where.store), 0o700); err != nil {
		t.Fatal(err)
	}
	if code, stdout, stderr := tool(t, where.over("backfill", over)...); code != 0 {
		t.Fatalf("exit code %d\n%s\n%s", code, stdout, built.Tail(stderr))
	}
	dear := place{config: where.config + ".dear", store: where.store}
	write(t, dear.config, strings.Replace(wanted.yaml(over), fmt.Sprintf("pue: %v", pue), fmt.Sprintf("pue: %v", 2*pue), 1))
	all, halfway := len(over.intervals()), 0
	done := "SELECT count(*) FROM usage_interval WHERE pue = ?"
	for kills := range 10 {
		from, factor := dear, 2*pue
		if kills%2 == 1 {
			from, factor = where, pue
		}
		r := startTool(t, from.over("recost", over, "--restate")...)
		if r.until(func() bool { return count(t, where.store, done, factor) > 0 }) {
			r.End(os.Kill)
		}
		if n := count(t, where.store, done, factor); n > 0 && n < all {
			halfway++
		}
		checkHalves(t, where.store)
	}
	if halfway == 0 {
		t.Error("no kill hit a recost on its way")
	}
	if code, stdout, stderr := tool(t, where.over("recost", over, "--restate")...); code != 0 {
		t.Fatalf("exit code %d\n%s\n%s", code, stdout, built.Tail(stderr))
	}
	checkIntervals(t, where.store, over)
	checkStore(t, where.store, truth(s.cloud, over, uk.price))
}

// checkHalves wants each interval to be of one PUE in all of its rows, and every
// scope to add up to the site.
func checkHalves(t *testing.T, path string) {
	t.Helper()
	db := openStore(t, path)
	for query, what := range map[string]string{
		`SELECT count(*) FROM usage_interval i JOIN fact_usage f ON f.ts = strftime('%Y-%m-%dT%H:%M:%SZ', i.start, 'unixepoch') AND f.scope = 'ada'
			WHERE abs(f.busy_kwh + f.idle_kwh - i.kwh) > 1e-9 * i.kwh`: "fact_usage is not of the interval",
		`SELECT count(*) FROM usage_interval i WHERE abs(i.kwh - (SELECT total(busy_kwh + idle_kwh) FROM usage_fact f
			WHERE f.start >= i.start AND f.start < i.start + i.seconds)) > 1e-9 * i.kwh`: "facts are not of the interval",
		`SELECT count(*) FROM (SELECT total(busy_kwh + idle_kwh) AS kwh, ts, scope FROM fact_usage GROUP BY ts, scope) s
			JOIN fact_usage f ON f.ts = s.ts AND f.scope = 'ada' WHERE abs(f.busy_kwh + f.idle_kwh - s.kwh) > 1e-9 * s.kwh`: "a scope does not add up to the site",
	} {
		var n int
		if err := db.QueryRow(query).Scan(&n); err != nil || n > 0 {
			t.Errorf("%s at %d intervals, %v", what, n, err)
		}
	}
}

// While the exporter runs and is scraped, the past is filled in on the same store.
// Nothing of either is lost, and nobody who scrapes waits for it.
func TestBackfillBesideARunningExporter(t *testing.T) {
	t.Parallel()
	s, uk := sharedSite(t), newGrid(t)
	over, recent := spanOf(5*time.Minute, 12*time.Hour), spanOf(5*time.Minute, time.Hour)
	where := settings{prometheus: serve(t, fewAtOnce{s.engine.Handler(), 8}).URL, uk: uk.URL}.place(t, recent)
	p := start(t, where.args()...)
	p.becomesWhole(recent)

	r := startTool(t, where.over("backfill", over)...)
	var took []time.Duration
	for ended := false; !ended; {
		began := time.Now()
		p.page("/metrics", "")
		took = append(took, time.Since(began))
		select {
		case <-r.Ended:
			ended = true
		case <-time.After(20 * time.Millisecond):
		}
	}
	if code := r.Cmd.ProcessState.ExitCode(); code != 0 {
		t.Fatalf("exit code %d\n%s", code, built.Tail(r.Stderr.String()))
	}
	slices.Sort(took)
	// Each was answered. How fast is told, not held: this machine runs all other tests
	// at once, and docs/performance.md has what it comes to.
	t.Logf("%d scrapes meanwhile, median %v, longest %v", len(took), took[len(took)/2], took[len(took)-1])

	p.signal(syscall.SIGHUP) // it would notice within two minutes
	seen := p.becomesWhole(over)
	want := truth(s.cloud, over, uk.price)
	seen.checkUsage(t, want.total())
	checkIntervals(t, where.store, over)
	checkStore(t, where.store, want)
	checkLedger(t, where, p)
	p.terminate()
}

// checkLedger wants what the tool lists to be what the metric counts. Between the two, intervals
// may settle: at each half hour some do.
func checkLedger(t *testing.T, where place, p *program) {
	t.Helper()
	eventually(t, waitFor, "the tool lists what the metric counts", func() error { return ledgersDiffer(t, where, p.scrape()) })
}

func ledgersDiffer(t *testing.T, where place, seen scrape) error {
	t.Helper()
	code, stdout, stderr := tool(t, append([]string{"intervals", "--format=json"}, where.args()...)...)
	if code != 0 || stderr != "" {
		t.Errorf("exit code %d: %s", code, stderr)
	}
	var gaps []struct {
		State     string
		Intervals int
	}
	if err := json.Unmarshal([]byte(stdout), &gaps); err != nil {
		t.Fatal(err)
	}
	counts, err := seen.states()
	if err != nil {
		t.Fatal(err)
	}
	for _, g := range gaps {
		counts[g.State] -= g.Intervals
	}
	for state, n := range counts {
		if n != 0 {
			return fmt.Errorf("carbon_intervals has %d more of %s than carbontool lists", n, state)
		}
	}
	return nil
}

// What is older than Prometheus' retention is empty, and never 0.
func TestBackfillBeyondRetention(t *testing.T) {
	t.Parallel()
	s, uk := sharedSite(t), newGrid(t)
	over := spanOf(30*time.Minute, 20*time.Hour) // recorded are the last 14
	where := settings{prometheus: serve(t, s.engine.Handler()).URL, uk: uk.URL}.place(t, over)
	if err := os.MkdirAll(filepath.Dir(where.store), 0o700); err != nil {
		t.Fatal(err)
	}
	code, stdout, stderr := tool(t, where.over("backfill", over)...)
	if code != 0 {
		t.Fatalf("exit code %d\n%s", code, built.Tail(stderr))
	}
	empty := count(t, where.store, "SELECT count(*) FROM usage_interval WHERE state = 'empty'")
	if empty < 10 || empty > 13 || !strings.Contains(stdout, fmt.Sprintf("\n  empty          %6d  Prometheus has no data for that time", empty)) {
		t.Errorf("%d are empty\n%s", empty, stdout)
	}
	if n := count(t, where.store, "SELECT count(*) FROM fact_usage WHERE busy_kwh + idle_kwh = 0"); n != 0 {
		t.Errorf("%d rows of 0", n)
	}
	if n := count(t, where.store, "SELECT count(DISTINCT ts) FROM fact_usage"); n != len(over.intervals())-empty {
		t.Errorf("%d intervals have rows, want %d", n, len(over.intervals())-empty)
	}
}
