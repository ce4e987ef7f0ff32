// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Package rules_test holds the rules, and what is done with their alerts, to
// Prometheus' own tools.
package rules_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/carbon-exporter/carbon_exporter/internal/e2e/built"
	"github.com/carbon-exporter/carbon_exporter/internal/rules"
)

const examples = "../../../examples"

// says runs a program that has to end well.
func says(t *testing.T, program string, args ...string) string {
	t.Helper()
	out, err := exec.Command(program, args...).CombinedOutput()
	if err != nil {
		t.Errorf("%s %q: %v\n%s", filepath.Base(program), args, err, out)
	}
	return string(out)
}

// named is files of the examples, at least one.
func named(t *testing.T, pattern ...string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(append([]string{examples}, pattern...)...))
	if err != nil || len(files) == 0 {
		t.Fatalf("no examples %q: %v", pattern, err)
	}
	return files
}

func TestPromtoolHasNothingToSayAboutTheRules(t *testing.T) {
	promtool := built.Program(t, "promtool")
	files, err := rules.Files(rules.Links{Grafana: "https://grafana.example.org"}) // the examples have no links to one
	if err != nil {
		t.Fatal(err)
	}
	one := filepath.Join(t.TempDir(), "carbon.yml")
	if err := os.WriteFile(one, []byte(rules.Joined(files)), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, file := range append(named(t, "prometheus", "rules", "*.yml"), one) {
		t.Run(filepath.Base(file), func(t *testing.T) {
			says(t, promtool, "check", "rules", "--lint=all", "--lint-fatal", file)
		})
	}
}

// Each alert at the minute that the mathematics says, and none where all is well.
func TestAlertsFireWhenTheyShould(t *testing.T) {
	promtool := built.Program(t, "promtool")
	for _, file := range named(t, "prometheus", "rules", "tests", "*.yml") {
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			says(t, promtool, "test", "rules", file)
		})
	}
}
