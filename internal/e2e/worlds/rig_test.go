// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package worlds_test

import (
	"context"
	"fmt"
	"maps"
	"math"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/common/config"

	"github.com/carbon-exporter/carbon_exporter/internal/e2e/engine"
	"github.com/carbon-exporter/carbon_exporter/internal/e2e/worlds"
	"github.com/carbon-exporter/carbon_exporter/internal/source"
	"github.com/carbon-exporter/carbon_exporter/internal/upstream"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// minutes is a time after noon.
func minutes(m float64) time.Duration { return time.Duration(m * float64(time.Minute)) }

// halfHours are the first n half hours after noon.
func halfHours(n int) []usage.Interval { return run(30*time.Minute, n) }

func run(length time.Duration, n int) []usage.Interval {
	all := []usage.Interval{{Start: worlds.Noon, Length: length}}
	for len(all) < n {
		all = append(all, all[len(all)-1].Next())
	}
	return all
}

// quarter is a quarter busy, with every mode of Linux.
var quarter = worlds.Load{"user": 0.19, "nice": 0.005, "system": 0.05, "irq": 0.002, "softirq": 0.003, "idle": 0.70, "iowait": 0.05, "steal": 0}

// linux is a machine of four cores that is a quarter busy: 1800 s busy and 5400 s idle in half
// an hour.
func linux(name string) *worlds.Machine {
	return &worlds.Machine{Name: name, Project: "ISIS", Type: "Muon", User: "ada", Cores: 4, Load: quarter, Skew: 0.1, Uptime: 77*time.Hour + 13*time.Minute}
}

// newWorld is a world of machines, two and a half hours of it.
func newWorld(machines ...*worlds.Machine) *worlds.World {
	return &worlds.World{Noon: worlds.Noon, From: minutes(-45), To: minutes(125), Shape: worlds.Node(), Machines: machines, Seed: 11}
}

// question is what the exporter asks by default.
func question(s worlds.Shape) source.Query {
	return source.Query{
		Metric:    s.Metric,
		Labels:    source.Labels{Project: s.Project, Machine: s.Machine, Host: s.Host, User: s.User, CPU: s.CPU, Mode: s.Mode},
		BusyModes: []string{"user", "nice", "system", "irq", "softirq"}, IdleModes: []string{"idle", "iowait"},
		OtherModes: []string{"steal", "guest", "guest_nice"},
	}
}

// stage is a world behind HTTP, and a client that reads it.
type stage struct {
	*worlds.World
	*worlds.Server
	client *source.Client
}

// server is an engine that many worlds share: a new one for each would take longer than all
// else.
type server struct {
	engine  *engine.Engine
	answers http.Handler
}

var shared = struct {
	mu      sync.Mutex
	dir     string
	servers map[engine.Options]server
	worlds  int
}{servers: map[engine.Options]server{}}

func TestMain(m *testing.M) { os.Exit(testMain(m)) }

func testMain(m *testing.M) int {
	dir, err := os.MkdirTemp("", "worlds")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	shared.dir = dir
	code := m.Run()
	for _, s := range shared.servers {
		if err := s.engine.Close(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}
	return code
}

// serverWith returns the shared server with some options, and a name for one more world.
func serverWith(t testing.TB, o engine.Options) (server, string) {
	t.Helper()
	shared.mu.Lock()
	defer shared.mu.Unlock()
	shared.worlds++
	name := fmt.Sprint("w", shared.worlds)
	if s, ok := shared.servers[o]; ok {
		return s, name
	}
	in := o
	in.Dir = filepath.Join(shared.dir, name)
	e, err := engine.Open(in)
	if err != nil {
		t.Fatal(err)
	}
	s := server{engine: e, answers: e.Handler()}
	shared.servers[o] = s
	return s, name
}

// empty serves a world of which nothing is recorded yet. A label of all its series tells it
// from others.
func empty(t testing.TB, w *worlds.World, o engine.Options, query func(*source.Query)) *stage {
	t.Helper()
	s, name := serverWith(t, o)
	for _, m := range w.Machines {
		m.Labels = maps.Clone(m.Labels)
		if m.Labels == nil {
			m.Labels = map[string]string{}
		}
		m.Labels["world"] = name
	}
	front := worlds.Serve(s.engine, s.answers)
	t.Cleanup(front.Close)
	return &stage{World: w, Server: front, client: clientOf(t, w, front, func(q *source.Query) {
		if query != nil {
			query(q)
		}
		q.Matchers = fmt.Sprintf("world=%q,%s", name, strings.TrimSpace(q.Matchers))
		q.BusyQuery, q.IdleQuery = within(name, q.BusyQuery), within(name, q.IdleQuery)
	})}
}

// within restricts a query of the operator's to one world.
func within(name, query string) string {
	return strings.ReplaceAll(query, "{", fmt.Sprintf("{world=%q,", name))
}

func clientOf(t testing.TB, w *worlds.World, server *worlds.Server, query func(*source.Query)) *source.Client {
	t.Helper()
	h, err := upstream.NewHTTPClient(config.DefaultHTTPClientConfig, "test")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(h.CloseIdleConnections)
	address, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	q := question(w.Shape)
	query(&q)
	return &source.Client{
		Upstream: &upstream.Client{HTTP: h, UserAgent: "carbon_exporter/test", Timeout: 30 * time.Second, MaxBytes: 1 << 28},
		URL:      address, Query: q,
	}
}

// open serves a world with all of its history.
func open(t testing.TB, w *worlds.World, o engine.Options, query func(*source.Query)) *stage {
	t.Helper()
	s := empty(t, w, o, query)
	s.record(t, nil)
	return s
}

func (s *stage) record(t testing.TB, chosen func(*worlds.Machine, time.Duration) bool) {
	t.Helper()
	if err := s.Record(context.Background(), s.Engine, chosen); err != nil {
		t.Fatal(err)
	}
}

// read reads what must be readable.
func (s *stage) read(t testing.TB, run []usage.Interval) []usage.Reading {
	t.Helper()
	answer, _, err := s.client.Read(context.Background(), run)
	readings := answer.All()
	if err != nil {
		t.Fatal(err)
	}
	var pieces []usage.Interval
	for _, i := range run {
		pieces = append(pieces, i.Pieces()...)
	}
	if len(readings) != len(pieces) {
		t.Fatalf("got %d readings of %d pieces", len(readings), len(pieces))
	}
	for i, r := range readings {
		if r.Piece != pieces[i] {
			t.Fatalf("reading %d is of %s, want %s", i, r.Piece, pieces[i])
		}
	}
	return readings
}

// since is where an interval begins and ends, after noon.
func since(i usage.Interval) (from, to time.Duration) {
	from = i.Start.Sub(worlds.Noon)
	return from, from + i.Length
}

type seconds = usage.BusyIdle[usage.CPUSeconds]

// byMode sorts a machine's modes into busy and idle.
func byMode(q source.Query, modes map[string]float64) (s seconds, all float64) {
	for mode, v := range modes {
		switch {
		case slices.Contains(q.BusyModes, mode):
			s.Busy += usage.CPUSeconds(v)
		case slices.Contains(q.IdleModes, mode):
			s.Idle += usage.CPUSeconds(v)
		}
		if mode != "guest" && mode != "guest_nice" { // Linux counts them as user and nice too
			all += v
		}
	}
	return s, all
}

// booked is what a reading has of a host, by series.
func booked(r usage.Reading, host string) map[usage.Series]seconds {
	all := map[usage.Series]seconds{}
	for _, s := range r.Samples {
		if s.Host == host {
			have := all[s.Series]
			have.Busy += s.CPU.Busy
			have.Idle += s.CPU.Idle
			all[s.Series] = have
		}
	}
	return all
}

func sum(all map[usage.Series]seconds) (total seconds) {
	for _, s := range all {
		total.Busy += s.Busy
		total.Idle += s.Idle
	}
	return total
}

// stateOf is the state of a host in a reading: the worst of its doubts, exact without.
func stateOf(r usage.Reading, host string) (usage.HostState, string) {
	state, why := usage.HostExact, ""
	for _, d := range r.Doubts {
		if d.Host != host {
			continue
		}
		why += fmt.Sprintf(" %s: %s", d.Reason, d.Detail)
		if state != usage.HostRefused {
			state = d.State
		}
	}
	return state, strings.TrimSpace(why)
}

// checkForm holds any reading to what no reading may break.
func checkForm(t testing.TB, r usage.Reading) {
	t.Helper()
	refused := map[string]bool{}
	for _, d := range r.Doubts {
		switch {
		case d.State != usage.HostRefused && d.State != usage.HostInterpolated:
			t.Errorf("%s: doubt of %q has state %q", r.Piece, d.Host, d.State)
		case !slices.Contains(usage.DoubtReasons(), d.Reason):
			t.Errorf("%s: doubt of %q has reason %q, which is not in the list", r.Piece, d.Host, d.Reason)
		case d.Detail == "" || strings.Contains(d.Detail, "\n") || len(d.Detail) > 1000:
			t.Errorf("%s: doubt of %q has detail %q, want a line", r.Piece, d.Host, d.Detail)
		}
		if d.State == usage.HostRefused {
			refused[d.Host] = true
			if r.Present[d.Project].Hosts == 0 {
				t.Errorf("%s: %q is refused (%s), but its project %q has no hosts: %v", r.Piece, d.Host, d.Reason, d.Project, r.Present)
			}
		}
	}
	for _, s := range r.Samples {
		if !(s.CPU.Busy >= 0 && s.CPU.Idle >= 0) || math.IsInf(float64(s.CPU.Busy+s.CPU.Idle), 0) {
			t.Errorf("%s: %q is booked with %v", r.Piece, s.Host, s.CPU)
		}
		if refused[s.Host] {
			t.Errorf("%s: %q is refused and booked with %v", r.Piece, s.Host, s.CPU)
		}
		if r.Present[s.Project].Hosts == 0 {
			t.Errorf("%s: %q is booked, but its project %q has no hosts: %v", r.Piece, s.Host, s.Project, r.Present)
		}
	}
	for project, c := range r.Coverage {
		if c.Seen < 0 || float64(c.Seen) > 1.03*float64(c.Capacity)+60*float64(r.Present[project].Cores) { // a scrape's shift
			t.Errorf("%s: coverage of %q is %v of %v", r.Piece, project, c.Seen, c.Capacity)
		}
	}
}

// checkChunks reads a run again, one by one and in odd chunks: where all data is there, how
// much is read at once changes no bit of a number, but for slack where something happens to a
// machine. Two exporters that were down at other times would differ else.
func (s *stage) checkChunks(t testing.TB, run []usage.Interval, whole []usage.Reading, slack func(*stage, *worlds.Machine, time.Duration, time.Duration) float64) {
	t.Helper()
	for name, size := range map[string]int{"one by one": 1, "by two": 2} {
		var again []usage.Reading
		for some := range slices.Chunk(run, size) {
			again = append(again, s.read(t, some)...)
		}
		for i := range whole {
			from, to := since(whole[i].Piece)
			for _, m := range s.Machines {
				may := 0.0 // to the last bit
				if slack != nil && !s.Steady(m, from-10*time.Minute, to) {
					may = slack(s, m, from, to)
				}
				if diff := apart(whole[i], again[i], m.Name, may); diff != "" {
					t.Errorf("%s: read %s instead of %d at once, %s", whole[i].Piece, name, len(run), diff)
				}
			}
		}
	}
}

// apart says where two readings of a host differ by more than they may; 0: in any bit.
func apart(a, b usage.Reading, host string, may float64) string {
	x, y := booked(a, host), booked(b, host)
	state, why := stateOf(a, host)
	other, instead := stateOf(b, host)
	relative := 1e-6
	if may == 0 {
		relative = 0
	}
	for series := range union(x, y) {
		if !near(float64(x[series].Busy), float64(y[series].Busy), relative, may) || !near(float64(x[series].Idle), float64(y[series].Idle), relative, may) {
			return fmt.Sprintf("%v is %s (%s) with %v, not %s (%s) with %v", series, other, instead, y[series], state, why, x[series])
		}
	}
	if state != other {
		return fmt.Sprintf("%q is %s (%s), not %s (%s)", host, other, instead, state, why)
	}
	return ""
}

func union[K comparable, V any](a, b map[K]V) map[K]V {
	all := maps.Clone(a)
	maps.Copy(all, b)
	return all
}

func near(a, b, relative, absolute float64) bool {
	return math.Abs(a-b) <= max(absolute, relative*max(math.Abs(a), math.Abs(b)))
}
