// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package proposal

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/survey"
)

// usual is what the profile node_exporter says.
var usual = Defaults{Metric: "node_cpu_seconds_total", Host: "instance", Project: "cloud_project_name", Machine: "machine_name", User: "user"}

// label is a label with some values on some machines.
func label(name string, values, machines int) survey.Label {
	l := survey.Label{Name: name, Values: values, Machines: machines, Series: machines}
	for i := range min(values, 3) {
		l.Examples = append(l.Examples, fmt.Sprintf("%s-%d", name, i))
	}
	return l
}

// inJobs is a label that only the machines of some jobs have.
func inJobs(l survey.Label, jobs ...survey.Count) survey.Label {
	l.Jobs = jobs
	return l
}

// node is node_exporter on some machines of four cores, in the job node.
func node(machines int, labels ...survey.Label) survey.Exporter {
	return survey.Exporter{
		Profile: survey.ProfileNode, Metric: "node_cpu_seconds_total", Series: 4 * machines, Host: "instance", Machines: machines, Cores: 4 * machines,
		Jobs: []survey.Count{{Name: "node", N: machines}}, Scrape: 15 * time.Second,
		Labels: append([]survey.Label{label("instance", machines, machines), label("job", 1, machines)}, labels...),
	}
}

func withJobs(e survey.Exporter, jobs ...survey.Count) survey.Exporter {
	e.Jobs = jobs
	return e
}

