// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package survey

import "slices"

// The profiles of the configuration for what the server can have.
const (
	ProfileNode          = "node_exporter"
	ProfileWindows       = "windows_exporter"
	ProfileLibvirt       = "libvirt"
	ProfileKubernetes    = "kubernetes"
	ProfileSlurm         = "slurm"
	ProfileProxmox       = "proxmox"
	ProfileLXD           = "lxd"
	ProfileOpenTelemetry = "opentelemetry"
	ProfileRecorded      = "recorded"
)

// known is one metric by which an exporter is recognised. One that has several conventions is
// there several times.
type known struct {
	profile, metric string
	// few are matchers that leave few series for each machine: those of one mode of each core.
	few string
	// core is the label of the core; empty: the series are of whole machines, jobs or containers.
	core string
	// mode is the label that few selects by; empty: there is none.
	mode string
	// hosts are the labels that can name a machine; nil: hostNames.
	hosts []string
	// joined: other metrics say whose usage it is, so its own labels are of no use; but if there
	// is a list of such metrics, only where the server has one of them.
	joined bool
	by     []string
	// beside are other metrics, one of which the profile cannot do without: they say what machines
	// there are. nil: it needs none.
	beside []string
	// unread says what to do instead, if no profile reads the metric as it is.
	unread string
}

const (
	otherLibvirt = "the profile libvirt reads libvirt_domain_info_cpu_time_seconds_total of libvirt-exporter"
	otherSlurm   = "it counts allocated cores, not CPU seconds: the profile slurm reads slurm_job_core_usage_total of slurm-job-exporter"
)

// catalogue lists the known metrics of CPU time, and of each exporter the newest name first.
var catalogue = []known{
	{profile: ProfileRecorded, metric: "carbon:cpu_seconds:sum", few: `mode="idle"`, mode: "mode"},
	{profile: ProfileNode, metric: "node_cpu_seconds_total", few: `mode="idle"`, core: "cpu", mode: "mode"},
	{profile: ProfileNode, metric: "node_cpu", few: `mode="idle"`, core: "cpu", mode: "mode"}, // before 0.16
	{profile: ProfileWindows, metric: "windows_cpu_time_total", few: `mode="idle"`, core: "core", mode: "mode"},
	{profile: ProfileWindows, metric: "wmi_cpu_time_total", few: `mode="idle"`, core: "core", mode: "mode"}, // before 0.13
	{profile: ProfileOpenTelemetry, metric: "system.cpu.time", few: `state="idle"`, core: "cpu", mode: "state"},
	{profile: ProfileOpenTelemetry, metric: "system.cpu.time_seconds_total", few: `state="idle"`, core: "cpu", mode: "state"},
	{profile: ProfileOpenTelemetry, metric: "system_cpu_time_seconds_total", few: `state="idle"`, core: "cpu", mode: "state"},
	{profile: ProfileOpenTelemetry, metric: "system.cpu.time", few: `"cpu.mode"="idle"`, core: "cpu.logical_number", mode: "cpu.mode"},
	{profile: ProfileOpenTelemetry, metric: "system.cpu.time_seconds_total", few: `"cpu.mode"="idle"`, core: "cpu.logical_number", mode: "cpu.mode"},
	{profile: ProfileOpenTelemetry, metric: "system_cpu_time_seconds_total", few: `cpu_mode="idle"`, core: "cpu_logical_number", mode: "cpu_mode"},
	// Containers have no idle time, and all cores of one have one series.
	{profile: ProfileLXD, metric: "lxd_cpu_seconds_total", few: `mode="user"`, mode: "mode"},
	{profile: ProfileLXD, metric: "incus_cpu_seconds_total", few: `mode="user"`, mode: "mode"},
	{profile: ProfileKubernetes, metric: "container_cpu_usage_seconds_total", few: `container!="",container!="POD"`, hosts: []string{"node", "kubernetes_io_hostname", "instance"}, joined: true, beside: []string{"node_cpu_seconds_total", "machine_cpu_cores"}},
	{profile: ProfileLibvirt, metric: "libvirt_domain_info_cpu_time_seconds_total", joined: true, by: []string{"libvirt_domain_openstack_info", "libvirt_domain_info_meta"}},
	{profile: ProfileLibvirt, metric: "libvirt_domain_cpu_time_seconds_total", unread: otherLibvirt},
	{profile: ProfileLibvirt, metric: "libvirt_domain_vcpu_time_seconds_total", unread: otherLibvirt},
	{profile: ProfileSlurm, metric: "slurm_job_core_usage_total", hosts: []string{"instance"}, joined: true, beside: []string{"node_cpu_seconds_total", "slurm_node_cpu_total"}},
	{profile: ProfileSlurm, metric: "slurm_cpus_alloc", hosts: []string{}, unread: otherSlurm},
	{profile: ProfileSlurm, metric: "slurm_account_cpus_running", hosts: []string{}, unread: otherSlurm},
	{profile: ProfileSlurm, metric: "slurm_account_cpu_alloc", hosts: []string{}, unread: otherSlurm},
	{profile: ProfileProxmox, metric: "pve_cpu_usage_ratio", few: `id=~"(qemu|lxc)/.+"`, joined: true},
}

// namespace is the label by which Kubernetes is told from a container engine alone.
const namespace = "namespace"

// targetInfo is the metric in which Prometheus keeps what OpenTelemetry says of a machine, by
// instance.
const targetInfo = "target_info"

// asked lists every metric that is looked for.
func asked() []string {
	all := append([]string{processors, targetInfo}, Meters()...)
	for _, k := range catalogue {
		all = append(append(append(all, k.metric), k.by...), k.beside...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// processors is the metric of node_exporter that names the model of each core, in a label.
const (
	processors     = "node_cpu_info"
	processorLabel = "model_name"
)

// notAsked are labels that say what a series measures, not whose machine it is of.
var notAsked = []string{
	"__name__", "mode", "state", "cpu", "core", "cpu.mode", "cpu_mode", "cpu.logical_number", "cpu_logical_number", "le", "quantile", "unit",
	"otel_scope_name", "otel_scope_version",
}

// hostNames are labels that name a machine, the likely ones first.
var hostNames = []string{
	"instance", "nodename", "hostname", "host_name", "host.name", "host", "node", "vm", "vm_name", "vmname", "fqdn", "server",
	"server_name", "service_instance_id", "service.instance.id", "host_id", "host.id", "machine_id", "instance_id", "instance_uuid",
	"uuid", "vm_id", "domain", "name", "id", "target",
}
