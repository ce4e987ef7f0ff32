package sqlite

import (
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"
	"time"
)

// watch notices when the files are no longer those that were opened. SQLite does
// not: it goes on with its descriptors, and all that it writes is lost, or spoils
// what was put in that place.
type watch struct {
	path  string
	guard *os.File

	mu    sync.Mutex
	files map[string]fs.FileInfo // by suffix, as they were at the start
	known header
	size  int64 // of the file, when it was last looked at
	err   error // the first fault
	gone  chan struct{}
}

// header is what the first page says of the file.
type header struct {
	applicationID uint32
	changes       uint32 // grows, though not with each change
	cookie        uint32 // changes with the schema, and in a copy, too
	bytes         int64  // that the file should have
}

// suffixes are of the files by which SQLite keeps one database.
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
		case suffix == "" || !errors.Is(err, fs.ErrNotExist): // a file system without shared memory has no log
			return err
		}
	}
	var err error
	if w.known, err = readHeader(w.guard); err != nil {
		return err
	}
	w.files, w.size = files, files[""].Size()
	return nil
}

func (w *watch) started() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.files != nil
}

// Check looks whether the file and what is beside it are still those that were
// opened. The first time that they are not, that is logged nowhere: it is the error,
// ErrGone, of this and every later Check, Write and Close, and Gone is closed.
func (d *DB) Check() error {
	if d.watch == nil {
		return nil
	}
	return d.watch.check()
}

// Gone is closed when the file is found not to be the one that was opened. Check
// then says what has become of it. It is nil, for ever open, if the database was
// opened to read.
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

// kind of fault, by what may still be done to the files.
type kind int

const (
	whole   kind = iota
	closed       // they are the same files, but cannot be opened again
	lost         // the file has another name or none
	unfit        // the file has the name, and other content
	logGone      // the file is whole, and its log or shared memory is not
)

type fault struct {
	kind kind
	what string
}

// look compares the files with those of the start.
func (w *watch) look() fault {
	info, err := os.Stat(w.path)
	log := w.path + "-wal"
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fault{lost, fmt.Sprintf("was deleted or moved while it was in use; nothing more is written. "+
			"If it was moved, put it back and leave %s as it is; if not, restore a backup and move %[1]s away; then start again", log)}
	case err != nil:
		return fault{lost, fmt.Sprintf("cannot be reached any more (%v); nothing more is written. Make it accessible and start again", withoutPath(err))}
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
	return fault{}
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
		h, err := readHeader(w.guard)
		size := info.Size()
		switch {
		case size < headerBytes || size < w.size && size < h.bytes:
			what = "cut short"
		case err != nil, h.applicationID != w.known.applicationID, h.changes < w.known.changes:
			what = "overwritten"
		default:
			w.known, w.size = h, size
			return ""
		}
		time.Sleep(10 * time.Millisecond)
	}
	return what
}

// follows says whether a file can have this header that had those when it was
// opened. What it was before that, or a copy of it, mostly cannot. It only holds
// from one opening to the next: later, the cookie may change and the count not.
func (h header) follows(changes, cookie uint32) bool {
	return h.changes > changes || h.changes == changes && h.cookie == cookie
}

const headerBytes = 100

// readHeader reads the file's first bytes, without SQLite, from a descriptor that is
// open anyway.
func readHeader(f *os.File) (h header, err error) {
	b := make([]byte, headerBytes)
	if _, err := f.ReadAt(b, 0); err != nil {
		return h, err
	}
	if string(b[:len(magic)]) != string(magic) {
		return h, errors.New("is not a SQLite database")
	}
	page := int64(binary.BigEndian.Uint16(b[16:]))
	if page == 1 {
		page = 65536
	}
	return header{
		applicationID: binary.BigEndian.Uint32(b[68:]),
		changes:       binary.BigEndian.Uint32(b[24:]),
		cookie:        binary.BigEndian.Uint32(b[40:]),
		bytes:         page * int64(binary.BigEndian.Uint32(b[28:])),
	}, nil
}

// settle says whether the connections may be closed as usual, which folds the log
// in and deletes it. Where only the log's name is lost, its content is folded in.
func (w *watch) settle(writer *sql.DB) bool {
	w.mu.Lock()
	kind, log := w.look().kind, w.files["-wal"]
	w.mu.Unlock()
	if kind != logGone {
		return kind == whole || kind == closed
	}
	if info, err := os.Stat(w.path + "-wal"); err == nil && info.Size() > 0 && !os.SameFile(info, log) {
		return false // others have gone on with another log
	}
	ctx, cancel := context.WithTimeout(context.Background(), busyTimeout)
	defer cancel()
	// Its error has nobody who could do more about it than is being said anyway.
	_, _ = writer.ExecContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)")
	return false
}
