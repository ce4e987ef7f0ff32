package store

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"time"

	sqlite3 "modernc.org/sqlite/lib"

	"github.com/carbon-exporter/carbon_exporter/internal/newfile"
)

// Backup copies the store at path to target as it is at one moment, also while an
// exporter writes to it, and says how large the copy is. The copy is a file of its
// own, without a write-ahead log and without free pages, and it is read back whole
// before it gets its name. A target that exists is refused. Whatever ends it early,
// there is nothing under that name. Progress, if it is not nil, is told now and then
// how many bytes of about how many are written.
func Backup(ctx context.Context, path, target string, progress func(done, about int64)) (size int64, err error) {
	db, path, err := openToRead(ctx, path)
	if err != nil {
		return 0, fmt.Errorf("copy store: %w", err)
	}
	defer db.Close()
	if size, err = copyTo(ctx, db, path, target, progress); err != nil {
		return 0, fmt.Errorf("copy store to %s: %w", target, err)
	}
	return size, nil
}

func copyTo(ctx context.Context, db *sql.DB, path, target string, progress func(done, about int64)) (size int64, err error) {
	info, err := os.Stat(path)
	if err != nil {
		return 0, err
	}
	partial, err := newfile.Reserve(target, info.Mode().Perm()|0o600) // also of a copy that must not be written
	if err != nil {
		return 0, err
	}
	if err = vacuumInto(ctx, db, partial, progress); err == nil {
		if err = readBack(ctx, partial); err != nil {
			err = fmt.Errorf("read the copy back: %w", err)
		}
	}
	if err != nil {
		newfile.Abandon(partial)
		return 0, err
	}
	return newfile.Finish(partial, target)
}

// vacuumInto writes the copy. Nothing but its size tells how far it is.
func vacuumInto(ctx context.Context, db *sql.DB, partial string, progress func(done, about int64)) error {
	if progress != nil {
		var about int64
		if err := db.QueryRowContext(ctx, `SELECT (page_count - freelist_count) * page_size
			FROM pragma_page_count, pragma_freelist_count, pragma_page_size`).Scan(&about); err != nil {
			return damaged(err)
		}
		ended, watched := make(chan struct{}), make(chan struct{})
		defer func() { close(ended); <-watched }()
		go func() {
			defer close(watched)
			watch(partial, about, progress, ended)
		}()
	}
	if _, err := db.ExecContext(ctx, "VACUUM INTO ?", partial); err != nil {
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case hasCode(err, sqlite3.SQLITE_CORRUPT):
			return damaged(err)
		}
		return err
	}
	return nil
}

// watch tells of a file's size until something ends.
func watch(name string, about int64, progress func(done, about int64), ended <-chan struct{}) {
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

// readBack wants the copy to be a store and each of its pages to read as it should.
func readBack(ctx context.Context, partial string) error {
	db, _, err := openToRead(ctx, partial)
	if err != nil {
		return err
	}
	defer db.Close()
	var verdict string
	if err := db.QueryRowContext(ctx, "PRAGMA quick_check(1)").Scan(&verdict); err != nil {
		return err
	}
	if verdict != "ok" {
		return fmt.Errorf("%w: %s", errDamage, verdict)
	}
	return nil
}
