// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package upstream

import (
	"slices"
	"strings"
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
