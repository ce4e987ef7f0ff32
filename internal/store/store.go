// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Package store keeps everything in one SQLite file: facts, the state of every interval,
// intensities, power averages, exact totals, and the directory. It knows tables and their
// meaning. It must not know files and locks (which is why it imports internal/sqlite beside
// internal/usage, and internal/newfile for backups), Prometheus, MongoDB, the carbon API or
// what a number is used for. Start with Update, through which all usage enters, and
// migrations/0002_grain.sql.
package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/sqlite"
)

// Store is an open carbon.db. It is safe for concurrent use. Each method is one transaction;
// writers wait for each other.
type Store struct {
	file   *sqlite.DB
	path   string
	writer *sql.DB // nil: opened for reading
	reader *sql.DB
	insert statements
	names  *names
	closed closedDays
	others atomic.Int64 // see Others
	// The sums as they were last written, and how often they were asked for to be written: see accounts.
	keptSums atomic.Pointer[keptSums]
	sumsTurn atomic.Int64
	length   time.Duration  // of an interval; 0 while the store has none
	zone     *time.Location // of its days
}

// Options configure how a store is opened.
type Options struct {
	// Exclusive takes the lock that makes one exporter the owner of the file. Programs that
	// work beside a running exporter leave it out.
	Exclusive bool
	// Interval is the length of the store's intervals, fixed by its first row. Opening with
	// another length fails: two lengths in one store would count time twice or leave gaps. 0
	// accepts whatever the store has.
	Interval time.Duration
	// Timezone is the time zone of the days, months and years that are added up. If the owner
	// opens with another one, all daily sums are computed again, which takes a while; for
	// others that is an error. nil accepts whatever the store has, UTC in a new one.
	Timezone *time.Location
}

// Open opens the store at path and migrates it, or creates it. A file that is not an intact,
// writable store of this or an older version is an error, and is left as it is. A full disk is
// sqlite.ErrDiskFull.
func Open(ctx context.Context, path string, o Options) (*Store, error) {
	s, err := open(ctx, path, o)
	if err != nil {
		return nil, fmt.Errorf("open store %s: %w", path, err)
	}
	return s, nil
}

func open(ctx context.Context, path string, o Options) (*Store, error) {
	present, err := schema()
	if err != nil {
		return nil, err
	}
	file, err := sqlite.Open(ctx, path, present, sqlite.Options{
		Exclusive: o.Exclusive,
		Essential: essential,
		Inspect: func(ctx context.Context, db sqlite.Queryer) error {
			_, err := compareInterval(ctx, db, o.Interval)
			return err
		},
	})
	if errors.Is(err, sqlite.ErrInUse) && o.Exclusive {
		return nil, fmt.Errorf("%w; give each its own --storage.path", err)
	}
	if err != nil {
		return nil, err
	}
	s := fromFile(file)
	if err := s.begin(ctx, o); err != nil {
		s.Close() //nolint:errcheck // what went wrong first is what counts
		return nil, file.Explain(err)
	}
	return s, nil
}

// essential are the tables on which all others depend, and which stay small.
var essential = []string{
	"setting", "usage_total", "usage_key", "dim_project", "dim_machine", "dim_user", "dim_group", "dim_instance", "forgotten", "counter_floor",
}

// CheckRest checks the tables of a large store that Open has not checked. Its error says that the
// store is damaged.
func (s *Store) CheckRest(ctx context.Context) error {
	if err := s.file.CheckRest(ctx); err != nil {
		return fmt.Errorf("store %s: %w", s.path, err)
	}
	return nil
}

func fromFile(file *sqlite.DB) *Store {
	return &Store{file: file, path: file.Path(), writer: file.Writer(), reader: file.Reader()}
}

// begin settles what holds for the whole store, and loads what is kept in memory.
func (s *Store) begin(ctx context.Context, o Options) (err error) {
	if s.length, err = fixInterval(ctx, s.writer, o.Interval); err != nil {
		return err
	}
	if err := s.fixTimezone(ctx, o.Timezone, o.Exclusive); err != nil {
		return err
	}
	if _, err := s.Others(ctx); err != nil { // count from now on
		return err
	}
	if s.names, err = loadNames(ctx, s.reader); err != nil {
		return err
	}
	return s.insert.prepare(ctx, s.writer)
}

