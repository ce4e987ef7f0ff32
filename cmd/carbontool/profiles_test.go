// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !race

package main

import (
	"strings"
	"testing"

	"github.com/carbon-exporter/carbon_exporter/internal/config"
)

func TestProfilesAreListed(t *testing.T) {
	got := call("profiles")
	if got.code != exitDone || got.stderr != "" {
		t.Fatalf("exit code %d, stderr %q", got.code, got.stderr)
	}
	lines := strings.Split(strings.TrimSpace(got.stdout), "\n")
	if want := config.Profiles(); len(lines) != len(want) {
		t.Errorf("%d lines, want %d", len(lines), len(want))
	}
	if want := "node_exporter (default)  Virtual machines, or servers, with node_exporter."; lines[0] != want {
		t.Errorf("got %q, want %q", lines[0], want)
	}
}

// What is printed can be put into a configuration file as it is.
func TestAProfileIsPrinted(t *testing.T) {
	for _, name := range config.Profiles() {
		got := call("profiles", name)
		if got.code != exitDone || got.stderr != "" {
			t.Errorf("%s: exit code %d, stderr %q", name, got.code, got.stderr)
		}
		if _, err := config.Parse(name, []byte(got.stdout)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestNoSuchProfile(t *testing.T) {
	got := call("profiles", "cadvisor")
	if got.code != exitUsage || !strings.Contains(got.stderr, `there is no profile "cadvisor"; there are: node_exporter, kubernetes,`) {
		t.Errorf("exit code %d, stderr %q", got.code, got.stderr)
	}
}
