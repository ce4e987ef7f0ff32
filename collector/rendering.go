// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"

	"github.com/klauspost/compress/flate"
)

// rendering is the beginning of an exposition, deflated up to a byte boundary, with the state that
// a gzip stream needs to continue.
type rendering struct {
	blocks [][]byte
	zipped int64
	sum    checksum
}

// checksum is that of a text, and its length.
type checksum struct {
	crc  uint32
	size int64
}

func (s *checksum) add(text []byte) {
	s.crc = crc32.Update(s.crc, crc32.IEEETable, text)
	s.size += int64(len(text))
}

// trailer ends a gzip stream: RFC 1952, 2.3.1.
func (s checksum) trailer() []byte {
	return binary.LittleEndian.AppendUint32(binary.LittleEndian.AppendUint32(nil, s.crc), uint32(s.size))
}

// gzipHeader follows RFC 1952, 2.3: deflate, no name, no time, unknown system.
var gzipHeader = [10]byte{0x1f, 0x8b, 8, 9: 255}

// blockBytes is the size of a piece of memory of a rendering. It grows by pieces: a buffer that
// doubles would take three times as much meanwhile.
const blockBytes = 256 << 10

// errTooLarge is that a rendering would be larger than is kept.
var errTooLarge = errors.New("too large to be kept")

// deflate compresses what render writes, the beginning of a stream that will continue. It gives up
// with errTooLarge.
func deflate(z *flate.Writer, most int64, render func(io.Writer) error) (*rendering, error) {
	kept := &blocks{most: most}
	z.Reset(kept)
	d := &deflater{z: z}
	if err := render(d); err != nil {
		return nil, err
	}
	// Flush ends at a byte boundary and leaves the stream open.
	if err := z.Flush(); err != nil {
		return nil, err
	}
	if n := len(kept.all); n > 0 { // the rest of the last one would be kept, too
		kept.all[n-1] = append([]byte(nil), kept.all[n-1]...)
	}
	return &rendering{blocks: kept.all, zipped: kept.size, sum: d.sum}, nil
}

// blocks are bytes in pieces, up to a size.
type blocks struct {
	all        [][]byte
	size, most int64
}

func (b *blocks) Write(p []byte) (int, error) {
	if b.size += int64(len(p)); b.most > 0 && b.size > b.most {
		return 0, errTooLarge
	}
	written := len(p)
	for len(p) > 0 {
		last := len(b.all) - 1
		if last < 0 || len(b.all[last]) == cap(b.all[last]) {
			b.all = append(b.all, make([]byte, 0, blockBytes))
			last++
		}
		n := min(len(p), cap(b.all[last])-len(b.all[last]))
		b.all[last] = append(b.all[last], p[:n]...)
		p = p[n:]
	}
	return written, nil
}

// deflater compresses, and knows what.
type deflater struct {
	z   *flate.Writer
	sum checksum
}

func (d *deflater) Write(p []byte) (int, error) {
	d.sum.add(p)
	return d.z.Write(p)
}

// gzipTail returns what follows the kept blocks in a complete stream: the blocks of the tail,
// and the checksum and length of both texts. The stream is a single member, because curl and
// browsers read only the first.
func (r *rendering) gzipTail(tail []byte, z *flate.Writer) ([]byte, error) {
	kept := &blocks{}
	z.Reset(kept)
	d := &deflater{z: z, sum: r.sum}
	if _, err := d.Write(tail); err != nil {
		return nil, err
	}
	if err := z.Close(); err != nil {
		return nil, err
	}
	var all []byte
	for _, b := range kept.all {
		all = append(all, b...)
	}
	return append(all, d.sum.trailer()...), nil
}

// read decompresses it.
func (r *rendering) read() io.Reader {
	var pieces []io.Reader
	for _, b := range r.blocks {
		pieces = append(pieces, &piece{b})
	}
	// An empty last block, without which the stream would end early.
	pieces = append(pieces, &piece{[]byte{1, 0, 0, 0xff, 0xff}})
	return flate.NewReader(io.MultiReader(pieces...))
}

// piece reads bytes that others read, too.
type piece struct{ rest []byte }

func (p *piece) Read(to []byte) (int, error) {
	if len(p.rest) == 0 {
		return 0, io.EOF
	}
	n := copy(to, p.rest)
	p.rest = p.rest[n:]
	return n, nil
}

// zipLevel compresses as fast as the lowest ones, and a tenth smaller: most of what repeats is near.
const zipLevel = 5

// newZipper makes a writer, which is most of a megabyte.
func newZipper() *flate.Writer {
	z, err := flate.NewWriter(nil, zipLevel)
	if err != nil {
		panic(err) // the level is a constant
	}
	return z
}