// OpenToRead opens the store at path for reading only: at once, without a lock, beside a
// running exporter, and even if nothing can be written. Of the options it compares Interval and
// Timezone. A store of an older program is sqlite.ErrOutdated.
func OpenToRead(ctx context.Context, path string, o Options) (*Store, error) {
	s, err := openToRead(ctx, path, o)
	if err != nil {
		return nil, fmt.Errorf("open store %s: %w", path, err)
	}
	return s, nil
}

func openToRead(ctx context.Context, path string, o Options) (*Store, error) {
	file, err := openFileToRead(ctx, path, false)
	if err != nil {
		return nil, err
	}
	s := fromFile(file)
	if err := s.beginToRead(ctx, o); err != nil {
		s.Close() //nolint:errcheck // what went wrong first is what counts
		return nil, err
	}
	return s, nil
}

// openFileToRead opens the file of a store; with anySchema even that of an older or newer
// program.
func openFileToRead(ctx context.Context, path string, anySchema bool) (*sqlite.DB, error) {
	present, err := schema()
	if err != nil {
		return nil, err
	}
	return sqlite.OpenToRead(ctx, path, present, anySchema)
}

func (s *Store) beginToRead(ctx context.Context, o Options) (err error) {
	if s.length, err = compareInterval(ctx, s.reader, o.Interval); err != nil {
		return err
	}
	if s.zone, err = keptTimezone(ctx, s.reader); err != nil {
		return err
	}
	if o.Timezone != nil && o.Timezone.String() != s.zone.String() {
		return otherTimezone(s.zone.String(), o.Timezone)
	}
	s.names, err = loadNames(ctx, s.reader)
	return err
}

// Close closes all connections and releases the file. If the file is no longer the one that was
// opened, it returns sqlite.ErrGone and leaves the file as it is.
func (s *Store) Close() error {
	return errors.Join(s.insert.close(), s.file.Close())
}

// Gone is closed once the file is found to be no longer the one that was opened: deleted,
// moved, replaced, overwritten or made unreadable. From then on nothing is written, and Check
// says what happened and what to do. Every write checks this; between writes somebody has to
// call Check.
func (s *Store) Gone() <-chan struct{} { return s.file.Gone() }

// Check checks that the file is still the one that was opened; if not, it returns
// sqlite.ErrGone.
func (s *Store) Check() error {
	if err := s.file.Check(); err != nil {
		return fmt.Errorf("store %w", err)
	}
	return nil
}

// SizeBytes is the size of the file and its write-ahead log on disk.
func (s *Store) SizeBytes() (int64, error) { return s.file.SizeBytes() }

// write runs f in one immediate transaction.
func (s *Store) write(ctx context.Context, f func(*sqlite.Tx) error) error {
	return s.file.Write(ctx, f)
}

// read runs f in one transaction that sees one state of the store.
func (s *Store) read(ctx context.Context, f func(*sqlite.Tx) error) error { return s.file.Read(ctx, f) }

// queryer is a database or a transaction.
type queryer = sqlite.Queryer

// each calls f for every row of a query.
func each(ctx context.Context, db queryer, query string, args []any, f func(*sql.Rows) error) error {
	return sqlite.Each(ctx, db, query, args, f)
}

// Others reports whether another program has written to the file since the last call, or since
// it was opened: for example a backfill. It costs a look at a counter that SQLite keeps in
// shared memory.
func (s *Store) Others(ctx context.Context) (wrote bool, err error) {
	if s.writer == nil {
		return false, sqlite.ErrReadOnly
	}
	// All writes of this program go through one connection, and that counter ignores the
	// connection's own commits.
	version, err := dataVersion(ctx, s.writer)
	if err != nil {
		return false, err
	}
	return s.others.Swap(version) != version, nil
}

// dataVersion changes on a connection when another one has written to the file.
func dataVersion(ctx context.Context, db queryer) (version int64, err error) {
	err = db.QueryRowContext(ctx, "PRAGMA data_version").Scan(&version)
	return version, err
}

// Rest frees the memory that a series of commits has used for SQLite's page cache. The next
// commit reads again what it needs.
func (s *Store) Rest(ctx context.Context) error {
	if s.writer == nil {
		return sqlite.ErrReadOnly
	}
	_, err := s.writer.ExecContext(ctx, "PRAGMA shrink_memory")
	return err
}
