// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package profiles

import "strconv"

var windowsShape = shape{
	metric: "windows_cpu_time_total", host: "instance", cpu: "core", mode: "mode",
	core: func(n int) string { return "0," + strconv.Itoa(n) }, pairs: []string{"job", "windows"},
}

// WindowsExporter is a cloud of Windows machines. Windows counts interrupts and deferred
// procedure calls (dpc) as parts of privileged time, and shows them beside it once more.
func WindowsExporter() *Site {
	return windowsSite(map[string]float64{"user": 0.3, "privileged": 0.06, "interrupt": 0.02, "dpc": 0.01, "idle": 0.64}, "user", "privileged")
}

// WindowsApart is what a site would look like whose exporter takes those parts out of
// privileged time, with the lines of the profile that this site has to override.
func WindowsApart() *Site {
	site := windowsSite(map[string]float64{"user": 0.3, "privileged": 0.03, "interrupt": 0.02, "dpc": 0.01, "idle": 0.64}, "user", "privileged", "interrupt", "dpc")
	site.Section = "busy_modes: [user, privileged, interrupt, dpc]\nother_modes: []"
	return site
}

func windowsSite(modes map[string]float64, busyModes ...string) *Site {
	one := func(name string, k Key, cores int) machine {
		return machine{name: name, key: k, cores: cores, modes: modes, busyModes: busyModes}
	}
	site := computers("windows_exporter", windowsShape, whose,
		one("win-01:9182", Key{"CAD", "Workstation", "ada"}, 4),
		one("win-02:9182", Key{"CAD", "Workstation", "bob"}, 8),
		one("win-03:9182", Key{"Labs", "Instrument", ""}, 2),
	)
	for _, name := range []string{"win-01:9182", "win-02:9182", "win-03:9182"} {
		site.Series = append(site.Series,
			Series{Labels: labels("windows_cpu_info", "instance", name, "job", "windows", "device_id", "CPU0", "name", "Intel(R) Xeon(R) Gold 6330"), Value: constant(1)},
			Series{Labels: labels("windows_os_hostname", "instance", name, "job", "windows", "hostname", name[:6]), Value: constant(1)})
	}
	return site
}
