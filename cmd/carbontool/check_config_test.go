package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestCheckConfig(t *testing.T) {
	for _, test := range []struct {
		name, text     string
		code           int
		stdout, stderr string // FILE stands for the file
	}{
		{
			name: "an empty file means the defaults",
			code: exitDone,
			stdout: `FILE: ok
  interval: 30m, an empty store starts 1d back, prices are final after 1d
  prometheus: http://localhost:9090, node_cpu_seconds_total
  power: 12 W busy and 1 W idle per core, PUE 1, machine types with watts of their own: 0
  carbon intensity: uk, national, from https://api.carbonintensity.org.uk
  attribution: by project, no named groups
  budgets: 0, in Europe/London
`,
		},
		{
			name: "secrets stay out of the summary",
			text: `
prometheus: {url: "http://carbon:hunter2@localhost:9090", matchers: 'job="node"', basic_auth: {username: u, password: hunter2}}
power: {machines: {Muon: {busy_watts: 9.5}}}
carbon_intensity: {uk: {url: "http://hunter2@localhost", region_id: 13}}
attribution: {groups: [{name: ISIS, projects: [IDAaaS, TDAaaS]}, {name: Diamond, projects: [DLS]}]}
`,
			code: exitDone,
			stdout: `FILE: ok
  interval: 30m, an empty store starts 1d back, prices are final after 1d
  prometheus: http://carbon:xxxxx@localhost:9090, node_cpu_seconds_total{job="node"}
  power: 12 W busy and 1 W idle per core, PUE 1, machine types with watts of their own: 1
  carbon intensity: uk, region 13, from http://xxxxx@localhost
  attribution: by project, named groups: ISIS (IDAaaS, TDAaaS); Diamond (DLS)
  budgets: 0, in Europe/London
`,
		},
		{
			name: "what is not used yet is said",
			text: `
prometheus: {busy_query: busy, idle_query: idle}
carbon_intensity: {provider: static}
attribution: {group_by: directory}
mongodb: {uri: "mongodb://localhost"}
budgets: [{name: all, scope: ada, period: year, kwh: 1}]
`,
			code: exitDone,
			stdout: `FILE: ok
  interval: 30m, an empty store starts 1d back, prices are final after 1d
  prometheus: http://localhost:9090, queries of its own
  power: 12 W busy and 1 W idle per core, PUE 1, machine types with watts of their own: 0
  carbon intensity: static, 210.89 gCO2eq/kWh, grid GB
  attribution: by directory, no named groups
  budgets: 1, in Europe/London
warning: mongodb: read and checked, not used by this version
warning: budgets: read and checked, not used by this version
warning: attribution.group_by: directory is read and checked, not used by this version
`,
		},
		{
			name: "each fault is a line that begins with the file",
			text: "interval: 7m\npower:\n  pue: 0.5\n",
			code: exitFailed,
			stderr: `FILE:1: interval: must divide 24h, is 7m; 6m or 8m would do
FILE:3: power.pue: must be finite and at least 1, is 0.5
`,
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "carbon.yml")
			if err := os.WriteFile(file, []byte(test.text), 0o600); err != nil {
				t.Fatal(err)
			}
			checkConfig(t, file, test.code, strings.ReplaceAll(test.stdout, "FILE", file), strings.ReplaceAll(test.stderr, "FILE", file))
		})
	}
	t.Run("a file that is not there", func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "carbon.yml")
		checkConfig(t, file, exitFailed, "", file+": open: no such file or directory\n")
	})
}

func checkConfig(t *testing.T, file string, code int, stdout, stderr string) {
	t.Helper()
	var out, err bytes.Buffer
	if got := run([]string{"check", "config", file}, &out, &err); got != code {
		t.Errorf("exit code %d, want %d", got, code)
	}
	if got := out.String(); got != stdout {
		t.Errorf("stdout\n%s\nwant\n%s", got, stdout)
	}
	if got := err.String(); got != stderr {
		t.Errorf("stderr\n%s\nwant\n%s", got, stderr)
	}
}
