// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package first_test

import (
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/e2e/engine"
	"github.com/carbon-exporter/carbon_exporter/internal/e2e/engine/enginetest"
)

// tenants are labels of a project of three, and a machine type of two.
func tenants(i int) map[string]string {
	return map[string]string{"tenant": fmt.Sprintf("t%d", i%3), "flavor": fmt.Sprintf("f%d", i%2)}
}

// with changes the labels of machines; an empty value takes one away.
func with(machines []machine, labels func(i int) map[string]string) []machine {
	for i, m := range machines {
		maps.Copy(m.labels, labels(i))
	}
	return machines
}

func none(int) map[string]string { return nil }

func TestInitFindsItsWay(t *testing.T) {
	for _, test := range []struct {
		name     string
		machines []machine
		file     []string // what the file has
		says     []string // what is said
		table    string   // the line of the site, without what is between the columns
	}{
		{
			name: "node_exporter with labels of other names", machines: nodes("node", 12, tenants),
			file: []string{
				"  profile: node_exporter\n", "    host: instance\n", "    project: tenant\n", "    machine: flavor\n", "scraped every 15s",
				"# project: label tenant, 3 values on 12 of 12 hosts: t0, t1, t2\n", "ASSUMED, NOT ASKED", "timezone: Europe/Paris\n",
			},
			says:  []string{"node_exporter (node_cpu_seconds_total, 12 machines, 24 cores)", "carbon intensity is ASSUMED"},
			table: "site 12 24 31.5",
		},
		{
			name: "no project at all", machines: nodes("node", 3, none),
			file:  []string{"# project: no label names it"},
			says:  []string{"WARNING: no label names the project"},
			table: "site 3 6 7.9",
		},
		{
			name: "one machine", machines: nodes("node", 1, tenants),
			file:  []string{"    project: tenant\n"},
			table: "site 1 2 2.6",
		},
		{
			name: "a pair of servers, each with every machine",
			machines: slices.Concat(nodes("node", 4, func(int) map[string]string { return map[string]string{"tenant": "a", "replica": "0"} }),
				nodes("node", 4, func(int) map[string]string { return map[string]string{"tenant": "a", "replica": "1"} })),
			file:  []string{"    host: instance\n", "    project: tenant\n"},
			table: "site 4 8 10.5",
		},
		{
			name:     "two jobs with every machine",
			machines: slices.Concat(nodes("old", 4, none), nodes("new", 4, tenants)),
			file:     []string{`  matchers: 'job="new"'` + "\n", "    project: tenant\n"},
			table:    "site 4 8 10.5",
		},
		{
			name: "virtual machines and the physical ones below them",
			machines: slices.Concat(nodes("vms", 4, tenants), nodes("metal", 2, func(i int) map[string]string {
				return map[string]string{"instance": fmt.Sprintf("metal-%d:9100", i)}
			})),
			file:  []string{`  matchers: 'job="vms"'` + "\n", "# jobs with this metric: vms (4 machines), metal (2 machines);"},
			table: "site 4 8 10.5",
		},
		{
			name: "all machines through one collector",
			machines: with(nodes("node", 5, tenants), func(i int) map[string]string {
				return map[string]string{"instance": "collector:8889", "nodename": fmt.Sprintf("vm-%d", i)}
			}),
			file:  []string{"    host: nodename\n"},
			table: "site 5 10 13.1",
		},
		{
			name: "no label instance",
			machines: with(nodes("node", 5, tenants), func(i int) map[string]string {
				return map[string]string{"instance": "", "hostname": fmt.Sprintf("vm-%d", i)}
			}),
			file:  []string{"    host: hostname\n"},
			table: "site 5 10 13.1",
		},
		{
			name: "OpenTelemetry with dotted names",
			machines: func() []machine {
				all := nodes("otel", 3, func(i int) map[string]string {
					return map[string]string{"host.name": fmt.Sprintf("vm-%d", i), "instance": "", "cloud.account.id": fmt.Sprintf("acc-%d", i%2)}
				})
				for i := range all {
					all[i].metric, all[i].state = "system.cpu.time", "state"
				}
				return all
			}(),
			file:  []string{"  profile: opentelemetry\n", "    host: host.name\n", "    project: cloud.account.id\n"},
			table: "site 3 6 7.9",
		},
		{
			name: "OpenTelemetry with underscores",
			machines: func() []machine {
				all := nodes("otel", 3, func(i int) map[string]string {
					return map[string]string{"host_name": fmt.Sprintf("vm-%d", i), "instance": "collector:8889", "cloud_account_id": fmt.Sprintf("acc-%d", i%2)}
				})
				for i := range all {
					all[i].metric, all[i].state = "system_cpu_time_seconds_total", "state"
				}
				return all
			}(),
			file:  []string{"  profile: opentelemetry\n", "  metric: system_cpu_time_seconds_total\n", "    host: host_name\n", "    project: cloud_account_id\n"},
			table: "site 3 6 7.9",
		},
		{
			name: "Linux and Windows",
			machines: slices.Concat(nodes("linux", 4, tenants), func() []machine {
				all := nodes("windows", 2, tenants)
				for i := range all {
					all[i].metric, all[i].core, all[i].labels["instance"] = "windows_cpu_time_total", "core", fmt.Sprintf("win-%d:9182", i)
				}
				return all
			}()),
			file:  []string{"  profile: node_exporter\n", "# Not this one: windows_exporter (windows_cpu_time_total, 2 machines, 4 cores).\n"},
			says:  []string{"WARNING: windows_exporter (windows_cpu_time_total, 2 machines, 4 cores) is not counted"},
			table: "site 4 8 10.5",
		},
		{
			name: "containers that see the cores of their machine",
			machines: func() []machine {
				all := nodes("node", 3, tenants)
				for i := range all {
					all[i].ran = 10_000
				}
				return all
			}(),
			says:  []string{"10.0.0.0:9100 and 2 more show the same counters"},
			table: "site 3 6 7.9",
		},
		{
			name: "odd values",
			machines: nodes("a \"job\"\n#", 2, func(i int) map[string]string {
				return map[string]string{"tenant": []string{"# no: comment\n", `"\u2028`}[i]}
			}),
			file:  []string{"    project: tenant\n"},
			table: "site 2 4 5.2",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			url := cloud(t, test.machines...)
			dir := t.TempDir()
			got := run(t, dir, "carbontool", "init", "--yes", "--prometheus="+url)
			text, _ := os.ReadFile(filepath.Join(dir, "carbon.yml"))
			if got.Code != 0 {
				t.Fatalf("exit code %d\n%s", got.Code, got.Stderr)
			}
			for _, want := range test.file {
				if !strings.Contains(string(text), want) {
					t.Errorf("the file lacks %q:\n%s", want, text)
				}
			}
			for _, want := range test.says {
				if !strings.Contains(got.Stderr, want) {
					t.Errorf("it does not say %q:\n%s", want, got.Stderr)
				}
			}
			if !hasLine(got.Stderr, test.table) {
				t.Errorf("the table lacks %q:\n%s", test.table, got.Stderr)
			}
			if checked := run(t, dir, "carbontool", "check", "config", "carbon.yml"); checked.Code != 0 {
				t.Errorf("check config: %s\n%s", checked.Stderr, text)
			}
		})
	}
}

