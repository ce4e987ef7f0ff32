// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
)

func TestDoctorLooksAtAStoreThatIsInUse(t *testing.T) {
	path := exporterStore(t) // an exporter runs on it
	before, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	got := call("doctor", "--only=store", "--storage.path="+path)
	lines := strings.Split(got.stdout, "\n")
	for i, want := range []string{
		"store  ok       file       " + path + ": schema version ", "store  ok       intervals  1 interval of 30m: 1 unpriced; usage from 2026-01-03T12:00:00Z to 2026-01-03T12:30:00Z",
		"store  ok       disk       ", "",
	} {
		if i >= len(lines) || !strings.HasPrefix(lines[i], want) {
			t.Fatalf("line %d is not %q:\n%s", i, want, got.stdout)
		}
	}
	if got.code != exitDone || got.stderr != "" || strings.Contains(got.stdout, "alice") {
		t.Errorf("got %+v", got)
	}
	if after, err := os.Stat(path); err != nil || after.Size() != before.Size() || after.ModTime() != before.ModTime() {
		t.Errorf("the file was changed: %v", err)
	}
}

func TestDoctorLooksAtBudgetsAndFiles(t *testing.T) {
	s := siteOf(t, &prometheus{}, `
budgets:
  - {name: isis, scope: project, target: ISIS, period: month, kwh: 1}
  - {name: clf, scope: project, target: CLF, period: month, kwh: 1}
`)
	s.store = exporterStore(t)
	s.configure("timezone: Europe/London\nbudgets: [{name: isis, scope: project, target: ISIS, period: month, kwh: 1}, {name: clf, scope: project, target: CLF, period: month, kwh: 1}]\n")
	web := s.file + ".web"
	if err := os.WriteFile(web, []byte("basic_auth_users: {admin: [hunter2]}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	got := s.call("doctor", "--only=config,store", "--web.config.file="+web)
	for _, want := range []string{
		"config  ok       file       FILE is valid", "config  failure  web        ", "config  warning  budgets    budget clf is for project CLF, which was never seen\n",
	} {
		if want = s.named(want); !strings.Contains(got.stdout, want) {
			t.Errorf("there is no %q in\n%s", want, got.stdout)
		}
	}
	if got.code != exitFailed || got.stderr != "carbontool doctor: 1 of 6 checks failed\n" || strings.Contains(got.stdout, "hunter2") {
		t.Errorf("got %+v", got)
	}
}

func TestDoctorSaysWhatIsWrongWithTheConfiguration(t *testing.T) {
	s := siteOf(t, &prometheus{}, "interval: 7m\npower: {pue: 0.5}\n")
	want := `config  failure  file  FILE:1: interval: must divide 24h, is 7m; use 6m or 8m
                 to do: correct the file; carbontool check config shows the same
config  failure  file  FILE:2: power.pue: must be finite and at least 1, is 0.5
                 to do: correct the file; carbontool check config shows the same
`
	s.says(called{code: exitFailed, stdout: want, stderr: "carbontool check upstream: 2 of 2 checks failed\n"}, "check", "upstream", "--only=prometheus")
}

func TestDoctorSaysWhatIsNotConfigured(t *testing.T) {
	s := siteOf(t, &prometheus{}, "")
	s.says(called{stdout: "directory  ok       section  the configuration has no section directory\n"}, "doctor", "--only=directory")
}

func TestDoctorIsUsedWrongly(t *testing.T) {
	called{code: exitUsage, stderr: "carbontool doctor: --only: there is no area \"grid\"; the areas are config, prometheus, power, carbon_intensity, mongodb, directory, store, lake, sources; see carbontool doctor --help\n"}.
		by(t, "doctor", "--only=store,grid")
}

// TestDoctorAsksTheGrid: the API of Great Britain knows no such postcode.
func TestDoctorAsksTheGrid(t *testing.T) {
	grid := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, `{"error":{"code":"400 Bad Request","message":"Please enter a valid outward postcode"}}`, http.StatusBadRequest)
	}))
	defer grid.Close()
	s := siteOf(t, &prometheus{}, "carbon_intensity: {provider: uk, uk: {url: '"+grid.URL+"', postcode: ZZ99}}\n")
	got := s.call("doctor", "--only=carbon_intensity")
	if got.code != exitFailed || !strings.Contains(got.stdout, "grid GB-postcode-ZZ99: ") || !strings.Contains(got.stdout, "to do: check carbon_intensity: the region, the postcode") {
		t.Errorf("got %+v", got)
	}
}
