// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build soak

package exporter_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/e2e/cloud"
	"github.com/carbon-exporter/carbon_exporter/internal/e2e/ferret"
	"github.com/carbon-exporter/carbon_exporter/internal/mongo"
	"github.com/carbon-exporter/carbon_exporter/internal/simulate"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// TestSoak has the program run for SOAK (20m) at an interval of a minute while 300
// hosts are scraped live, every upstream fails at random and four others scrape the
// program. After that nothing fails any more: once it has caught up every number is
// the truth, in its store, on /metrics and in MongoDB, and it holds no more goroutines,
// memory, descriptors and write-ahead log than in its first two minutes. `make soak`
// runs it.
func TestSoak(t *testing.T) {
	length := 20 * time.Minute
	if text := os.Getenv("SOAK"); text != "" {
		var err error
		if length, err = time.ParseDuration(text); err != nil || length < time.Minute {
			t.Fatalf("SOAK is %q, want a duration of at least 1m: %v", text, err)
		}
	}
	draw := uint64(time.Now().UnixNano())
	t.Logf("%s among faults, seed %d", length, draw)

	over := spanOf(time.Minute, 30*time.Minute)
	over.lag = 20 * time.Second
	end := over.end.Add(length)
	s := newLive(t, over.first, end)
	clock := &stopped{}
	api := simulate.NewUKAPI(11, clock.now)
	prometheus, grid := &sick{next: s.engine.Handler()}, &sick{next: api}
	mongodb := newWire(t)
	where := settings{
		prometheus: serve(t, prometheus).URL, uk: serve(t, grid).URL, settle: 24 * time.Hour,
		more: fmt.Sprintf("mongodb: {uri: %q, database: ada, usage_database: usage, refresh: 10s}", mongodb.uri("")),
	}.place(t, over)
	p := start(t, append(where.args(), "--collector.workspace")...)

	ctx, stop := context.WithTimeout(t.Context(), length)
	defer stop()
	var work sync.WaitGroup
	for n := range 4 {
		work.Go(func() { s.scrapeUntil(ctx, p, n) })
	}
	for n, upstream := range []interface {
		fail(ctx context.Context, draw *rand.Rand)
	}{prometheus, grid, mongodb} {
		work.Go(func() {
			draw := rand.New(rand.NewPCG(draw, uint64(n)))
			for ctx.Err() == nil {
				rest(ctx, time.Duration(5+draw.IntN(40))*time.Second)
				upstream.fail(ctx, draw)
			}
		})
	}
	early := p.burdenOver(ctx, where, min(2*time.Minute, length/2))
	work.Wait()
	if err := s.failed.Load(); err != nil {
		t.Errorf("a scrape failed: %v", *err)
	}
	t.Logf("%d scrapes; %d, %d and %d faults of Prometheus, the grid and MongoDB", s.scrapes.Load(), prometheus.faults, grid.faults, mongodb.faults)

	// Nothing fails any more, and what the grid says changes no more.
	at := clock.stop()
	over.end = usage.FloorEpoch(at, time.Minute)
	price := func(slot time.Time) usage.GramsPerKWh {
		if actual, ok := api.Grid(0).ActualAt(slot, at); ok {
			return actual
		}
		return api.Grid(0).ForecastAt(slot, at)
	}
	want := truth(s.cloud, over, price)
	patience := 10 * time.Minute
	began := time.Now()
	eventually(t, patience, "everything is as it was", func() error {
		defer rest(t.Context(), 2*time.Second)
		n, err := p.scrape().states()
		if err != nil || n["missing"] > 2 { // the newest is always about to be asked for
			return errors.Join(fmt.Errorf("intervals by state: %v", n), err)
		}
		return s.differs(t, where.store, want)
	})
	t.Logf("caught up %s after the last fault", time.Since(began).Round(time.Second))
	mongodb.addsUp(t, where.store, patience)
	eventually(t, 2*time.Minute, "it holds no more than in its first minutes", func() error {
		late, err := p.burden(where)
		if err != nil {
			return err
		}
		return late.within(early)
	})
	late, _ := p.burden(where)
	t.Logf("in the first minutes at most %v\nat the end %v", early, late)
	p.terminate()
	checkIntegrity(t, where.store, over)
}

