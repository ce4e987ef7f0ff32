// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package sqlite

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"net/url"
	"time"

	"modernc.org/sqlite"
)

// busyTimeout is how long a transaction waits for another program's lock before it fails; the
// caller then repeats its cycle.
const busyTimeout = 5 * time.Second

// A connection's pragmas are in the DSN: a PRAGMA run with Exec reaches only one connection of
// a pool.
var (
	writerPragmas = []string{
		"foreign_keys(1)", waitsWhenBusy(), "synchronous(FULL)", "temp_store(MEMORY)", "cache_size(-8192)", "journal_size_limit(16777216)",
	}
	readerPragmas = []string{"query_only(1)", waitsWhenBusy(), "cache_size(-2000)"}
)

func waitsWhenBusy() string { return fmt.Sprintf("busy_timeout(%d)", busyTimeout.Milliseconds()) }

// connect returns a pool of connections. Each is opened by path when it is needed, so check is
// called before and after: it must still be the same file.
func connect(path, mode, begin string, pragmas []string, check func() error) (*sql.DB, error) {
	return connectWith(path, url.Values{"mode": {mode}, "_txlock": {begin}, "_pragma": pragmas}, check)
}

func connectWith(path string, how url.Values, check func() error) (*sql.DB, error) {
	dsn := url.URL{Scheme: "file", Path: path, RawQuery: how.Encode()}
	base, err := sqlite.NewConnector(dsn.String())
	if err != nil {
		return nil, err
	}
	return sql.OpenDB(connector{base, check}), nil
}

type connector struct {
	driver.Connector
	check func() error
}

// Connect opens a connection for the pool.
func (c connector) Connect(ctx context.Context) (driver.Conn, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	conn, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	if err := c.check(); err != nil {
		conn.Close() //nolint:errcheck // it was not used
		return nil, err
	}
	return conn, nil
}

func unchecked() error { return nil }
