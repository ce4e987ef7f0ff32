// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package docs

import (
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var (
	family = regexp.MustCompile(`(?m)^# TYPE (\S+)`)
	named  = regexp.MustCompile(`\bcarbon_[a-z0-9_]+`)
)

// TestMetricsOfThePagesExist: a misspelt metric in a query that a reader copies is an empty answer.
func TestMetricsOfThePagesExist(t *testing.T) {
	var families []string
	for _, m := range family.FindAllStringSubmatch(read(t, filepath.Join(root, "collector", "testdata", "metrics.prom")), -1) {
		families = append(families, m[1])
	}
	// The program, a section of its configuration, and a source that is called like another upstream.
	others := []string{"carbon_exporter", "carbon_intensity", "carbon_intensity_prometheus"}
	for _, path := range documents(t) {
		for _, name := range named.FindAllString(read(t, path), -1) {
			if slices.Contains(families, name) || slices.Contains(others, name) {
				continue
			}
			// carbon_settled_* and carbon_intensity_ are many.
			if strings.HasSuffix(name, "_") && slices.ContainsFunc(families, func(f string) bool { return strings.HasPrefix(f, name) }) {
				continue
			}
			t.Errorf("%s names %s, which is no metric of the catalogue", path, name)
		}
	}
}
