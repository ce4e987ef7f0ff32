// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package exporter

import "github.com/carbon-exporter/carbon_exporter/cmd/internal/manual"

// page is what the manual page says beside the flags.
func page() manual.Page {
	release, date := manual.Built()
	return manual.Page{
		Summary: "energy and carbon of a research cloud, for Prometheus",
		Description: []string{
			"Every half hour carbon_exporter asks a Prometheus for the CPU seconds of each machine, busy and idle. It multiplies them by the power of the machine type to get energy, and the energy by the carbon intensity of the grid in that half hour to get emissions. It keeps them by project, machine type, user and group in one SQLite file, and serves them on /metrics. The page at / says what is configured, what was found and what is wrong.",
			"What Prometheus could not answer is marked missing and fetched later. Energy without a carbon intensity has no emissions, not 0.",
			"SIGHUP reloads the configuration; if it has a fault, the old one stays in use. SIGTERM stops the program within ten seconds.",
		},
		Exit: []manual.Item{
			{Term: "0", Text: "It was told to stop, or --config.check found no fault."},
			{Term: "1", Text: "It failed, for example because the address is in use."},
			{Term: "2", Text: "Flags or configuration are wrong. A restart does not help."},
			{Term: "3", Text: "The store cannot be used. A restart does not help. The file is left as it is."},
		},
		Files: []manual.Item{
			{Term: "carbon.yml", Text: "The configuration, unless --config.file names another. Packages have it at /etc/carbon_exporter/carbon.yml."},
			{Term: "data/carbon.db", Text: "The store, unless --storage.path names another. Packages have it at /var/lib/carbon_exporter/carbon.db. Do not copy the file while the program runs; use carbontool backup."},
			{Term: "/etc/default/carbon_exporter", Text: "Packages: more flags for the service."},
		},
		Examples: []manual.Item{
			{Text: "Check the configuration, then run:", Term: "carbon_exporter --config.file=carbon.yml --config.check\ncarbon_exporter --config.file=carbon.yml --storage.path=data/carbon.db"},
			{Text: "Keep usage by interval for two years, and show no usage on the page at /:", Term: "carbon_exporter --storage.retention=2y --web.landing=state"},
		},
		SeeAlso: []string{"carbontool", "prometheus"},
		Web:     manual.Web,
		Release: release,
		Date:    date,
	}
}
