// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Package docs holds the links of the documents to the files and headings that
// they lead to. It must not know what they say.
package docs

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

const root = ".."

var (
	link    = regexp.MustCompile(`(?:\]\(|src="|srcset=")([^)"\s]+)[)"]`)
	heading = regexp.MustCompile(`(?m)^#+ +(.+?)\s*$`)
	noise   = regexp.MustCompile(`[^\pL\pN_ -]`)
)

func TestLinksLeadSomewhere(t *testing.T) {
	links := 0
	for _, path := range documents(t) {
		for _, m := range link.FindAllStringSubmatch(read(t, path), -1) {
			if strings.Contains(m[1], "://") {
				continue
			}
			links++
			file, fragment, _ := strings.Cut(m[1], "#")
			to := path
			if file != "" {
				to = filepath.Join(filepath.Dir(path), file)
			}
			if _, err := os.Stat(to); err != nil {
				t.Errorf("%s: the link to %s: %v", path, m[1], err)
			} else if fragment != "" && filepath.Ext(to) == ".md" && !fragments(read(t, to))[fragment] {
				t.Errorf("%s: %s has no heading #%s", path, to, fragment)
			}
		}
	}
	if links < 50 {
		t.Errorf("%d links were found: where are the others?", links)
	}
}

// documents are all of the repository.
func documents(t *testing.T) (paths []string) {
	t.Helper()
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() && path != root && strings.HasPrefix(d.Name(), ".") {
			return filepath.SkipDir
		}
		if filepath.Ext(path) == ".md" {
			paths = append(paths, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return paths
}

// fragments are the headings of a document as GitHub makes fragments of them.
func fragments(text string) map[string]bool {
	all := map[string]bool{}
	for _, m := range heading.FindAllStringSubmatch(text, -1) {
		all[strings.ReplaceAll(noise.ReplaceAllString(strings.ToLower(m[1]), ""), " ", "-")] = true
	}
	return all
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
