// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Package table aligns columns for people, in plain text where every character has the same
// width. Numbers are right-aligned and words left-aligned, which text/tabwriter cannot do in
// one table. It must not know what cells mean. Start with Table.
package table

import (
	"io"
	"strings"
	"unicode/utf8"

	"github.com/carbon-exporter/carbon_exporter/internal/escape"
)

// Column is a column of a table.
type Column struct {
	Head  string
	Left  bool // left-aligned, for words
	Cells []string
}

// Words returns a column of words.
func Words(head string, cells ...string) Column { return Column{Head: head, Left: true, Cells: cells} }

// Numbers returns a column of numbers.
func Numbers(head string, cells ...string) Column { return Column{Head: head, Cells: cells} }

// Table is columns of equal length. Cells are escaped as they are written, so that no name can
// break the table or control a terminal.
type Table []Column

// Add adds a row with a cell for each column.
func (t Table) Add(cells ...string) {
	for i := range t {
		t[i].Cells = append(t[i].Cells, cells[i])
	}
}

// Write writes the table, with an indent before each line. Without any heads there is no header
// line.
func (t Table) Write(out io.Writer, indent string) error {
	lines := make([]strings.Builder, t.rows()+1) // the first is the header
	named := false
	for i, c := range t {
		cells := append([]string{c.Head}, c.Cells...)
		width := 0
		for n, text := range cells {
			if text != "" {
				cells[n] = escape.Name(text)
			}
			width = max(width, utf8.RuneCountInString(cells[n]))
		}
		named = named || c.Head != ""
		for n, text := range cells {
			if i > 0 {
				lines[n].WriteString("  ")
			}
			blank := strings.Repeat(" ", width-utf8.RuneCountInString(text))
			if c.Left {
				lines[n].WriteString(text + blank)
			} else {
				lines[n].WriteString(blank + text)
			}
		}
	}
	if !named {
		lines = lines[1:]
	}
	var all strings.Builder
	for i := range lines {
		all.WriteString(strings.TrimRight(indent+lines[i].String(), " ") + "\n")
	}
	_, err := io.WriteString(out, all.String())
	return err
}

func (t Table) rows() int {
	if len(t) == 0 {
		return 0
	}
	return len(t[0].Cells)
}
