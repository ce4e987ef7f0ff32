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

// secret is a text that must not be shown.
type secret struct {
	text string
	// name: the text is the name of a user or tenant, not a credential.
	name bool
}

const (
	// minAnywhere is the length from which a secret is hidden anywhere. A shorter one is only
	// hidden as a whole word: a password "one" must not hide half of "none". A secret of a
	// single byte is not hidden: it would hide every text and protects nothing.
	minAnywhere = 4
	// The same for a name: a user "carbon" must not hide "carbon_exporter".
	minNameAnywhere = 8
	// minPart is the length of the shortest beginning of a secret that is hidden at the end of
	// a truncated text.
	minPart = 4

	// minHalf is the length of a secret from which its first half is hidden, too: a server may
	// show the beginning of what it received.
	minHalf = 12

	// mark replaces a secret until the text is shown. No encoding uses it.
	mark = "\ufdd0"
)

// wordOnly reports whether the secret is hidden only as a whole word.
func (n secret) wordOnly() bool {
	return len(n.text) < minAnywhere || n.name && len(n.text) < minNameAnywhere
}

// found marks the bytes of a text that belong to a secret; nil: none do.
type found []bool

// find looks for secrets as they stand, in upper or lower case, and for the first half of
// long ones. The longest come first, so that a short one beside a long one still stands
// as a word.
func find(text string, secrets []secret) found { return look(text, secrets, false) }

// findWhole is find without halves.
func findWhole(text string, secrets []secret) found { return look(text, secrets, true) }

func look(text string, secrets []secret, whole bool) found {
	if !slices.IsSortedFunc(secrets, longestFirst) {
		secrets = slices.SortedFunc(slices.Values(secrets), longestFirst)
	}
	lower := lowerASCII(text)
	var f found
	for _, n := range secrets {
		if len(n.text) < 2 {
			continue
		}
		want := lowerASCII(n.text)
		seed := want
		if len(want) >= minHalf && !whole {
			seed = want[:len(want)/2]
		}
		for from := 0; ; {
			i := strings.Index(lower[from:], seed)
			if i < 0 {
				break
			}
			i += from
			end := i + len(seed) + common(lower[i+len(seed):], want[len(seed):])
			if end < i+len(want) {
				end = restOfWord(text, end)
			}
			if !n.wordOnly() || f.edge(text, i-1) && f.edge(text, end) {
				f = f.with(len(text), i, end)
			}
			from = i + 1
		}
		if !n.wordOnly() && !whole {
			if k := beginning(lower, want); k > 0 {
				f = f.with(len(text), len(text)-k, len(text))
			}
		}
	}
	return f
}

func longestFirst(a, b secret) int { return len(b.text) - len(a.text) }

// restOfWord is where a word ends of which a secret's beginning was seen: what follows may
// be its end in another form, as in hunter2hunter%2B2.
func restOfWord(text string, from int) int {
	for i := from; i < len(text); i++ {
		if strings.IndexByte(" \t\r\n<>,", text[i]) >= 0 || text[i] == '"' && text[i-1] != '\\' {
			return i
		}
	}
	return len(text)
}

// common is the length of what two texts have in common at their beginning.
func common(a, b string) int {
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return i
		}
	}
	return min(len(a), len(b))
}

// beginning returns how many bytes at the end of a text are the beginning of a secret.
func beginning(text, secret string) int {
	for k := min(len(text), len(secret)-1); k >= minPart; k-- {
		if strings.HasSuffix(text, secret[:k]) {
			return k
		}
	}
	return 0
}

func (f found) with(size, from, to int) found {
	if f == nil {
		f = make(found, size)
	}
	for i := from; i < to; i++ {
		f[i] = true
	}
	return f
}

// edge reports whether byte i is a word boundary.
func (f found) edge(text string, i int) bool {
	if i < 0 || i >= len(text) || f != nil && f[i] {
		return true
	}
	c := text[i]
	return !(c == '_' || c >= 0x80 || '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z')
}

// hide replaces each marked stretch by one mark.
func (f found) hide(text string) string {
	if f == nil {
		return text
	}
	var b strings.Builder
	for i := range len(text) {
		switch {
		case !f[i]:
			b.WriteByte(text[i])
		case i == 0 || !f[i-1]:
			b.WriteString(mark)
		}
	}
	return b.String()
}

// lowerASCII, unlike strings.ToLower, keeps the length of a text.
func lowerASCII(text string) string {
	b := []byte(text)
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			b[i] = c + 'a' - 'A'
		}
	}
	return string(b)
}

const (
	// maxDepth is how many nested encodings are undone: a header in base64, in a URL, in JSON.
	maxDepth = 4
	// maxDecoded bounds the work for one text, in bytes. A text that needs more is not shown.
	maxDecoded = 2 << 20
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
