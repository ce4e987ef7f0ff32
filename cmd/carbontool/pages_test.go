// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !race

package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	codeBlock = regexp.MustCompile("(?ms)^```(?:sh)?\n(.*?)^```$")
	continued = regexp.MustCompile(`\\\n\s*`)
	ours      = regexp.MustCompile(`^(?:\$ )?(?:bin/)?carbontool ([a-z-]+(?: .*)?)$`) // an error begins "carbontool report:"
	shellWord = regexp.MustCompile(`(?:[^\s'"|>#&;]|'[^']*'|"[^"]*")+|[|>#&;]`)
)

// TestCommandsOfThePagesAreTaken: what a reader copies from a page has commands and flags that
// there are.
func TestCommandsOfThePagesAreTaken(t *testing.T) {
	found := 0
	for _, path := range pages(t) {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, block := range codeBlock.FindAllStringSubmatch(string(text), -1) {
			for line := range strings.Lines(continued.ReplaceAllString(block[1], " ")) {
				m := ours.FindStringSubmatch(strings.TrimSpace(line))
				if m == nil {
					continue
				}
				found++
				app, _ := newApp()
				for _, c := range commands() {
					c.register(app)
				}
				if _, err := app.ParseContext(words(m[1])); err != nil {
					t.Errorf("%s: %s: %v", path, strings.TrimSpace(line), err)
				}
			}
		}
	}
	if found < 30 {
		t.Errorf("%d commands were found: where are the others?", found)
	}
}

// words are the arguments of a command as a shell would see them, up to what is not the command's.
func words(line string) (args []string) {
	for _, word := range shellWord.FindAllString(line, -1) {
		if strings.ContainsAny(word[:1], "|>#&;") {
			break
		}
		args = append(args, strings.NewReplacer(`'`, "", `"`, "").Replace(word))
	}
	return args
}

// pages are those of the documentation.
func pages(t *testing.T) (paths []string) {
	t.Helper()
	err := filepath.WalkDir("../../docs", func(path string, _ fs.DirEntry, err error) error {
		if filepath.Ext(path) == ".md" {
			paths = append(paths, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return append(paths, "../../README.md")
}
