// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package api

import (
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the answers into docs/api.md and testdata")

var example = regexp.MustCompile("(?ms)^```console\n\\$ curl -s 'http://localhost:9977([^'\n]*)'\n(.*?)^```$")

// TestTheExamplesOfThePageAreAnswers: what docs/api.md shows is what a reader gets.
func TestTheExamplesOfThePageAreAnswers(t *testing.T) {
	a := newAsked(t)
	path := filepath.Join("..", "..", "..", "docs", "api.md")
	was, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	is := example.ReplaceAllStringFunc(string(was), func(block string) string {
		n++
		m := example.FindStringSubmatch(block)
		return "```console\n$ curl -s 'http://localhost:9977" + m[1] + "'\n" + strings.TrimRight(a.get(m[1]).body, "\n") + "\n```"
	})
	if n < 4 {
		t.Errorf("%d examples were found: where are the others?", n)
	}
	if is == string(was) {
		return
	}
	if !*update {
		t.Fatalf("docs/api.md has other answers; go test ./cmd/internal/api -update writes these:\n%s", is)
	}
	if err := os.WriteFile(path, []byte(is), 0o600); err != nil {
		t.Fatal(err)
	}
}
