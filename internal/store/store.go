// Package store keeps the record in one SQLite file: facts, the state of every
// interval, intensities, averages, exact totals, and the directory that says
// whose usage it was. It knows tables and transactions; it must not know
// Prometheus, MongoDB, the carbon API or what a number is used for. Start with
// Commit, the one function by which facts enter, and migrations/0002_grain.sql.
package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/gofrs/flock"
	_ "modernc.org/sqlite" // the driver "sqlite"
)

// Store is an open carbon.db. Its methods may be called from several
// goroutines; each is one transaction, writers wait for each other.
type Store struct {
	path   string
	writer *sql.DB
	reader *sql.DB
	lock   *flock.Flock
	insert statements
	names  *names
	others atomic.Int64   // see Others
	length time.Duration  // of an interval; 0 while the store has none
	zone   *time.Location // of its days
}

// Options say how a store is opened.
type Options struct {
	// Exclusive takes the lock by which one exporter owns the file. Programs
	// that work beside a running exporter leave it out.
	Exclusive bool
	// Interval is the length of the store's intervals, fixed with its first
	// row. Opening with another length is refused: two grids in one store would
	// count time twice or leave holes.
	Interval time.Duration
	// Timezone is that of the days, months and years that are added up. An owner
	// that opens with another counts all days anew, which takes a while; others are
	// refused. nil means: whatever the store has, UTC in a new one.
	Timezone *time.Location
}

// Open opens the store at path and migrates it, or makes a new one. A file that
// is not a whole, writable store of this or an older version is refused and
// left exactly as it is.
func Open(ctx context.Context, path string, o Options) (*Store, error) {
	s, err := open(ctx, path, o)
	if err != nil {
		return nil, fmt.Errorf("open store %s: %w", path, err)
	}
	return s, nil
}

func open(ctx context.Context, path string, o Options) (_ *Store, err error) {
	path, err = prepare(path)
	if err != nil {
		return nil, err
	}
	s := &Store{path: path}
	defer func() {
		if err != nil {
			s.Close()
		}
	}()
	if o.Exclusive {
		if err := s.own(); err != nil {
			return nil, err
		}
	}
	if err := inspect(ctx, path, o.Interval); err != nil {
		return nil, err
	}
	if s.writer, err = connect(path, "rw", "immediate", writerPragmas); err != nil {
		return nil, err
	}
	s.writer.SetMaxOpenConns(1)
	s.writer.SetMaxIdleConns(1)
	if err := migrate(ctx, s.writer); err != nil {
		return nil, err
	}
	if s.length, err = fixInterval(ctx, s.writer, o.Interval); err != nil {
		return nil, err
	}
	if err := s.fixTimezone(ctx, o.Timezone, o.Exclusive); err != nil {
		return nil, err
	}
	if s.reader, err = connect(path, "rw", "deferred", readerPragmas); err != nil {
		return nil, err
	}
	s.reader.SetMaxOpenConns(4)
	s.reader.SetMaxIdleConns(1)
	s.reader.SetConnMaxIdleTime(time.Minute) // each has a page cache of its own
	if _, err := s.Others(ctx); err != nil { // from now on
		return nil, err
	}
	if s.names, err = loadNames(ctx, s.reader); err != nil {
		return nil, err
	}
	if err := s.insert.prepare(ctx, s.writer); err != nil {
		return nil, err
	}
	return s, nil
}

// Close ends all connections and gives the file free. The last one to close
// folds the write-ahead log into the file.
func (s *Store) Close() error {
	var errs []error
	s.insert.close()
	for _, db := range []*sql.DB{s.reader, s.writer} {
		if db != nil {
			errs = append(errs, db.Close())
		}
	}
	if s.lock != nil {
		errs = append(errs, s.lock.Unlock())
	}
	return errors.Join(errs...)
}

// SizeBytes is the size of the file and its write-ahead log on disk.
func (s *Store) SizeBytes() (int64, error) {
	var size int64
	for _, name := range []string{s.path, s.path + "-wal"} {
		info, err := os.Stat(name)
		switch {
		case err == nil:
			size += info.Size()
		case !errors.Is(err, os.ErrNotExist):
			return 0, err
		}
	}
	return size, nil
}

// prepare resolves links, so that one file has one lock whatever it is called,
// and makes the directory of a new store.
func prepare(path string) (string, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	if target, err := filepath.EvalSymlinks(path); err == nil {
		path = target
	}
	info, err := os.Stat(path)
	if errors.Is(err, os.ErrNotExist) {
		if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
			return "", fmt.Errorf("make its directory: %w", err)
		}
		// SQLite says no more than "unable to open database file".
		f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o640)
		if err != nil {
			return "", err
		}
		return path, f.Close()
	}
	if err != nil {
		return "", err
	}
	return path, examine(path, info)
}

// own takes the exporter's lock, a file beside the store: SQLite's own locks
// come and go with each transaction.
func (s *Store) own() error {
	s.lock = flock.New(s.path + ".lock")
	ok, err := s.lock.TryLock()
	if err != nil {
		s.lock = nil
		return fmt.Errorf("take its lock: %w", err)
	}
	if !ok {
		s.lock = nil
		return errors.New("another carbon_exporter uses it; give each its own --storage.path")
	}
	return nil
}
