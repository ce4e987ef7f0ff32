// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package lake

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"

	"github.com/parquet-go/parquet-go"
)

// Row is a row of one of the two tables.
type Row interface{ Fact | Member }

const (
	// rowsPerGroup bounds what a writer holds in memory, and what a reader has to.
	rowsPerGroup = 32 << 10
	// rowsAtOnce are read together.
	rowsAtOnce = 256
)

// Object is a file of a day.
type Object struct {
	Path string `json:"path"` // empty: it is no longer there, see Revision.Gone
	// SHA256 is the hash of its bytes, in hexadecimal.
	SHA256 string `json:"sha256"`
	Bytes  int64  `json:"bytes"`
	Rows   int64  `json:"rows"`
	// Content is the hash of its rows, however they are compressed.
	Content string `json:"content_sha256"`
}

// Same reports whether two objects have the same rows.
func (o Object) Same(p Object) bool { return o.Content == p.Content && o.Rows == p.Rows }

// Writer writes rows as a Parquet file. The same rows make the same bytes. It holds one row group
// in memory, whatever the number of rows.
type Writer[T Row] struct {
	rows    *parquet.GenericWriter[T]
	out     *counted
	content hash.Hash
	encoder *json.Encoder
	written int64
}

// NewWriter writes to w, from its beginning.
func NewWriter[T Row](w io.Writer) *Writer[T] {
	out := &counted{to: w, hash: sha256.New()}
	content := sha256.New()
	return &Writer[T]{
		out: out, content: content, encoder: json.NewEncoder(content),
		rows: parquet.NewGenericWriter[T](out,
			// What every reader reads: pages of version 1, Snappy, dictionaries for names.
			parquet.Compression(&parquet.Snappy), parquet.DataPageVersion(1), parquet.MaxRowsPerRowGroup(rowsPerGroup),
			// The default is the version of a library.
			parquet.CreatedBy("carbon_exporter", fmt.Sprintf("lake-%d", Format), "")),
	}
}

// Write adds rows, which must come in the order of their table.
func (w *Writer[T]) Write(rows []T) error {
	for i := range rows {
		if err := w.encoder.Encode(&rows[i]); err != nil {
			return fmt.Errorf("row %d: %w", w.written+int64(i), err) // a number that is none
		}
	}
	w.written += int64(len(rows))
	_, err := w.rows.Write(rows)
	return err
}

// Close ends the file and returns what it is, without a path.
func (w *Writer[T]) Close() (Object, error) {
	if err := w.rows.Close(); err != nil {
		return Object{}, err
	}
	return Object{
		SHA256: hex.EncodeToString(w.out.hash.Sum(nil)), Bytes: w.out.bytes, Rows: w.written,
		Content: hex.EncodeToString(w.content.Sum(nil)),
	}, nil
}

// counted counts and hashes what passes through it.
type counted struct {
	to    io.Writer
	hash  hash.Hash
	bytes int64
}

func (c *counted) Write(p []byte) (int, error) {
	n, err := c.to.Write(p)
	c.bytes += int64(n)
	c.hash.Write(p[:n])
	return n, err
}

// Read calls f for every row of a Parquet file of size bytes, in order. f must not keep what the
// pointers and slices of a row point to.
func Read[T Row](r io.ReaderAt, size int64, f func(T) error) (err error) {
	defer func() {
		if p := recover(); p != nil { // the library panics at columns that are none of T's
			err = fmt.Errorf("read Parquet: %v", p)
		}
	}()
	file, err := parquet.OpenFile(r, size)
	if err != nil {
		return fmt.Errorf("read Parquet: %w", err)
	}
	rows := parquet.NewGenericReader[T](file)
	defer rows.Close()
	for {
		some := make([]T, rowsAtOnce)
		n, err := rows.Read(some)
		for i := range some[:n] {
			if fact, ok := any(&some[i]).(*Fact); ok && len(fact.Devices) == 0 {
				fact.Devices = nil // as it was written, so that its content has the same hash
			}
			if err := f(some[i]); err != nil {
				return err
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read Parquet: %w", err)
		}
	}
}
