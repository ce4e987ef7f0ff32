// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Package manualtest holds manual pages to what mandoc and groff accept. It must not know what
// is on them. Start with Lint.
package manualtest

import (
	"os/exec"
	"strings"
	"testing"
)

// Lint wants a page about which mandoc has no warning.
func Lint(t testing.TB, page string) {
	t.Helper()
	if said := mandoc(t, page, "-T", "lint", "-W", "warning"); said != "" {
		t.Errorf("mandoc says of the page:\n%s", said)
	}
}

// Read is the page as a person reads it, each run of blanks and newlines as one blank.
func Read(t testing.TB, page string) string {
	t.Helper()
	text := mandoc(t, page, "-T", "utf8", "-O", "width=400")
	var plain []rune
	for _, c := range text { // bold is a letter, a backspace and the letter
		if c == '\b' {
			plain = plain[:len(plain)-1]
			continue
		}
		plain = append(plain, c)
	}
	return strings.Join(strings.Fields(string(plain)), " ")
}

func mandoc(t testing.TB, page string, args ...string) string {
	t.Helper()
	path, err := exec.LookPath("mandoc")
	if err != nil {
		t.Fatal("there is no mandoc; as root on Debian .ci/packages installs it, elsewhere install the package mandoc")
	}
	cmd := exec.Command(path, args...)
	cmd.Stdin = strings.NewReader(page)
	out, err := cmd.CombinedOutput()
	if err != nil && len(out) == 0 {
		t.Fatalf("%s: %v", cmd, err)
	}
	return string(out)
}
