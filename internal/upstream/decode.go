// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package upstream

import (
	"encoding/base64"
	"encoding/hex"
	"html"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// repeats says whether a text shows a secret when it is decoded. In what it decodes to,
// secrets are looked for with f.
func repeats(text string, secrets []secret, f func(string, []secret) found) bool {
	secrets = slices.DeleteFunc(slices.Clone(secrets), func(n secret) bool { return len(n.text) < minAnywhere })
	for _, n := range secrets { // for texts that were wrapped into lines
		if solid := strings.Join(strings.Fields(n.text), ""); len(solid) >= minNameAnywhere && solid != n.text {
			secrets = append(secrets, secret{text: solid, name: n.name})
		}
	}
	if len(secrets) == 0 {
		return false
	}
	slices.SortFunc(secrets, longestFirst)
	spelled := spellings(secrets)
	if spells(text, spelled) {
		return true
	}
	// Shallow readings first: a text that was read already is not read again.
	left, seen, level := maxDecoded, map[string]bool{text: true}, []string{text}
	for depth := range maxDepth {
		var next []string
		for _, text := range level {
			for _, other := range decodings(text) {
				if len(other) < minAnywhere || seen[other] {
					continue
				}
				seen[other] = true
				next = append(next, other)
				if left -= len(other); left < 0 || f(other, secrets) != nil || depth == 0 && spells(other, spelled) {
					return true
				}
			}
		}
		level = next
	}
	return false
}

var (
	percent   = regexp.MustCompile(`%[0-9a-fA-F]{2}`)
	backslash = regexp.MustCompile(`\\(u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|x[0-9a-fA-F]{2}|[0-7]{3}|.)`)
	base64ish = regexp.MustCompile(`[0-9A-Za-z+/_-]{6,}`)
	hexish    = regexp.MustCompile(`(?:[0-9a-fA-F]{2}[ :]?){4,}`)
)

// decodings are other readings of a text: as part of a URL, of JSON or a Go string, of
// HTML, without white space, without what nobody sees, and what its runs of base64 or
// hexadecimal digits stand for, wherever they begin.
func decodings(text string) []string {
	var all []string
	add := func(other string) {
		if other != text && other != "" {
			all = append(all, other)
		}
	}
	add(unpercent(text))
	if strings.Contains(text, "+") {
		add(unpercent(strings.ReplaceAll(text, "+", " ")))
	}
	add(backslash.ReplaceAllStringFunc(text, unescape))
	add(html.UnescapeString(text))
	add(strings.Join(strings.Fields(text), ""))
	add(strings.Map(visible, text))
	alphabet := strings.NewReplacer("-", "+", "_", "/")
	for _, run := range base64ish.FindAllString(text, -1) {
		run = alphabet.Replace(run)
		for skip := range min(4, len(run)) {
			digits := run[skip:]
			if len(digits)%4 == 1 {
				digits = digits[:len(digits)-1]
			}
			b, _ := base64.RawStdEncoding.DecodeString(digits)
			add(string(b))
		}
	}
	for _, run := range hexish.FindAllString(text, -1) {
		run = strings.NewReplacer(" ", "", ":", "").Replace(run)
		for skip := range 2 {
			digits := run[skip:]
			b, _ := hex.DecodeString(digits[:len(digits)/2*2])
			add(string(b))
		}
	}
	return all
}

// visible drops what nobody sees, such as the NULs of UTF-16 and soft hyphens.
func visible(r rune) rune {
	if unicode.IsPrint(r) || unicode.IsSpace(r) {
		return r
	}
	return -1
}

func unpercent(text string) string {
	return percent.ReplaceAllStringFunc(text, func(code string) string {
		b, _ := hex.DecodeString(code[1:])
		return string(b)
	})
}

// unescape decodes one escape of JSON or of a Go string.
func unescape(code string) string {
	switch c := code[1]; {
	case c == 'u' && len(code) == 6, c == 'U' && len(code) == 10:
		n, _ := strconv.ParseUint(code[2:], 16, 32)
		return string(rune(n))
	case c == 'x' && len(code) == 4:
		n, _ := strconv.ParseUint(code[2:], 16, 8)
		return string([]byte{byte(n)})
	case len(code) == 4:
		n, _ := strconv.ParseUint(code[1:], 8, 16)
		return string([]byte{byte(n)})
	case strings.ContainsRune("nrtabfv", rune(c)):
		return map[byte]string{'n': "\n", 'r': "\r", 't': "\t", 'a': "\a", 'b': "\b", 'f': "\f", 'v': "\v"}[c]
	}
	return code[1:]
}
