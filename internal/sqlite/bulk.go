// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
)

// Bulk runs one statement for many rows. Most of the cost of a short row is the call, so each
// call takes batch rows; those left over are written one by one.
type Bulk struct {
	columns   int
	many, one *sql.Stmt
}

// batch keeps a statement below SQLite's limit of 32 766 parameters; more rows gain nothing.
const batch = 50

// PrepareBulk prepares a statement in which %s stands for the rows, with the given number of
// columns: "INSERT INTO t VALUES %s", or "UPDATE ... FROM (VALUES %s) ...". Call it once,
// before any transaction: with a single writer connection, a Prepare beside an open transaction
// would wait for itself.
func PrepareBulk(ctx context.Context, db *sql.DB, statement string, columns int) (b Bulk, err error) {
	b.columns = columns
	row := "(?" + strings.Repeat(", ?", columns-1) + ")"
	if b.one, err = db.PrepareContext(ctx, fmt.Sprintf(statement, row)); err != nil {
		return b, err
	}
	b.many, err = db.PrepareContext(ctx, fmt.Sprintf(statement, row+strings.Repeat(", "+row, batch-1)))
	return b, err
}

// Write runs the statement for n rows; row appends the values of row i.
func (b Bulk) Write(ctx context.Context, tx *Tx, n int, row func(values []any, i int) []any) error {
	// The driver starts a goroutine for each call that could be cancelled. These are short, and
	// when ctx ends the transaction around them is rolled back.
	quiet := context.WithoutCancel(ctx)
	many, one := tx.StmtContext(quiet, b.many), tx.StmtContext(quiet, b.one)
	values := make([]any, 0, batch*b.columns)
	for i := 0; i < n; {
		if err := ctx.Err(); err != nil {
			return err
		}
		stmt, rows := many, batch
		if n-i < batch {
			stmt, rows = one, 1
		}
		values = values[:0]
		for range rows {
			values = row(values, i)
			i++
		}
		if _, err := stmt.ExecContext(quiet, values...); err != nil {
			return err
		}
	}
	return nil
}

// Close closes the statements. A Bulk that was never prepared has none.
func (b Bulk) Close() error {
	var errs []error
	for _, s := range []*sql.Stmt{b.many, b.one} {
		if s != nil {
			errs = append(errs, s.Close())
		}
	}
	return errors.Join(errs...)
}
