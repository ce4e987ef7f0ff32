// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package focus

import (
	"encoding/csv"
	"fmt"
	"io"
)

// Writer writes charges as CSV. What is not as FOCUS has it is an error, and is not written.
type Writer struct {
	csv    *csv.Writer
	schema Schema
	terms  Terms
	head   []string
}

// NewWriter makes a writer and writes the head.
func NewWriter(out io.Writer, terms Terms) (*Writer, error) {
	s, err := Columns()
	if err != nil {
		return nil, err
	}
	w := &Writer{csv: csv.NewWriter(out), schema: s, terms: terms}
	for _, c := range terms.cells(Charge{}) {
		w.head = append(w.head, c.column)
	}
	if err := s.CheckHead(w.head); err != nil {
		return nil, err
	}
	return w, w.csv.Write(w.head)
}

// Write writes a charge.
func (w *Writer) Write(c Charge) error {
	row := make([]string, 0, len(w.head))
	for _, p := range w.terms.cells(c) {
		row = append(row, p.cell)
	}
	if err := w.schema.CheckRow(w.head, row); err != nil {
		return fmt.Errorf("charge of %s, %s: %w", c.Project, stamp(c.Period.From), err)
	}
	return w.csv.Write(row)
}

// Close writes what is not written yet.
func (w *Writer) Close() error {
	w.csv.Flush()
	return w.csv.Error()
}
