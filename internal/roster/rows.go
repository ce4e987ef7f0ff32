// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package roster

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"
)

// columns are the names of all columns.
var columns = []string{"host", "owner", "from", "to", "group", "project", "machine"}

// row is one row, with its cells by column, as written.
type row struct {
	line  int
	cells map[string]string
	fault string // the reason why it cannot be read at all; empty: it can
}

// parse returns the rows of a file, by the format of its name.
func parse(name string, text []byte) ([]row, error) {
	text, err := plain(text)
	if err != nil {
		return nil, err
	}
	var rows []row
	switch strings.ToLower(filepath.Ext(name)) {
	case ".csv":
		rows, err = parseCSV(text)
	case ".json":
		rows, err = parseJSON(text)
	case ".yaml", ".yml":
		rows, err = parseYAML(text)
	default:
		err = errors.New("must end in .csv, .json, .yaml or .yml")
	}
	if err == nil && len(rows) == 0 {
		err = errors.New("has no rows")
	}
	return rows, err
}

// plain returns the text without a byte order mark.
func plain(text []byte) ([]byte, error) {
	if len(text) >= 2 && (text[0] == 0xff && text[1] == 0xfe || text[0] == 0xfe && text[1] == 0xff) {
		return nil, errors.New("is UTF-16; save it as UTF-8")
	}
	rest := strings.TrimPrefix(string(text), "\ufeff")
	line := 1
	for at, r := range rest {
		switch {
		case r == '\n':
			line++
		case r == utf8.RuneError && !strings.HasPrefix(rest[at:], "\ufffd"):
			return nil, fmt.Errorf("line %d: is not UTF-8; save the file as UTF-8", line)
		}
	}
	return []byte(rest), nil
}

// maxColumn is the longest name of a column that is worth quoting.
const maxColumn = 64

// checkColumns reports names that are none of a column. It quotes them only among others that
// are, because a first row that is no header has the names of people in it.
func checkColumns(line int, names []string) error {
	seen, unknown := map[string]bool{}, []string{}
	known := 0
	for _, name := range names {
		switch {
		case slices.Contains(columns, name) && seen[name]:
			return fmt.Errorf("line %d: has the column %q twice", line, name)
		case slices.Contains(columns, name):
			known++
		case name != "":
			unknown = append(unknown, fmt.Sprintf("%.*q", maxColumn, name))
		default:
			unknown = append(unknown, "without a name")
		}
		seen[name] = true
	}
	all := strings.Join(columns, ", ")
	switch {
	case known == 0:
		return fmt.Errorf("line %d: must name the columns, of which these are known: %s", line, all)
	case len(unknown) > 0:
		return fmt.Errorf("line %d: unknown column %s; the columns are %s", line, strings.Join(unknown, ", "), all)
	}
	return nil
}
