// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package first_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/carbon-exporter/carbon_exporter/internal/e2e/built"
	"github.com/carbon-exporter/carbon_exporter/internal/progress/terminaltest"
)

func TestInitOnATerminal(t *testing.T) {
	url := cloud(t, nodes("node", 6, tenants)...)
	for _, test := range []struct {
		name, typed string
		code        int
		file        []string // what the file has; none: there is no file
		says        string
	}{
		{
			"Enter to everything", "\n\n\n\n\n", 0,
			[]string{"    project: tenant\n", "    machine: flavor\n", "  provider: uk\n", "timezone: Europe/Paris\n"},
			"Write carbon.yml? [yes]: ",
		},
		{
			"answers of its own", "none of them\nflavor\n56,FR\nUTC\nyes\n", 0,
			[]string{"# project: cloud_project_name\n", "    machine: flavor\n", "    gco2eq_per_kwh: 56\n", "    grid: FR\n", "timezone: UTC\n"},
			"WARNING: no label names the project",
		},
		{"no", "\n\n\n\nno\n", 1, nil, "carbontool init: the answer was not yes, nothing was written\n"},
		{"the terminal is closed", "\n\x04", 1, nil, "carbontool init: no answer, nothing was written\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			terminal, keyboard := terminaltest.Open(t)
			if _, err := keyboard.WriteString(test.typed); err != nil {
				t.Fatal(err)
			}
			dir := t.TempDir()
			cmd := program(t.Context(), dir, "carbontool", "init", "--prometheus="+url)
			cmd.Stdin = terminal
			got := built.Run(t, cmd)
			if got.Code != test.code || !strings.Contains(got.Stderr, test.says) {
				t.Errorf("exit code %d\n%s", got.Code, got.Stderr)
			}
			text, err := os.ReadFile(filepath.Join(dir, "carbon.yml"))
			if (err == nil) != (test.file != nil) {
				t.Errorf("the file: %v", err)
			}
			for _, want := range test.file {
				if !strings.Contains(string(text), want) {
					t.Errorf("the file lacks %q:\n%s", want, text)
				}
			}
			if strings.Contains(got.Stderr, "ASSUMED") || strings.Contains(string(text), "ASSUMED") {
				t.Error("the grid is assumed, although it was asked for")
			}
		})
	}
}
