// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"
)

// heading is that of a version: ## 0.2.0 / 2026-12-01
var heading = regexp.MustCompile(`^## ([0-9][^ ]*) / (.*)$`)

// debianChangelog is CHANGELOG.md as Debian writes it.
func (r Release) debianChangelog() ([]byte, error) {
	text, err := os.ReadFile(filepath.Join(r.Root, "CHANGELOG.md"))
	if err != nil {
		return nil, err
	}
	return debianChangelog(string(text), r.Date)
}

// debianChangelog has what is not released yet at the date given.
func debianChangelog(markdown string, date time.Time) ([]byte, error) {
	var b strings.Builder
	end := ""
	for line := range strings.Lines(markdown) {
		line = strings.TrimRight(line, "\n")
		if h := heading.FindStringSubmatch(line); h != nil {
			at := date
			if h[2] != "unreleased" {
				var err error
				if at, err = time.Parse(time.DateOnly, h[2]); err != nil {
					return nil, fmt.Errorf("CHANGELOG.md: %s: must be such as ## 0.2.0 / 2026-12-01", line)
				}
			}
			b.WriteString(end)
			version := strings.Replace(h[1], "-", "~", 1)
			fmt.Fprintf(&b, "%s (%s) stable; urgency=medium\n\n", packageName, version)
			end = fmt.Sprintf("\n -- %s  %s\n\n", maintainer, at.UTC().Format("Mon, 02 Jan 2006 15:04:05 -0700"))
			continue
		}
		if entry, ok := strings.CutPrefix(line, "* "); ok && end != "" {
			b.WriteString(wrapped("  * ", "    ", entry))
		}
	}
	if end == "" {
		return nil, fmt.Errorf("CHANGELOG.md has no version")
	}
	b.WriteString(end)
	return []byte(strings.TrimSuffix(b.String(), "\n")), nil
}

// wrapped breaks a text into lines of at most 80 characters, if its words allow.
func wrapped(first, then, text string) string {
	var b strings.Builder
	line := first
	for i, word := range strings.Fields(text) {
		switch {
		case i == 0:
			line += word
		case len(line)+1+len(word) > 80:
			b.WriteString(line + "\n")
			line = then + word
		default:
			line += " " + word
		}
	}
	return b.String() + line + "\n"
}
