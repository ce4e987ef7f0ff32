// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package doctor_test

import (
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/carbon-exporter/carbon_exporter/internal/e2e/built"
)

// shard is the file of one exporter of a site: its matchers, and more of the file.
type shard struct{ matchers, more string }

// writeShards writes the files of shards, called a.yml, b.yml and so on.
func writeShards(t *testing.T, dir, url string, shards []shard) (files []string) {
	t.Helper()
	for i, s := range shards {
		file := filepath.Join(dir, string(rune('a'+i))+".yml")
		text := fmt.Sprintf("timezone: UTC\nprometheus: {url: '%s', matchers: '%s'}\ncarbon_intensity: {provider: static, static: {gco2eq_per_kwh: 100, grid: contract}}\n", url, s.matchers)
		if err := os.WriteFile(file, []byte(text+s.more), 0o600); err != nil {
			t.Fatal(err)
		}
		files = append(files, file)
	}
	return files
}

// compare calls doctor --shards. Names of files are without their folder.
func compare(t *testing.T, url string, shards ...shard) *report {
	t.Helper()
	dir := t.TempDir()
	args := append([]string{"doctor", "--format=json", "--shards"}, writeShards(t, dir, url, shards)...)
	got := built.Run(t, exec.Command(filepath.Join(programs, "carbontool"), args...))
	r := &report{t: t, code: got.Code, stderr: got.Stderr}
	if err := json.Unmarshal([]byte(strings.ReplaceAll(got.Stdout, dir+"/", "")), r); err != nil {
		t.Fatalf("%v: %s%s", err, got.Stdout, got.Stderr)
	}
	return r
}

// level is the worst of the findings of a check.
func (r *report) level(check string) string {
	worst := ""
	for _, f := range r.Findings {
		if f.Check == check && (worst == "" || worst == "ok" || f.Level == "failure") {
			worst = f.Level
		}
	}
	return worst
}

func project(name string) machine {
	return machine{labels: map[string]string{"cloud_project_name": name}}
}

// TestShardsAddUpToTheSite holds what doctor says of shards to what Prometheus selects.
func TestShardsAddUpToTheSite(t *testing.T) {
	site := []machine{project("ISIS"), project("IDAaaS"), project("CLF"), project(""), {labels: map[string]string{"job": "other", "cloud_project_name": "ISIS"}}}
	for _, test := range []struct {
		name     string
		machines []machine
		shards   []shard
		twice, absent, divided,
		moved string // the worst of each check
		words []string
	}{
		{
			name: "one, and the rest, which has those without the label", machines: site,
			shards: []shard{{matchers: `job="node",cloud_project_name=~"I.*"`}, {matchers: `cloud_project_name!~"I.*", job="node"`}},
			twice:  "ok", absent: "ok", moved: "ok",
			words: []string{`that all shards have: job="node"`, `a.yml selects 2 machines now, by cloud_project_name=~"I.*"`, `b.yml selects 2 machines now`},
		},
		{
			name: "a regular expression matches from end to end", machines: site,
			shards: []shard{{matchers: `job="node",cloud_project_name=~"I"`}, {matchers: `job="node",cloud_project_name!~"I.*"`}},
			twice:  "ok", absent: "failure", moved: "ok",
			words: []string{"a.yml selects no machine now", "now, 2 of 4 machines are in no shard: 10.0.0.1:9100, 10.0.0.2:9100"},
		},
		{
			name: "without the label, in none", machines: site,
			shards: []shard{{matchers: `job="node",cloud_project_name=~"I.*"`}, {matchers: `job="node",cloud_project_name="CLF"`}},
			twice:  "ok", absent: "failure", moved: "ok",
			words: []string{"now, 1 of 4 machines is in no shard: 10.0.0.4:9100", "give one shard the rest"},
		},
		{
			name: "an empty value is a machine without the label", machines: site,
			shards: []shard{{matchers: `job="node",cloud_project_name=~"I.*"`}, {matchers: `job="node",cloud_project_name=~"CLF|"`}},
			twice:  "ok", absent: "ok", moved: "ok",
		},
		{
			name: "in two", machines: site,
			shards: []shard{{matchers: `job="node",cloud_project_name=~"I.*"`}, {matchers: `job="node",cloud_project_name!="ISIS"`}},
			twice:  "failure", absent: "ok", moved: "ok",
			words: []string{"now, 1 machine is in several shards: 10.0.0.2:9100 (a.yml, b.yml)"},
		},
		{
			name: "one of them is all of it", machines: site,
			shards: []shard{{matchers: `job="node"`}, {matchers: `job="node",cloud_project_name="ISIS"`}},
			twice:  "failure", absent: "ok", moved: "ok",
			words: []string{"a.yml selects 4 machines now, by no matchers of its own", "10.0.0.1:9100 (a.yml, b.yml)"},
		},
		{
			name:     "a machine that is another project's since two hours",
			machines: []machine{project("ISIS"), {labels: map[string]string{"cloud_project_name": "ISIS"}, before: map[string]string{"cloud_project_name": "CLF"}}},
			shards:   []shard{{matchers: `cloud_project_name="ISIS"`}, {matchers: `cloud_project_name!="ISIS"`}},
			twice:    "ok", absent: "ok", moved: "warning",
			words: []string{"1 machine changed the shard in the last day: 10.0.0.2:9100 (from b.yml to a.yml)", "the site is every series"},
		},
		{
			name:     "in none until two hours ago",
			machines: []machine{project("ISIS"), {labels: map[string]string{"cloud_project_name": "CLF"}, before: map[string]string{"cloud_project_name": "SCD"}}},
			shards:   []shard{{matchers: `cloud_project_name="ISIS"`}, {matchers: `cloud_project_name="CLF"`}},
			twice:    "ok", absent: "failure", moved: "ok",
			words: []string{"Z, 1 of 2 machines is in no shard: 10.0.0.2:9100"},
		},
		{
			name: "one machine, cut by a label that its series do not share",
			machines: []machine{
				{labels: map[string]string{"instance": "x", "user": "ada"}}, {labels: map[string]string{"instance": "x", "user": "bob"}}, project("CLF"),
			},
			shards: []shard{{matchers: `user="ada"`}, {matchers: `user!="ada"`}},
			twice:  "", absent: "ok", divided: "failure", moved: "ok",
			words: []string{"now, the series of 1 machine are divided among shards: x (a.yml, b.yml)"},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, url := scraped(t, test.machines...)
			r := compare(t, url, test.shards...)
			for check, want := range map[string]string{"twice": test.twice, "absent": test.absent, "divided": test.divided, "moved": test.moved} {
				if got := r.level(check); got != want {
					t.Errorf("%s is %q, want %q:\n%s", check, got, want, r)
				}
			}
			for _, words := range test.words {
				if !strings.Contains(r.String(), words) {
					t.Errorf("nothing says %q:\n%s", words, r)
				}
			}
			failed := test.twice == "failure" || test.absent == "failure" || test.divided == "failure"
			if (r.code == 1) != failed || (r.code == 0) == failed {
				t.Errorf("exit code %d: %s", r.code, r.stderr)
			}
		})
	}
}

