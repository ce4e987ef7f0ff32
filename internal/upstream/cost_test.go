// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package upstream

import (
	"encoding/base64"
	"math/rand"
	"strings"
	"testing"
)

// BenchmarkText is the cost of the worst text that a server can send.
func BenchmarkText(b *testing.B) {
	s := scrubberOf("correct horse battery staple", "reader")
	for i := range maxSeen {
		s.remember(secret{text: strings.Repeat("x", 20) + string(rune('a'+i%26)) + strings.Repeat("y", i)})
	}
	junk := make([]byte, maxRaw)
	rand.New(rand.NewSource(1)).Read(junk)
	for _, worst := range []struct{ name, text string }{
		{"page", strings.Repeat("<a href=\"/login?next=%2Fgraph\">Sign in</a> &amp; try again\n", maxRaw/50)},
		{"base64", base64.StdEncoding.EncodeToString(junk)},
		{"nested", strings.Repeat("%2525255c\\u0025 &amp;amp; ", maxRaw/20)},
		{"binary", string(junk)},
	} {
		b.Run(worst.name, func(b *testing.B) {
			for b.Loop() {
				s.Text(worst.text)
			}
		})
	}
}
