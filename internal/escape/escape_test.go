// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package escape

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

func TestName(t *testing.T) {
	for _, test := range []struct{ name, text, want string }{
		{"a plain one", "ISIS Neutron & Muon Source", "ISIS Neutron & Muon Source"},
		{"another script", "Größe 東京", "Größe 東京"},
		{"nothing", "", `""`},
		{"a colour", "a\x1b[31mb", `"a\x1b[31mb"`},
		{"an 8-bit order", "a\u009b31mb", `"a\u009b31mb"`},
		{"a title of the window", "\x1b]0;root\a", `"\x1b]0;root\a"`},
		{"a line end", "a\nb", `"a\nb"`},
		{"a line separator", "a\u2028b", `"a\u2028b"`},
		{"another direction", "a\u202egnp.exe", `"a\u202egnp.exe"`},
		{"nothing to see", "a\u200bb", `"a\u200bb"`},
		{"back over what is written", "ab\b\bcd", `"ab\b\bcd"`},
		{"no UTF-8", "a\xffb", `"a\xffb"`},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := Name(test.text); got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}

func TestLine(t *testing.T) {
	for _, test := range []struct{ name, text, want string }{
		{"a sentence", ` "a" cannot be read: 5 % `, `"a" cannot be read: 5 %`},
		{"several lines", "one\ntwo\r\n\n three ", "one; two; three"},
		{"a colour", "said \x1b[31mno", `said \x1b[31mno`},
		{"no UTF-8", "said \xff\xfe no", `said \xff\xfe no`},
		{"the replacement character", "said \ufffd\x00", `said ` + "\ufffd" + `\x00`},
		{"a backslash", `a\b`, `a\b`},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := Line(test.text); got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}

func FuzzTerminal(f *testing.F) {
	for _, text := range []string{"", "a", "\x1b[31m", "\u202e", "\xff", "a\nb", "\ufffd", "\u009b1m"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for what, got := range map[string]string{"name": Name(text), "line": Line(text)} {
			if !utf8.ValidString(got) || strings.ContainsFunc(got, func(r rune) bool { return !unicode.IsPrint(r) }) {
				t.Errorf("%s of %q: %q", what, text, got)
			}
		}
		if got := Name(Name(text)); got != Name(text) {
			t.Errorf("twice is not once: %q", got)
		}
	})
}

func TestCell(t *testing.T) {
	for _, test := range []struct{ name, text, want string }{
		{"a plain name", "ISIS", "ISIS"},
		{"signs inside", "a=b+c-d@e", "a=b+c-d@e"},
		{"nothing", "", ""},
		{"a formula", `=HYPERLINK("http://example.org")`, `'=HYPERLINK("http://example.org")`},
		{"plus", "+1", "'+1"},
		{"minus", "-1", "'-1"},
		{"at", "@SUM(1)", "'@SUM(1)"},
		{"a pipe", "|calc", "'|calc"},
		{"a percent sign", "%0A", "'%0A"},
		{"a tab", "\t=1", "'\t'=1"},
		{"a carriage return", "\r=1", "'\r'=1"},
		{"blanks before it", "  =1", "  '=1"},
		{"a no-break space before it", "\u00a0=1", "\u00a0'=1"},
		{"nothing to see before it", "\u200b\ufeff=1", "\u200b\ufeff'=1"},
		{"a control character before it", "\x00=1", "\x00'=1"},
		{"full width", "＝1＋1", "'＝1＋1"},
		{"full width after a blank of full width", "\u3000－1", "\u3000'－1"},
		{"small forms", "﹦1", "'﹦1"},
		{"a quote already, so that it stays another name", "'=1", "''=1"},
		{"a double quote before it", `"=1`, `"'=1`},
		{"a cell of its own where semicolons separate", "a;=1", "a;'=1"},
		{"a cell of its own after a line end", "a\n =1", "a\n '=1"},
		{"a cell of its own after a tab", "a\t@x", "a\t'@x"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := Cell(test.text); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}
