// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Package spool reorders rows: they arrive in order of time, all series mixed, and are
// read back series by series. Rows are kept on disk, with little of them in memory. It
// must not know what they mean. Start with Spool.
//
// A temporary SQLite table does the same in fewer lines, but takes 12.6 s where this
// takes 0.3 s, for a month of 600 keys.
package spool

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
)

// Spool holds rows of a fixed number of values, for series numbered from 0. All rows
// are added first, then read as often as needed. It is for one goroutine.
//
// Rows are collected in memory up to a bound, sorted by series and appended to the file
// as a run. Reading a series takes one read from each run.
type Spool struct {
	width int
	most  int // rows in memory
	file  *os.File
	named bool  // the system cannot remove an open file
	size  int64 // of the file
	runs  []run

	series  []uint32 // of the rows in memory, as they came
	rows    []byte
	counts  []uint32 // number of rows in memory, by series
	written bool     // reading has begun: no more rows can be added

	reader *bufio.Reader
}

// run says where the rows of each series end in a run.
type run struct {
	start int64
	ends  []uint32 // in rows from the start
}

// memory is the size of the rows kept in memory. Sorting them needs as much again.
const memory = 8 << 20

// New makes an empty spool of rows with width values, in a temporary file. Where the
// system allows it, the file has no name and disappears with the program.
func New(width int) (*Spool, error) { return newSpool(width, memory) }

func newSpool(width, bytes int) (*Spool, error) {
	file, err := os.CreateTemp("", "carbontool-*")
	if err != nil {
		return nil, fmt.Errorf("spool: %w", err)
	}
	s := &Spool{width: width, file: file, named: os.Remove(file.Name()) != nil}
	s.most = max(1, bytes/s.rowBytes())
	return s, nil
}

// rowBytes is the size of a row: its time and values.
func (s *Spool) rowBytes() int { return 4 + 8*s.width }

// Close removes the file.
func (s *Spool) Close() error {
	err := s.file.Close()
	if s.named {
		err = errors.Join(err, os.Remove(s.file.Name()))
	}
	return err
}

var errRead = errors.New("spool: cannot add rows after reading has begun")

// Add adds a row to a series, at a time given as a number. Rows must be added in order of
// time.
func (s *Spool) Add(series int, at uint32, values ...float64) error {
	switch {
	case s.written:
		return errRead
	case len(values) != s.width:
		return fmt.Errorf("spool: row has %d values, want %d", len(values), s.width)
	}
	for len(s.counts) <= series {
		s.counts = append(s.counts, 0)
	}
	s.counts[series]++
	s.series = append(s.series, uint32(series))
	s.rows = binary.LittleEndian.AppendUint32(s.rows, at)
	for _, v := range values {
		s.rows = binary.LittleEndian.AppendUint64(s.rows, math.Float64bits(v))
	}
	if len(s.series) >= s.most {
		return s.write()
	}
	return nil
}

// write turns the rows in memory into a run. Rows of one series keep their order.
func (s *Spool) write() error {
	if len(s.series) == 0 {
		return nil
	}
	r := run{start: s.size, ends: make([]uint32, len(s.counts))}
	next := make([]uint32, len(s.counts)) // where the next row of a series goes
	sum := uint32(0)
	for i, n := range s.counts {
		next[i] = sum
		sum += n
		r.ends[i] = sum
	}
	length := s.rowBytes()
	ordered := make([]byte, len(s.rows))
	for i, series := range s.series {
		copy(ordered[int(next[series])*length:], s.rows[i*length:(i+1)*length])
		next[series]++
	}
	if _, err := s.file.WriteAt(ordered, s.size); err != nil {
		return fmt.Errorf("spool: %w", err)
	}
	s.size += int64(len(ordered))
	s.runs = append(s.runs, r)
	s.series, s.rows = s.series[:0], s.rows[:0]
	clear(s.counts)
	return nil
}

// Each calls f for the rows of a series, in the order of adding. The values are valid
// until f returns.
func (s *Spool) Each(series int, f func(at uint32, values []float64) error) error {
	if err := s.write(); err != nil {
		return err
	}
	if !s.written {
		s.written = true
		s.series, s.rows, s.counts = nil, nil, nil
		s.reader = bufio.NewReaderSize(nil, 32<<10)
	}
	length := s.rowBytes()
	values, row := make([]float64, s.width), make([]byte, length)
	for _, r := range s.runs {
		if series >= len(r.ends) {
			continue
		}
		from := uint32(0)
		if series > 0 {
			from = r.ends[series-1]
		}
		n := r.ends[series] - from
		s.reader.Reset(io.NewSectionReader(s.file, r.start+int64(from)*int64(length), int64(n)*int64(length)))
		for range n {
			if _, err := io.ReadFull(s.reader, row); err != nil {
				return fmt.Errorf("spool: %w", err)
			}
			for i := range values {
				values[i] = math.Float64frombits(binary.LittleEndian.Uint64(row[4+8*i:]))
			}
			if err := f(binary.LittleEndian.Uint32(row), values); err != nil {
				return err
			}
		}
	}
	return nil
}
