// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package manual

import (
	"fmt"
	"regexp"
	"strings"
)

// roff is a page that grows line by line.
type roff struct{ strings.Builder }

// callable are the macros that this package calls as arguments of others. Every other argument
// is text, even if it is the name of a macro.
var callable = map[string]bool{"Fl": true, "Ar": true, "Ns": true, "Pa": true, ",": true}

// macroLike is what mdoc may take for a macro or for punctuation.
var macroLike = regexp.MustCompile(`^([%A-Z][A-Za-z0-9]{0,2}|[^A-Za-z0-9]+)$`)

func (r *roff) macro(name string, args ...string) {
	r.WriteString("." + name)
	for _, a := range args {
		if a == "" {
			continue
		}
		word := strings.ReplaceAll(escaped(a), `"`, `\(dq`)
		if !callable[a] && macroLike.MatchString(a) {
			word = `\&` + word
		}
		if strings.Contains(word, " ") {
			word = `"` + word + `"`
		}
		r.WriteString(" " + word)
	}
	r.WriteByte('\n')
}

// section begins a section. Its name is a known word, which some formatters look up.
func (r *roff) section(name string) { fmt.Fprintf(r, ".Sh %s\n", name) }

// text writes prose, a sentence a line.
func (r *roff) text(prose string) {
	prose = strings.Join(strings.Fields(prose), " ")
	for _, end := range []string{". ", "? ", ": "} {
		prose = strings.ReplaceAll(prose, end, end[:1]+"\n")
	}
	for line := range strings.SplitSeq(prose, "\n") {
		if line != "" {
			r.WriteString(guarded(escaped(line)) + "\n")
		}
	}
}

func (r *roff) paragraphs(all []string) {
	for i, prose := range all {
		if i > 0 {
			r.macro("Pp")
		}
		r.text(prose)
	}
}

// literal writes lines as they are.
func (r *roff) literal(lines []string) {
	r.WriteString(".Bd -literal -offset indent\n")
	for _, line := range lines {
		r.WriteString(guarded(escaped(line)) + "\n")
	}
	r.WriteString(".Ed\n")
}

// list writes a list of terms; f writes its items.
func (r *roff) list(f func()) {
	r.WriteString(".Bl -tag -width Ds\n")
	f()
	r.WriteString(".El\n")
}

// items is a section of terms; kind is the macro of a term, or It.
func (r *roff) items(name, kind string, items []Item) {
	if len(items) == 0 {
		return
	}
	r.section(name)
	r.list(func() {
		for _, i := range items {
			if kind == "It" {
				r.macro("It", i.Term)
			} else {
				r.macro("It", kind, i.Term)
			}
			r.text(i.Text)
		}
	})
}

// blocks writes a long help: paragraphs, and indented lines as they are.
func (r *roff) blocks(help string) {
	for block := range strings.SplitSeq(strings.Trim(help, "\n"), "\n\n") {
		lines := strings.Split(strings.Trim(block, "\n"), "\n")
		switch {
		case len(lines) == 1 && lines[0] == "":
		case strings.HasPrefix(lines[0], " "):
			r.literal(dedented(lines))
		default:
			r.macro("Pp")
			r.text(block)
		}
	}
}

// dedented removes the blanks that all lines begin with.
func dedented(lines []string) []string {
	least := len(lines[0])
	for _, line := range lines {
		least = min(least, len(line)-len(strings.TrimLeft(line, " ")))
	}
	out := make([]string, len(lines))
	for i, line := range lines {
		out[i] = line[least:]
	}
	return out
}

// escaped is text in which nothing is a command to roff. A hyphen stays one when it is copied
// from a terminal.
func escaped(text string) string {
	var b strings.Builder
	for _, c := range text {
		switch {
		case c == '\\':
			b.WriteString(`\e`)
		case c == '-':
			b.WriteString(`\-`)
		case c == '\'':
			b.WriteString(`\(aq`)
		case c == '`':
			b.WriteString(`\(ga`)
		case c == '^':
			b.WriteString(`\(ha`)
		case c == '~':
			b.WriteString(`\(ti`)
		case c > '~':
			fmt.Fprintf(&b, `\[u%04X]`, c)
		default:
			b.WriteRune(c)
		}
	}
	return b.String()
}

// guarded is a line that roff does not take for a request.
func guarded(line string) string {
	if strings.HasPrefix(line, ".") {
		return `\&` + line
	}
	return line
}
