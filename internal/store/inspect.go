package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	sqlite3 "modernc.org/sqlite/lib"
)

// applicationID marks our files in SQLite's header: "CO2e".
const applicationID = 0x434f3265

var sqliteMagic = []byte("SQLite format 3\x00")

// examine refuses, before SQLite is let near it, what is not a writable SQLite
// file. The permission bits are read and not tried, because root may write what
// its owner has closed.
func examine(path string, info os.FileInfo) error {
	switch {
	case !info.Mode().IsRegular():
		return errors.New("is not a regular file")
	case info.Mode().Perm()&0o222 == 0:
		return fmt.Errorf("is read-only (mode %v); the exporter must be able to write it", info.Mode().Perm())
	}
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	if info.Size() == 0 {
		return nil
	}
	head := make([]byte, len(sqliteMagic))
	if _, err := io.ReadFull(f, head); err != nil || !bytes.Equal(head, sqliteMagic) {
		return errors.New("is not a SQLite database; nothing was changed")
	}
	return nil
}

// inspect refuses a database that is damaged, another program's, a newer
// program's or of another interval length. It looks through a connection that
// can only read: a writer that closes folds the write-ahead log into the file,
// and a file that is refused must stay as it is. Only where a transaction was
// cut short before there was a log, as when a store is made, it has to be undone
// before anything can be seen.
func inspect(ctx context.Context, path string, length time.Duration) error {
	err := look(ctx, path, "ro", length)
	if hasCode(err, sqlite3.SQLITE_READONLY) {
		err = look(ctx, path, "rw", length)
	}
	return err
}

// look is inspect through one connection. quick_check reports damage as rows,
// not as an error.
func look(ctx context.Context, path, mode string, length time.Duration) error {
	db, err := connect(path, mode, "deferred", readerPragmas)
	if err != nil {
		return err
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	var id, tables, version int
	for _, pragma := range []struct {
		query string
		into  *int
	}{
		{"PRAGMA application_id", &id}, {"PRAGMA user_version", &version}, {"SELECT count(*) FROM sqlite_schema", &tables},
	} {
		if err := db.QueryRowContext(ctx, pragma.query).Scan(pragma.into); err != nil {
			return damaged(err)
		}
	}
	if id != applicationID && (id != 0 || tables > 0) {
		return errors.New("is a SQLite database of another program; nothing was changed")
	}
	if tables == 0 {
		return nil
	}
	var verdict string
	if err := db.QueryRowContext(ctx, "PRAGMA quick_check(1)").Scan(&verdict); err != nil {
		return damaged(err)
	}
	if verdict != "ok" {
		return damaged(fmt.Errorf("%w: %s", errDamage, strings.Join(strings.Fields(verdict), " ")))
	}
	all, err := migrations()
	if err != nil {
		return err
	}
	if version > len(all) {
		return fmt.Errorf("was written by a newer carbon_exporter (schema %d, this program knows %d); upgrade the program", version, len(all))
	}
	if version < len(all) {
		return nil // the length is compared once it is migrated
	}
	_, err = compareInterval(ctx, db, length)
	return err
}

// errDamage is what quick_check has found.
var errDamage = errors.New("quick_check")

// damaged calls damage what is damage, and nothing else: whoever is told that
// moves the file away.
func damaged(err error) error {
	if isBusy(err) {
		return fmt.Errorf("is locked by another program: %w", err)
	}
	if errors.Is(err, errDamage) || hasCode(err, sqlite3.SQLITE_CORRUPT) || hasCode(err, sqlite3.SQLITE_NOTADB) {
		return fmt.Errorf("is damaged, restore a backup or move it away to begin anew: %w", err)
	}
	return fmt.Errorf("cannot be read: %w", err)
}
