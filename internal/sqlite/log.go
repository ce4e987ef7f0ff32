// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package sqlite

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
)

// SQLite finds a write-ahead log by its name alone, and applies it to whatever database has the
// matching name. That would spoil a file that was restored or put in its place. So the lock
// file beside the database also records which file and which log belong together, from before
// anything is written to the log.

// logHeader is the length of a log without any writes.
const logHeader = 32

// pair records which database and which log belong together.
type pair struct {
	database, log   string // from fileID
	changes, cookie uint32 // of the database's header, or of an earlier one
	// unfit: the database was overwritten or truncated while it had this log.
	unfit bool
}

const (
	pairForm   = "database %s\nlog %s\nheader %d %d\n"
	unfitForm  = "unfit\n"
	pairSuffix = ".lock"
)

func (p pair) String() string {
	text := fmt.Sprintf(pairForm, p.database, p.log, p.changes, p.cookie)
	if p.unfit {
		text += unfitForm
	}
	return text
}

// readPair returns the recorded pair; noted is false if there is none, or only part of one.
func readPair(path string) (p pair, noted bool) {
	if examineBeside(path+pairSuffix) != nil {
		return p, false
	}
	text, err := os.ReadFile(path + pairSuffix)
	if err != nil {
		return p, false
	}
	_, err = fmt.Sscanf(string(text), pairForm, &p.database, &p.log, &p.changes, &p.cookie)
	p.unfit = strings.HasSuffix(string(text), unfitForm)
	return p, err == nil && p.String() == string(text)
}

// examineBeside refuses what is neither a regular file nor absent. Whoever reads a
// pipe waits for ever, and whoever writes to a link overwrites something else.
func examineBeside(name string) error {
	info, err := os.Lstat(name)
	if err == nil && !info.Mode().IsRegular() {
		return fmt.Errorf("has a %s beside it that is not a regular file: move that away", name)
	}
	return nil
}

func presentPair(path string, file *os.File) (p pair, err error) {
	if h, err := readHeader(file); err == nil {
		p.changes, p.cookie = h.changes, h.cookie
	}
	if p.database, err = fileID(path); err != nil {
		return p, err
	}
	p.log, err = fileID(path + "-wal")
	return p, err
}

func idOf(inode uint64, seconds, nanoseconds int64) string {
	return fmt.Sprintf("%d-%d.%09d", inode, seconds, nanoseconds)
}

// hasLog reports whether there is a write-ahead log that is not empty.
func hasLog(path string) bool {
	info, err := os.Stat(path + "-wal")
	return err == nil && info.Mode().IsRegular() && info.Size() > logHeader
}

// checkLog refuses a log that was written for another file. If both differ from the record,
// they were copied or moved together, and are as good as before.
func checkLog(path string, file *os.File) error {
	if err := examineLog(path + "-wal"); err != nil {
		return err
	}
	noted, ok := readPair(path)
	if !ok || !hasLog(path) {
		return nil
	}
	present, err := presentPair(path, file)
	if err != nil {
		return nil //nolint:nilerr // files cannot be told apart here
	}
	log := path + "-wal"
	switch {
	case present.database == noted.database && present.log == noted.log:
		now := header{changes: present.changes, cookie: present.cookie}
		if noted.unfit || !now.follows(noted.changes, noted.cookie) {
			return fmt.Errorf("was overwritten or truncated, and %[1]s no longer matches it: restore a backup, unless this is one, and move %[1]s away", log)
		}
		return nil
	case present.database != noted.database && present.log != noted.log:
		return nil
	case present.log == noted.log:
		return fmt.Errorf("is not the file that %[1]s was written for: put that file back, or move %[1]s away", log)
	}
	return fmt.Errorf("has a %[1]s that was not written for it: move it away; if it is of another program that has used this file, "+
		"sqlite3 %[2]s 'PRAGMA wal_checkpoint(TRUNCATE)' folds it in", log, path)
}

// examineLog refuses what is no write-ahead log: SQLite would take it for an empty
// one and write over it. Zeros are what a power cut leaves.
func examineLog(name string) error {
	if examineBeside(name) != nil {
		return nil // whoever only reads goes without a log
	}
	f, err := os.Open(name)
	if err != nil {
		return nil //nolint:nilerr // there is none, or SQLite will say what is wrong
	}
	defer f.Close() //nolint:errcheck // it was only read
	magic := make([]byte, 4)
	if _, err := io.ReadFull(f, magic); err != nil {
		return nil //nolint:nilerr // it is empty
	}
	switch binary.BigEndian.Uint32(magic) {
	case 0, 0x377f0682, 0x377f0683: // see https://sqlite.org/fileformat2.html#walformat
		return nil
	}
	return fmt.Errorf("has a %s beside it that is not a write-ahead log: move that away", name)
}

// noteLog records which file and which log belong together.
func noteLog(path string, file *os.File) error {
	p, err := presentPair(path, file)
	if errors.Is(err, errors.ErrUnsupported) || errors.Is(err, fs.ErrNotExist) {
		return nil // files cannot be told apart, or there is no log
	}
	if err != nil {
		return err
	}
	return notePair(path, p)
}

// noteUnfit records that the log no longer matches the file.
func noteUnfit(path string) error {
	p, ok := readPair(path)
	if !ok {
		return nil
	}
	p.unfit = true
	return notePair(path, p)
}

func notePair(path string, p pair) error {
	if err := examineBeside(path + pairSuffix); err != nil {
		return err
	}
	if was, ok := readPair(path); ok && was == p {
		return nil
	}
	f, err := os.OpenFile(path+pairSuffix, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return fmt.Errorf("record which write-ahead log belongs to it: %w", err)
	}
	text := p.String()
	_, err = f.WriteAt([]byte(text), 0)
	err = errors.Join(err, f.Truncate(int64(len(text))), f.Sync(), f.Close())
	if err != nil {
		return fmt.Errorf("record which write-ahead log belongs to it: %w", err)
	}
	return nil
}
