// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !race

package ingest

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/attribution"
	"github.com/carbon-exporter/carbon_exporter/internal/directory"
	"github.com/carbon-exporter/carbon_exporter/internal/roster"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// file is a directory's file, as an operator edits it.
type file struct {
	t *testing.T
	roster.File
}

func newFile(t *testing.T) *file {
	return &file{t, roster.File{Path: filepath.Join(t.TempDir(), "owners.csv"), Zone: time.UTC}}
}

func (f *file) settings(s *Settings) {
	s.Directory = &Directory{Source: usage.SourceDirectory, Census: f.Census, Learn: attribution.Learn, Every: 30 * time.Second, Homes: true}
}

func (f *file) write(lines ...string) {
	f.t.Helper()
	text := "host,owner,from,to,group\n" + strings.Join(lines, "\n") + "\n"
	if err := os.WriteFile(f.Path, []byte(text), 0o600); err != nil {
		f.t.Fatal(err)
	}
	before := time.Now().Add(-time.Minute) // nobody is writing any more
	if err := os.Chtimes(f.Path, before, before); err != nil {
		f.t.Fatal(err)
	}
}

func TestAFileSaysWhoHasWhichHost(t *testing.T) {
	f := newFile(t)
	r, host := namelessBy(t, f.settings)
	var logged bytes.Buffer
	r.spine.Log = slog.New(slog.NewTextHandler(&logged, nil))
	owns := func(what string, want map[string]float64) {
		t.Helper()
		r.both()
		got := r.users()
		all := 0.0
		for _, kwh := range got {
			all += kwh
		}
		for user, share := range want {
			if !near(got[user]/all, share) {
				t.Errorf("%s: %s has %v of all, want %v (all: %v)", what, user, got[user]/all, share, got)
			}
		}
		for user := range got {
			if _, ok := want[user]; !ok && user != usage.Unattributed {
				t.Errorf("%s: %s has something", what, user)
			}
		}
	}

	f.write(host + ",ada,,,muons")
	if err := r.learn(); err != nil {
		t.Fatal(err)
	}
	r.both()
	share := r.users()["ada"] / sum(r.users())
	if share <= 0 || share >= 1 {
		t.Fatalf("ada has %v of all", share)
	}
	owns("one owner for all time", map[string]float64{"ada": share})

	// A file that is broken, emptied or gone changes nothing.
	for what, spoil := range map[string]func(){
		"emptied": func() { f.write() },
		"half of a row": func() {
			if err := os.WriteFile(f.Path, []byte("host,owner,from,to,group\n"+host+",b"), 0o600); err != nil {
				t.Fatal(err)
			}
			if err := os.Chtimes(f.Path, time.Unix(1e9, 0), time.Unix(1e9, 0)); err != nil {
				t.Fatal(err)
			}
		},
		"gone": func() { os.Remove(f.Path) },
	} {
		spoil()
		if err := r.learn(); err == nil {
			t.Errorf("%s: no error", what)
		}
		owns(what, map[string]float64{"ada": share})
	}

	// A row that is refused leaves its host alone, and is said once.
	f.write(host+",bob,soon,,muons", "another,carl,,,")
	for range 2 {
		if err := r.learn(); err != nil {
			t.Fatal(err)
		}
	}
	owns("refused", map[string]float64{"ada": share})
	if n := strings.Count(logged.String(), `reason=bad_date first="line 2" rows=1`); n != 1 {
		t.Errorf("it was said %d times:\n%s", n, logged.String())
	}
	for _, name := range []string{"ada", "bob", "carl"} {
		if strings.Contains(logged.String(), name) {
			t.Errorf("the log names %s:\n%s", name, logged.String())
		}
	}

	// A row with times is right for all of them, whatever was known before.
	f.write(host + ",bob,2026-01-01,,muons")
	if err := r.learn(); err != nil {
		t.Fatal(err)
	}
	owns("corrected", map[string]float64{"bob": share})
	if !strings.Contains(logged.String(), "No row of the directory is refused any more") {
		t.Error("the log does not say that all is well again")
	}
	asked := r.server.asked
	if err := r.learn(); err != nil {
		t.Fatal(err)
	}
	r.both()
	if r.server.asked != asked {
		t.Error("nothing new, and Prometheus is asked again")
	}
}

// Whenever the file comes, and in whatever order its rows are, the facts are the same.
func TestAFileInAnyOrderEndsInTheSameFacts(t *testing.T) {
	var first map[string]float64
	for name, late := range map[string]bool{"before the energy": false, "after the energy": true} {
		for _, reverse := range []bool{false, true} {
			f := newFile(t)
			r, host := namelessBy(t, f.settings)
			rows := []string{
				host + ",ada,,2026-06-30T20:10:00Z,g", host + ",bob,2026-06-30T20:10:00Z,,", host + ",carl,2026-06-30T22:00:00Z,2026-06-30T22:20:00Z,g",
			}
			if reverse {
				rows[0], rows[2] = rows[2], rows[0]
			}
			f.write(rows...)
			if late {
				r.both()
			}
			if err := r.learn(); err != nil {
				t.Fatal(err)
			}
			r.both()
			users := r.users()
			if users["ada"] == 0 || users["bob"] == 0 || users["carl"] == 0 {
				t.Fatalf("%s: users have %v", name, users)
			}
			if first == nil {
				first = users
			}
			for user, kwh := range users {
				if !near(kwh, first[user]) {
					t.Errorf("%s: %s has %v, was %v", name, user, kwh, first[user])
				}
			}
		}
	}
}

func sum(of map[string]float64) (all float64) {
	for _, v := range of {
		all += v
	}
	return all
}

// Names of projects that come late are those of all that is not settled.
func TestNamesThatComeLateAreThoseOfWhatIsNotSettled(t *testing.T) {
	g := &registry{}
	r, host := nameless(t, g)
	r.both()
	before := r.projects()
	g.census = directory.Census{
		Table: true, Names: []directory.Name{{Kind: directory.Projects, ID: r.cloud.Hosts()[0].Project, Name: "a name"}},
		Owners: []directory.Claim{{Of: directory.HostName(host), Holder: "ada"}},
	}
	if err := r.learn(); err != nil {
		t.Fatal(err)
	}
	r.both()
	after := r.projects()
	if was := before[r.cloud.Hosts()[0].Project]; was == 0 || !near(after["a name"], was) || after[r.cloud.Hosts()[0].Project] != 0 {
		t.Errorf("projects have %v, had %v", after, before)
	}
	r.restart()
	r.now = r.now.Add(30 * time.Minute)
	r.both()
	if next := r.projects(); next["a name"] <= after["a name"] || next[r.cloud.Hosts()[0].Project] != 0 {
		t.Errorf("after a restart projects have %v", next)
	}
}

func (r *rig) projects() map[string]float64 {
	all := map[string]float64{}
	for _, t := range r.summary().Totals {
		all[t.Project] += float64(t.Energy.Total())
	}
	return all
}
