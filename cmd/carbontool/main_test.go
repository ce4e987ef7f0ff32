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
		{"half a command", []string{"check"}, exitUsage, "", "carbontool: must select a subcommand of 'check'; see carbontool --help\n"},
		{"no file", []string{"check", "config"}, exitUsage, "", "carbontool: required argument 'FILE' not provided; see carbontool --help\n"},
		{"two files", []string{"check", "config", "a", "b"}, exitUsage, "", "carbontool: unexpected b; see carbontool --help\n"},
		{"unknown command", []string{"chekc"}, exitUsage, "", "carbontool: expected command but got \"chekc\"; see carbontool --help\n"},
		{"unknown flag", []string{"--quiet"}, exitUsage, "", "carbontool: unknown long flag '--quiet'; see carbontool --help\n"},
		{"help", []string{"--help"}, exitDone, "usage: carbontool ", ""},
		{"help of a command without its argument", []string{"check", "config", "--help"}, exitDone, "usage: carbontool check config ", ""},
		{"help by its command", []string{"help", "check"}, exitDone, "usage: carbontool check ", ""},
		{"version", []string{"--version"}, exitDone, "carbontool, version ", ""},
		{"forget nobody", []string{"forget-user"}, exitUsage, "", "carbontool: required argument 'ID' not provided; see carbontool --help\n"},
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
