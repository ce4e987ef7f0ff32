// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package sqlite

import (
	"context"
	"database/sql"
	"errors"
)

// Apart is a pool of connections that only read, beside those of the database that it is of: its
// readers wait for each other and for nobody else.
type Apart struct {
	*DB
	listener *sql.Conn
}

// Apart opens so many connections for reading, and one that notices changes. The caller must close
// it before the database.
func (d *DB) Apart(ctx context.Context, connections int) (*Apart, error) {
	reader, err := connect(d.path, "rw", "deferred", readerPragmas, d.Check)
	if err != nil {
		return nil, err
	}
	reader.SetMaxOpenConns(connections + 1)
	reader.SetMaxIdleConns(1)
	listener, err := reader.Conn(ctx)
	if err != nil {
		return nil, errors.Join(err, reader.Close())
	}
	return &Apart{&DB{path: d.path, schema: d.schema, reader: reader}, listener}, nil
}

// Revision is a number that is another one after each change of the database, by whatever program.
// It means nothing to another Apart. It costs a look at a counter that SQLite keeps in shared
// memory.
func (a *Apart) Revision(ctx context.Context) (n int64, err error) {
	err = a.listener.QueryRowContext(ctx, "PRAGMA data_version").Scan(&n)
	return n, err
}

// Close closes the connections.
func (a *Apart) Close() error { return errors.Join(a.listener.Close(), a.DB.Close()) }
