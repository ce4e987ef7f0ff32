package store

import "context"

// Rest gives back the memory that a run of commits has used for SQLite's page
// cache. The next commit reads what it needs again.
func (s *Store) Rest(ctx context.Context) error {
	_, err := s.writer.ExecContext(ctx, "PRAGMA shrink_memory")
	return err
}
