// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package sqlite

import (
	"encoding/binary"
	"errors"
	"os"
)

// header is what the file's first page says.
type header struct {
	applicationID uint32
	changes       uint32 // increases, though not with every change
	cookie        uint32 // changes with the schema, and with VACUUM
	bytes         int64  // that the file should have
	all           [headerBytes]byte
}

// settledState is what the shared memory says if nobody writes to the file; else
// zero.
func (w *watch) settledState() logState {
	if w.shm == nil {
		return logState{}
	}
	if s, ok := readLogState(w.shm); ok && s.settled() {
		s.frames = 0 // a commit adds some and leaves the file as it is
		return s
	}
	return logState{}
}

// follows says whether a file can have this header that had those when it was
// opened. What it was before that, or a copy of it, mostly cannot. It only holds
// from one opening to the next: later, the cookie may change and the count not.
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
	h = header{
		applicationID: binary.BigEndian.Uint32(b[68:]),
		changes:       binary.BigEndian.Uint32(b[24:]),
		cookie:        binary.BigEndian.Uint32(b[40:]),
		bytes:         page * int64(binary.BigEndian.Uint32(b[28:])),
	}
	copy(h.all[:], b)
	return h, nil
}
