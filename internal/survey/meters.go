// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package survey

// Meters are well-known metrics of measured power and energy, of hosts and of devices.
func Meters() []string {
	return []string{
		"ipmi_dcmi_power_consumption_watts", "ipmi_power_watts", "redfish_chassis_power_average_consumed_watts", "idrac_power_control_consumed_watts",
		"kepler_platform_watts", "kepler_node_platform_joules_total", "kepler_node_cpu_watts", "scaph_host_power_microwatts", "node_rapl_package_joules_total",
		"DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION", "DCGM_FI_DEV_POWER_USAGE", "nvidia_smi_power_draw_watts",
	}
}
