// Package spool turns rows around: they come in the order of time, all series
// together, and are given back series by series. It keeps them on disk, however
// many they are, and little of them in memory. It must not know what they mean.
// Start with Spool.
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

// Spool holds rows of so many numbers each, of series that are numbered from 0.
// First all are added, then they are read, as often as they are wanted. It is for
// one goroutine.
//
// Rows are collected in memory up to a bound, put in the order of their series and
// written behind those before them: a run. Reading a series is one look at each run.
type Spool struct {
	width int
	most  int // rows in memory
	file  *os.File
	named bool  // a system that cannot take the name of an open file away
	size  int64 // of the file
	runs  []run

	series  []uint32 // of the rows in memory, as they came
	rows    []byte
	counts  []uint32 // of them, by series
	written bool     // rows are being read: no more can come

	reader *bufio.Reader
}

// run is where in the file its rows of each series end, by series.
type run struct {
	start int64
	ends  []uint32 // in rows from the start
}

// memory is what the rows may take that are held back, once as they came and once
// in their order.
const memory = 8 << 20

// New makes an empty spool of rows with width numbers, in a file of the directory
// of temporary files that has no name and is gone with the program, where that can
// be.
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

// rowBytes is a row's time and its numbers.
func (s *Spool) rowBytes() int { return 4 + 8*s.width }

// Close gives the file back.
func (s *Spool) Close() error {
	err := s.file.Close()
	if s.named {
		err = errors.Join(err, os.Remove(s.file.Name()))
	}
	return err
}

var errRead = errors.New("spool: a row comes after the first was read")

// Add keeps a row of a series, at a time that is given as a number. Rows come in the
// order of time.
func (s *Spool) Add(series int, at uint32, values ...float64) error {
	switch {
	case s.written:
		return errRead
	case len(values) != s.width:
		return fmt.Errorf("spool: a row of %d numbers, not %d", len(values), s.width)
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

// write makes what is in memory a run: rows of one series stay in the order in which
// they came.
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

// Each gives the rows of a series in the order in which they were added. The values
// are those of one row only until f returns.
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
