package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	sqlite3 "modernc.org/sqlite/lib"
)

// Backup copies the store at path to target as it is at one moment, also while an
// exporter writes to it, and says how large the copy is. The copy is a file of its
// own, without a write-ahead log and without free pages, and it is read back whole
// before it gets its name. A target that exists is refused. Whatever ends it early,
// there is nothing under that name; the name that it has meanwhile is the target's
// with .partial- and a number behind. Progress, if it is not nil, is told now and
// then how many bytes of about how many are written.
func Backup(ctx context.Context, path, target string, progress func(done, about int64)) (size int64, err error) {
	db, path, err := openToRead(ctx, path)
	if err != nil {
		return 0, fmt.Errorf("copy store: %w", err)
	}
	defer db.Close()
	partial, err := reserve(path, target)
	if err != nil {
		return 0, fmt.Errorf("copy store to %s: %w", target, err)
	}
	defer func() {
		if err != nil {
			remove(partial)
			err = fmt.Errorf("copy store to %s: %w", target, err)
		}
	}()
	if err := vacuumInto(ctx, db, partial, progress); err != nil {
		return 0, err
	}
	if err := readBack(ctx, partial); err != nil {
		return 0, fmt.Errorf("read the copy back: %w", err)
	}
	if size, err = syncFile(partial); err != nil {
		return 0, err
	}
	if err := takeName(partial, target); err != nil {
		return 0, err
	}
	return size, syncDirectory(filepath.Dir(target))
}

var errExists = errors.New("is there already; nothing was changed")

// reserve makes the file that the copy is written to, beside the target, with the
// store's permissions.
func reserve(path, target string) (partial string, err error) {
	if _, err := os.Lstat(target); err == nil {
		return "", errExists
	} else if !errors.Is(err, fs.ErrNotExist) {
		return "", withoutPath(err)
	}
	info, err := os.Stat(path)
	if err != nil {
		return "", err
	}
	if target, err = filepath.Abs(target); err != nil {
		return "", err // SQLite reads a name that begins with file: otherwise
	}
	f, err := os.CreateTemp(filepath.Dir(target), filepath.Base(target)+".partial-*")
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return "", fmt.Errorf("there is no directory %s", filepath.Dir(target))
		}
		return "", err
	}
	if err := errors.Join(f.Chmod(info.Mode().Perm()), f.Close()); err != nil {
		remove(f.Name())
		return "", err
	}
	return f.Name(), nil
}

// remove takes away what an attempt has left, also what SQLite had beside it.
func remove(partial string) {
	for _, beside := range []string{"", "-journal", "-wal", "-shm"} {
		os.Remove(partial + beside) //nolint:errcheck // mostly it is not there
	}
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

func syncFile(name string) (size int64, err error) {
	f, err := os.OpenFile(name, os.O_RDWR, 0)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	if err := f.Sync(); err != nil {
		return 0, err
	}
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

// takeName gives a file its name, unless another has it by now. Where a file cannot
// have two names there is a moment between looking and taking.
func takeName(partial, target string) error {
	err := os.Link(partial, target)
	switch {
	case err == nil:
		return os.Remove(partial)
	case errors.Is(err, fs.ErrExist):
		return errExists
	}
	if _, err := os.Lstat(target); err == nil {
		return errExists
	}
	return os.Rename(partial, target)
}

// syncDirectory makes a new name outlast a power cut. Not every file system can.
func syncDirectory(name string) error {
	d, err := os.Open(name)
	if err != nil {
		return err
	}
	defer d.Close()
	if err := d.Sync(); err != nil && !errors.Is(err, errors.ErrUnsupported) && !errors.Is(err, fs.ErrInvalid) {
		return err
	}
	return nil
}