// hasLine reports whether a text has a line, whatever is between its words.
func hasLine(text, line string) bool {
	return slices.ContainsFunc(strings.Split(text, "\n"), func(one string) bool { return strings.Join(strings.Fields(one), " ") == line })
}

func TestInitFindsNothing(t *testing.T) {
	for _, test := range []struct {
		name   string
		series []map[string]string
		want   []string
	}{
		{"nothing at all", nil, []string{"has no CPU counters that a profile reads; it scrapes nothing at all"}},
		{
			"other exporters",
			[]map[string]string{
				{"__name__": "up", "job": "blackbox", "instance": "a"},
				{"__name__": "up", "job": "dcgm", "instance": "b"},
				{"__name__": "process_cpu_seconds_total", "job": "dcgm", "instance": "b"},
			},
			[]string{"it scrapes the jobs blackbox, dcgm; these metrics look like CPU time: process_cpu_seconds_total"},
		},
		{
			"a cluster without its nodes",
			[]map[string]string{{"__name__": "container_cpu_usage_seconds_total", "job": "kubelet", "instance": "a", "container": "c", "namespace": "n"}},
			[]string{"it has container_cpu_usage_seconds_total, but the profile kubernetes also needs node_cpu_seconds_total or machine_cpu_cores"},
		},
		{
			"an exporter of Slurm that counts no time",
			[]map[string]string{{"__name__": "slurm_cpus_alloc", "job": "slurm", "instance": "a"}},
			[]string{"it has slurm_cpus_alloc, but it counts allocated cores"},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			e, url := enginetest.Serve(t, engine.Options{})
			for _, labels := range test.series {
				scraped(t, e, labels, time.Now().Add(-history), func(time.Time) float64 { return 1 })
			}
			dir := t.TempDir()
			got := run(t, dir, "carbontool", "init", "--yes", "--prometheus="+url)
			if got.Code != 1 || strings.Count(got.Stderr, "\n") != 1 || got.Stdout != "" {
				t.Errorf("exit code %d\n%s%s", got.Code, got.Stdout, got.Stderr)
			}
			for _, want := range test.want {
				if !strings.Contains(got.Stderr, want) {
					t.Errorf("it does not say %q: %s", want, got.Stderr)
				}
			}
			if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
				t.Errorf("it left %v, %v", left, err)
			}
		})
	}
}

