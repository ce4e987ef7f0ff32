// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Package escape makes text from outside harmless where people read it: names of projects,
// machines, users and groups, and answers of servers. It must not know what the text means.
// Name and Line are for a terminal, Cell is for a spreadsheet.
package escape

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Name returns a name for a line or a table: unchanged if all of it is printable, else quoted,
// with escapes for anything that would move the cursor, colour the screen, change the direction
// of the text or end the line.
func Name(s string) string {
	if s == "" || !printable(s) {
		return strconv.Quote(s)
	}
	return s
}

// Line returns free text as one line: line ends become "; ", and unprintable characters become
// escapes.
func Line(s string) string {
	s = strings.TrimSpace(s)
	if printable(s) {
		return s
	}
	lines := strings.FieldsFunc(s, func(r rune) bool { return r == '\n' || r == '\r' })
	for i, line := range lines {
		lines[i] = escaped(strings.TrimSpace(line))
	}
	return strings.Join(lines, "; ")
}

func printable(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) })
}

// escaped escapes each unprintable character as Go does in a string.
func escaped(s string) string {
	var b strings.Builder
	for len(s) > 0 {
		r, size := utf8.DecodeRuneInString(s)
		if unicode.IsPrint(r) && (r != utf8.RuneError || size > 1) {
			b.WriteString(s[:size])
		} else {
			quoted := strconv.Quote(s[:size])
			b.WriteString(quoted[1 : len(quoted)-1])
		}
		s = s[size:]
	}
	return b.String()
}

// Cell returns text for a spreadsheet's CSV cell: if a cell would begin like a formula, a
// single quote goes before it, which spreadsheets take to mean text. A cell begins at the start
// of the text, and also after a semicolon, a tab or a line end, which separate cells in some
// countries and programs. It is not for numbers.
func Cell(s string) string {
	var b strings.Builder
	begins := true // whether a cell may begin here: only blanks and quotes so far
	from := 0      // start of what is not written yet
	for i, r := range s {
		if begins && formula(r) {
			b.WriteString(s[from:i])
			b.WriteByte('\'')
			from = i
		}
		begins = separates(r) || begins && (blank(r) || r == '\'' || r == '"')
	}
	b.WriteString(s[from:])
	return b.String()
}

// formula reports whether a formula, or a command as in |cmd, can begin with a character. Some
// programs treat full-width and small forms like the plain ones; others drop a tab or carriage
// return at the start.
func formula(r rune) bool {
	switch r {
	case '=', '+', '-', '@', '|', '%', '\t', '\r', '\n',
		'＝', '＋', '－', '＠', '﹦', '﹢', '﹣', '﹫', '−':
		return true
	}
	return false
}

func separates(r rune) bool { return r == ';' || r == '\t' || r == '\n' || r == '\r' }

// blank reports whether a character at the start of a cell may be dropped.
func blank(r rune) bool {
	return unicode.IsSpace(r) || unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == utf8.RuneError
}