func TestProposal(t *testing.T) {
	for _, test := range []struct {
		name      string
		exporters []survey.Exporter
		profile   string
		labels    string // host, project, machine, user
		matchers  string
		warnings  []string // what each has
	}{
		{
			name:      "the labels that the profile names are there, beside others",
			exporters: []survey.Exporter{node(12, label("cloud_project_name", 4, 12), label("tenant", 5, 12), label("machine_name", 3, 12), label("user", 12, 12))},
			profile:   "node_exporter", labels: "instance cloud_project_name machine_name user",
		},
		{
			name:      "other names",
			exporters: []survey.Exporter{node(12, label("tenant", 3, 12), label("flavor", 2, 12), label("owner", 7, 12), label("rack", 4, 12))},
			profile:   "node_exporter", labels: "instance tenant flavor owner",
		},
		{
			name:      "no label at all names a project",
			exporters: []survey.Exporter{node(12, label("rack", 4, 12))},
			profile:   "node_exporter", labels: "instance - - -",
			warnings: []string{"every machine will be in the project unknown"},
		},
		{
			name:      "a likely name on two machines, a less likely one on all",
			exporters: []survey.Exporter{node(12, label("project", 2, 2), label("customer_code", 5, 12))},
			profile:   "node_exporter", labels: "instance customer_code - -",
		},
		{
			name:      "three machines lack the project",
			exporters: []survey.Exporter{node(12, label("project", 2, 9))},
			profile:   "node_exporter", labels: "instance project - -",
			warnings: []string{"3 of 12 machines have no label project"},
		},
		{
			name:      "one machine",
			exporters: []survey.Exporter{node(1, label("project", 1, 1), label("flavor", 1, 1))},
			profile:   "node_exporter", labels: "instance project flavor -",
		},
		{
			name:      "one project, and its name says so",
			exporters: []survey.Exporter{node(12, label("project", 1, 12))},
			profile:   "node_exporter", labels: "instance project - -",
		},
		{
			name:      "one namespace, which is that of the exporter",
			exporters: []survey.Exporter{node(12, label("namespace", 1, 12), label("service", 1, 12), label("pod", 12, 12))},
			profile:   "node_exporter", labels: "instance - - -",
			warnings: []string{"every machine will be in the project unknown"},
		},
		{
			name:      "a machine type that is another name of the host",
			exporters: []survey.Exporter{node(12, label("project", 3, 12), label("machine", 12, 12))},
			profile:   "node_exporter", labels: "instance project - -",
		},
		{
			name: "hosts are called by nodename, and by their address",
			exporters: []survey.Exporter{func() survey.Exporter {
				e := node(12, label("nodename", 12, 12), label("project", 3, 12))
				e.Host = "nodename"
				return e
			}()},
			profile: "node_exporter", labels: "nodename project - -",
		},
		{
			name:      "two jobs of different machines that all have projects",
			exporters: []survey.Exporter{withJobs(node(12, inJobs(label("project", 3, 12), survey.Count{Name: "a", N: 8}, survey.Count{Name: "b", N: 4})), survey.Count{Name: "a", N: 8}, survey.Count{Name: "b", N: 4})},
			profile:   "node_exporter", labels: "instance project - -",
		},
		{
			name:      "virtual machines, and the physical ones below them",
			exporters: []survey.Exporter{withJobs(node(12, inJobs(label("project", 3, 8), survey.Count{Name: "vms", N: 8})), survey.Count{Name: "vms", N: 8}, survey.Count{Name: "hypervisors", N: 4})},
			profile:   "node_exporter", labels: "instance project - -", matchers: `job="vms"`,
		},
		{
			name: "two jobs of virtual machines, and the physical ones below them",
			exporters: []survey.Exporter{withJobs(node(12, inJobs(label("project", 3, 8), survey.Count{Name: "v.1", N: 4}, survey.Count{Name: "v.2", N: 4})),
				survey.Count{Name: "hypervisors", N: 4}, survey.Count{Name: "v.1", N: 4}, survey.Count{Name: "v.2", N: 4})},
			profile: "node_exporter", labels: "instance project - -", matchers: `job=~"v\\.1|v\\.2"`,
		},
		{
			name: "each machine in two jobs, one of which names projects",
			exporters: []survey.Exporter{withJobs(node(12, inJobs(label("project", 3, 12), survey.Count{Name: "z", N: 12})),
				survey.Count{Name: "a", N: 12}, survey.Count{Name: "z", N: 12})},
			profile: "node_exporter", labels: "instance project - -", matchers: `job="z"`,
		},
		{
			name:      "some machines in two jobs",
			exporters: []survey.Exporter{withJobs(node(12, label("project", 3, 12)), survey.Count{Name: "a", N: 8}, survey.Count{Name: "b", N: 8})},
			profile:   "node_exporter", labels: "instance project - -",
			warnings: []string{"some machines are in several jobs"},
		},
		{
			name:      "the old name of the metric, and the new one on fewer machines",
			exporters: []survey.Exporter{node(4, label("project", 2, 4)), func() survey.Exporter { e := node(9, label("project", 2, 9)); e.Metric = "node_cpu"; return e }()},
			profile:   "node_exporter", labels: "instance project - -",
		},
		{
			name: "Linux and Windows",
			exporters: []survey.Exporter{node(12, label("project", 2, 12)), func() survey.Exporter {
				e := node(3, label("project", 2, 3))
				e.Profile = survey.ProfileWindows
				return e
			}()},
			profile: "node_exporter", labels: "instance project - -",
			warnings: []string{"windows_exporter (node_cpu_seconds_total, 3 machines, 12 cores) is not counted"},
		},
		{
			name: "a Kubernetes cluster with node_exporter on its nodes",
			exporters: []survey.Exporter{
				node(3, label("namespace", 1, 3)),
				{Joined: true, Profile: survey.ProfileKubernetes, Metric: "container_cpu_usage_seconds_total", Series: 80, Host: "node", Machines: 3, Labels: []survey.Label{label("node", 3, 3), label("namespace", 7, 3)}},
			},
			profile: "kubernetes", labels: "node - - -",
		},
		{
			name: "a cluster, and machines with node_exporter that are not in it",
			exporters: []survey.Exporter{
				node(5), {Joined: true, Profile: survey.ProfileKubernetes, Metric: "container_cpu_usage_seconds_total", Series: 80, Host: "node", Machines: 3, Labels: []survey.Label{label("node", 3, 3), label("namespace", 7, 3)}},
			},
			profile: "kubernetes", labels: "node - - -",
			warnings: []string{"node_exporter is on 5 machines, and the cluster has 3"},
		},
		{
			name: "containers without Kubernetes",
			exporters: []survey.Exporter{
				node(3), {Unread: "no Kubernetes", Joined: true, Profile: survey.ProfileKubernetes, Metric: "container_cpu_usage_seconds_total", Series: 80, Host: "instance", Machines: 3, Labels: []survey.Label{label("instance", 3, 3), label("image", 9, 3)}},
			},
			profile: "node_exporter", labels: "instance - - -",
			warnings: []string{"every machine will be in the project unknown"},
		},
		{
			name: "hypervisors with node_exporter and libvirt",
			exporters: []survey.Exporter{
				node(3), {Joined: true, Profile: survey.ProfileLibvirt, Metric: "libvirt_domain_info_cpu_time_seconds_total", Series: 40, Host: "domain", Machines: 40, Labels: []survey.Label{label("domain", 40, 40)}},
			},
			profile: "libvirt", labels: "domain - - -",
			warnings: []string{"node_exporter (node_cpu_seconds_total, 3 machines, 12 cores) is not counted"},
		},
		{
			name: "recorded on purpose, beside what it is recorded from",
			exporters: []survey.Exporter{
				{Profile: survey.ProfileRecorded, Metric: "carbon:cpu_seconds:sum", Series: 12, Host: "instance", Machines: 12, Labels: []survey.Label{label("instance", 12, 12), label("cloud_project_name", 2, 12)}},
				node(12, label("cloud_project_name", 2, 12)),
			},
			profile: "recorded", labels: "instance cloud_project_name - -",
		},
		{
			name:      "scraped too seldom",
			exporters: []survey.Exporter{func() survey.Exporter { e := node(2, label("project", 2, 2)); e.Scrape = 10 * time.Minute; return e }()},
			profile:   "node_exporter", labels: "instance project - -",
			warnings: []string{"scraped every 10m0s only"},
		},
		{
			name: "no label tells machines apart",
			exporters: []survey.Exporter{{
				Profile: survey.ProfileNode, Metric: "node_cpu_seconds_total", Series: 4, Labels: []survey.Label{{Name: "project", Values: 1, Series: 4}},
			}},
			profile: "node_exporter", labels: "- project - -",
			warnings: []string{"no label names the machines"},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := Make(Offers(survey.Facts{Exporters: test.exporters}), 0, usual)
			if p.Exporter.Profile != test.profile {
				t.Errorf("profile %s, want %s", p.Exporter.Profile, test.profile)
			}
			var labels []string
			for _, part := range Parts() {
				name := p.Label(part)
				if name == "" {
					name = "-"
				}
				labels = append(labels, name)
			}
			if got := strings.Join(labels, " "); got != test.labels {
				t.Errorf("labels %s, want %s", got, test.labels)
			}
			if got := p.Matchers(); got != test.matchers {
				t.Errorf("matchers %s, want %s", got, test.matchers)
			}
			got := p.Warnings()
			if len(got) != len(test.warnings) {
				t.Fatalf("warnings %q, want %q", got, test.warnings)
			}
			for i, want := range test.warnings {
				if !strings.Contains(got[i], want) {
					t.Errorf("warning %q, want %q in it", got[i], want)
				}
			}
		})
	}
}

