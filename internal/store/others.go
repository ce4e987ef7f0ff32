package store

import (
	"context"

	"github.com/carbon-exporter/carbon_exporter/internal/sqlite"
)

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