// live is a site that goes on being scraped.
type live struct {
	site
	scrapes atomic.Int64
	failed  atomic.Pointer[error]
}

// newLive records the hosts every 15 seconds: Prometheus needs two samples in a minute.
func newLive(t *testing.T, first, end time.Time) *live {
	t.Helper()
	c, err := simulate.New(simulate.Config{Seed: seed, Hosts: 300, Start: usage.SlotAt(first).Add(-48 * time.Hour), End: usage.SlotAt(end).Add(14 * 24 * time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	s := &live{site: site{cloud: c, engine: newEngine(t)}}
	recorder := cloud.NewRecorder(c, s.engine, 15*time.Second)
	last := first.Add(-5 * time.Minute)
	record := func() error {
		now := time.Now()
		defer func() { last = now }()
		return recorder.Record(background, last, now)
	}
	if err := record(); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	recorded := make(chan error, 1)
	go func() {
		for ctx.Err() == nil {
			rest(ctx, 2*time.Second)
			if err := record(); err != nil {
				recorded <- err
				return
			}
		}
		recorded <- nil
	}()
	t.Cleanup(func() {
		stop()
		if err := <-recorded; err != nil {
			t.Errorf("record the cloud: %v", err)
		}
	})
	return s
}

func (s *live) scrapeUntil(ctx context.Context, p *program, n int) {
	for ctx.Err() == nil {
		answer, body, err := p.get("/metrics", "")
		if err == nil && (answer.StatusCode != http.StatusOK || !bytes.Contains(body, []byte("carbon_intervals{"))) {
			err = fmt.Errorf("http status %d, %d bytes", answer.StatusCode, len(body))
		}
		if err != nil {
			s.failed.CompareAndSwap(nil, &err)
		}
		s.scrapes.Add(1)
		rest(ctx, time.Duration(500+250*n)*time.Millisecond)
	}
}

// differs compares each number of the store with the truth.
func (s *live) differs(t *testing.T, path string, want book) error {
	t.Helper()
	got := scopesOf(t, path)
	for scope, member := range scopes {
		for r, truth := range want.rollUp(member, true) {
			have, ok := got[scope][r]
			if !ok {
				return fmt.Errorf("%s %v is missing", scope, r)
			}
			for n, w := range truth.columns() {
				if !have[n].Valid || !near(have[n].Float64, w, exact) && math.Abs(have[n].Float64-w) > 1e-12 {
					return fmt.Errorf("%s %v is %v, truth %v", scope, r, have, truth.columns())
				}
			}
		}
	}
	return nil
}

// checkIntegrity wants a sound file in which every interval has facts once.
func checkIntegrity(t *testing.T, path string, over span) {
	t.Helper()
	db := openStore(t, path)
	var verdict string
	if err := db.QueryRow("PRAGMA quick_check").Scan(&verdict); err != nil || verdict != "ok" {
		t.Errorf("quick_check says %q, %v", verdict, err)
	}
	n := count(t, path, withUsage+" AND start >= ? AND start < ?", over.first.Unix(), over.end.Unix())
	if want := len(over.intervals()); n != want {
		t.Errorf("%d intervals have facts, want %d", n, want)
	}
	checkSums(t, scopesOf(t, path))
}

// burden is what the program holds.
type burden struct {
	goroutines, descriptors float64
	memory, log             float64 // bytes
}

func (b burden) String() string {
	return fmt.Sprintf("%v goroutines, %v descriptors, %.0f MB, write-ahead log of %.1f MB", b.goroutines, b.descriptors, b.memory/1e6, b.log/1e6)
}

func (p *program) burden(where place) (b burden, err error) {
	answer, body, err := p.get("/metrics", "")
	if err != nil {
		return b, err
	}
	if answer.StatusCode != http.StatusOK {
		return b, fmt.Errorf("http status %d", answer.StatusCode)
	}
	seen := parse(p.t, body)
	for name, into := range map[string]*float64{
		"go_goroutines": &b.goroutines, "process_open_fds": &b.descriptors, "process_resident_memory_bytes": &b.memory,
	} {
		var ok bool
		if *into, ok = seen.value(name); !ok {
			return b, fmt.Errorf("no %s on /metrics", name)
		}
	}
	if log, err := os.Stat(where.store + "-wal"); err == nil {
		b.log = float64(log.Size())
	}
	return b, nil
}

// burdenOver is the most of each in some time.
func (p *program) burdenOver(ctx context.Context, where place, length time.Duration) (most burden) {
	ctx, stop := context.WithTimeout(ctx, length)
	defer stop()
	for ctx.Err() == nil {
		if b, err := p.burden(where); err == nil {
			most = burden{
				max(most.goroutines, b.goroutines), max(most.descriptors, b.descriptors), max(most.memory, b.memory), max(most.log, b.log),
			}
		}
		rest(ctx, time.Second)
	}
	return most
}

// within allows for what comes and goes: connections, Go's heap between two
// collections (its own goal is twice of what lives), and one more large commit.
func (b burden) within(early burden) error {
	var all []error
	for _, c := range []struct {
		what         string
		late, atMost float64
	}{
		{"goroutines", b.goroutines, early.goroutines + 10},
		{"descriptors", b.descriptors, early.descriptors + 10},
		{"bytes of memory", b.memory, 1.5*early.memory + 32e6},
		{"bytes of write-ahead log", b.log, early.log + 8e6},
	} {
		if c.late > c.atMost {
			all = append(all, fmt.Errorf("%v %s, want at most %v", c.late, c.what, c.atMost))
		}
	}
	return errors.Join(all...)
}

// stopped is a clock that can be stopped.
type stopped struct{ at atomic.Pointer[time.Time] }

func (c *stopped) now() time.Time {
	if at := c.at.Load(); at != nil {
		return *at
	}
	return time.Now().UTC()
}

func (c *stopped) stop() time.Time {
	at := time.Now().UTC()
	c.at.Store(&at)
	return at
}

// rest waits, or not for longer than ctx.
func rest(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// sick is a server that fails in one of the ways of servers, for a while.
type sick struct {
	next    http.Handler
	disease atomic.Pointer[func(http.ResponseWriter, *http.Request)]
	faults  int
}

func (s *sick) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if disease := s.disease.Load(); disease != nil {
		(*disease)(w, r)
		return
	}
	s.next.ServeHTTP(w, r)
}

func (s *sick) fail(ctx context.Context, draw *rand.Rand) {
	status := func(code int) func(http.ResponseWriter, *http.Request) {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "2")
			http.Error(w, "out of order", code)
		}
	}
	body := func(text string) func(http.ResponseWriter, *http.Request) {
		return func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, text) }
	}
	diseases := []func(http.ResponseWriter, *http.Request){
		status(http.StatusInternalServerError), status(http.StatusBadGateway), status(http.StatusServiceUnavailable), status(http.StatusTooManyRequests),
		body("<html>maintenance</html>"), body(`{"status":"success","data":{"resultType":"matrix","result":[{"metric":{`), body("{}"),
		body(`{"status":"error","errorType":"internal","error":"broken"}`),
		func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		func(_ http.ResponseWriter, r *http.Request) { rest(r.Context(), time.Minute) }, // says nothing
		func(w http.ResponseWriter, r *http.Request) { // a true answer that is cut off
			s.next.ServeHTTP(&cut{ResponseWriter: w}, r)
			panic(http.ErrAbortHandler)
		},
	}
	disease := diseases[draw.IntN(len(diseases))]
	s.disease.Store(&disease)
	s.faults++
	rest(ctx, time.Duration(2+draw.IntN(40))*time.Second)
	s.disease.Store(nil)
}

