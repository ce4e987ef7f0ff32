// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package sqlite

import (
	"bytes"
	"encoding/binary"
	"os"
)

// logState is what the shared memory says of the write-ahead log: see "WAL-Index File
// Format" at https://sqlite.org/walformat.html. Between two equal states that are
// settled, no program of ours has written to the database file.
type logState struct {
	frames    uint32  // in the log, of committed transactions
	pageSize  int64   // in bytes
	salts     [8]byte // as they stand in the header of the log
	folded    uint32  // frames that are in the file
	attempted uint32  // frames that are, or are just being folded into it
}

// settled says that nobody is folding the log into the file.
func (s logState) settled() bool { return s.folded == s.attempted }

// end is how long the log must be.
func (s logState) end() int64 { return logHeader + int64(s.frames)*(24+s.pageSize) }

// readLogState reads it without SQLite, which has the file open. It is false while
// somebody writes to it.
func readLogState(shm *os.File) (s logState, ok bool) {
	const header, foldedAt, attemptedAt, size = 48, 96, 128, 136
	b := make([]byte, size)
	if _, err := shm.ReadAt(b, 0); err != nil || b[12] == 0 || !bytes.Equal(b[:header], b[header:2*header]) {
		return s, false
	}
	number := binary.NativeEndian
	page := int64(number.Uint16(b[14:]))
	s = logState{
		frames: number.Uint32(b[16:]), pageSize: page&0xfe00 | page&1<<16,
		folded: number.Uint32(b[foldedAt:]), attempted: number.Uint32(b[attemptedAt:]),
	}
	copy(s.salts[:], b[32:])
	return s, true
}

// holds says whether a log has all that the shared memory says is in it. It looks at
// its length and its header, not at each page.
func (s logState) holds(log *os.File) bool {
	if s.frames == 0 {
		return true
	}
	info, err := log.Stat()
	if err != nil {
		return true // that is no proof
	}
	b := make([]byte, len(s.salts))
	if _, err := log.ReadAt(b, 16); err != nil {
		return info.Size() >= s.end()
	}
	return info.Size() >= s.end() && bytes.Equal(b, s.salts[:])
}
