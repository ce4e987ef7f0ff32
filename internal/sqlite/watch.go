// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"
	"time"
)

// watch notices when the files are no longer those that were opened. SQLite does not: it goes
// on using its descriptors, and everything it writes is lost, or spoils the file that is there
// now.
type watch struct {
	path  string
	guard *os.File

	mu       sync.Mutex
	files    map[string]fs.FileInfo // by suffix, as they were at the start
	log, shm *os.File               // what is beside it; nil: there is none
	known    header
	state    logState // settled while known was read; else zero
	size     int64    // of the file, when it was last looked at
	err      error    // the first fault
	damaged  bool     // what SQLite has found; looking again does not show it
	gone     chan struct{}
}

// suffixes are those of the files that make up one database.
var suffixes = []string{"", "-wal", "-shm"}

// start remembers which files these are.
func (w *watch) start() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	files := map[string]fs.FileInfo{}
	for _, suffix := range suffixes {
		info, err := os.Stat(w.path + suffix)
		switch {
		case err == nil:
			files[suffix] = info
		case suffix == "" || !errors.Is(err, fs.ErrNotExist): // without shared memory there is no log
			return err
		}
	}
	var err error
	if w.known, err = readHeader(w.guard); err != nil {
		return err
	}
	w.files, w.size = files, files[""].Size()
	w.log, w.shm = openBeside(w.path+"-wal", files["-wal"]), openBeside(w.path+"-shm", files["-shm"])
	return nil
}

// openBeside opens a file to look into it; nil if that cannot be done. It stays open
// for as long as SQLite uses it: to close it would drop SQLite's locks.
func openBeside(name string, is fs.FileInfo) *os.File {
	if is == nil {
		return nil
	}
	f, err := os.Open(name)
	if err != nil {
		return nil
	}
	if info, err := f.Stat(); err == nil && os.SameFile(info, is) {
		return f
	}
	return nil // never closed: it may be SQLite's, too
}

// close is for when SQLite has closed its files.
func (w *watch) close() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, f := range []*os.File{w.log, w.shm} {
		if f != nil {
			f.Close() //nolint:errcheck // it was only read
		}
	}
	w.log, w.shm = nil, nil
}

func (w *watch) started() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.files != nil
}

// Check checks that the file and those beside it are still the ones that were opened. Once they
// are not, this and every later Check, Write and Close returns the same ErrGone, and Gone is
// closed. Nothing is logged here.
func (d *DB) Check() error {
	if d.watch == nil {
		return nil
	}
	return d.watch.check()
}

// Gone is closed when the file is found not to be the one that was opened. Check then says what
// happened to it. It is nil if the database was opened for reading.
func (d *DB) Gone() <-chan struct{} {
	if d.watch == nil {
		return nil
	}
	return d.watch.gone
}

func (w *watch) check() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err != nil || w.files == nil {
		return w.err
	}
	f := w.look()
	if f.kind == whole {
		return nil
	}
	if f.kind == unfit {
		// If that fails, the next start only lacks a hint.
		_ = noteUnfit(w.path)
	}
	w.err = described{ErrGone, fmt.Sprintf("%s %s", w.path, f.what)}
	close(w.gone)
	return w.err
}

// damage says that SQLite has found pages that make no sense. Whatever did that,
// writing on would make it worse.
func (w *watch) damage(err error) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err == nil {
		w.err = described{ErrGone, fmt.Sprintf("%s was damaged while it was in use (%v); nothing more is written. "+
			"Restore a backup, move %s away and start again", w.path, err, w.path+"-wal")}
		w.damaged = true
		close(w.gone)
	}
	return w.err
}

// kind of fault, by what may still be done to the files.
type kind int

const (
	whole    kind = iota
	closed        // they are the same files, but cannot be opened again
	lost          // the file has another name or none
	unfit         // the file has the name, and other content
	logGone       // the file is whole, and its log or shared memory has lost its name
	logUnfit      // the file is whole, and its log or shared memory was cut short or overwritten
)

type fault struct {
	kind kind
	what string
}

