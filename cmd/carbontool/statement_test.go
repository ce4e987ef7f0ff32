// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !race

package main

import (
	"regexp"
	"strings"
	"testing"
)

func TestStatement(t *testing.T) {
	s := ledger(t)
	s.says(called{stdout: "No statement was issued.\n"}, "statement", "list")
	refused := s.call("statement", "--month=2025-01", "--project=CLF")
	if refused.code != exitFailed || refused.stdout != "" || !strings.Contains(refused.stderr, "intervals of 2025-01 are not final (0 provisional, 4 without carbon intensity, 2 missing, 1436 never asked for)") {
		t.Errorf("got %+v", refused)
	}
	draft := s.call("statement", "--month=2025-01", "--project=CLF", "--preview")
	if draft.code != exitDone || draft.stderr != "" || !strings.Contains(draft.stdout, ">DRAFT<") || !strings.Contains(draft.stdout, "Project CLF, January 2025") {
		t.Errorf("got %+v", draft)
	}
	s.says(called{stdout: "statements  ok      0\n"}, "statement", "verify")

	first := s.call("statement", "--month=2025-01", "--project=CLF", "--provisional")
	if first.code != exitDone || !regexp.MustCompile(`^carbontool statement: issued statement 1, SHA-256 [0-9a-f]{64}\n$`).MatchString(first.stderr) {
		t.Errorf("got code %d, %s", first.code, first.stderr)
	}
	again := s.call("statement", "--month=2025-01", "--project=CLF")
	if again.code != exitDone || again.stdout != first.stdout || !strings.HasPrefix(again.stderr, "carbontool statement: this is statement 1, issued at ") {
		t.Errorf("again: code %d, %s", again.code, again.stderr)
	}
	s.call("statement", "--month=2025-01", "--provisional")
	if byNumber := s.call("statement", "--number=1"); byNumber.stdout != first.stdout || byNumber.stderr != "" {
		t.Errorf("by number it is another one: %s", byNumber.stderr)
	}
	if csv := s.call("statement", "--number=2", "--format=csv"); !strings.Contains(csv.stdout, "\n2,ada,ada,2025-01,total,total,2025-01,") {
		t.Errorf("got %+v", csv)
	}
	s.says(called{stdout: "statements  ok      2\n"}, "statement", "verify")
	list := s.call("statement", "list")
	if !regexp.MustCompile(`(?m)^ +1  2025-01  project CLF     20.* [0-9a-f]{12}$`).MatchString(list.stdout) || !strings.Contains(list.stdout, "the whole site") {
		t.Errorf("got %s", list.stdout)
	}
	s.says(called{code: exitFailed, stderr: "carbontool statement: the store has no statement 3; see carbontool statement list\n"}, "statement", "--number=3")
}

func TestStatementFlags(t *testing.T) {
	for args, want := range map[string]string{
		"":                                      "no month: give --month, such as --month=2026-10, or --number",
		"--month=October":                       `--month: "October" is not a month such as 2026-10`,
		"--month=2026-10 --group=a --project=b": "--group and --project cannot be combined",
		"--month=2026-10 --group=":              "--group or --project is empty",
		"--number=0":                            "--number: must be at least 1, is 0",
		"--number=1 --preview":                  "--number cannot be combined with --month, --group, --project, --preview or --provisional",
		"list --month=2026-10":                  "list: is of all statements; leave out",
		"burn":                                  `do: must be list or verify, is "burn"`,
		"--month=2026-10 --format=pdf":          `--format: must be html, csv or json, is "pdf"`,
	} {
		got := call(append([]string{"statement"}, strings.Fields(args)...)...)
		if got.code != exitUsage || !strings.Contains(got.stderr, want) {
			t.Errorf("%q: %+v, want %s", args, got, want)
		}
	}
}