func TestCandidatesWithoutATellingNameAreOfferedOnly(t *testing.T) {
	p := Make(Offers(survey.Facts{Exporters: []survey.Exporter{node(12, label("rack", 4, 12), label("serial", 12, 12), label("site", 1, 12), label("flavor", 3, 12))}}), 0, usual)
	var got []string
	for _, c := range p.Candidates(Project) {
		got = append(got, fmt.Sprintf("%s %v", c.Name, c.Likely))
	}
	if want := []string{"rack false"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestALabelNamesOnePart(t *testing.T) {
	p := Make(Offers(survey.Facts{Exporters: []survey.Exporter{node(12, label("project", 4, 12), label("rack", 3, 12))}}), 0, usual)
	p.Take(Machine, "project")
	if p.Label(Project) != "" || p.Label(Machine) != "project" {
		t.Errorf("project %q, machine type %q", p.Label(Project), p.Label(Machine))
	}
}

// Names of people are personal data: how many there are is enough.
func TestNamesOfPeopleAreNotShown(t *testing.T) {
	p := Make(Offers(survey.Facts{Exporters: []survey.Exporter{node(12, label("owner", 9, 12))}}), 0, usual)
	if text := p.File(Settings{}); strings.Contains(text, "owner-0") || !strings.Contains(text, "owner, 9 values") {
		t.Errorf("the file is\n%s", text)
	}
}

func TestConventions(t *testing.T) {
	otel := Defaults{Metric: "system.cpu.time", Host: "host.name", Project: "cloud.account.id", Machine: "host.type", User: "user", Mode: "state"}
	lxd := Defaults{Metric: "lxd_cpu_seconds_total", Host: "name", Project: "project", Machine: "type", User: "user", Mode: "mode", CoresQuery: "max(lxd_cpu_effective_total)"}
	of := func(profile, metric, cpu, mode, host string, labels ...survey.Label) survey.Exporter {
		return survey.Exporter{Profile: profile, Metric: metric, CPU: cpu, Mode: mode, Host: host, Series: 3, Machines: 3, Labels: append(labels, label(host, 3, 3))}
	}
	info := func(l survey.Label) survey.Label { l.Info = "target_info"; return l }
	for _, test := range []struct {
		name     string
		defaults Defaults
		exporter survey.Exporter
		has      string // the lines without comments
	}{
		{
			"as the profile says", otel, of(survey.ProfileOpenTelemetry, "system.cpu.time", "cpu", "state", "host.name", label("cloud.account.id", 2, 3)),
			"profile: opentelemetry; labels:; host: host.name; project: cloud.account.id",
		},
		{
			"underscores: no name has a dot", otel, of(survey.ProfileOpenTelemetry, "system_cpu_time_seconds_total", "cpu", "state", "host_name", label("cloud_account_id", 2, 3)),
			"profile: opentelemetry; metric: system_cpu_time_seconds_total; labels:; host: host_name; project: cloud_account_id; machine: host_type",
		},
		{
			"newer names of modes", otel, of(survey.ProfileOpenTelemetry, "system.cpu.time", "cpu.logical_number", "cpu.mode", "host.name"),
			"profile: opentelemetry; busy_modes: [user, nice, system, interrupt, kernel]; idle_modes: [idle, iowait]; labels:; host: host.name; " +
				"cpu: cpu.logical_number; mode: cpu.mode",
		},
		{
			"target_info says whose a machine is", otel,
			of(survey.ProfileOpenTelemetry, "system_cpu_time_seconds_total", "cpu", "state", "instance", info(label("cloud_account_id", 2, 3)), info(label("enduser_id", 2, 3))),
			"profile: opentelemetry; metric: system_cpu_time_seconds_total; labels:; host: instance; project: cloud_account_id; machine: host_type; " +
				"info:; - query: target_info; labels: {project: cloud_account_id, user: enduser_id}",
		},
		{
			"Incus", lxd, of(survey.ProfileLXD, "incus_cpu_seconds_total", "", "mode", "name", label("project", 2, 3)),
			"profile: lxd; metric: incus_cpu_seconds_total; cores_query: 'max(incus_cpu_effective_total)'; labels:; host: name; project: project",
		},
		{
			"the profile's own label of the host is as good as another", lxd, of(survey.ProfileLXD, "lxd_cpu_seconds_total", "", "mode", "uuid", label("name", 3, 3)),
			"profile: lxd; labels:; host: name",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			text := Make(Offers(survey.Facts{Exporters: []survey.Exporter{test.exporter}}), 0, test.defaults).File(settings(nil))
			_, text, _ = strings.Cut(text, "9090\n")
			text, _, _ = strings.Cut(text, "power:")
			var got []string
			for line := range strings.Lines(text) {
				if line = strings.TrimSpace(line); !strings.HasPrefix(line, "#") {
					got = append(got, line)
				}
			}
			if got := strings.Join(got, "; "); got != test.has {
				t.Errorf("got\n%s\nwant\n%s", got, test.has)
			}
		})
	}
}
