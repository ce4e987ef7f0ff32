// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package docs

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestEveryCheckOfDoctorIsExplained: what carbontool doctor names can be looked up.
func TestEveryCheckOfDoctorIsExplained(t *testing.T) {
	page, checks := read(t, "troubleshooting.md"), 0
	files, err := filepath.Glob(filepath.Join(root, "internal", "doctor", "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	made := regexp.MustCompile(`check\{[^,}]+, "([^"]+)"\}`)
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range made.FindAllStringSubmatch(string(text), -1) {
			checks++
			if !strings.Contains(page, "`"+m[1]+"`") {
				t.Errorf("troubleshooting.md does not explain %s of %s", m[1], file)
			}
		}
	}
	if checks < 12 {
		t.Errorf("%d checks were found: where are the others?", checks)
	}
}