// cut lets the first bytes of an answer through.
type cut struct {
	http.ResponseWriter
	through int
}

func (c *cut) Write(b []byte) (int, error) {
	if rest := 200 - c.through; rest > 0 {
		n, err := c.ResponseWriter.Write(b[:min(rest, len(b))])
		c.through += n
		return len(b), err
	}
	return len(b), nil
}

// wire is the way to a MongoDB, which can be cut, closed and blocked.
type wire struct {
	server   *ferret.Server
	listener net.Listener
	to       string
	mu       sync.Mutex
	open     map[net.Conn]bool
	closed   atomic.Bool // who connects is hung up on
	blocked  atomic.Bool // nothing gets through
	faults   int
}

func newWire(t *testing.T) *wire {
	t.Helper()
	server, err := ferret.Start("127.0.0.1:0", t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := strings.TrimPrefix(server.URI(), "mongodb://")
	address, _, _ = strings.Cut(address, "/")
	w := &wire{server: server, listener: listener, to: address, open: map[net.Conn]bool{}}
	var work sync.WaitGroup
	work.Go(func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			work.Go(func() { w.carry(c) })
		}
	})
	t.Cleanup(func() {
		listener.Close()
		w.cutAll()
		work.Wait()
		if err := server.Close(); err != nil {
			t.Error(err)
		}
	})
	return w
}