// look compares the files with those at the start.
func (w *watch) look() fault {
	info, err := os.Lstat(w.path) // links were resolved when it was opened
	log := w.path + "-wal"
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fault{lost, fmt.Sprintf("was deleted or moved while it was in use; nothing more is written. "+
			"If it was moved, put it back and leave %s as it is; if not, restore a backup and move %[1]s away; then start again", log)}
	case err != nil:
		return fault{lost, fmt.Sprintf("cannot be reached any more (%v); nothing more is written. Make it accessible and start again", withoutPath(err))}
	case info.Mode()&fs.ModeSymlink != 0:
		return fault{lost, fmt.Sprintf("was replaced by a link while it was in use; nothing more is written. "+
			"Put the file back and leave %s as it is; then start again", log)}
	case !os.SameFile(info, w.files[""]):
		return fault{lost, fmt.Sprintf("was replaced by another file while it was in use; nothing more is written. "+
			"To keep the new file, move %s away, which is not its own; to keep the old one, put it back and leave %[1]s as it is; then start again", log)}
	case info.Mode().Perm()&0o444 == 0:
		return fault{closed, fmt.Sprintf("was made unreadable (mode %v) while it was in use; nothing more is written. Make it readable and start again", info.Mode().Perm())}
	}
	if what := w.lookInside(); what != "" {
		return fault{unfit, fmt.Sprintf("was %s by another program while it was in use; nothing more is written. "+
			"Restore a backup, move %s away and start again", what, log)}
	}
	for _, suffix := range suffixes[1:] {
		was, had := w.files[suffix]
		if info, err := os.Stat(w.path + suffix); had && (err != nil || !os.SameFile(info, was)) {
			return fault{logGone, fmt.Sprintf("has lost its %s, which was deleted, moved or replaced while it was in use; nothing more is written. Start again", w.path+suffix)}
		}
	}
	if !w.logHolds() {
		return fault{logUnfit, fmt.Sprintf("has lost what was in %s: another program cut it or %s short or overwrote it while it was in use; nothing more is written. "+
			"Start again: what is missing is collected again", w.path+"-wal", w.path+"-shm")}
	}
	return fault{}
}

// logHolds says whether the log and the shared memory have all that must be in them.
// A fault must be seen more than once, as others write to these files.
func (w *watch) logHolds() bool {
	if w.log == nil || w.shm == nil {
		return true
	}
	for range 5 {
		info, err := w.shm.Stat()
		before, ok := readLogState(w.shm)
		holds := before.holds(w.log)
		after, still := readLogState(w.shm)
		short := err == nil && info.Size() < w.files["-shm"].Size()
		if lacks := ok && still && before == after && !holds; !short && !lacks {
			return true
		}
		time.Sleep(10 * time.Millisecond)
	}
	return false
}

// lookInside says what was done to the content, as far as the header and the size
// can tell. Another program of ours may fold the log into the file at this moment, so
// a fault must be seen more than once.
func (w *watch) lookInside() (what string) {
	for range 5 {
		info, err := w.guard.Stat()
		if err != nil {
			return ""
		}
		before := w.settledState()
		h, err := readHeader(w.guard)
		after := w.settledState()
		if before != after {
			after = logState{}
		}
		size := info.Size()
		switch {
		case size < headerBytes || size < w.size && size < h.bytes:
			what = "truncated"
		case err != nil, h.applicationID != w.known.applicationID, h.changes < w.known.changes:
			what = "overwritten"
		case h != w.known && after != logState{} && after == w.state:
			what = "overwritten" // by nobody who has folded the log in
		default:
			w.known, w.state, w.size = h, after, size
			return ""
		}
		time.Sleep(10 * time.Millisecond)
	}
	return what
}

// settle reports whether the connections may be closed as usual, which folds the log in and
// deletes it. If only the log's name is lost, it folds the log's content in.
func (w *watch) settle(writer *sql.DB) bool {
	w.mu.Lock()
	kind, log := w.look().kind, w.files["-wal"]
	if w.damaged {
		kind = unfit
	}
	w.mu.Unlock()
	if kind != logGone {
		return kind == whole || kind == closed
	}
	if info, err := os.Stat(w.path + "-wal"); err == nil && info.Size() > 0 && !os.SameFile(info, log) {
		return false // others are using another log
	}
	ctx, cancel := context.WithTimeout(context.Background(), busyTimeout)
	defer cancel()
	// Nobody could do more about this error than Check already says.
	_, _ = writer.ExecContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)")
	return false
}
