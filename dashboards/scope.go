// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"regexp"
	"strings"

	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
)

// Of which exporters the numbers are. One Prometheus may scrape several, whose usage adds up
// only if they see different machines, and whose settings and intensities never do. So each
// dashboard shows one of them, until its reader chooses more.
//
// Queries are written without a thought of that. Where they leave this program, scoped puts
// the choice into each of their selectors, and no query can miss it.

// exporters is the choice, as matchers.
const exporters = `job=~"$job",instance=~"$instance",site=~"$site"`

// eachExporter are the labels that tell exporters apart, for joins and sums that keep them so.
// The label site is an external one of the site's Prometheus, which only a centre sees.
const eachExporter = "job, instance, site"

// selectors finds the metrics of a query that are the exporter's, recorded from them or alerts,
// and how the braces after each begin. Text in quotes it finds too, so that no name is found in
// that.
var selectors = regexp.MustCompile(`"(?:[^"\\]|\\.)*"|\b(?:(?:[a-z]+:)?carbon_(?:[\w:]|\$\{\w+\})+|ALERTS)\b(?:\{(?:job=)?)?`)

// scoped is a query of the chosen exporters alone. A selector that begins with job= has its own
// mind.
func scoped(expr string) string {
	return selectors.ReplaceAllStringFunc(expr, func(found string) string {
		if strings.HasPrefix(found, `"`) || strings.HasSuffix(found, "{job=") {
			return found
		}
		if name, more := strings.CutSuffix(found, "{"); more {
			return name + "{" + exporters + ","
		}
		return found + "{" + exporters + "}"
	})
}

const anyExporter = "carbon_exporter_build_info"

// exporterVariables are the choice of exporters. Of jobs and instances there is no All, because
// Grafana would begin with it: it begins with the first one, and all may be ticked.
func exporterVariables() []dashboard.VariableModel {
	one := func(name, label, about, metric string) dashboard.VariableModel {
		return must(labelQuery(name, label, about, metric).IncludeAll(false).AllValue(".+"))
	}
	return []dashboard.VariableModel{
		// .* matches series without the label as well, and most have none.
		must(labelQuery("site", "Site", "The external label of the Prometheus of a site, if there are several. Only All where there is no such label.", anyExporter).
			IncludeAll(true).AllValue(".*").Current(option("All", "$__all"))),
		one("job", "Job", "The job of the exporter in Prometheus.", anyExporter+`{site=~"$site"}`),
		one("instance", "Instance", "The exporter. If you choose several, what they publish is added up: choose only such as measure different machines.",
			anyExporter+`{site=~"$site",job=~"$job"}`),
	}
}
