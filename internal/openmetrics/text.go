// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package openmetrics

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// appendEscaped writes a label value or help text with escapes.
func appendEscaped(b []byte, s string) []byte {
	if !utf8.ValidString(s) {
		s = strings.ToValidUTF8(s, string(utf8.RuneError))
	}
	for i := range len(s) {
		switch c := s[i]; c {
		case '\\', '"':
			b = append(b, '\\', c)
		case '\n':
			b = append(b, '\\', 'n')
		default:
			b = append(b, c)
		}
	}
	return b
}

// appendValue writes the shortest number that reads back as the same.
func appendValue(b []byte, value float64) []byte { return strconv.AppendFloat(b, value, 'g', -1, 64) }

// appendSeconds writes milliseconds since the epoch as seconds, with a fraction if
// needed.
func appendSeconds(b []byte, ms int64) []byte {
	b = strconv.AppendInt(b, ms/1000, 10)
	rest := ms % 1000
	if rest == 0 {
		return b
	}
	b = append(b, '.', byte('0'+rest/100), byte('0'+rest/10%10), byte('0'+rest%10))
	for b[len(b)-1] == '0' {
		b = b[:len(b)-1]
	}
	return b
}
