// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package docs

import (
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"testing"
)

// TestWhatModulesShareHasOneVersion: `make test` compiles the programs, the tests and the real
// servers from modules of their own. What two of them use is compiled once if it has one version.
// It was minutes of every first run that each had the clouds' libraries in a version of its own.
func TestWhatModulesShareHasOneVersion(t *testing.T) {
	apart := map[string]string{
		"github.com/prometheus/alertmanager":    "the server is as requirements.md says; the library is as Prometheus wants it",
		"github.com/KimMachineGun/automemlimit": "1.0.0 is another interface than that Alertmanager was written for",
	}
	require := regexp.MustCompile(`(?m)^\t(\S+) (v\S+)`)
	of := map[string]map[string][]string{} // module -> version -> go.mod
	for _, dir := range []string{".", "internal/e2e", "dashboards", "packaging", "tools/deploy", "tools/prometheus", "tools/alertmanager", "tools/victoriametrics", "tools/golangci-lint"} {
		for _, m := range require.FindAllStringSubmatch(read(t, filepath.Join(root, dir, "go.mod")), -1) {
			if of[m[1]] == nil {
				of[m[1]] = map[string][]string{}
			}
			of[m[1]][m[2]] = append(of[m[1]][m[2]], dir)
		}
	}
	shared := 0
	for _, module := range slices.Sorted(maps.Keys(of)) {
		versions := of[module]
		switch {
		case len(versions) > 1 && apart[module] == "":
			t.Errorf("%s has several versions, and is compiled as often: %v; go get the newest of them in each", module, versions)
		case len(versions) == 1 && apart[module] != "":
			t.Errorf("%s has one version now: it is no exception any more", module)
		case len(versions) == 1:
			for _, dirs := range versions {
				shared += min(len(dirs)-1, 1)
			}
		}
	}
	if shared < 100 {
		t.Errorf("only %d modules are shared: the go.mod files were not understood", shared)
	}
}
