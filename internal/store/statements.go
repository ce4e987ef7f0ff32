// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"

	"github.com/carbon-exporter/carbon_exporter/internal/sqlite"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// ErrMoved is the error of Issue where the store is not any more what the statement was made from.
var ErrMoved = errors.New("the store has changed meanwhile")

// lastStatement is the setting with the number and the hash of the last statement, so that its
// removal is noticed.
const lastStatement = "last_statement"

// Ledger is what the next statement is made from.
type Ledger struct {
	Revision int64 // the largest revision of an interval
	Number   int   // of the last statement; 0: there is none
	Hash     string
}

// Ledger returns where the statements are, now.
func (s *Store) Ledger(ctx context.Context) (Ledger, error) {
	return readLedger(ctx, s.reader)
}

func readLedger(ctx context.Context, db queryer) (l Ledger, err error) {
	err = db.QueryRowContext(ctx, `SELECT `+nextRevision+` - 1,
		coalesce((SELECT max(number) FROM statement), 0),
		coalesce((SELECT hash FROM statement ORDER BY number DESC LIMIT 1), '')`).Scan(&l.Revision, &l.Number, &l.Hash)
	return l, err
}

// Issue keeps a statement for ever. It is ErrMoved, and nothing is written, unless the statement
// follows the last one and the store has the revision that it was made from.
func (s *Store) Issue(ctx context.Context, st usage.Statement) error {
	err := s.write(ctx, func(tx *sqlite.Tx) error {
		now, err := readLedger(ctx, tx)
		if err != nil {
			return err
		}
		if now != (Ledger{Revision: st.Revision, Number: st.Number - 1, Hash: st.Previous}) {
			return ErrMoved
		}
		if found := faultsOf(st); len(found) > 0 {
			return errors.New(found[0])
		}
		return putStatement(ctx, tx, st)
	})
	if err != nil {
		return fmt.Errorf("store: issue statement %d: %w", st.Number, err)
	}
	return nil
}

func putStatement(ctx context.Context, tx *sqlite.Tx, st usage.Statement) error {
	if _, err := tx.ExecContext(ctx, "INSERT INTO statement VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
		st.Number, string(st.Scope), st.Member, st.Month, st.IssuedAt.Unix(), st.Version, st.Revision, st.Previous, st.Hash, string(st.Body)); err != nil {
		return err
	}
	for place, p := range st.People {
		if _, err := tx.ExecContext(ctx, "INSERT INTO statement_person VALUES (?, ?, ?, ?, ?)", st.Number, place, p.User, p.Label, p.Salt); err != nil {
			return err
		}
	}
	_, err := tx.ExecContext(ctx, "INSERT OR REPLACE INTO setting VALUES (?, ?)", lastStatement, strconv.Itoa(st.Number)+" "+st.Hash)
	return err
}

const statementColumns = "number, scope, member, month, issued_at, version, revision, previous, hash, body"

// Statement returns a statement; nil if there is none of that number.
func (s *Store) Statement(ctx context.Context, number int) (*usage.Statement, error) {
	all, err := s.statements(ctx, "WHERE number = ?", number)
	if err != nil || len(all) == 0 {
		return nil, err
	}
	return &all[0], nil
}

// Statements returns all statements in order, with what is in them.
func (s *Store) Statements(ctx context.Context) ([]usage.Statement, error) {
	return s.statements(ctx, "")
}

// StatementsOf returns the statements of a member of a scope, in order.
func (s *Store) StatementsOf(ctx context.Context, scope usage.Scope, member string) ([]usage.Statement, error) {
	return s.statements(ctx, "WHERE scope = ? AND member = ?", string(scope), member)
}

func (s *Store) statements(ctx context.Context, where string, args ...any) (all []usage.Statement, err error) {
	err = s.read(ctx, func(tx *sqlite.Tx) error {
		all = nil
		return eachStatement(ctx, tx, where, args, func(st usage.Statement) error {
			all = append(all, st)
			return nil
		})
	})
	if err != nil {
		return nil, fmt.Errorf("store: read statements: %w", err)
	}
	return all, nil
}

// eachStatement calls f for statements in order, each with its people.
func eachStatement(ctx context.Context, tx *sqlite.Tx, where string, args []any, f func(usage.Statement) error) error {
	people, err := readStatementPeople(ctx, tx)
	if err != nil {
		return err
	}
	return each(ctx, tx, "SELECT "+statementColumns+" FROM statement "+where+" ORDER BY number", args, func(rows *sql.Rows) error {
		var st usage.Statement
		var issued int64
		if err := rows.Scan(&st.Number, &st.Scope, &st.Member, &st.Month, &issued, &st.Version, &st.Revision, &st.Previous, &st.Hash, &st.Body); err != nil {
			return err
		}
		st.IssuedAt, st.People = unix(issued), people[st.Number]
		return f(st)
	})
}

func readStatementPeople(ctx context.Context, tx *sqlite.Tx) (map[int][]usage.StatementPerson, error) {
	all := map[int][]usage.StatementPerson{}
	return all, each(ctx, tx, "SELECT number, user_id, label, salt FROM statement_person ORDER BY number, place", nil, func(rows *sql.Rows) error {
		var number int
		var p usage.StatementPerson
		err := rows.Scan(&number, &p.User, &p.Label, &p.Salt)
		all[number] = append(all[number], p)
		return err
	})
}
