// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"bytes"
	"fmt"
	"math/rand"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/carbon-exporter/carbon_exporter/internal/directory"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// person is a user whose id is found wherever it is, in any file.
const person = "ada.lovelace@example.org"

func forgetNow(tb testing.TB, s *Store, user string) string {
	tb.Helper()
	alias, found, err := s.Forget(tb.Context(), user)
	if err != nil || !found || !aliasForm.MatchString(alias) {
		tb.Fatalf("alias %q, found %v, %v", alias, found, err)
	}
	return alias
}

// fullStore is the path of a store that knows the person in every way.
func fullStore(t *testing.T, path string) *Store {
	t.Helper()
	s := openStore(t, path, Options{Interval: half})
	r := rand.New(rand.NewSource(3))
	d := largeDirectory(200)
	d.People = append(d.People, directory.Person{ID: person, Name: "Augusta Ada King"})
	d.Tenures[7].Owner = person
	d.Memberships = append(d.Memberships, directory.Membership{User: person, Group: "g1"})
	saveDirectory(t, s, learnedAll(d), true)
	for n := range 12 {
		rec := randomRecord(r, at(n))
		for f := range rec.Facts {
			if rec.Facts[f].User == "u1" {
				rec.Facts[f].User = person
			}
		}
		if n > 6 {
			rec.Prices, rec.State = nil, usage.Unpriced
		}
		commit(t, s, rec)
		if rec.State == usage.Unpriced {
			// Old rows leave free pages behind, with names in them.
			if err := reprice(t.Context(), s, at(n), priced(at(n), 77), usage.Provisional); err != nil {
				t.Fatal(err)
			}
		}
	}
	a := key("p1", "m1", person, "g1")
	active(t, s, at(9).Start, usage.Active{Key: a, Host: "a:1"})
	if err := s.SaveShown(t.Context(), usage.Shown{
		Users:     map[string]bool{person: true, "u2": true},
		Elsewhere: map[usage.Key]usage.SettledUsage{a: {Energy: usage.ByMode[usage.KWh]{Busy: 1}}},
	}); err != nil {
		t.Fatal(err)
	}
	issue(t, s, usage.ScopeGroup, "g1", "2025-09", usage.StatementPerson{User: person, Label: person}, usage.StatementPerson{User: "u2", Label: "u2"})
	return s
}

// sumsOf are all sums at every grain, with one user under another name.
func sumsOf(t *testing.T, s *Store, from, to string) string {
	t.Helper()
	sum := summary(t, s)
	for i := range sum.Totals {
		if sum.Totals[i].User == from {
			sum.Totals[i].User = to
		}
	}
	for i := range sum.Newest.Usage {
		if sum.Newest.Usage[i].User == from {
			sum.Newest.Usage[i].User = to
		}
	}
	var text strings.Builder
	lines := map[string]int{}
	for _, total := range sum.Totals {
		lines[fmt.Sprintf("%+v", total)]++
	}
	for _, u := range sum.Newest.Usage {
		lines[fmt.Sprintf("newest %+v", u)]++
	}
	for _, query := range []string{
		`SELECT ts, scope, project_id, machine_id, coalesce(user_id, ''), busy_cpu_seconds_total, idle_cpu_seconds_total, busy_kwh, idle_kwh,
			busy_gCo2eq, idle_gCo2eq, intensity_gCo2eq_kwh FROM fact_usage`,
		"SELECT * FROM usage_fact", "SELECT * FROM usage_total", "SELECT * FROM v_group_totals", "SELECT * FROM v_user_totals",
		"SELECT user_id, project_id FROM map_user_project", "SELECT workspace_id, user_id, started_at FROM active_workspace",
		"SELECT user_id, group_id FROM dim_user", "SELECT key_id, user_id, group_id FROM usage_key", "SELECT * FROM shown_elsewhere", "SELECT * FROM shown_user",
	} {
		for _, row := range readRows(t, s.reader, query) {
			for i := range row {
				if row[i] == from {
					row[i] = to
				}
			}
			lines[fmt.Sprintf("%s %v", query, row)]++
		}
	}
	fmt.Fprintf(&text, "%v %v", sum.States, lines) // maps print in order
	return text.String()
}

