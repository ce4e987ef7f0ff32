// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package upstream

import (
	"encoding/base64"
	"encoding/hex"
	"regexp"
	"strconv"
	"strings"
)

// spelling is a credential with all that a server may put between its characters
// dropped: line ends, quotes, tags, NULs. It is compared with texts from which the same
// was dropped.
type spelling struct {
	letters []string // the ASCII letters and digits of it and of its base64, in lower case
	hex     string   // its bytes in hexadecimal
	numbers string   // its bytes in decimal, with blanks around each
}

// spellings are those of the credentials among the secrets. What is too short would be
// found by accident.
func spellings(secrets []secret) []spelling {
	var all []spelling
	for _, n := range secrets {
		if n.name || len(n.text) < minAnywhere {
			continue
		}
		is := spelling{hex: hex.EncodeToString([]byte(n.text)), numbers: " "}
		for _, b := range []byte(n.text) {
			is.numbers += strconv.Itoa(int(b)) + " "
		}
		forms := []string{n.text}
		for before := range 3 { // where it may begin in what was encoded
			forms = append(forms, base64Of(n.text, before))
		}
		for _, form := range forms {
			if form = letters(form); len(form) >= minNameAnywhere {
				is.letters = append(is.letters, form)
			}
		}
		all = append(all, is)
	}
	return all
}

// base64Of is the base64 of a text that stands so many bytes into something else, as
// far as it depends on the text alone.
func base64Of(text string, before int) string {
	digits := base64.RawStdEncoding.EncodeToString([]byte(strings.Repeat("x", before) + text))
	whole := (before + len(text)) * 8 / 6
	return digits[(before*8+5)/6 : whole]
}

var tag = regexp.MustCompile(`<[^<>]*>`)

// spells says whether a text has one of the spellings.
func spells(text string, all []spelling) bool {
	if len(all) == 0 {
		return false
	}
	plain := []string{letters(text)}
	if bare := tag.ReplaceAllString(text, ""); bare != text {
		plain = append(plain, letters(bare))
	}
	digits, decimals := hexDigits(text), numbers(text)
	for _, is := range all {
		if strings.Contains(digits, is.hex) || strings.Contains(decimals, is.numbers) {
			return true
		}
		for _, want := range is.letters {
			for _, text := range plain {
				if strings.Contains(text, want) {
					return true
				}
			}
		}
	}
	return false
}

// letters are a text's ASCII letters and digits, in lower case.
func letters(text string) string {
	b := make([]byte, 0, len(text))
	for _, c := range []byte(lowerASCII(text)) {
		if 'a' <= c && c <= 'z' || '0' <= c && c <= '9' {
			b = append(b, c)
		}
	}
	return string(b)
}

// hexPrefixes stand before the digits of a byte: 0x68, %u0068.
var hexPrefixes = strings.NewReplacer("0x", "", "u00", "")

// hexDigits are a text's hexadecimal digits, in lower case.
func hexDigits(text string) string {
	b := make([]byte, 0, len(text))
	for _, c := range []byte(hexPrefixes.Replace(lowerASCII(text))) {
		if 'a' <= c && c <= 'f' || '0' <= c && c <= '9' {
			b = append(b, c)
		}
	}
	return string(b)
}

// numbers are a text's whole numbers, with blanks around each.
func numbers(text string) string {
	b := []byte{' '}
	for _, c := range []byte(text) {
		switch {
		case '0' <= c && c <= '9':
			b = append(b, c)
		case b[len(b)-1] != ' ':
			b = append(b, ' ')
		}
	}
	return string(append(b, ' '))
}
