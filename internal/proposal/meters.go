// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package proposal

import (
	"slices"
)

// instrument is a well-known meter of hosts, or of devices if it has a unit.
type instrument struct {
	metric, says string
	name, query  string
	hosts, unit  string
}

// Whoever reads these sentences decides whether a meter is of the whole machine.
const (
	wholeServer = "what the management controller says that the whole server draws"
	byRAPL      = "processors and memory alone: too low for a server, without power supplies, fans and disks"
)

// instruments are in the order of preference: those of whole servers first.
func instruments() []instrument {
	return []instrument{
		{"ipmi_dcmi_power_consumption_watts", "ipmi_exporter: " + wholeServer, "ipmi", "ipmi_dcmi_power_consumption_watts", "instance", ""},
		{"ipmi_power_watts", "ipmi_exporter: sensors with the maker's names; take those of the input of power supplies", "ipmi_sensors", `ipmi_power_watts{name=~".*(Input|In|Consumption).*"}`, "instance", ""},
		{"redfish_chassis_power_average_consumed_watts", "redfish_exporter: " + wholeServer, "redfish", "redfish_chassis_power_average_consumed_watts", "instance", ""},
		{"idrac_power_control_consumed_watts", "idrac_exporter: " + wholeServer, "idrac", "idrac_power_control_consumed_watts", "instance", ""},
		{"kepler_platform_watts", "Kepler: " + wholeServer, "kepler", "kepler_platform_watts", "node_name", ""},
		{"kepler_node_platform_joules_total", "Kepler before 0.10: what it takes the whole server to draw", "kepler_platform", "sum by (instance) (rate(kepler_node_platform_joules_total[5m]))", "instance", ""},
		{"kepler_node_cpu_watts", "Kepler: " + byRAPL, "kepler_cpu", `sum by (node_name) (kepler_node_cpu_watts{zone=~"package|dram"})`, "node_name", ""},
		{"scaph_host_power_microwatts", "Scaphandre: " + byRAPL, "scaphandre", "scaph_host_power_microwatts / 1e6", "instance", ""},
		{"node_rapl_package_joules_total", "node_exporter: " + byRAPL, "rapl", "sum by (instance) (rate(node_rapl_package_joules_total[5m]))", "instance", ""},
		{"DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION", "dcgm-exporter: the energy of each GPU; the best there is", "gpu", "DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION", "", "mJ"},
		{"DCGM_FI_DEV_POWER_USAGE", "dcgm-exporter: the power of each GPU at each scrape; its energy counter is better", "gpu_power", "DCGM_FI_DEV_POWER_USAGE", "", "W"},
		{"nvidia_smi_power_draw_watts", "nvidia_gpu_exporter: the power of each GPU at each scrape", "gpu_smi", "nvidia_smi_power_draw_watts", "", "W"},
	}
}

// meters proposes the well-known meters that a server has, as comments: whether their hosts are
// the machines, and whether a meter has the devices in it, only a person can tell.
func meters(t *text, there []string) {
	var measured, devices []instrument
	for _, i := range instruments() {
		switch {
		case !slices.Contains(there, i.metric):
		case i.unit == "":
			measured = append(measured, i)
		default:
			devices = append(devices, i)
		}
	}
	if len(measured) > 0 {
		t.comment(1, "Meters that this server has. None is switched on: choose one whose label hosts has the names of the machines, of physical machines alone; carbontool doctor --only=power says whether it measures them.")
		t.line(1, "# measured:")
		for _, i := range measured {
			t.line(1, "#   # %s", i.says)
			t.line(1, "#   - {name: %s, query: %s, hosts: %s}", i.name, scalar(i.query), i.hosts)
		}
	}
	if len(devices) > 0 {
		t.comment(1, "Devices that this server has meters of; take one for each device. None is switched on: the meter of a whole server has them in it, and they would count twice unless its includes names them.")
		t.line(1, "# devices:")
		for _, i := range devices {
			t.line(1, "#   # %s", i.says)
			t.line(1, "#   - {name: %s, query: %s, unit: %s}", i.name, scalar(i.query), i.unit)
		}
	}
}
