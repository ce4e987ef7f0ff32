// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/sqlite"
)

// Verdict is the result of one check of a store.
type Verdict struct {
	Check  string   // what was checked
	Found  string   // what was found, in a few words
	Faults []string // the first few; none: the check passed
	Count  int      // number of all faults
}

// mostFaults is how many faults of a check are listed: many faults of one kind are alike.
const mostFaults = 5

func (v *Verdict) fault(format string, args ...any) {
	if v.Count++; v.Count <= mostFaults {
		v.Faults = append(v.Faults, fmt.Sprintf(format, args...))
	}
}

// Verify checks that the store at path is consistent, as of one moment, also beside a running
// exporter and where nothing can be written. It changes and migrates nothing. It reads the
// whole file, parts of it more than once. progress, if not nil, is called with the intervals
// done. Faults of the store are in the verdicts, and name intervals, projects and machine
// types, never people; an error means that the store could not be checked.
func Verify(ctx context.Context, path string, now time.Time, progress func(done, all int, at time.Time)) ([]Verdict, error) {
	file, err := openFileToRead(ctx, path, true)
	if err != nil {
		return nil, fmt.Errorf("open store %s: %w", path, err)
	}
	defer file.Close() //nolint:errcheck // it was only read
	v := &verification{now: now, progress: progress}
	err = file.Read(ctx, func(tx *sqlite.Tx) error {
		v.tx = tx
		return v.run(ctx)
	})
	if err != nil {
		return v.verdicts, fmt.Errorf("read store %s: %w", path, err)
	}
	return v.verdicts, nil
}

type verification struct {
	tx       *sqlite.Tx
	now      time.Time
	progress func(done, all int, at time.Time)
	verdicts []Verdict
}

// run makes the checks in order and stops at one whose failure would make the next pointless.
func (v *verification) run(ctx context.Context) error {
	for _, check := range []func(context.Context) (Verdict, error){v.file, v.schema, v.references} {
		verdict, err := check(ctx)
		if err != nil {
			return sqlite.Unreadable(err)
		}
		v.verdicts = append(v.verdicts, verdict)
		if verdict.Count > 0 {
			return nil
		}
	}
	w, err := newWalk(ctx, v)
	if err != nil {
		return err
	}
	if err := w.all(ctx); err != nil {
		return err
	}
	statements, err := verifyStatements(ctx, v.tx)
	v.verdicts = append(v.verdicts, w.intervals, w.scopes, w.sums, statements)
	return err
}

// file checks that every page can be read. quick_check reports damage as rows.
func (v *verification) file(ctx context.Context) (Verdict, error) {
	verdict := Verdict{Check: "file"}
	var bytes int64
	if err := v.tx.QueryRowContext(ctx, "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size").Scan(&bytes); err != nil {
		return verdict, err
	}
	verdict.Found = fmt.Sprintf("%.1f MB", float64(bytes)/1e6)
	err := each(ctx, v.tx, "PRAGMA quick_check", nil, func(rows *sql.Rows) error {
		var said string
		if err := rows.Scan(&said); err != nil || said == "ok" {
			return err
		}
		verdict.fault("%s", said)
		return nil
	})
	if err != nil && ctx.Err() == nil {
		verdict.fault("%v", err) // too damaged to check
		err = nil
	}
	return verdict, err
}

// schema checks that the tables are those that this program knows.
func (v *verification) schema(ctx context.Context) (Verdict, error) {
	verdict := Verdict{Check: "schema"}
	all, err := migrations()
	if err != nil {
		return verdict, err
	}
	var version int
	if err := v.tx.QueryRowContext(ctx, "PRAGMA user_version").Scan(&version); err != nil {
		return verdict, err
	}
	verdict.Found = fmt.Sprintf("version %d", version)
	switch {
	case version < 0:
		verdict.fault("is %d, a version that no carbon_exporter writes", version)
	case version < len(all):
		verdict.fault("was written by an older program; this one uses version %d: start carbon_exporter once to migrate the store, then check it again", len(all))
	case version > len(all):
		verdict.fault("was written by a newer program; this one knows version %d", len(all))
	}
	return verdict, nil
}

// references checks that every row that another row refers to exists.
func (v *verification) references(ctx context.Context) (Verdict, error) {
	verdict := Verdict{Check: "references"}
	err := each(ctx, v.tx, `SELECT "table", parent, count(*) FROM pragma_foreign_key_check GROUP BY 1, 2`, nil, func(rows *sql.Rows) error {
		var table, parent string
		var n int
		err := rows.Scan(&table, &parent, &n)
		verdict.fault("%d rows of %s refer to missing rows of %s", n, table, parent)
		return err
	})
	return verdict, err
}

// settings returns what the sums depend on.
func (v *verification) settings(ctx context.Context) (length time.Duration, zone *time.Location, err error) {
	var seconds int64
	var name string
	if err := v.tx.QueryRowContext(ctx, "SELECT CAST(value AS INTEGER) FROM setting WHERE name = 'interval_seconds'").Scan(&seconds); err != nil && !errors.Is(err, sql.ErrNoRows) {
		return 0, nil, err
	}
	if err := v.tx.QueryRowContext(ctx, "SELECT value FROM setting WHERE name = 'timezone'").Scan(&name); err != nil {
		return 0, nil, fmt.Errorf("setting timezone: %w", err)
	}
	zone, err = time.LoadLocation(name)
	return time.Duration(seconds) * time.Second, zone, err
}
