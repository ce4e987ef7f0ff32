// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"

	"github.com/carbon-exporter/carbon_exporter/internal/sqlite"
)

// Apart is a store for reading through connections of its own, so that its readers are in nobody's
// way: at most so many read at a time, and others wait.
type Apart struct {
	*Store
	file *sqlite.Apart
}

// Apart opens more connections to read an open store. The caller must close it before the store.
func (s *Store) Apart(ctx context.Context, connections int) (*Apart, error) {
	file, err := s.file.Apart(ctx, connections)
	if err != nil {
		return nil, err
	}
	beside := &Store{file: file.DB, path: s.path, reader: file.Reader(), names: s.names, length: s.length, zone: s.zone}
	return &Apart{beside, file}, nil
}

// Revision is a number that is another one after each change of the store, by whatever program. It
// means nothing to another Apart.
func (a *Apart) Revision(ctx context.Context) (int64, error) { return a.file.Revision(ctx) }

// Close closes the connections; the store stays open.
func (a *Apart) Close() error { return a.file.Close() }