// TestWhatShardsMayNotDifferIn is about the files, and about a server that is away.
func TestWhatShardsMayNotDifferIn(t *testing.T) {
	_, url := scraped(t, project("ISIS"), project("CLF"))
	cut := func(more, other string) *report {
		return compare(t, url, shard{`cloud_project_name="ISIS"`, more}, shard{`cloud_project_name!="ISIS"`, other})
	}
	r := cut("", "power: {pue: 1.2, busy_watts: 9}\ninterval: 1h\n")
	r.wants("failure", "settings", "b.yml differs from a.yml in interval, power.busy_watts, power.pue")
	if r.code != 1 || !strings.Contains(r.stderr, "1 of ") {
		t.Errorf("exit code %d: %s", r.code, r.stderr)
	}
	r = cut("budgets: [{name: all, scope: site, period: month, kwh: 1}]\nattribution: {groups: [{name: both, projects: [ISIS, CLF]}]}\n",
		"budgets: [{name: both, scope: group, target: both, period: month, kwh: 1}, {name: clf, scope: project, target: CLF, period: month, kwh: 1}]\nattribution: {groups: [{name: both, projects: [ISIS, CLF]}]}\n")
	r.wants("ok", "settings", "in all 2 files")
	r.wants("warning", "per shard", "budget all of a.yml is for the whole site")
	r.wants("warning", "per shard", "budget both of b.yml is for group both, whose projects are in several shards")
	if strings.Contains(r.String(), "budget clf") || r.code != 0 {
		t.Errorf("exit code %d:\n%s", r.code, r)
	}
	gpu := "power: {devices: [{name: gpu, query: gpu_watts, unit: W}]}\n"
	cut(gpu, gpu).wants("failure", "devices", "the same query of power.devices gpu")
	cut("powers: {}\n", "").wants("failure", "file", "a.yml:4: unknown key")

	gone := httptest.NewServer(nil)
	gone.Close()
	compare(t, gone.URL, shard{matchers: `a="1"`}, shard{matchers: `a="2"`}).wants("failure", "reachable", "nothing listens at")

	dir := t.TempDir()
	files := writeShards(t, dir, url, []shard{{matchers: `cloud_project_name="ISIS"`}, {matchers: `cloud_project_name!="ISIS"`}})
	one, other := filepath.Join(dir, "one.db"), filepath.Join(dir, "other.db")
	if err := os.WriteFile(one, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(one, other); err != nil {
		t.Fatal(err)
	}
	got := built.Run(t, exec.Command(filepath.Join(programs, "carbontool"), "doctor", "--shards", files[0]+"="+one, "--shards", files[1]+"="+other))
	if got.Code != 1 || !strings.Contains(got.Stdout, "shards  failure  stores     "+files[0]+" and "+files[1]+" have the same store, "+other) {
		t.Errorf("exit code %d: %s", got.Code, got.Stdout)
	}
	for _, wrong := range [][]string{{"--shards", files[0]}, {files[0]}, {"--shards", files[0], files[1], "--only=store"}} {
		if got := built.Run(t, exec.Command(filepath.Join(programs, "carbontool"), append([]string{"doctor"}, wrong...)...)); got.Code != 2 {
			t.Errorf("%q: exit code %d: %s", wrong, got.Code, got.Stderr)
		}
	}
}
