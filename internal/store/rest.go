package store

import (
	"context"

	"github.com/carbon-exporter/carbon_exporter/internal/sqlite"
)

// Rest gives back the memory that a run of commits has used for SQLite's page
// cache. The next commit reads what it needs again.
func (s *Store) Rest(ctx context.Context) error {
	if s.writer == nil {
		return sqlite.ErrReadOnly
	}
	_, err := s.writer.ExecContext(ctx, "PRAGMA shrink_memory")
	return err
}
