// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !race

package main

import (
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
  interval: 30m; an empty store starts 1d before now; prices are final after 1d
  prometheus: http://localhost:9090, node_cpu_seconds_total
  power: 3.3 W busy and 0.65 W idle per core where the processor is not known, PUE 1, machine types with their own watts: 0
  carbon intensity: uk, national, from https://api.carbonintensity.org.uk
  attribution: by project, no named groups
  mongodb: none
  users on /metrics: by their id, all of them
  budgets: 0, in Europe/London
`,
		},
		{
			name: "labels that are left out",
			text: "metrics: {by: [project]}\n",
			code: exitDone,
			stdout: `FILE: ok
  interval: 30m; an empty store starts 1d before now; prices are final after 1d
  prometheus: http://localhost:9090, node_cpu_seconds_total
  power: 3.3 W busy and 0.65 W idle per core where the processor is not known, PUE 1, machine types with their own watts: 0
  carbon intensity: uk, national, from https://api.carbonintensity.org.uk
  attribution: by project, no named groups
  mongodb: none
  users on /metrics: not in metrics of usage (metrics.by); elsewhere by their id, all of them
  budgets: 0, in Europe/London
  metrics: those of usage lack machine, user, group (metrics.by)
`,
		},
		{
			name: "secrets stay out of the summary",
			text: `
prometheus: {url: "http://carbon:hunter2@localhost:9090", matchers: 'job="node"', basic_auth: {username: u, password: hunter2}}
power: {machines: {Muon: {busy_watts: 9.5}}}
carbon_intensity: {uk: {url: "http://hunter2@localhost", region_id: 13}}
mongodb: {uri: "mongodb://carbon:hunter2@localhost"}
attribution: {user_label: none, max_users: 7, groups: [{name: ISIS, projects: [IDAaaS, TDAaaS]}, {name: Diamond, projects: [DLS]}]}
`,
			code: exitDone,
			stdout: `FILE: ok
  interval: 30m; an empty store starts 1d before now; prices are final after 1d
  prometheus: http://xxxxx@localhost:9090, node_cpu_seconds_total{job="node"}
  power: 3.3 W busy and 0.65 W idle per core where the processor is not known, PUE 1, machine types with their own watts: 1
  carbon intensity: uk, region 13, from http://xxxxx@localhost
  attribution: by project, named groups: ISIS (IDAaaS, TDAaaS); Diamond (DLS)
  mongodb: database ada is read every 5m (workspaces, users, groups, hosts), nothing is written
  users on /metrics: none
  budgets: 0, in Europe/London
`,
		},
		{
			name: "owners in an info metric of another server",
			text: `directory: {prometheus: {url: "http://carbon:hunter2@other:9090", metric: kube_pod_labels, labels: {host: pod, owner: label_owner}}}`,
			code: exitDone,
			stdout: `FILE: ok
  interval: 30m; an empty store starts 1d before now; prices are final after 1d
  prometheus: http://localhost:9090, node_cpu_seconds_total
  power: 3.3 W busy and 0.65 W idle per core where the processor is not known, PUE 1, machine types with their own watts: 0
  carbon intensity: uk, national, from https://api.carbonintensity.org.uk
  attribution: by project, no named groups
  directory: kube_pod_labels of http://xxxxx@other:9090 is read every 5m
  users on /metrics: by their id, all of them
  budgets: 0, in Europe/London
`,
		},
		{
			name: "all of it at once",
			text: `
prometheus: {busy_query: busy, idle_query: idle, cores_query: cores}
carbon_intensity: {provider: static, static: {gco2eq_per_kwh: 210.89, source: the annual report}}
attribution: {group_by: directory, user_label: pseudonym, pseudonym_key_file: key, max_users: 50}
mongodb: {uri_file: uri, database: cloud, refresh: 1m, collections: {workspaces: vms}, usage_database: usage}
budgets: [{name: all, scope: ada, period: year, kwh: 1}]
power: {busy_watts: 12, idle_watts: 1, cpu_models: off}
`,
			code: exitDone,
			stdout: `FILE: ok
  interval: 30m; an empty store starts 1d before now; the price is final at once
  prometheus: http://localhost:9090, custom queries, cores by a query
  power: 12 W busy and 1 W idle per core, PUE 1, machine types with their own watts: 0
  carbon intensity: static, 210.89 gCO2eq/kWh, grid unknown, from: the annual report
  attribution: by directory, no named groups
  mongodb: database cloud is read every 1m (vms, users, groups, hosts), group_usage and user_usage are written to database usage
  users on /metrics: by a keyed hash of their id, the 50 with the most energy, the others added up
  budgets: 1, in Europe/London
`,
		},
		{
			name: "every use of sources of carbon intensity",
			text: `
carbon_intensity:
  grid: GB
  mix_bases: true
  sources:
    - uk: {region_id: 13, url: "http://ada:hunter2@localhost"}
    - {name: contract, static: {gco2eq_per_kwh: 30}, basis: {signal: average, emissions: lifecycle}}
  also:
    - {name: market, static: 0}
  marginal: {sources: [{static: {gco2eq_per_kwh: 400, source: a study}, basis: {signal: marginal, emissions: direct, electricity: production}}]}
  elsewhere:
    - {grid: FR, basis: {signal: average, emissions: direct, electricity: production}, sources: [{static: {gco2eq_per_kwh: 56, source: RTE}}]}
`,
			code: exitDone,
			stdout: `FILE: ok
  interval: 30m; an empty store starts 1d before now; prices are final after 1d
  prometheus: http://localhost:9090, node_cpu_seconds_total
  power: 3.3 W busy and 0.65 W idle per core where the processor is not known, PUE 1, machine types with their own watts: 0
  carbon intensity: grid GB: uk, region 13, from http://xxxxx@localhost, else contract (static), 30 gCO2eq/kWh, source not given (set carbon_intensity.sources[1].static.source to where the value is from)
  carbon intensity, counts: average direct consumption; average lifecycle (mix_bases: totals hold both)
  warning: nobody says whether the values of contract are consumption or production; declare it in carbon_intensity.sources[1].basis
  carbon intensity, other factors market: grid GB: market (static), 0 gCO2eq/kWh, source not given (set carbon_intensity.also[0].static.source to where the value is from)
  warning: nobody says whether the values of market are average or marginal, lifecycle or direct, consumption or production; declare it in carbon_intensity.also[0].basis
  carbon intensity, marginal, for when to run: grid GB: marginal_static (static), 400 gCO2eq/kWh, from: a study
  carbon intensity, marginal, for when to run, counts: marginal direct production
  carbon intensity elsewhere, for where to run, FR: static, 56 gCO2eq/kWh, from: RTE
  carbon intensity elsewhere, for where to run, FR, counts: average direct production
  attribution: by project, no named groups
  mongodb: none
  users on /metrics: by their id, all of them
  budgets: 0, in Europe/London
`,
		},
		{
			name: "all ways to know watts, which are lines where they are used",
			text: `
prometheus: {profile: proxmox}
power:
  memory_watts_per_gib: 0.3
  pue: {query: pue, otherwise: 1.4}
  measured: [{name: ipmi, query: ipmi_dcmi_power_consumption_watts, hosts: node}, {name: plug, query: plug_watts, hosts: instance}]
  devices: [{name: gpu, query: DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION, unit: mJ}]
  reconcile: [{zone: hall, query: hall, projects: [ISIS, CLF], cooling: true}, {zone: lab, query: lab, projects: [DLS]}]
  calibrate: weekly
embodied: {default: {kgco2eq: 1200, years: 5, cores: 128}, machines: {Muon: {kgco2eq: 900, years: 4, cores: 64}}}
`,
			code: exitDone,
			stdout: `FILE: ok
  interval: 30m; an empty store starts 1d before now; prices are final after 1d
  prometheus: http://localhost:9090, custom queries, cores by a query
  power: 3.3 W busy and 0.65 W idle per core, PUE by a query, otherwise 1.4, machine types with their own watts: 0
  power meters of hosts, which count where they measure: ipmi (hosts by node), plug (hosts by instance)
  power of devices, on top: gpu (mJ)
  power of memory, on top: 0.3 W per GiB
  power compared with what is booked: hall (projects ISIS, CLF, with cooling), lab (projects DLS)
  watts are learned weekly from measured hosts
  embodied: hardware of 1 machine types, and one for all others
  carbon intensity: uk, national, from https://api.carbonintensity.org.uk
  attribution: by project, no named groups
  mongodb: none
  users on /metrics: by their id, all of them
  budgets: 0, in Europe/London
`,
		},
		{
			name: "each fault is a line that begins with the file",
			text: "interval: 7m\npower:\n  pue: 0.5\n",
			code: exitFailed,
			stderr: `FILE:1: interval: must divide 24h, is 7m; use 6m or 8m
FILE:3: power.pue: must be finite and at least 1, is 0.5
`,
		},
		{
			name: "what would move the cursor or colour the screen, in a fault",
			text: `power: {machines: {"a\x1b[31m\u202eb": {busy_watts: -1}}}`,
			code: exitFailed,
			stderr: `FILE:1: power.machines.a\x1b[31m\u202eb.busy_watts: must be positive, is -1
`,
		},
		{
			name: "what would move the cursor or colour the screen, in the summary",
			text: `attribution: {groups: [{name: "a\x1b[31m", projects: ["b\nc"]}]}`,
			code: exitDone,
			stdout: `FILE: ok
  interval: 30m; an empty store starts 1d before now; prices are final after 1d
  prometheus: http://localhost:9090, node_cpu_seconds_total
  power: 3.3 W busy and 0.65 W idle per core where the processor is not known, PUE 1, machine types with their own watts: 0
  carbon intensity: uk, national, from https://api.carbonintensity.org.uk
  attribution: by project, named groups: a\x1b[31m (b; c)
  mongodb: none
  users on /metrics: by their id, all of them
  budgets: 0, in Europe/London
`,
		},
		{
			name: "files that it names",
			text: "prometheus: {tls_config: {ca_file: .}, basic_auth: {username: u, password_file: none}}\nmongodb: {uri_file: none}\n",
			code: exitFailed,
			stderr: `FILE: prometheus.basic_auth.password_file: DIR/none: open: no such file or directory
FILE: prometheus.tls_config.ca_file: DIR: read: is a directory
FILE: mongodb.uri_file: DIR/none: open: no such file or directory
`,
		},
		{
			name: "an address of MongoDB",
			text: "mongodb: {uri: 'mongodb://carbon:hun/ter2@localhost'}\n",
			code: exitFailed,
			stderr: `FILE: mongodb.uri: the address is not a valid mongodb:// or mongodb+srv:// URI
`,
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "carbon.yml")
			for name, text := range map[string]string{
				file: test.text, filepath.Join(filepath.Dir(file), "key"): strings.Repeat("k", 32), filepath.Join(filepath.Dir(file), "uri"): "mongodb://localhost\n",
			} {
				if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			checks(t, file, test.code, strings.ReplaceAll(test.stdout, "FILE", file), strings.NewReplacer("FILE", file, "DIR", filepath.Dir(file)).Replace(test.stderr))
		})
	}
	t.Run("a file that is not there", func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "carbon.yml")
		checks(t, file, exitFailed, "", file+": open: no such file or directory\n")
	})
}

func checks(t *testing.T, file string, code int, stdout, stderr string) {
	t.Helper()
	called{code, stdout, stderr}.by(t, "check", "config", file)
}
