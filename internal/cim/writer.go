// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package cim

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
)

// Writer writes records as one array of JSON, which is what the service takes, one a line. What is
// not as the schema has it is an error: the service would take it, and keep what it makes of it.
type Writer struct {
	out    io.Writer
	schema Schema
	count  int
}

// NewWriter makes a writer. It writes nothing yet.
func NewWriter(out io.Writer) (*Writer, error) {
	s, err := Cloud()
	return &Writer{out: out, schema: s}, err
}

// Write writes a record.
func (w *Writer) Write(r Record) error {
	var line bytes.Buffer
	line.WriteString("[\n")
	if w.count > 0 {
		line.Reset()
		line.WriteString(",\n")
	}
	before := line.Len()
	e := json.NewEncoder(&line)
	e.SetEscapeHTML(false)
	if err := e.Encode(r); err != nil {
		return fmt.Errorf("record of %s, %s: %w", r.Owner, r.StartExecTime, err)
	}
	line.Truncate(line.Len() - 1) // the line's end: a comma may follow
	if err := w.schema.Check(line.Bytes()[before:]); err != nil {
		return fmt.Errorf("record of %s, %s: %w", r.Owner, r.StartExecTime, err)
	}
	w.count++
	_, err := w.out.Write(line.Bytes())
	return err
}

// Close ends the array.
func (w *Writer) Close() error {
	end := "\n]\n"
	if w.count == 0 {
		end = "[]\n"
	}
	_, err := io.WriteString(w.out, end)
	return err
}
