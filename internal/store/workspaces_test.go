// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"fmt"
	"math"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

func active(tb testing.TB, s *Store, now time.Time, list ...usage.Active) {
	tb.Helper()
	if err := s.SaveActive(tb.Context(), list, now); err != nil {
		tb.Fatal(err)
	}
}

func estimate(tb testing.TB, s *Store) {
	tb.Helper()
	if err := s.Estimate(tb.Context()); err != nil {
		tb.Fatal(err)
	}
}

// withHosts gives each host 0.3 kWh busy and 0.1 idle in the piece at start.
func withHosts(rec usage.Record, start time.Time, hosts ...string) usage.Record {
	for _, host := range hosts {
		rec.Hosts = append(rec.Hosts, usage.HostFact{
			Host: host, Machine: "Muon", Start: start, Until: start.Add(usage.PieceLength(rec.Interval.Length)),
			CPU:    usage.BusyIdle[usage.CPUSeconds]{Busy: 900, Idle: 300},
			Energy: usage.ByMode[usage.KWh]{Busy: 0.3, Idle: 0.1},
		})
	}
	return rec
}

// used is one line a workspace: host, user, group, kWh, grams, estimated kWh.
func used(t *testing.T, s *Store) string {
	t.Helper()
	all, err := s.Active(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, a := range all {
		grams := "-"
		if a.Priced {
			grams = fmt.Sprintf("%.4g", float64(a.Emissions.Total()))
		}
		lines = append(lines, fmt.Sprintf("%s %s %s %.4g %s %.4g", a.Host, a.User, a.Group, float64(a.Energy.Total()), grams, float64(a.Estimated)))
	}
	return strings.Join(lines, "; ")
}

func TestLabelsAreTakenApart(t *testing.T) {
	for _, c := range []struct {
		label, host string
		port        any
	}{
		{"172.16.100.5:9100", "172.16.100.5", int64(9100)},
		{"[fd00::5]:9100", "fd00::5", int64(9100)},
		{"[fd00::5]", "fd00::5", nil},
		{"fd00::5", "fd00::5", nil},
		{"vm7", "vm7", nil},
		{"vm7:http", "vm7:http", nil},
		{"vm7:99999", "vm7:99999", nil},
		{"vm7:", "vm7:", nil},
		{"", "", nil},
	} {
		s := newStore(t)
		active(t, s, epoch, usage.Active{Key: muonA, Host: c.label})
		rows := readRows(t, s.reader, "SELECT host, port, raw_label FROM dim_instance")
		if want := [][]any{{c.host, c.port, c.label}}; !reflect.DeepEqual(rows, want) {
			t.Errorf("%q is %v, want %v", c.label, rows, want)
		}
	}
}

func TestWorkspacesComeAndGo(t *testing.T) {
	s := newStore(t)
	seen := func() (text string) {
		for _, row := range readRows(t, s.reader, `SELECT workspace_id, raw_label, user_id, started_at FROM active_workspace
			JOIN dim_instance USING (instance_id) ORDER BY 1`) {
			text += strings.TrimSpace(fmt.Sprintln(row...)) + "; "
		}
		return text
	}
	a, b := usage.Active{Key: muonA, Host: "a:9100", Started: epoch}, usage.Active{Key: muonB, Host: "b:9100"}
	pool := usage.Active{Key: nobody, Host: "c:9100"}
	active(t, s, at(4).Start, a, b, pool)
	want(t, "as they are", seen(), "1 a:9100 a 2025-09-11T00:00:00Z; 2 b:9100 b 2025-09-11T02:00:00Z; 3 c:9100 unattributed 2025-09-11T02:00:00Z; ")
	before := dump(t, s)
	active(t, s, at(9).Start, pool, b, a, a)
	if dump(t, s) != before {
		t.Error("the same list has changed something")
	}
	pool.Key = muonA
	b.Key.Group = "moved"
	active(t, s, at(5).Start, pool, b)
	want(t, "one left, one has an owner, one another group", seen(), "2 b:9100 b 2025-09-11T02:00:00Z; 4 c:9100 a 2025-09-11T02:30:00Z; ")
	want(t, "with their groups", used(t, s), "b:9100 b moved 0 - 0; c:9100 a ISIS 0 - 0")
	b.Started = at(1).Start
	active(t, s, at(6).Start, b, a)
	want(t, "one began earlier than was known, one is back", seen(), "5 b:9100 b 2025-09-11T00:30:00Z; 6 a:9100 a 2025-09-11T00:00:00Z; ")
	if n := len(readRows(t, s.reader, "SELECT 1 FROM dim_instance")); n != 3 {
		t.Errorf("%d instances, want 3", n)
	}
	active(t, s, at(7).Start)
	want(t, "none is left", seen()+used(t, s), "")
	if n := len(readRows(t, s.reader, "SELECT 1 FROM active_group")); n != 0 {
		t.Errorf("%d groups of none", n)
	}
	if rows := readRows(t, s.reader, "PRAGMA foreign_key_check"); len(rows) > 0 {
		t.Errorf("%v refer to nothing", rows)
	}
}

func TestAWorkspaceHasWhatItsHostUsedSinceItBegan(t *testing.T) {
	s := newStore(t)
	commit(t, s, withHosts(withPrice(threeKeys(at(1)), 100, usage.Provisional), at(1).Start, "a:1", "b:1", "gone:1"),
		withHosts(threeKeys(at(2)), at(2).Start, "a:1", "b:1"))
	active(t, s, at(3).Start,
		usage.Active{Key: muonA, Host: "a:1", Started: epoch}, usage.Active{Key: muonB, Host: "b:1", Started: at(2).Start})
	want(t, "the second began after the first interval", used(t, s), "a:1 a ISIS 0.8 40 0; b:1 b ISIS 0.4 - 0")
	if n := len(readRows(t, s.reader, "SELECT 1 FROM workspace_usage")); n != 4 {
		t.Errorf("%d rows of hosts that are there, want 4", n)
	}
	// Host a changed hands inside interval 3, and b has two series.
	rec := withHosts(threeKeys(at(3)), at(3).Start, "a:1", "a:1", "b:1", "b:1")
	rec.Hosts[0].Until = at(3).Start.Add(10 * time.Minute)
	commit(t, s, rec)
	active(t, s, at(4).Start,
		usage.Active{Key: muonB, Host: "a:1", Started: at(3).Start.Add(10 * time.Minute)}, usage.Active{Key: muonB, Host: "b:1", Started: at(2).Start})
	want(t, "only its own stretch", used(t, s), "a:1 b ISIS 0.4 - 0; b:1 b ISIS 1.2 - 0")
	before := dump(t, s)
	commit(t, s, rec)
	if dump(t, s) != before {
		t.Error("the same hosts again have changed something")
	}
	if err := reprice(t.Context(), s, at(2), priced(at(2), 50), usage.Provisional); err != nil {
		t.Fatal(err)
	}
	want(t, "a price comes later", used(t, s), "a:1 b ISIS 0.4 - 0; b:1 b ISIS 1.2 20 0")
	active(t, s, at(5).Start, usage.Active{Key: muonB, Host: "a:1"})
	if rows := readRows(t, s.reader, "SELECT DISTINCT raw_label FROM workspace_usage JOIN dim_instance USING (instance_id)"); len(rows) != 1 || rows[0][0] != "a:1" {
		t.Errorf("rows of %v", rows)
	}
}

func TestHolesAreEstimated(t *testing.T) {
	s := newStore(t)
	schedule(t, s, at(1), at(6).End())
	a, b := usage.Active{Key: muonA, Host: "a:1", Started: epoch}, usage.Active{Key: muonB, Host: "b:1", Started: epoch}
	other := usage.Active{Key: artemisA, Host: "c:1", Started: epoch}
	commit(t, s, withHosts(threeKeys(at(1)), at(1).Start, "a:1"), withHosts(threeKeys(at(2)), at(2).Start, "b:1"),
		usage.Record{Interval: at(3), State: usage.Empty, FetchedAt: at(9).Start}, withHosts(threeKeys(at(5)), at(5).Start, "a:1", "b:1"))
	active(t, s, at(9).Start, a, b, other)
	facts := readRows(t, s.reader, "SELECT * FROM fact_usage")
	estimate(t, s)
	want(t, "where it was answered, not before its first and not what is missing", used(t, s),
		"a:1 a ISIS 1.6 - 0.8; b:1 b ISIS 1.2 - 0.4; c:1 a CLF 0 - 0")
	before := dump(t, s)
	estimate(t, s)
	if dump(t, s) != before {
		t.Error("a second estimate has changed something")
	}
	if !reflect.DeepEqual(facts, readRows(t, s.reader, "SELECT * FROM fact_usage")) {
		t.Error("an estimate is among the facts")
	}
	rec := withHosts(threeKeys(at(2)), at(2).Start, "a:1", "b:1")
	rec.Hosts[0].Energy.Busy = 2.3
	commit(t, s, rec)
	estimate(t, s)
	all, err := s.Active(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	// What was seen takes the place of its estimate; the others stay as they were.
	if got := all[0]; math.Abs(float64(got.Energy.Total())-3.6) > 1e-12 || math.Abs(float64(got.Estimated)-0.4) > 1e-12 {
		t.Errorf("got %+v, want 3.6 kWh of which 0.4 are estimated", got)
	}
}

func TestAnHourThatIsMissingIsEstimatedPieceByPiece(t *testing.T) {
	s := openStore(t, filepath.Join(t.TempDir(), "carbon.db"), Options{Interval: 2 * half})
	hour := func(n int) usage.Interval { return usage.IntervalAt(at(2*n).Start, 2*half) }
	rec := withHosts(unpriced(hour(1), fact(muonA, hour(1).Start, 1, 1)), hour(1).Start, "a:1", "b:1")
	commit(t, s, rec, unpriced(hour(2), fact(muonA, hour(2).Start, 1, 1)),
		withHosts(unpriced(hour(3), fact(muonA, hour(3).Start, 1, 1)), hour(3).Start.Add(half), "a:1"))
	active(t, s, hour(9).Start, usage.Active{Key: muonA, Host: "a:1", Started: epoch})
	estimate(t, s)
	want(t, "two pieces of the second hour", used(t, s), "a:1 a ISIS 1.6 - 0.8")
}

// A month of 200 hosts at half an hour.
func BenchmarkWorkspaces(b *testing.B) {
	s := openStore(b, filepath.Join(b.TempDir(), "carbon.db"), Options{Interval: half})
	var hosts []string
	var list []usage.Active
	for n := range 200 {
		hosts = append(hosts, fmt.Sprintf("10.0.0.%d:9100", n))
		list = append(list, usage.Active{Key: muonA, Host: hosts[n], Started: epoch})
	}
	for n := range 30 * 48 {
		commit(b, s, withHosts(withPrice(unpriced(at(n), fact(muonA, at(n).Start, 1, 1)), 200, usage.Provisional), at(n).Start, hosts...))
	}
	b.Run("SaveActive", func(b *testing.B) {
		for b.Loop() {
			active(b, s, epoch, list...)
		}
	})
	b.Run("Estimate", func(b *testing.B) {
		for b.Loop() {
			estimate(b, s)
		}
	})
	b.Run("Active", func(b *testing.B) {
		for b.Loop() {
			if _, err := s.Active(b.Context()); err != nil {
				b.Fatal(err)
			}
		}
	})
}
