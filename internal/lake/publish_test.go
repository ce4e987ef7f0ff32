// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !race

package lake_test

import (
	"bytes"
	"fmt"
	"io/fs"
	"math"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/lake"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

func TestADayIsPublishedOnce(t *testing.T) {
	s := newSite(t, t.TempDir())
	s.fill(2)
	s.mustPublish()
	hold(t, s.dir)
	m := manifest(t, s.dir, "2026-10-06")
	if m == nil || m.Revision != 1 || m.Generation != 1 || m.Present().Reason != "first" || m.Present().Facts.Rows != 4*12*2 || m.Present().Intervals.Settled != 4 {
		t.Fatalf("the second day: %+v", m)
	}
	sums := m.Present().Sums
	for scope, a := range sums.Members {
		if fmt.Sprintf("%.9f %.6f", a.BusyKWh, *a.BusyGrams) != fmt.Sprintf("%.9f %.6f", sums.Facts.BusyKWh, *sums.Facts.BusyGrams) {
			t.Errorf("scope %s adds up to %+v, facts to %+v", scope, a, sums.Facts)
		}
	}
	if len(sums.Members) != 4 || s.state != (usage.LakeState{Newest: epoch.Add(48 * time.Hour)}) {
		t.Errorf("scopes %v, state %+v", sums.Members, s.state)
	}
	before := files(t, s.dir)
	s.mustPublish()
	for name, text := range files(t, s.dir) {
		if !bytes.Equal(text, before[name]) {
			t.Errorf("%s was written again", name)
		}
	}
}

func TestARestatedDayHasARevisionMore(t *testing.T) {
	s := newSite(t, t.TempDir())
	s.fill(2)
	s.mustPublish()
	was, _ := os.ReadFile(filepath.Join(s.dir, lake.FactsPath(theSite, "2026-10-05")))
	at := s.now
	s.now = s.now.Add(-100 * 24 * time.Hour) // a clock that was set back
	s.change(1, 333)
	s.mustPublish()
	hold(t, s.dir)
	m := manifest(t, s.dir, "2026-10-05")
	if m.Revision != 2 || m.Present().Reason != "restated" || !m.Present().PublishedAt.After(m.Revisions[0].PublishedAt) {
		t.Fatalf("restated: %+v", m)
	}
	if old := m.AsOf(at); old.Revision != 1 || !bytes.Equal(files(t, s.dir)[old.Facts.Path], was) {
		t.Errorf("as of then it is %+v", old)
	}
	if other := manifest(t, s.dir, "2026-10-06"); other.Revision != 1 {
		t.Errorf("another day: %+v", other)
	}
	s.change(1, 100)
	s.mustPublish()
	if is, _ := os.ReadFile(filepath.Join(s.dir, lake.FactsPath(theSite, "2026-10-05"))); !bytes.Equal(is, was) {
		t.Error("the same numbers make other bytes")
	}
}

// scenarios are what a program may be about when it is killed: each begins with days that are
// published, and makes something that is to be published.
var scenarios = []struct {
	name string
	make func(s *site)
}{
	{"a first day", func(s *site) { s.fill(1) }},
	{"a restated day", func(s *site) {
		s.fill(1)
		s.mustPublish()
		s.change(2, 222)
	}},
	{"a person who is forgotten", func(s *site) {
		s.fill(1)
		s.mustPublish()
		if _, found, err := s.Forget(s.Context(), "alice"); !found || err != nil {
			s.Fatal(err)
		}
	}},
	{"a manifest that was deleted", func(s *site) {
		s.fill(1)
		s.mustPublish()
		s.change(2, 222)
		s.mustPublish()
		s.deletes("2026-10-05")
	}},
}

// kinds are the ways in which an operation can end that was cut short, and of which operations.
var kinds = []struct {
	name, of string
	fault    faults
}{
	{"before it", "rwd", faults{}}, {"after it", "wd", faults{after: true}}, {"half-way", "w", faults{half: true}},
}

func TestWhereverPublishingIsCutShortNothingIsLost(t *testing.T) {
	for _, c := range scenarios {
		t.Run(c.name, func(t *testing.T) {
			made := newSite(t, t.TempDir())
			c.make(made)
			made.Store.Close()
			undisturbed := made.again()
			undisturbed.fault = &faults{left: -1}
			undisturbed.mustPublish()
			want, steps := alike(summary(t, undisturbed.dir)), undisturbed.fault.did
			if len(steps) < 8 {
				t.Fatalf("only %d operations", len(steps))
			}
			for _, kind := range kinds {
				for n, what := range steps {
					if !strings.ContainsRune(kind.of, rune(what)) {
						continue
					}
					s := made.again()
					fault := kind.fault
					fault.left = n
					s.fault = &fault
					if err := s.publish(); err == nil {
						t.Fatalf("cut %s %d of %s: no error", kind.name, n, steps)
					}
					hold(t, s.dir)
					s.fault = nil
					s.mustPublish()
					hold(t, s.dir)
					if got := alike(summary(t, s.dir)); got != want {
						t.Fatalf("cut %s %d of %s, it ends as\n%s\nwant\n%s", kind.name, n, steps, got, want)
					}
					if strings.Contains(s.log.String(), "a copy of it publishes") {
						t.Errorf("cut %s %d of %s: it takes itself for another", kind.name, n, steps)
					}
					s.Store.Close()
				}
			}
		})
	}
}

// alike leaves out what is random: what a forgotten person is called, and with it the hashes.
func alike(summary string) string {
	if !strings.Contains(summary, "-1/") { // somebody was erased
		return summary
	}
	var lines []string
	for line := range strings.Lines(summary) {
		words := strings.Fields(line)
		for i, w := range words {
			if len(w) >= 64 {
				words[i] = "hash"
			}
		}
		lines = append(lines, strings.Join(words, " "))
	}
	return strings.Join(lines, "\n")
}

func TestWhatIsRefusedSaysWhatToDo(t *testing.T) {
	for _, c := range []struct {
		name   string
		is     error
		reason string
		want   string
	}{
		{"no rights", fs.ErrPermission, usage.ReasonAuth, "the bucket does not let us write facts/site=harwell/day=2026-10-05/facts.parquet: give this account the rights to read, write, list and delete"},
		{"a full disk", fmt.Errorf("write: %w", syscall.ENOSPC), usage.ReasonServer, "the disk of the bucket is full: facts/site=harwell/day=2026-10-05/facts.parquet could not be written"},
		{"a quota that is used up", &fs.PathError{Op: "write", Path: "x", Err: syscall.EDQUOT}, usage.ReasonServer, "the disk of the bucket is full: facts/site=harwell/day=2026-10-05/facts.parquet could not be written"},
		{"a directory in its place", &fs.PathError{Op: "open", Path: "x", Err: syscall.EISDIR}, usage.ReasonServer, "server_error: write facts/site=harwell/day=2026-10-05/facts.parquet: open x: is a directory"},
		{"nobody listens", &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}, usage.ReasonConnection, "connection refused"},
		{"anything else", errCut, usage.ReasonServer, "server_error: write facts/site=harwell/day=2026-10-05/facts.parquet: the connection is cut"},
	} {
		s := newSite(t, t.TempDir())
		s.fill(1)
		s.mustPublish()
		s.change(1, 300)
		s.fault = &faults{left: -1, only: "facts/", is: c.is}
		err := s.publish()
		if f := usage.FailureOf(err); f == nil || f.Reason != c.reason || !strings.HasSuffix(usage.Cause(err), c.want) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

// A day whose rows of fact_usage were deleted has all members again when one of its intervals is
// restated, and when that is taken back, the same as at first.
func TestADayWithoutMembersIsRestatedWhole(t *testing.T) {
	s := newSite(t, t.TempDir())
	s.fill(4)
	s.mustPublish()
	for more := true; more; {
		done, err := s.PruneMembers(t.Context(), s.now, 24*time.Hour, "")
		if err != nil {
			t.Fatal(err)
		}
		more = done.More
	}
	for _, price := range []float64{300, 100} {
		s.change(1, price)
		s.mustPublish()
		hold(t, s.dir)
		r := manifest(t, s.dir, "2026-10-05").Present()
		for _, scope := range []string{"ada", "project", "machine", "user"} {
			is := r.Sums.Members[scope]
			if r.Members.Rows != 20 || is.BusyKWh != r.Sums.Facts.BusyKWh || math.Abs(*is.BusyGrams-*r.Sums.Facts.BusyGrams) > 1e-6 {
				t.Errorf("price %v: %d rows; %s has %v, and facts %v", price, r.Members.Rows, scope, is, r.Sums.Facts)
			}
		}
	}
	if m := manifest(t, s.dir, "2026-10-05"); len(m.Revisions) != 3 || !m.Present().Members.Same(m.Revisions[0].Members) {
		t.Errorf("the members are not what they were at first: %+v", m.Revisions)
	}
}

func TestAManifestThatSomebodyHasSpoilt(t *testing.T) {
	s := newSite(t, t.TempDir())
	s.fill(1)
	s.mustPublish()
	s.change(1, 300)
	for text, says := range map[string]string{
		"":                "cannot be understood: manifest of harwell, 2026-10-05: it is empty; look at it, and delete it to have it written anew",
		"{":               "unexpected end of JSON input; look at it, and delete it to have it written anew",
		`{"format": 999}`: "day=2026-10-05.json: a newer version of the program has written it: update this one",
	} {
		if err := os.WriteFile(filepath.Join(s.dir, lake.ManifestPath(theSite, "2026-10-05")), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := s.publish(); err == nil || !strings.HasSuffix(usage.Cause(err), says) {
			t.Errorf("%q: %v, want %s", text, err, says)
		}
	}
}

func TestAPublishedFileThatSomebodyHasChanged(t *testing.T) {
	s := newSite(t, t.TempDir())
	s.fill(1)
	s.mustPublish()
	if err := os.WriteFile(filepath.Join(s.dir, lake.FactsPath(theSite, "2026-10-05")), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	s.change(1, 300)
	s.mustPublish()
	hold(t, s.dir)
	m := manifest(t, s.dir, "2026-10-05")
	if m.Revision != 2 || m.Revisions[0].Gone != "damaged" || m.Present().Gone != "" || !strings.Contains(s.log.String(), "somebody has changed or deleted it") {
		t.Errorf("%+v\n%s", m, s.log.String())
	}
}
