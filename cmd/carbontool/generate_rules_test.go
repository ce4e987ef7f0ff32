// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !race

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/carbon-exporter/carbon_exporter/internal/rules"
)

const examples = "../../examples"

// The example rules are what the tool writes for the example configuration.
func TestExampleRulesAreTheGeneratedOnes(t *testing.T) {
	dir := t.TempDir()
	got := call("generate", "rules", "--config.file="+filepath.Join(examples, "carbon.yml"), "--output-dir="+dir)
	if got.code != exitDone || got.stderr != "" {
		t.Fatalf("exit code %d, stderr %s", got.code, got.stderr)
	}
	want, err := filepath.Glob(filepath.Join(examples, "prometheus", "rules", "*.yml"))
	if err != nil {
		t.Fatal(err)
	}
	var said strings.Builder
	for _, example := range want {
		path := filepath.Join(dir, filepath.Base(example))
		said.WriteString(path + "\n")
		if read(t, path) != read(t, example) {
			t.Errorf("%s is not what `carbontool generate rules` writes: run it again", example)
		}
	}
	if got.stdout != said.String() {
		t.Errorf("wrote\n%s\nthere are examples for\n%s", got.stdout, said.String())
	}
}

func TestGenerateRules(t *testing.T) {
	files, err := rules.Files(rules.Links{})
	if err != nil {
		t.Fatal(err)
	}
	one := rules.Joined(files)
	files, err = rules.Files(rules.Links{Grafana: "http://grafana"})
	if err != nil {
		t.Fatal(err)
	}
	withDashboards := rules.Joined(files)
	dir := t.TempDir()
	none := filepath.Join(dir, "none.yml")
	bad := filepath.Join(dir, "bad.yml")
	write(t, none, "")
	write(t, bad, "budgets: [{name: a, scope: ada, kwh: 1}]\n")
	for _, test := range []struct {
		name string
		args []string
		want called
	}{
		{"one file on standard output", []string{"--config.file=" + filepath.Join(examples, "carbon.yml")}, called{stdout: one}},
		{"a configuration without budgets", []string{"--config.file=" + none}, called{
			stdout: one, stderr: none + " has no budgets, so budget alerts cannot fire.\n",
		}},
		{"runbooks of one's own", []string{"--config.file=" + filepath.Join(examples, "carbon.yml"), "--runbooks.url=https://wiki.example.org/carbon/"}, called{
			stdout: strings.ReplaceAll(one, rules.Runbooks, "https://wiki.example.org/carbon"),
		}},
		{"dashboards of one's own", []string{"--config.file=" + filepath.Join(examples, "carbon.yml"), "--grafana.url=http://grafana/"}, called{
			stdout: withDashboards,
		}},
		{"dashboards nowhere", []string{"--grafana.url=grafana"}, called{
			code:   exitUsage,
			stderr: "carbontool generate rules: --grafana.url must begin with http:// or https:// and name a host, is \"grafana\"; see carbontool generate rules --help\n",
		}},
		{"runbooks nowhere", []string{"--runbooks.url=wiki"}, called{
			code:   exitUsage,
			stderr: "carbontool generate rules: --runbooks.url must begin with http:// or https:// and name a host, is \"wiki\"; see carbontool generate rules --help\n",
		}},
		{"a configuration with a fault", []string{"--config.file=" + bad}, called{
			code: exitFailed, stderr: "carbontool generate rules: " + bad + ":1: budgets[0]: must have period, or from and to\n",
		}},
		{"a configuration that is not there", []string{"--config.file=" + dir + "/absent.yml"}, called{
			code: exitFailed, stderr: "carbontool generate rules: " + dir + "/absent.yml: open: no such file or directory\n",
		}},
		{"a directory that is a file", []string{"--config.file=" + none, "--output-dir=" + none}, called{
			code: exitFailed, stderr: "carbontool generate rules: write rules: mkdir " + none + ": not a directory\n",
		}},
		{"an argument too many", []string{"rules.yml"}, called{
			code: exitUsage, stderr: "carbontool generate rules: unexpected argument \"rules.yml\"; see carbontool generate rules --help\n",
		}},
	} {
		t.Run(test.name, func(t *testing.T) { test.want.by(t, append([]string{"generate", "rules"}, test.args...)...) })
	}
}

func TestGenerateRulesReplacesItsFilesAndNoOthers(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "etc", "rules")
	if got := call("generate", "rules", "--output-dir="+dir); got.code != exitDone {
		t.Fatal(got.stderr)
	}
	write(t, filepath.Join(dir, "carbon-data.yml"), "edited")
	write(t, filepath.Join(dir, "other.yml"), "kept")
	if got := call("generate", "rules", "--output-dir="+dir); got.code != exitDone {
		t.Fatal(got.stderr)
	}
	if text := read(t, filepath.Join(dir, "carbon-data.yml")); !strings.Contains(text, "CarbonDataStale") {
		t.Errorf("an edited file was not replaced: %q", text)
	}
	if text := read(t, filepath.Join(dir, "other.yml")); text != "kept" {
		t.Errorf("another file is now %q", text)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		info, err := e.Info()
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasPrefix(e.Name(), ".") || e.Name() != "other.yml" && info.Mode().Perm() != 0o644 {
			t.Errorf("left behind: %s, %s", e.Name(), info.Mode())
		}
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}
