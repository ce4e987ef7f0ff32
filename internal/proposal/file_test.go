// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package proposal

import (
	"strings"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/config"
	"github.com/carbon-exporter/carbon_exporter/internal/survey"
)

// odd are names that a careless file would be broken by.
var odd = []string{
	`quote"d`, `it's`, `back\slash`, "two\nlines", "colon: space", "# comment", "k8s.namespace.name", "yes", "0x12", "{brace}", "🌍", "tab\t", "\u2028", " blank ", "-", "null", "%s",
}

func TestFileIsValidWhateverTheNames(t *testing.T) {
	for _, name := range odd {
		t.Run(name, func(t *testing.T) {
			l := label("project", 2, 8)
			l.Examples = []string{name, strings.Repeat(name, 50)}
			l.Jobs = []survey.Count{{Name: name, N: 8}}
			e := withJobs(node(12, l), survey.Count{Name: name, N: 8}, survey.Count{Name: "other", N: 4})
			p := Make(Offers(survey.Facts{Exporters: []survey.Exporter{e}}), 0, usual)
			text := p.File(settings(func(s *Settings) {
				s.Server.Version, s.Processors = name, []survey.Count{{Name: name, N: 3}}
				s.Static, s.Grid = new(56.0), name
			}))
			c, err := config.Parse("carbon.yml", []byte(text))
			if err != nil {
				t.Fatalf("%v\n%s", err, text)
			}
			want := Proposal{Job: name}
			if got := c.Prometheus.Matchers; got != want.Matchers() {
				t.Errorf("matchers %s, want %s", got, want.Matchers())
			}
			if c.CarbonIntensity.Static.Grid != name {
				t.Errorf("grid %q, want %q", c.CarbonIntensity.Static.Grid, name)
			}
		})
	}
}

func settings(change func(*Settings)) Settings {
	s := Settings{
		URL: "http://localhost:9090", Server: survey.Server{Kind: survey.Prometheus, Version: "3.5.0", RetentionText: "15d", Retention: 15 * 24 * time.Hour},
		Timezone: "Europe/Paris", BusyWatts: 12, IdleWatts: 1,
	}
	if change != nil {
		change(&s)
	}
	return s
}

func TestFile(t *testing.T) {
	for _, test := range []struct {
		name     string
		exporter survey.Exporter
		change   func(*Settings)
		has      []string
	}{
		{
			name: "all that can be found", exporter: node(12, label("tenant", 3, 12), label("flavor", 2, 11)),
			change: func(s *Settings) { s.Processors = []survey.Count{{Name: "AMD EPYC 7763", N: 12}} },
			has: []string{
				"  # Prometheus 3.5.0, keeps 15d\n  url: http://localhost:9090\n",
				"  # node_cpu_seconds_total: 12 machines, 48 cores, scraped every 15s.\n  profile: node_exporter\n",
				"    # project: label tenant, 3 values on 12 of 12 hosts: tenant-0, tenant-1, tenant-2\n    project: tenant\n",
				"    # machine type: label flavor, 2 values on 11 of 12 hosts: flavor-0, flavor-1\n    machine: flavor\n",
				"Processors: AMD EPYC 7763 (12 machines). Those that are known have watts of their own.",
				"timezone: Europe/Paris\n",
			},
		},
		{
			name: "no processor is named", exporter: node(2),
			has: []string{"  # Machines that name their processor (node_exporter --collector.cpu.info) have the watts of its model.", "\n  busy_watts: 12\n  idle_watts: 1\n"},
		},
		{
			name: "no label of a project: the default stays, and the file says what that means", exporter: node(2),
			has: []string{"    # project: no label names it, so every machine is in the project unknown.", "\n    # project: cloud_project_name\n"},
		},
		{
			name: "no grid was named", exporter: node(2), change: func(s *Settings) { s.Assumed = true },
			has: []string{"  # ASSUMED, NOT ASKED: the grid of Great Britain.", "  # sources: [{table: {zone: FR}}] ", "  provider: uk\n"},
		},
		{
			name: "a value for the grid", exporter: node(2), change: func(s *Settings) { s.Static = new(0.5) },
			has: []string{"  provider: static\n  static:\n    gco2eq_per_kwh: 0.5\n"},
		},
		{
			name: "a country", exporter: node(2), change: func(s *Settings) { s.Zone, s.Country = "NO", "Norway in 2024" },
			has: []string{"carbon_intensity:\n  # Norway in 2024: the mean of a year, ", "\n  sources:\n    - table: {zone: \"NO\"}\n"},
		},
		{
			name: "a server that keeps little", exporter: node(2), change: func(s *Settings) { s.Server.Retention = 6 * time.Hour },
			has: []string{"# The server keeps 6h0m0s only.\nlookback: 300m\n"},
		},
		{
			name: "a password", exporter: node(2), change: func(s *Settings) { s.Client = "basic_auth:\n    username: a\n    password_file: /p\n" },
			has: []string{"  url: http://localhost:9090\n  basic_auth:\n      username: a\n      password_file: /p\n"},
		},
		{
			name: "an old name of the metric", exporter: func() survey.Exporter { e := node(2); e.Metric = "node_cpu"; return e }(),
			has: []string{"  metric: node_cpu\n"},
		},
		{
			name: "a label with dots", exporter: func() survey.Exporter {
				e := node(2, label("host.name", 2, 2))
				e.Host, e.Profile, e.Metric = "host.name", survey.ProfileOpenTelemetry, "system.cpu.time"
				return e
			}(),
			has: []string{"  metric: system.cpu.time\n", "    host: host.name\n"},
		},
		{
			name: "a profile that joins its labels", exporter: survey.Exporter{Joined: true, Profile: survey.ProfileLibvirt, Metric: "libvirt_domain_info_cpu_time_seconds_total", Series: 4, Host: "domain", Machines: 4},
			has: []string{"  profile: libvirt\n  # The profile says which labels name project, machine type and user: see carbontool profiles libvirt.\n"},
		},
		{
			name: "no label of the machine", exporter: survey.Exporter{Profile: survey.ProfileNode, Metric: "node_cpu_seconds_total", Series: 4},
			has: []string{"    host: instance\n"},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			text := Make(Offers(survey.Facts{Exporters: []survey.Exporter{test.exporter}}), 0, usual).File(settings(test.change))
			if _, err := config.Parse("carbon.yml", []byte(text)); err != nil {
				t.Error(err)
			}
			for _, want := range test.has {
				if !strings.Contains(text, want) {
					t.Errorf("lacks\n%s\nin\n%s", want, text)
				}
			}
			for line := range strings.Lines(text) {
				if strings.HasPrefix(strings.TrimSpace(line), "#") && len(line) > 121 {
					t.Errorf("wider than 120: %s", line)
				}
			}
		})
	}
}

// A label that has another part must not be read for the part that nobody chose.
func TestADefaultThatIsTakenIsNotLeft(t *testing.T) {
	e := node(12, label("cloud_project_name", 3, 12))
	p := Make(Offers(survey.Facts{Exporters: []survey.Exporter{e}}), 0, usual)
	p.Take(Machine, "cloud_project_name")
	c, err := config.Parse("carbon.yml", []byte(p.File(settings(nil))))
	if err != nil {
		t.Fatal(err)
	}
	if l := c.Prometheus.Labels; l.Machine != "cloud_project_name" || l.Project != "no_project" {
		t.Errorf("labels are %+v", l)
	}
}
