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

// watch notices when the files are no longer those that were opened. SQLite does not: it goes
// on using its descriptors, and everything it writes is lost, or spoils the file that is there
// now.
type watch struct {
	path  string
	guard *os.File

	mu    sync.Mutex
	files map[string]fs.FileInfo // by suffix, as they were at the start
	known header
	size  int64 // of the file at the last check
	err   error // the first fault found
	gone  chan struct{}
}

// header is what the file's first page says.
type header struct {
	applicationID uint32
	changes       uint32 // increases, though not with every change
	cookie        uint32 // changes with the schema, and with VACUUM
	bytes         int64  // that the file should have
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
	return nil
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

// kind of fault, by what may still be done with the files.
type kind int

const (
	whole   kind = iota
	closed       // the same files, but they cannot be opened again
	lost         // the file has another name, or was deleted
	unfit        // the file has its name, but other content
	logGone      // the file is intact, but its log or shared memory is not
)

type fault struct {
	kind kind
	what string
}

// look compares the files with those at the start.
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

// lookInside returns what happened to the content, as far as header and size tell, or "".
// Another of our programs may be folding the log into the file, so a fault must show more than
// once.
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
			what = "truncated"
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

// follows reports whether a file with the given header at opening can have this header now. An
// older state or a copy of the file mostly cannot. This only holds within one opening: over
// several, the cookie may change without the count.
func (h header) follows(changes, cookie uint32) bool {
	return h.changes > changes || h.changes == changes && h.cookie == cookie
}

const headerBytes = 100

// readHeader reads the file's first bytes, without SQLite, through a descriptor that is open
// anyway.
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

// settle reports whether the connections may be closed as usual, which folds the log in and
// deletes it. If only the log's name is lost, it folds the log's content in.
func (w *watch) settle(writer *sql.DB) bool {
	w.mu.Lock()
	kind, log := w.look().kind, w.files["-wal"]
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
