// Package store keeps the record in one SQLite file: facts, the state of every
// interval, intensities, averages, exact totals, and the directory that says
// whose usage it was. It knows tables and what they mean; it must not know files
// and locks (which is why it imports internal/sqlite beside internal/usage, and
// internal/newfile for backups), Prometheus, MongoDB, the carbon API or what a
// number is used for. Start with Update, the one function by which facts enter,
// and migrations/0002_grain.sql.
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

// Store is an open carbon.db. Its methods may be called from several
// goroutines; each is one transaction, writers wait for each other.
type Store struct {
	file   *sqlite.DB
	path   string
	writer *sql.DB // nil: opened to read
	reader *sql.DB
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
	// count time twice or leave holes. 0 means whatever the store has.
	Interval time.Duration
	// Timezone is that of the days, months and years that are added up. An owner
	// that opens with another one counts all days anew, which takes a while; others
	// are refused. nil means whatever the store has, UTC in a new one.
	Timezone *time.Location
}

// Open opens the store at path and migrates it, or makes a new one. A file that
// is not a whole, writable store of this or an older version is refused and
// left exactly as it is. A disk without room is sqlite.ErrDiskFull.
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

func fromFile(file *sqlite.DB) *Store {
	return &Store{file: file, path: file.Path(), writer: file.Writer(), reader: file.Reader()}
}

// begin settles what holds for the whole store, and reads what is kept in memory.
func (s *Store) begin(ctx context.Context, o Options) (err error) {
	if s.length, err = fixInterval(ctx, s.writer, o.Interval); err != nil {
		return err
	}
	if err := s.fixTimezone(ctx, o.Timezone, o.Exclusive); err != nil {
		return err
	}
	if _, err := s.Others(ctx); err != nil { // from now on
		return err
	}
	if s.names, err = loadNames(ctx, s.reader); err != nil {
		return err
	}
	return s.insert.prepare(ctx, s.writer)
}

// OpenToRead opens the store at path only to read it: at once, without a lock, beside
// a running exporter, and also where nothing can be written. Of the options, Interval
// and Timezone are compared. A store of an older program is sqlite.ErrOutdated.
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

// openFileToRead opens the file of a store; anySchema, also of an older or a newer
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

// Close ends all connections and releases the file. A file that is no longer the one
// that was opened is sqlite.ErrGone, and is left as it is.
func (s *Store) Close() error {
	return errors.Join(s.insert.close(), s.file.Close())
}

// Gone is closed when the file is found to be no longer the one that was opened: it
// was deleted, moved, replaced, overwritten or made unreadable. Then nothing is
// written any more, and Check says what has happened and what to do. Each write looks,
// and so does Check: between two writes somebody has to ask.
func (s *Store) Gone() <-chan struct{} { return s.file.Gone() }

// Check looks whether the file is still the one that was opened; if not, that is
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

// Others says whether another program has written to the file since this was last
// asked, or since it was opened: a person was forgotten, a backfill goes on. It
// costs a look at a counter that SQLite keeps in shared memory.
func (s *Store) Others(ctx context.Context) (wrote bool, err error) {
	if s.writer == nil {
		return false, sqlite.ErrReadOnly
	}
	// All that this program writes goes through one connection, whose own commits
	// do not count there.
	var version int64
	if err := s.writer.QueryRowContext(ctx, "PRAGMA data_version").Scan(&version); err != nil {
		return false, err
	}
	return s.others.Swap(version) != version, nil
}

// Rest gives back the memory that a run of commits has used for SQLite's page
// cache. The next commit reads what it needs again.
func (s *Store) Rest(ctx context.Context) error {
	if s.writer == nil {
		return sqlite.ErrReadOnly
	}
	_, err := s.writer.ExecContext(ctx, "PRAGMA shrink_memory")
	return err
}