func (w *wire) uri(path string) string { return "mongodb://" + w.listener.Addr().String() + "/" + path }

func (w *wire) carry(from net.Conn) {
	defer from.Close()
	if w.closed.Load() {
		return
	}
	to, err := net.Dial("tcp", w.to)
	if err != nil {
		return
	}
	defer to.Close()
	w.mu.Lock()
	w.open[from] = true
	w.mu.Unlock()
	defer func() {
		w.mu.Lock()
		delete(w.open, from)
		w.mu.Unlock()
	}()
	back := make(chan struct{})
	go func() {
		defer close(back)
		defer from.Close() // ends the other direction
		w.pass(from, to)
	}()
	w.pass(to, from)
	to.Close()
	<-back
}

// pass copies until either side ends. While the wire is blocked it holds what it has.
func (w *wire) pass(to io.Writer, from io.Reader) {
	buffer := make([]byte, 32<<10)
	for {
		n, err := from.Read(buffer)
		for w.blocked.Load() {
			rest(context.Background(), 100*time.Millisecond)
		}
		if n > 0 {
			if _, err := to.Write(buffer[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

func (w *wire) cutAll() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for c := range w.open {
		c.Close()
	}
}

func (w *wire) fail(ctx context.Context, draw *rand.Rand) {
	w.faults++
	pause := time.Duration(2+draw.IntN(40)) * time.Second
	switch draw.IntN(3) {
	case 0: // in the middle of whatever it does
		w.cutAll()
	case 1: // it is down
		w.closed.Store(true)
		w.cutAll()
		rest(ctx, pause)
		w.closed.Store(false)
	case 2: // it hangs
		w.blocked.Store(true)
		rest(ctx, pause)
		w.blocked.Store(false)
	}
}

// addsUp wants what was written to MongoDB to be what the store has.
func (w *wire) addsUp(t *testing.T, path string, patience time.Duration) {
	t.Helper()
	reader, err := mongo.Open(mongo.Options{URI: w.server.URI(), Database: "usage", Timeout: 10 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	db := openStore(t, path)
	for _, collection := range []string{"group_usage", "user_usage"} {
		eventually(t, patience, collection+" adds up to the store", func() error {
			var sum, kwh float64
			for doc, err := range reader.Find(t.Context(), collection, mongo.Find{}) {
				if err != nil {
					return err
				}
				sum += doc.Lookup("busy_kwh").Double() + doc.Lookup("idle_kwh").Double()
			}
			if err := db.QueryRow("SELECT total(busy_kwh + idle_kwh) FROM fact_usage WHERE scope = 'ada'").Scan(&kwh); err != nil {
				return err
			}
			if !near(sum, kwh, 1e-9) {
				return fmt.Errorf("it has %v kWh, the store %v", sum, kwh)
			}
			return nil
		})
	}
}
