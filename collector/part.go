package collector

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"hash/crc32"
)

// part is the beginning of an exposition, kept: as it is, or deflated up to a
// byte border, with what a gzip stream must know of it to go on.
type part struct {
	bytes []byte
	crc   uint32 // of the text
	size  uint32 // of the text
}

// gzipHeader is that of RFC 1952, 2.3: deflate, no name, no time, no known system.
var gzipHeader = [10]byte{0x1f, 0x8b, 8, 9: 255}

// deflate compresses the beginning of a stream that will go on.
func deflate(text []byte) (part, error) {
	body := bytes.NewBuffer(append([]byte(nil), gzipHeader[:]...))
	z := newZipper()
	z.Reset(body)
	if _, err := z.Write(text); err != nil {
		return part{}, err
	}
	// Flush ends on a byte and leaves the stream open.
	if err := z.Flush(); err != nil {
		return part{}, err
	}
	return part{bytes: body.Bytes(), crc: crc32.ChecksumIEEE(text), size: uint32(len(text))}, nil
}

// gzipTail is what follows the kept blocks in a whole stream: the blocks of the
// tail, and the checksum and length of both texts. It is one member, because curl
// and browsers read no further than the first.
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
