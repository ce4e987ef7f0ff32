// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !race

package main

import (
	"bytes"
	"strings"
	"testing"
)

func TestUsage(t *testing.T) {
	for _, test := range []struct {
		name           string
		args           []string
		code           int
		stdout, stderr string // stdout: how it begins
	}{
		{"nothing", nil, exitUsage, "", "carbontool: command not specified; see carbontool --help\n"},
		{"half a command", []string{"check"}, exitUsage, "", "carbontool check: must select a subcommand of 'check'; see carbontool check --help\n"},
		{"no file", []string{"check", "config"}, exitUsage, "", "carbontool check config: required argument 'FILE' not provided; see carbontool check config --help\n"},
		{"two files", []string{"check", "config", "a", "b"}, exitUsage, "", "carbontool check config: unexpected argument \"b\"; see carbontool check config --help\n"},
		{"unknown command", []string{"chekc"}, exitUsage, "", "carbontool: expected command but got \"chekc\"; see carbontool --help\n"},
		{"unknown flag", []string{"--quiet"}, exitUsage, "", "carbontool: unknown long flag '--quiet'; see carbontool --help\n"},
		{"help", []string{"--help"}, exitDone, "usage: carbontool ", ""},
		{"help of a command without its argument", []string{"check", "config", "--help"}, exitDone, "usage: carbontool check config ", ""},
		{"help by its command", []string{"help", "check"}, exitDone, "usage: carbontool check ", ""},
		{"version", []string{"--version"}, exitDone, "carbontool, version ", ""},
		{"forget nobody", []string{"forget-user"}, exitUsage, "", "carbontool forget-user: required argument 'ID' not provided; see carbontool forget-user --help\n"},
		{"a number that is none", []string{"report", "--top=few"}, exitUsage, "", "carbontool report: --top: must be a whole number, is \"few\"; see carbontool report --help\n"},
		{"one of two flags without a value", []string{"report", "--by=day", "--from"}, exitUsage, "", "carbontool report: expected argument for flag '--from'; see carbontool report --help\n"},
		{"the second of two values", []string{"report", "--by=day", "--format=xml"}, exitUsage, "", "carbontool report: --format: must be table, csv or json, is \"xml\"; see carbontool report --help\n"},
		{"a flag twice", []string{"report", "--scope=user", "--scope=group"}, exitUsage, "", "carbontool report: --scope: can be given only once; see carbontool report --help\n"},
		{"a flag of another command", []string{"backup", "--top=1", "a"}, exitUsage, "", "carbontool backup: unknown long flag '--top'; see carbontool backup --help\n"},
		{"a time ago that is none", []string{"report", "--from", "-1x"}, exitUsage, "", "carbontool report: --from: \"-1x\" is not a time such as 2026-10-01, 2026-10-01T10:30, 2026-10-01T10:30:00Z, 2026-10, yesterday or -1h; see carbontool report --help\n"},
		{"version, short", []string{"-V"}, exitDone, "carbontool, version ", ""},
		{"version, of a command", []string{"report", "-V"}, exitDone, "carbontool, version ", ""},
		{"version, of a command that lacks its argument", []string{"forget-user", "-V"}, exitDone, "carbontool, version ", ""},
		{"version of a command that could run", []string{"--version", "check", "config", "/"}, exitDone, "carbontool, version ", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			if code := run(test.args, streams{in: strings.NewReader(""), out: &stdout, err: &stderr}); code != test.code {
				t.Errorf("exit code %d, want %d", code, test.code)
			}
			if got := stdout.String(); !strings.HasPrefix(got, test.stdout) || test.stdout == "" && got != "" {
				t.Errorf("stdout %q, want it to begin with %q", got, test.stdout)
			}
			if got := stderr.String(); got != test.stderr {
				t.Errorf("stderr %q, want %q", got, test.stderr)
			}
		})
	}
}
