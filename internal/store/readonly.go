package store

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"

	sqlite3 "modernc.org/sqlite/lib"
)

// openToRead opens the file of a store of any version for one connection that can
// only read: it makes and migrates nothing and folds no write-ahead log. What is no
// store is refused. It gives the real path. Beside the file SQLite may make the two
// by which it shares it with a program that writes.
func openToRead(ctx context.Context, path string) (_ *sql.DB, resolved string, err error) {
	if path, err = filepath.Abs(path); err != nil {
		return nil, "", err
	}
	if path, err = filepath.EvalSymlinks(path); err != nil {
		return nil, "", withoutPath(err)
	}
	if err := examineToRead(path); err != nil {
		return nil, "", err
	}
	db, err := greet(ctx, path, url.Values{"mode": {"ro"}})
	if hasCode(err, sqlite3.SQLITE_CANTOPEN) || hasCode(err, sqlite3.SQLITE_READONLY) {
		// Where those two are not there and cannot be made, nobody can write.
		if hasLog(path) {
			return nil, "", errors.New("has a write-ahead log, which cannot be read where nothing can be made beside it: copy both to where it can")
		}
		db, err = greet(ctx, path, url.Values{"mode": {"ro"}, "immutable": {"1"}})
	}
	if err != nil {
		return nil, "", err
	}
	return db, path, nil
}

// examineToRead is examine, for who does not write.
func examineToRead(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return withoutPath(err)
	}
	defer f.Close()
	info, err := f.Stat()
	switch {
	case err != nil:
		return withoutPath(err)
	case !info.Mode().IsRegular():
		return errors.New("is not a regular file")
	case info.Size() == 0:
		return errors.New("is empty, no carbon_exporter has written it")
	}
	head := make([]byte, len(sqliteMagic))
	if _, err := io.ReadFull(f, head); err != nil || !bytes.Equal(head, sqliteMagic) {
		return errors.New("is not a SQLite database")
	}
	return nil
}

// greet connects and looks whose file it is.
func greet(ctx context.Context, path string, how url.Values) (*sql.DB, error) {
	how["_txlock"], how["_pragma"] = []string{"deferred"}, []string{
		fmt.Sprintf("busy_timeout(%d)", busyTimeout.Milliseconds()), "cache_size(-8192)", "temp_store(FILE)",
	}
	db, err := sql.Open("sqlite", (&url.URL{Scheme: "file", Path: path, RawQuery: how.Encode()}).String())
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1)
	var id int
	if err := db.QueryRowContext(ctx, "PRAGMA application_id").Scan(&id); err != nil {
		db.Close()
		return nil, damaged(err)
	}
	if id != applicationID {
		db.Close()
		return nil, errors.New("is a SQLite database of another program")
	}
	return db, nil
}

// hasLog says whether there is a write-ahead log with something in it.
func hasLog(path string) bool {
	info, err := os.Stat(path + "-wal")
	return err == nil && info.Mode().IsRegular() && info.Size() > 0
}

// withoutPath is why a file could not be had, for who says anyway which.
func withoutPath(err error) error {
	var e *fs.PathError
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return errors.New("there is none")
	case errors.As(err, &e):
		return e.Err
	}
	return err
}
