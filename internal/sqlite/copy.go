// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package sqlite

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	sqlite3 "modernc.org/sqlite/lib"
)

// CopyTo writes a database that was opened for reading, as of one moment, into an empty file,
// without a write-ahead log and free pages, and reads the copy back completely. If it fails,
// the caller must remove what was written. progress, if not nil, is called now and then with
// the bytes written and their approximate total.
func (d *DB) CopyTo(ctx context.Context, target string, progress func(done, about int64)) error {
	if err := d.vacuumInto(ctx, target, progress); err != nil {
		return err
	}
	return readBack(ctx, target, d.schema)
}

func (d *DB) vacuumInto(ctx context.Context, target string, progress func(done, about int64)) error {
	if progress != nil {
		var about int64
		if err := d.reader.QueryRowContext(ctx, `SELECT (page_count - freelist_count) * page_size
			FROM pragma_page_count, pragma_freelist_count, pragma_page_size`).Scan(&about); err != nil {
			return Unreadable(err)
		}
		ended, watched := make(chan struct{}), make(chan struct{})
		defer func() { close(ended); <-watched }()
		go func() {
			defer close(watched)
			watchSize(target, about, progress, ended)
		}()
	}
	if _, err := d.reader.ExecContext(ctx, "VACUUM INTO ?", target); err != nil {
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case hasCode(err, sqlite3.SQLITE_CORRUPT):
			return Unreadable(err)
		}
		return err
	}
	return nil
}

// watchSize reports the size of a file until ended is closed: VACUUM reports no progress.
func watchSize(name string, about int64, progress func(done, about int64), ended <-chan struct{}) {
	ticker := time.NewTicker(200 * time.Millisecond)
	defer ticker.Stop()
	tell := func() {
		if info, err := os.Stat(name); err == nil {
			progress(min(info.Size(), about), about)
		}
	}
	for {
		select {
		case <-ended:
			tell()
			return
		case <-ticker.C:
			tell()
		}
	}
}

// readBack checks that a copy is one of the program's databases, with no page damaged.
func readBack(ctx context.Context, path string, schema Schema) error {
	d, err := OpenToRead(ctx, path, schema, true)
	if err == nil {
		err = errors.Join(quickCheck(ctx, d.reader, ""), d.Close())
	}
	if err != nil {
		return fmt.Errorf("read the copy back: %w", err)
	}
	return nil
}
