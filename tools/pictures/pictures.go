// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Package pictures knows which pictures the documents have, and what each was drawn from. It
// must not know how they are drawn: internal/e2e/cmd/pictures does that, with the Node programs
// beside this file. Start with Sources.
package pictures

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Themes are those that each picture is drawn in.
var Themes = []string{"light", "dark"}

// Landing is the name of the picture of the landing page.
const Landing = "landing"

// Directory is where the pictures are, seen from the root of the repository.
const Directory = "docs/img"

// landing is the landing page of a known site: it has all styles, templates and drawings in it.
const landing = "internal/landing/testdata/full.html"

// File returns the file name of a picture in a theme.
func File(name, theme string) string { return name + "-" + theme + ".png" }

// Sources returns for the name of each picture the file that it shows, both seen from the root of
// the repository.
func Sources(root string) (map[string]string, error) {
	paths, err := filepath.Glob(filepath.Join(root, "dashboards", "*.json"))
	if err != nil {
		return nil, err
	}
	if len(paths) == 0 {
		return nil, fmt.Errorf("%s has no dashboards", root)
	}
	all := map[string]string{Landing: landing}
	for _, path := range paths {
		all[strings.TrimSuffix(filepath.Base(path), ".json")] = "dashboards/" + filepath.Base(path)
	}
	return all, nil
}

// Drawn is for the name of each picture the hash of the file that it was drawn from.
type Drawn map[string]string

// Hash returns the hash of a file as Drawn has it.
func Hash(path string) (string, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:]), nil
}

func list(root string) string { return filepath.Join(root, Directory, "pictures.json") }

// Read reads what the pictures were drawn from.
func Read(root string) (Drawn, error) {
	text, err := os.ReadFile(list(root))
	if errors.Is(err, os.ErrNotExist) {
		return Drawn{}, nil
	}
	if err != nil {
		return nil, err
	}
	d := Drawn{}
	if err := json.Unmarshal(text, &d); err != nil {
		return nil, fmt.Errorf("%s: %w", list(root), err)
	}
	return d, nil
}

// Write writes it.
func (d Drawn) Write(root string) error {
	text, err := json.MarshalIndent(d, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(list(root), append(text, '\n'), 0o644)
}

// Check returns what is wrong with the pictures of a repository: those that are older than what
// they show, or missing, and those that show nothing any more.
func Check(root string) ([]string, error) {
	sources, err := Sources(root)
	if err != nil {
		return nil, err
	}
	drawn, err := Read(root)
	if err != nil {
		return nil, err
	}
	entries, err := os.ReadDir(filepath.Join(root, Directory))
	if err != nil {
		return nil, err
	}
	files := map[string]bool{}
	for _, e := range entries {
		files[e.Name()] = true
	}
	delete(files, filepath.Base(list(root)))
	var wrong []string
	for _, name := range slices.Sorted(maps.Keys(sources)) {
		hash, err := Hash(filepath.Join(root, sources[name]))
		if err != nil {
			return nil, err
		}
		if drawn[name] != hash {
			wrong = append(wrong, fmt.Sprintf("the pictures of %s show an older one", sources[name]))
		}
		for _, theme := range Themes {
			if file := File(name, theme); !files[file] {
				wrong = append(wrong, fmt.Sprintf("%s has no picture %s/%s", sources[name], Directory, file))
			}
			delete(files, File(name, theme))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(drawn)) {
		if sources[name] == "" {
			wrong = append(wrong, fmt.Sprintf("%s in %s shows nothing that there is", name, list("")))
		}
	}
	for _, file := range slices.Sorted(maps.Keys(files)) {
		wrong = append(wrong, fmt.Sprintf("%s/%s shows nothing that there is", Directory, file))
	}
	return wrong, nil
}
