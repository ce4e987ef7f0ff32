// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"bytes"
	"encoding/json"
	"errors"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// statementNow is the next statement of a store, with people whose salts are made up.
func statementNow(tb testing.TB, s *Store, scope usage.Scope, member, month string, people ...usage.StatementPerson) usage.Statement {
	tb.Helper()
	now, err := s.Ledger(tb.Context())
	if err != nil {
		tb.Fatal(err)
	}
	st := usage.Statement{StatementHead: usage.StatementHead{
		Number: now.Number + 1, Scope: scope, Member: member, Month: month, Previous: now.Hash,
		IssuedAt: epoch.Add(time.Duration(now.Number) * day), Version: "0.1.0", Revision: now.Revision,
	}}
	seals := []map[string]string{{"label": "other"}}
	for i, p := range people {
		p.Salt = bytes.Repeat([]byte{byte(i + 1)}, usage.SealBytes)
		st.People, seals = append(st.People, p), append(seals, map[string]string{"seal": p.Seal()})
	}
	if st.Body, err = json.Marshal(map[string]any{
		"number": st.Number, "scope": scope, "member": member, "month": month, "previous": st.Previous,
		"issued_at": st.IssuedAt, "version": st.Version, "revision": st.Revision, "people": seals,
	}); err != nil {
		tb.Fatal(err)
	}
	st.Hash = usage.HashOf(st.Body)
	return st
}

func issue(tb testing.TB, s *Store, scope usage.Scope, member, month string, people ...usage.StatementPerson) usage.Statement {
	tb.Helper()
	st := statementNow(tb, s, scope, member, month, people...)
	if err := s.Issue(tb.Context(), st); err != nil {
		tb.Fatal(err)
	}
	return st
}

// chained is the path of a store with three statements.
func chained(t *testing.T) (path string, s *Store, all []usage.Statement) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "carbon.db")
	s = openStore(t, path, Options{Interval: half})
	commit(t, s, threeKeys(at(1)))
	all = append(all,
		issue(t, s, usage.ScopeGroup, "g", "2025-09", usage.StatementPerson{User: "a", Label: "a"}, usage.StatementPerson{User: "b", Label: "0123456789abcdef"}),
		issue(t, s, usage.ScopeAda, "ada", "2025-09"))
	commit(t, s, threeKeys(at(2)))
	return path, s, append(all, issue(t, s, usage.ScopeGroup, "g", "2025-10", usage.StatementPerson{User: "a", Label: "a"}))
}

func statementFaults(t *testing.T, s *Store) string {
	t.Helper()
	v, err := s.VerifyStatements(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(v.Faults, "; ")
}

func TestStatementsAreKeptAsTheyWereIssued(t *testing.T) {
	path, s, want := chained(t)
	if got, err := s.Statements(t.Context()); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v\nwant %+v", got, err, want)
	}
	if got, err := s.StatementsOf(t.Context(), usage.ScopeGroup, "g"); err != nil || !reflect.DeepEqual(got, []usage.Statement{want[0], want[2]}) {
		t.Errorf("of the group: %+v, %v", got, err)
	}
	if got, err := s.Statement(t.Context(), 2); err != nil || !reflect.DeepEqual(*got, want[1]) {
		t.Errorf("the second: %+v, %v", got, err)
	}
	if got, err := s.Statement(t.Context(), 4); err != nil || got != nil {
		t.Errorf("there is no fourth, and it is %+v, %v", got, err)
	}
	if want[2].Previous != want[1].Hash || want[2].Revision != want[1].Revision+1 {
		t.Errorf("the third follows %+v", want[2].StatementHead)
	}
	copied := filepath.Join(t.TempDir(), "copy.db")
	if _, err := Backup(t.Context(), path, copied, nil); err != nil {
		t.Fatal(err)
	}
	for _, of := range []string{path, copied} {
		if failed := verify(t, of, later); len(failed) > 0 {
			t.Errorf("%s: %q", of, failed)
		}
	}
	if got, err := openStore(t, copied, Options{}).Statements(t.Context()); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("the copy has %+v, %v", got, err)
	}
}

func TestAStatementIsIssuedOnceAndInItsPlace(t *testing.T) {
	_, s, all := chained(t)
	next := func() usage.Statement { return statementNow(t, s, usage.ScopeGroup, "g", "2025-11") }
	for _, c := range []struct {
		name  string
		moved bool
		st    func() usage.Statement
	}{
		{"somebody else was first", true, func() usage.Statement { return all[2] }},
		{"usage came meanwhile", true, func() usage.Statement {
			st := next()
			commit(t, s, threeKeys(at(3)))
			return st
		}},
		{"a month that has one", false, func() usage.Statement { return statementNow(t, s, usage.ScopeAda, "ada", "2025-09") }},
		{"another text than its hash", false, func() usage.Statement { st := next(); st.Hash = all[0].Hash; return st }},
		{"another row than its text", false, func() usage.Statement { st := next(); st.Month = "2025-12"; return st }},
		{"a person who is not in its text", false, func() usage.Statement {
			st := next()
			st.People = []usage.StatementPerson{{User: "a", Label: "a", Salt: []byte("salt")}}
			return st
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			st := c.st()
			before := dump(t, s)
			if err := s.Issue(t.Context(), st); err == nil || errors.Is(err, ErrMoved) != c.moved {
				t.Errorf("got %v, moved should be %v", err, c.moved)
			}
			if dump(t, s) != before {
				t.Error("something was written")
			}
		})
	}
	if faults := statementFaults(t, s); faults != "" {
		t.Error(faults)
	}
}

