package store

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"os"
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

// inspect refuses a database that is damaged or another program's. quick_check
// reports damage as rows, not as an error.
func inspect(ctx context.Context, db *sql.DB) error {
	var id, tables int
	if err := db.QueryRowContext(ctx, "PRAGMA application_id").Scan(&id); err != nil {
		return damaged(err)
	}
	if err := db.QueryRowContext(ctx, "SELECT count(*) FROM sqlite_schema").Scan(&tables); err != nil {
		return damaged(err)
	}
	if id != applicationID && tables > 0 {
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
		return damaged(errors.New(verdict))
	}
	return nil
}

func damaged(err error) error {
	if isBusy(err) {
		return fmt.Errorf("is locked by another program: %w", err)
	}
	return fmt.Errorf("is damaged, restore a backup or move it away to begin anew: %w", err)
}
