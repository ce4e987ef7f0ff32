// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"hash/crc32"
)

// part is the beginning of an exposition, kept either plain or deflated up to a byte boundary,
// with the state that a gzip stream needs to continue.
type part struct {
	bytes []byte
	crc   uint32 // of the text
	size  uint32 // of the text
}

// gzipHeader follows RFC 1952, 2.3: deflate, no name, no time, unknown system.
var gzipHeader = [10]byte{0x1f, 0x8b, 8, 9: 255}

// deflate compresses the beginning of a stream that will continue.
func deflate(text []byte) (part, error) {
	body := bytes.NewBuffer(append([]byte(nil), gzipHeader[:]...))
	z := newZipper()
	z.Reset(body)
	if _, err := z.Write(text); err != nil {
		return part{}, err
	}
	// Flush ends at a byte boundary and leaves the stream open.
	if err := z.Flush(); err != nil {
		return part{}, err
	}
	return part{bytes: body.Bytes(), crc: crc32.ChecksumIEEE(text), size: uint32(len(text))}, nil
}

// gzipTail returns what follows the kept blocks in a complete stream: the blocks of the tail,
// and the checksum and length of both texts. The stream is a single member, because curl and
// browsers read only the first.
func (p part) gzipTail(tail []byte, z *flate.Writer) ([]byte, error) {
	var body bytes.Buffer
	z.Reset(&body)
	if _, err := z.Write(tail); err != nil {
		return nil, err
	}
	if err := z.Close(); err != nil {
		return nil, err
	}
	rest := binary.LittleEndian.AppendUint32(body.Bytes(), crc32.Update(p.crc, crc32.IEEETable, tail))
	return binary.LittleEndian.AppendUint32(rest, p.size+uint32(len(tail))), nil
}

func newZipper() *flate.Writer {
	z, err := flate.NewWriter(nil, flate.DefaultCompression)
	if err != nil {
		panic(err) // the level is a constant of the package
	}
	return z
}