func TestNothingChangesAStatement(t *testing.T) {
	_, s, _ := chained(t)
	before := dump(t, s)
	for _, query := range []string{
		"UPDATE statement SET body = '{}' WHERE number = 1", "UPDATE statement SET issued_at = 0", "DELETE FROM statement WHERE number = 3",
		"INSERT OR REPLACE INTO statement SELECT number, scope, member, month, issued_at, version, revision, previous, hash, '{}' FROM statement WHERE number = 3",
		"INSERT INTO statement SELECT 5, scope, member, '2030-01', issued_at, version, revision, previous, hash, body FROM statement WHERE number = 3",
		"UPDATE statement_person SET label = 'c', user_id = 'c' WHERE number = 1", "UPDATE statement_person SET user_id = 'c', salt = NULL WHERE number = 1",
		"UPDATE statement_person SET number = 3, place = 9, label = 'forgotten-00000000', user_id = 'forgotten-00000000', salt = NULL WHERE number = 1",
		"DELETE FROM statement_person",
	} {
		if _, err := s.writer.Exec(query); err == nil {
			t.Errorf("%s: was done", query)
		}
	}
	if dump(t, s) != before {
		t.Error("something was written")
	}
}

// Who can write to the file can drop triggers. What they do to statements is found.
func TestWhatWasDoneToStatementsIsFound(t *testing.T) {
	for _, c := range []struct{ name, do, want string }{
		{"nothing", "", ""},
		{"a number in a text", `UPDATE statement SET body = replace(body, '"month":"2025-09"', '"month":"2025-08"') WHERE number = 1`, "statement 1: its text has the hash"},
		{"and its hash with it", "UPDATE statement SET hash = 'f00' WHERE number = 1", "statement 2 does not follow statement 1 as it is now"},
		{"a column", "UPDATE statement SET month = '2024-01' WHERE number = 2", "statement 2: its row says other things than its text"},
		{"no text at all", "UPDATE statement SET body = 'gone' WHERE number = 3", "its text is not JSON"},
		{"the first is gone", "DELETE FROM statement WHERE number = 1", "statement 1 is missing"},
		{"one between is gone", "DELETE FROM statement WHERE number = 2", "statement 2 is missing"},
		{"and the next has its number", "DELETE FROM statement WHERE number = 2; UPDATE statement SET number = 2 WHERE number = 3; UPDATE statement_person SET number = 2 WHERE number = 3", "statement 2 does not follow statement 1 as it is now"},
		{"the last is gone", "DELETE FROM statement WHERE number = 3", "the last statement is 2 "},
		{"all are gone", "DELETE FROM statement", "the last statement is none"},
		{"another person", "UPDATE statement_person SET user_id = 'c', label = 'c' WHERE number = 1 AND place = 0", "statement 1: person 1 is another than it was issued with"},
		{"a person without a salt who is not forgotten", "UPDATE statement_person SET salt = NULL WHERE number = 3", "statement 3: person 1 is another"},
		{"a person less", "DELETE FROM statement_person WHERE number = 1 AND place = 1", "statement 1: its text has 2 people, and 1 are kept"},
	} {
		t.Run(c.name, func(t *testing.T) {
			path, s, _ := chained(t)
			for _, row := range readRows(t, s.reader, "SELECT name FROM sqlite_schema WHERE type = 'trigger' AND name LIKE 'statement%'") {
				execute(t, s.writer, "DROP TRIGGER "+row[0].(string))
			}
			execute(t, s.writer, "PRAGMA foreign_keys = OFF")
			if c.do != "" {
				execute(t, s.writer, c.do)
			}
			got := statementFaults(t, s)
			if !strings.Contains(got, c.want) || (got == "") != (c.want == "") {
				t.Errorf("found %q, want %q", got, c.want)
			}
			if failed := verify(t, path, later); (len(failed) > 0) != (c.want != "") {
				t.Errorf("the check of the whole store found %q", failed)
			}
		})
	}
}

func TestStatementsStandWhenAPersonIsForgotten(t *testing.T) {
	path, s, all := chained(t)
	alias := forgetNow(t, s, "a")
	after, err := s.Statements(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for i, st := range after {
		if st.StatementHead != all[i].StatementHead || !bytes.Equal(st.Body, all[i].Body) {
			t.Errorf("statement %d is another one", st.Number)
		}
	}
	gone := usage.StatementPerson{User: alias, Label: alias}
	if want := []usage.StatementPerson{gone, all[0].People[1]}; !reflect.DeepEqual(after[0].People, want) || !reflect.DeepEqual(after[2].People, []usage.StatementPerson{gone}) {
		t.Errorf("the people are %+v and %+v, want %+v and the first of them", after[0].People, after[2].People, want)
	}
	if failed := verify(t, path, later); len(failed) > 0 {
		t.Errorf("%q", failed)
	}
	forgetNow(t, s, "b") // shown by a pseudonym
	if strings.Contains(dump(t, s), "0123456789abcdef") {
		t.Error("the pseudonym is still there")
	}
	if faults := statementFaults(t, s); faults != "" {
		t.Error(faults)
	}
}
