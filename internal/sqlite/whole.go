// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"slices"
	"strings"
)

// wholeAtStart is the size in bytes up to which a file is checked as a whole before it is opened,
// which takes less than a second. Tests change it.
var wholeAtStart int64 = 64 << 20

// checkAtOpen checks what must be intact before anything is read: all of a small file; of a large
// one only the essential tables, since it would take minutes. It returns the tables that are left.
func checkAtOpen(ctx context.Context, db *sql.DB, path string, essential []string) (left []string, err error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if len(essential) == 0 || info.Size() <= wholeAtStart {
		return nil, quickCheck(ctx, db, "")
	}
	tables, err := tablesOf(ctx, db)
	if err != nil {
		return nil, err
	}
	for _, table := range tables {
		if !slices.Contains(essential, table) {
			left = append(left, table)
			continue
		}
		if err := quickCheck(ctx, db, table); err != nil {
			return nil, err
		}
	}
	return left, nil
}

// CheckRest checks the tables that Open has left, one after the other, and returns an error that says
// that the file is damaged. It may take minutes, and holds nobody up.
func (d *DB) CheckRest(ctx context.Context) error {
	for _, table := range d.unchecked {
		if err := quickCheck(ctx, d.reader, table); err != nil {
			return err
		}
	}
	return nil
}

func tablesOf(ctx context.Context, db *sql.DB) (all []string, err error) {
	rows, err := db.QueryContext(ctx, "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")
	if err != nil {
		return nil, Unreadable(err)
	}
	defer rows.Close()
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return nil, Unreadable(err)
		}
		all = append(all, name)
	}
	return all, rows.Err()
}

// quickCheck reads every page of a table and its indexes, or of the whole file if none is named.
// SQLite reports damage as rows, not as an error.
func quickCheck(ctx context.Context, db *sql.DB, table string) error {
	what := "1"
	if table != "" {
		what = "'" + strings.ReplaceAll(table, "'", "''") + "'"
	}
	var verdict string
	if err := db.QueryRowContext(ctx, "PRAGMA quick_check("+what+")").Scan(&verdict); err != nil {
		return Unreadable(err)
	}
	if verdict != "ok" {
		return Unreadable(fmt.Errorf("%w: %s", errDamage, strings.Join(strings.Fields(verdict), " ")))
	}
	return nil
}
