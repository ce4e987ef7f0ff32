// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package progress

import (
	"bytes"
	"strings"
	"testing"
	"time"
)

var (
	began  = time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
	worked = time.Date(2026, 1, 3, 10, 30, 0, 0, time.UTC)
)

// rig is a Line on a clock that stands until it is moved.
type rig struct {
	*Line
	out     bytes.Buffer
	now     time.Time
	columns int
}

func newRig(total, columns int, redraws bool) *rig {
	r := &rig{now: began, columns: columns}
	r.Line = New(&r.out, Options{
		Unit: "intervals", Total: total,
		Screen: func() (int, bool) { return r.columns, redraws },
		Now:    func() time.Time { return r.now },
	})
	return r
}

func (r *rig) after(d time.Duration, n int) {
	r.now = r.now.Add(d)
	r.Add(n, worked)
}

// screen is what a terminal shows of what was written, trailing blanks apart.
// It fails if a line is written into its last column or beyond.
func screen(t *testing.T, written string, columns int) []string {
	t.Helper()
	rows := []string{""}
	var row []rune
	column := 0
	for _, c := range written {
		switch c {
		case '\r':
			column = 0
		case '\n':
			rows, row, column = append(rows, ""), nil, 0
			continue
		default:
			if column >= columns-1 {
				t.Fatalf("wrote beyond column %d: %q", columns-1, written)
			}
			if c < ' ' {
				t.Fatalf("wrote the control character %q", c)
			}
			if column == len(row) {
				row = append(row, c)
			} else {
				row[column] = c
			}
			column++
		}
		rows[len(rows)-1] = strings.TrimRight(string(row), " ")
	}
	return rows
}
