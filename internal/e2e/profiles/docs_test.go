// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package profiles_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/carbon-exporter/carbon_exporter/internal/e2e/profiles"
)

// What the documentation says to override is what the sites are read with.
func TestTheDocumentationOverridesTheSame(t *testing.T) {
	page, err := os.ReadFile(filepath.Join("..", "..", "..", "docs", "profiles.md"))
	if err != nil {
		t.Fatal(err)
	}
	for name, site := range map[string]*profiles.Site{
		"libvirt with labels of its own": profiles.LibvirtLabels(),
		"slurm by its controller":        profiles.SlurmController(),
		"incus":                          profiles.Incus(),
		"opentelemetry with underscores": profiles.OpenTelemetryUnderscores(),
	} {
		if !strings.Contains(dense(string(page)), dense(site.Section)) {
			t.Errorf("%s: the page does not have\n%s", name, site.Section)
		}
	}
}

// dense is a text without comments and white space.
func dense(text string) string {
	var all strings.Builder
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(strings.TrimSpace(line), "# ") {
			all.WriteString(strings.Join(strings.Fields(line), ""))
		}
	}
	return all.String()
}
