// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package focus

import (
	_ "embed" // for the columns
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
)

//go:embed focus-1.2.csv
var standard string

//go:embed x.csv
var own string

// Schema is the columns that there are, by their names.
type Schema map[string]column

type column struct {
	mandatory bool
	kind      string
	null      bool
	allowed   []string // empty: all
	own       bool
}

// Columns returns the schema of FOCUS 1.2 with our own columns.
func Columns() (Schema, error) {
	s := Schema{}
	return s, errors.Join(s.read(standard, false), s.read(own, true))
}

func (s Schema) read(text string, own bool) error {
	r := csv.NewReader(strings.NewReader(text))
	r.Comment = '#'
	rows, err := r.ReadAll()
	if err != nil {
		return fmt.Errorf("columns of FOCUS: %w", err)
	}
	for _, row := range rows[1:] {
		c := column{mandatory: row[1] == "Mandatory", kind: row[2], null: row[3] == "true", own: own}
		if row[4] != "" {
			c.allowed = strings.Split(row[4], "; ")
		}
		s[row[0]] = c
	}
	return nil
}

// CheckHead says what of the head of a table is not as FOCUS has it.
func (s Schema) CheckHead(head []string) error {
	var faults []error
	afterOwn := false
	for i, name := range head {
		c, known := s[name]
		switch {
		case !known:
			faults = append(faults, fmt.Errorf("%s: there is no such column", name))
		case slices.Contains(head[:i], name):
			faults = append(faults, fmt.Errorf("%s: is there twice", name))
		case c.own != strings.HasPrefix(name, "x_"):
			faults = append(faults, fmt.Errorf("%s: a column of our own begins with x_, and no other does", name))
		case afterOwn && !c.own:
			faults = append(faults, fmt.Errorf("%s: must come before our own columns", name))
		}
		afterOwn = afterOwn || c.own
	}
	for name, c := range s {
		if c.mandatory && !slices.Contains(head, name) {
			faults = append(faults, fmt.Errorf("%s: is missing", name))
		}
	}
	return errors.Join(faults...)
}

// CheckRow says what of a row is not as FOCUS has it. An empty cell is null.
func (s Schema) CheckRow(head, row []string) error {
	if len(row) != len(head) {
		return fmt.Errorf("%d cells, of %d columns", len(row), len(head))
	}
	var faults []error
	cells := map[string]string{}
	for i, name := range head {
		cells[name] = row[i]
		if err := s[name].check(row[i]); err != nil {
			faults = append(faults, fmt.Errorf("%s: %w", name, err))
		}
	}
	if len(faults) > 0 {
		return errors.Join(faults...)
	}
	return together(cells)
}

var (
	decimalForm  = regexp.MustCompile(`^-?(\d+(\.\d*)?|\.\d+)(E-?\d+)?$`)
	currencyForm = regexp.MustCompile(`^[A-Z]{3}$`)
)

const dateTime = "2006-01-02T15:04:05Z"

func (c column) check(cell string) error {
	if cell == "" {
		if !c.null {
			return errors.New("must not be null")
		}
		return nil
	}
	switch c.kind {
	case "Decimal":
		if !decimalForm.MatchString(cell) {
			return fmt.Errorf("must be a decimal number, is %q", cell)
		}
	case "Date/Time":
		if _, err := time.Parse(dateTime, cell); err != nil {
			return fmt.Errorf("must be a time in UTC such as 2026-10-01T00:00:00Z, is %q", cell)
		}
	case "JSON":
		var pairs map[string]any
		if err := json.Unmarshal([]byte(cell), &pairs); err != nil {
			return fmt.Errorf("must be an object of JSON, is %q", cell)
		}
	default:
		if strings.TrimSpace(cell) == "" {
			return errors.New("must not be blank")
		}
	}
	if len(c.allowed) > 0 && !slices.Contains(c.allowed, cell) {
		return fmt.Errorf("must be one of %s, is %q", strings.Join(c.allowed, ", "), cell)
	}
	return nil
}
