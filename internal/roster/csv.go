// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package roster

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"
)

// separators are what spreadsheets put between cells, by country and choice.
const separators = ",;\t"

// parseCSV reads rows after a header. Empty lines and lines that begin with # are left out.
func parseCSV(text []byte) ([]row, error) {
	r := csv.NewReader(bytes.NewReader(text))
	r.Comma, r.Comment, r.FieldsPerRecord = separatorOf(text), '#', -1
	r.TrimLeadingSpace = r.Comma != '\t' // it counts tabs as spaces
	header, err := r.Read()
	if errors.Is(err, io.EOF) {
		return nil, errors.New("is empty; line 1 must name the columns")
	}
	if err != nil {
		return nil, inWords(err)
	}
	line, _ := r.FieldPos(0)
	for i, name := range header {
		header[i] = strings.ToLower(strings.TrimSpace(name))
	}
	for len(header) > 1 && header[len(header)-1] == "" {
		header = header[:len(header)-1] // a spreadsheet's empty columns
	}
	if err := checkColumns(line, header); err != nil {
		return nil, err
	}
	var rows []row
	for {
		cells, err := r.Read()
		switch {
		case errors.Is(err, io.EOF):
			return rows, nil
		case err != nil:
			return nil, inWords(err)
		}
		line, _ := r.FieldPos(0)
		made := rowOf(line, header, cells)
		if made.fault != "" && r.InputOffset() == int64(len(text)) && text[len(text)-1] != '\n' {
			return nil, fmt.Errorf("line %d: ends in the middle, as if the file were still being written", line)
		}
		if made.cells == nil && made.fault == "" {
			continue
		}
		rows = append(rows, made)
	}
}

// rowOf returns a row; without cells and fault if it is empty.
func rowOf(line int, header, cells []string) row {
	empty := true
	for _, cell := range cells {
		empty = empty && strings.TrimSpace(cell) == ""
	}
	if empty {
		return row{line: line}
	}
	for len(cells) > len(header) && cells[len(cells)-1] == "" {
		cells = cells[:len(cells)-1]
	}
	made := row{line: line, cells: map[string]string{}}
	if len(cells) != len(header) {
		made.fault = badCells
	}
	for i, name := range header[:min(len(header), len(cells))] {
		made.cells[name] = cells[i]
	}
	return made
}

// separatorOf returns the separator that the header has most of.
func separatorOf(text []byte) rune {
	header := text
	for len(header) > 0 {
		line, rest, _ := bytes.Cut(header, []byte("\n"))
		if line = bytes.TrimSpace(line); len(line) > 0 && line[0] != '#' {
			header = line
			break
		}
		header = rest
	}
	found, most := ',', 0
	for _, s := range separators {
		if n := bytes.Count(header, []byte(string(s))); n > most {
			found, most = s, n
		}
	}
	return found
}

// inWords is an error of the package csv, whose text quotes no cell.
func inWords(err error) error {
	if at := (*csv.ParseError)(nil); errors.As(err, &at) {
		if errors.Is(at.Err, csv.ErrQuote) && at.StartLine != at.Line {
			return fmt.Errorf("line %d: a cell begins with a quote that never ends", at.StartLine)
		}
		return fmt.Errorf("line %d: %w", at.Line, at.Err)
	}
	return err
}