func TestForgettingAPersonChangesNoSum(t *testing.T) {
	path := filepath.Join(t.TempDir(), "carbon.db")
	s := fullStore(t, path)
	before := sumsOf(t, s, "", "")
	steady := replica{}
	steady.follow(t, s, "f", 9)
	alias := forgetNow(t, s, person)
	if after := sumsOf(t, s, alias, person); after != before {
		t.Errorf("all sums were\n%s\nand are\n%s", before, after)
	}
	holdSums(t, s)
	holdTotals(t, s)
	if rows := readRows(t, s.reader, "PRAGMA foreign_key_check"); len(rows) > 0 {
		t.Errorf("%v refer to nothing", rows)
	}
	if rows := readRows(t, s.reader, "SELECT display_name FROM dim_user WHERE user_id = ?", alias); len(rows) != 1 || rows[0][0] != nil {
		t.Errorf("the alias has the name %v", rows)
	}
	steady.follow(t, s, "f", 9)
	holdReplica(t, s, steady)
	d := directoryOf(t, s)
	if text := fmt.Sprintf("%+v", d); strings.Contains(text, person) || strings.Contains(text, "Augusta") || d.Tenures[7].Owner != "" {
		t.Error("the directory knows the person")
	}
	shown, err := s.Shown(t.Context())
	if err != nil || !reflect.DeepEqual(shown.Users, map[string]bool{alias: true, "u2": true}) || len(shown.Elsewhere) != 1 {
		t.Errorf("shown are %+v, %v", shown, err)
	}
}

func TestAForgottenPersonIsNotInTheFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "carbon.db")
	s := fullStore(t, path)
	find := func() (found []string) {
		for _, name := range []string{path, path + "-wal"} {
			b, err := os.ReadFile(name)
			if err != nil && !os.IsNotExist(err) {
				t.Fatal(err)
			}
			for _, word := range []string{person, "Augusta Ada King"} {
				if bytes.Contains(b, []byte(word)) {
					found = append(found, filepath.Base(name)+": "+word)
				}
			}
		}
		return found
	}
	if len(find()) == 0 {
		t.Fatal("the person was never in it")
	}
	forgetNow(t, s, person)
	if found := find(); len(found) > 0 {
		t.Errorf("while the store is open: %v", found)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if found := find(); len(found) > 0 {
		t.Errorf("after it was closed: %v", found)
	}
	s = openStore(t, path, Options{Exclusive: true, Interval: half})
	holdTotals(t, s)
}

