// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !race

package main

import (
	"strings"
	"testing"

	"github.com/alecthomas/kingpin/v2"
	"github.com/prometheus/common/version"

	"github.com/carbon-exporter/carbon_exporter/cmd/internal/manual/manualtest"
)

func TestManualPage(t *testing.T) {
	was := version.BuildDate
	t.Cleanup(func() { version.BuildDate = was })
	version.BuildDate = "20261101-12:00:00"
	page := call("--help-man")
	if page.code != exitDone || page.stderr != "" {
		t.Fatalf("exit code %d, stderr %q", page.code, page.stderr)
	}
	manualtest.Lint(t, page.stdout)
	read := manualtest.Read(t, page.stdout)
	for _, c := range commands() {
		clause := c.register(kingpin.New("", ""))
		if want := " carbontool " + clause.FullCommand() + " "; !strings.Contains(read, want) {
			t.Errorf("%q is not in it", want)
		}
		if want := strings.Join(strings.Fields(clause.Model().Help), " "); !strings.Contains(read, want) {
			t.Errorf("%q is not in it", want)
		}
	}
	if want := "November 1, 2026"; !strings.Contains(read, want) {
		t.Errorf("%q is not in it", want)
	}
}

func TestCompletionForFish(t *testing.T) {
	if got := call("--completion-script-fish"); got.code != exitDone || !strings.Contains(got.stdout, "complete -c carbontool ") {
		t.Errorf("exit code %d, %q", got.code, got.stdout)
	}
}
