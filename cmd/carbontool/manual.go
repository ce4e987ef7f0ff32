// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import "github.com/carbon-exporter/carbon_exporter/cmd/internal/manual"

// page is what the manual page says beside the commands.
func page() manual.Page {
	release, date := manual.Built()
	return manual.Page{
		Summary: "ask, check, fill and export the store of carbon_exporter",
		Description: []string{
			"carbontool reads the same configuration and the same store as carbon_exporter, and can be used while it runs. Commands that write nothing open the store read-only.",
			"A flag that takes a time accepts 2026-10-01T10:30, 2026-10-01, 2026-10, 2026, today, yesterday, now, -1h, -7d, RFC 3339 and Unix seconds, in the time zone of the configuration. --from is the first moment of a range, --to the first after it.",
		},
		Exit: []manual.Item{
			{Term: "0", Text: "Done."},
			{Term: "1", Text: "Failed, with one line on standard error that says why."},
			{Term: "2", Text: "Wrong flags or arguments, with one line that names the flag and the help to read."},
			{Term: "3", Text: "Of gate: the work should not start, because its budget is used up or will be."},
			{Term: "4", Text: "Of gate: the work should wait for a better time, which is on standard output."},
		},
		Files: []manual.Item{
			{Term: "carbon.yml", Text: "The configuration, unless --config.file names another. Packages have it at /etc/carbon_exporter/carbon.yml."},
			{Term: "data/carbon.db", Text: "The store, unless --storage.path names another. Packages have it at /var/lib/carbon_exporter/carbon.db."},
		},
		Examples: []manual.Item{
			{Text: "Write a configuration for the Prometheus that you have:", Term: "carbontool init --prometheus=http://localhost:9090"},
			{Text: "Find out what is wrong:", Term: "carbontool doctor --config.file=/etc/carbon_exporter/carbon.yml"},
			{Text: "Add up the emissions of a month by project:", Term: "carbontool report --scope=project --month=2026-10"},
		},
		SeeAlso: []string{"carbon_exporter", "promtool"},
		Web:     manual.Web,
		Release: release,
		Date:    date,
	}
}