func TestWhatComesOfAForgottenPersonIsNobodys(t *testing.T) {
	path := filepath.Join(t.TempDir(), "carbon.db")
	daemon := fullStore(t, path)
	tool := openStore(t, path, Options{})
	alias := forgetNow(t, tool, person)
	for _, total := range summary(t, daemon).Totals {
		if total.User == person {
			t.Fatal("the other program still shows the person")
		}
	}
	mine := key("p1", "m1", person, "g1")
	none := mine
	none.User = usage.Unattributed
	rec := unpriced(at(20), fact(mine, at(20).Start, 1, 2), fact(none, at(20).Start, 0.1, 0.2), fact(muonA, at(20).Start, 4, 4),
		fact(key("new", "m1", person, "new"), at(20).Start, 8, 8))
	commit(t, daemon, rec)
	before := dump(t, daemon)
	commit(t, daemon, rec)
	if dump(t, daemon) != before {
		t.Error("the same again has changed something")
	}
	rows := readRows(t, tool.reader, `SELECT cloud_project_name, user_id, busy_kwh, idle_kwh FROM v_usage WHERE ts = ? ORDER BY 1, 2`, at(20).String())
	if want := [][]any{{"IDAaaS", "a", 4.0, 4.0}, {"new", "unattributed", 8.0, 8.0}, {"p1", "unattributed", 1.1, 2.2}}; !reflect.DeepEqual(rows, want) {
		t.Errorf("got %v, want %v", rows, want)
	}
	d := largeDirectory(20)
	d.People, d.Tenures[0].Owner = append(d.People, directory.Person{ID: person, Name: "Ada"}), person
	d.Memberships = append(d.Memberships, directory.Membership{User: person, Group: "g9"})
	d.Names = append(d.Names, directory.Name{Kind: directory.Users, ID: "7", Name: person}, directory.Name{Kind: directory.Users, ID: person, Name: "Ada"})
	saveDirectory(t, daemon, learnedAll(d), true)
	active(t, daemon, at(20).Start, usage.Active{Key: mine, Host: "b:1"})
	shown := usage.Shown{Users: map[string]bool{person: true}, Elsewhere: map[usage.Key]usage.SettledUsage{mine: {Energy: usage.ByMode[usage.KWh]{Busy: 2}}}}
	if err := daemon.SaveShown(t.Context(), shown); err != nil {
		t.Fatal(err)
	}
	want(t, "its host", used(t, daemon), "b:1 unattributed g1 0 - 0")
	text := dump(t, tool)
	if strings.Contains(text, person) || strings.Contains(text, "Ada") {
		t.Error("the person has come back")
	}
	mine.User = alias
	if got, err := tool.Shown(t.Context()); err != nil || !got.Users[alias] || got.Elsewhere[mine].Energy.Busy != 2 {
		t.Errorf("what the daemon knew under another name is shown as %+v, %v", got, err)
	}
	if alias, found, err := daemon.Forget(t.Context(), person); alias != "" || found || err != nil {
		t.Errorf("a second time: %q, %v, %v", alias, found, err)
	}
	holdSums(t, daemon)
	holdTotals(t, daemon)
}

func TestWhoCannotBeForgotten(t *testing.T) {
	s := newStore(t)
	commit(t, s, threeKeys(at(1)))
	for _, user := range []string{"unattributed", "other", "unknown", ""} {
		if _, found, err := s.Forget(t.Context(), user); err == nil || found {
			t.Errorf("%q was forgotten", user)
		}
	}
	alias := forgetNow(t, s, "a")
	before := dump(t, s)
	for _, user := range []string{"stranger", alias, "a"} {
		if alias, found, err := s.Forget(t.Context(), user); alias != "" || found || err != nil {
			t.Errorf("%q: %q, %v, %v", user, alias, found, err)
		}
	}
	if dump(t, s) != before {
		t.Error("who is not found has changed something")
	}
	forgetNow(t, s, "b")
}

func TestAPersonWithoutUsageIsForgottenToo(t *testing.T) {
	s := newStore(t)
	d := directory.Directory{AsOf: epoch, Tenures: []directory.Tenure{{Document: "1", Host: "h", Owner: person, From: epoch}}}
	saveDirectory(t, s, learnedAll(d), false)
	forgetNow(t, s, person)
	if strings.Contains(dump(t, s), person) {
		t.Error("the person is there")
	}
}

func TestCommitsGoOnWhileAPersonIsForgotten(t *testing.T) {
	path := filepath.Join(t.TempDir(), "carbon.db")
	daemon, tool := openStore(t, path, Options{Interval: half}), openStore(t, path, Options{})
	facts := func(i usage.Interval) usage.Record {
		return unpriced(i, fact(key("p", "m", person, "g"), i.Start, 1, 1), fact(key("p", "m", "b", "g"), i.Start, 1, 1))
	}
	commit(t, daemon, facts(at(0)))
	done := make(chan error)
	go func() {
		for n := range 40 {
			if err := commitOne(t.Context(), daemon, facts(at(n))); err != nil {
				done <- err
				return
			}
			if _, err := daemon.Summary(t.Context()); err != nil {
				done <- err
				return
			}
		}
		done <- nil
	}()
	forgetNow(t, tool, person)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	commit(t, daemon, facts(at(40)))
	if strings.Contains(dump(t, daemon), person) {
		t.Error("the person has come back")
	}
	if got := summary(t, daemon); len(got.Totals) < 2 {
		t.Errorf("got %+v", got.Totals)
	}
	holdSums(t, daemon)
	holdTotals(t, daemon)
}