// A server that was started just now has little to show, and one without two scrapes nothing.
func TestInitOfAYoungServer(t *testing.T) {
	for _, test := range []struct {
		name string
		age  time.Duration
		says string
	}{
		{"four minutes", 4 * time.Minute, "site 4 8 10.5"},
		{"ten seconds", 10 * time.Second, "WARNING: the last minutes have no usage that can be counted yet; if this does not change, carbontool doctor says why."},
	} {
		t.Run(test.name, func(t *testing.T) {
			url := cloudFor(t, test.age, nodes("node", 4, tenants))
			dir := t.TempDir()
			got := run(t, dir, "carbontool", "init", "--yes", "--prometheus="+url)
			if got.Code != 0 || !hasLine(got.Stderr, test.says) {
				t.Errorf("exit code %d\n%s", got.Code, got.Stderr)
			}
			if _, err := os.Stat(filepath.Join(dir, "carbon.yml")); err != nil {
				t.Error(err)
			}
		})
	}
}

// The address is what people have in their browser, and the server is behind a prefix.
func TestInitFindsTheAPI(t *testing.T) {
	url := cloud(t, nodes("node", 2, tenants)...)
	prefixed := httptest.NewServer(http.StripPrefix("/prometheus", proxy(t, url)))
	t.Cleanup(prefixed.Close)
	for _, test := range []struct{ name, given, want string }{
		{"a page", url + "/graph?g0.expr=up", url},
		{"a page behind a prefix", prefixed.URL + "/prometheus/targets", prefixed.URL + "/prometheus"},
		{"without the prefix", prefixed.URL, prefixed.URL + "/prometheus"},
		{"with a slash at the end", url + "/", url},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := run(t, t.TempDir(), "carbontool", "init", "--yes", "--output=-", "--carbon-intensity=static=56,FR", "--prometheus="+test.given)
			if got.Code != 0 || !strings.Contains(got.Stdout, "  url: "+test.want+"\n") || !strings.Contains(got.Stdout, "    grid: FR\n") {
				t.Errorf("exit code %d\n%s%s", got.Code, got.Stdout, got.Stderr)
			}
		})
	}
}

func TestInitLeavesWhatIsThere(t *testing.T) {
	url := cloud(t, nodes("node", 2, tenants)...)
	dir := t.TempDir()
	file := filepath.Join(dir, "carbon.yml")
	if err := os.WriteFile(file, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	got := run(t, dir, "carbontool", "init", "--yes", "--prometheus="+url)
	if want := "carbontool init: write carbon.yml: already exists; nothing was changed\n"; got.Code != 1 || got.Stderr != want {
		t.Errorf("exit code %d, stderr %q", got.Code, got.Stderr)
	}
	if text, _ := os.ReadFile(file); string(text) != "mine" {
		t.Errorf("the file is %q", text)
	}
}

// A password is copied as the name of its file, and what was written reads the server with it.
func TestInitWithAPassword(t *testing.T) {
	open := proxy(t, cloud(t, nodes("node", 2, tenants)...))
	guarded := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if user, password, _ := r.BasicAuth(); user != "carbon" || password != "hunter2hunter2" {
			http.Error(w, "no", http.StatusUnauthorized)
			return
		}
		open.ServeHTTP(w, r)
	}))
	t.Cleanup(guarded.Close)
	dir := t.TempDir()
	for name, text := range map[string]string{"secret": "hunter2hunter2", "http.yml": "basic_auth: {username: carbon, password_file: secret}\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if got := run(t, dir, "carbontool", "init", "--yes", "--prometheus="+guarded.URL); got.Code != 1 || !strings.Contains(got.Stderr, "wants a login") {
		t.Errorf("without the password: exit code %d, %s", got.Code, got.Stderr)
	}
	got := run(t, dir, "carbontool", "init", "--yes", "--prometheus="+guarded.URL, "--http.config.file=http.yml", "--output=sub.yml")
	text, _ := os.ReadFile(filepath.Join(dir, "sub.yml"))
	if got.Code != 0 || !strings.Contains(string(text), "    password_file: "+filepath.Join(dir, "secret")+"\n") || !strings.Contains(got.Stderr, "5.2") {
		t.Errorf("exit code %d\n%s\n%s", got.Code, got.Stderr, text)
	}
	if strings.Contains(got.Stderr+got.Stdout+string(text), "hunter2") {
		t.Error("the password is shown")
	}
	if checked := run(t, dir, "carbontool", "check", "config", "sub.yml"); checked.Code != 0 {
		t.Errorf("check config: %s", checked.Stderr)
	}
}
