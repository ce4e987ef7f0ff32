// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !race

package main

import (
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestCheckStore(t *testing.T) {
	path := exporterStore(t) // an exporter runs on it
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	good := call("check", "store", "--storage.path="+path)
	lines := strings.Split(good.stdout, "\n")
	for i, want := range []string{
		"file        ok      ", "schema      ok      version ", "references  ok", "intervals   ok      1: 1 unpriced",
		"scopes      ok      5 member rows checked", "sums        ok      1 days and all time, 2 facts", "statements  ok      0", "",
	} {
		if i >= len(lines) || !strings.HasPrefix(lines[i], want) {
			t.Fatalf("line %d is not %q:\n%s", i, want, good.stdout)
		}
	}
	if good.code != exitDone || good.stderr != "" || len(lines) != 8 {
		t.Errorf("got %+v", good)
	}

	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, query := range []string{"UPDATE usage_fact SET busy_kwh = 1", "UPDATE usage_interval SET kwh = NULL"} {
		if _, err := db.Exec(query); err != nil {
			t.Fatal(err)
		}
	}
	bad := call("check", "store", "--storage.path="+path)
	if bad.code != exitFailed || bad.stderr != "carbontool check store: "+path+": 3 of 7 checks failed\n" {
		t.Errorf("got %+v", bad)
	}
	for _, want := range []string{
		"intervals   FAILED  2026-01-03T12:00:00Z: is unpriced and has no energy\n",
		"scopes      FAILED  2026-01-03T12:00:00Z: 5 rows of fact_usage differ from the sums of the facts\n",
		"sums        FAILED  2026-01-03: the day's sums differ from its facts for 2 keys\n",
	} {
		if !strings.Contains(bad.stdout, want) {
			t.Errorf("there is no %q in\n%s", want, bad.stdout)
		}
	}
	if strings.Contains(bad.stdout, "alice") {
		t.Error("a person is named")
	}
	if after, err := os.Stat(path); err != nil || after.Size() != info.Size() {
		t.Errorf("the file was changed: %v", err)
	}
}

func TestCheckStoreNamesAFewFaultsOfMany(t *testing.T) {
	path := filepath.Join(t.TempDir(), "copy.db")
	if made := call("backup", path, "--storage.path="+exporterStore(t)); made.code != exitDone {
		t.Fatalf("got %+v", made)
	}
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for n := range 9 {
		if _, err := db.Exec("INSERT INTO usage_interval(start, seconds, state) VALUES (?, 1800, 'missing')", 1+n); err != nil {
			t.Fatal(err)
		}
	}
	got := call("check", "store", "--storage.path="+path)
	if !strings.Contains(got.stdout, "; and 4 more\n") || strings.Count(got.stdout, "1970-01-01T") != 5 {
		t.Errorf("got %s", got.stdout)
	}
}

func TestBackup(t *testing.T) {
	path, dir := exporterStore(t), t.TempDir()
	target := filepath.Join(dir, "a copy?.db")
	got := call("backup", "--storage.path="+path, target)
	info, err := os.Stat(target)
	if err != nil {
		t.Fatal(err)
	}
	if want := fmt.Sprintf("%s: copied to %s, %.1f MB\n", path, target, float64(info.Size())/1e6); got != (called{stdout: want}) {
		t.Errorf("got %+v, want %q", got, want)
	}
	if checked := call("check", "store", "--storage.path="+target); checked.code != exitDone {
		t.Errorf("got %+v", checked)
	}
	called{code: exitFailed, stderr: "carbontool backup: copy store to " + target + ": already exists; nothing was changed\n"}.
		by(t, "backup", "--storage.path="+path, target)
	called{code: exitUsage, stderr: "carbontool backup: FILE must be the name of a file; the copy cannot go to standard output; see carbontool backup --help\n"}.
		by(t, "backup", "--storage.path="+path, "-")
	none := filepath.Join(dir, "none.db")
	called{code: exitFailed, stderr: "carbontool backup: open store " + none + ": there is no such file; set --storage.path\n"}.
		by(t, "backup", "--storage.path="+none, filepath.Join(dir, "more.db"))
	called{code: exitFailed, stderr: "carbontool check store: open store " + none + ": there is no such file; set --storage.path\n"}.
		by(t, "check", "store", "--storage.path="+none)
}
