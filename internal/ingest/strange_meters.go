// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package ingest

import (
	"fmt"
	"maps"
	"slices"

	"github.com/carbon-exporter/carbon_exporter/internal/directory"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// strangeMeters says which meters measure hosts none of which has CPU time: those of servers, where
// the machines are guests on them, or hosts by another name. Nothing of them is booked. A meter that
// also measures hosts without CPU time is usual, and nothing is said.
func strangeMeters(parts []usage.Part, power map[string]usage.Metering) (remarks []string) {
	if len(parts) == 0 || len(power) == 0 {
		return nil
	}
	ours, known := parts[0].Series.Host, directory.ByHost[struct{}]{}
	for i := range parts {
		host := parts[i].Series.Host
		known.Add(host, struct{}{})
		ours = min(ours, host)
	}
	theirs, useful := map[string]string{}, map[string]bool{}
	for _, host := range slices.Sorted(maps.Keys(power)) {
		meter := power[host].Meter
		useful[meter] = useful[meter] || known.Of(host) != nil
		if theirs[meter] == "" {
			theirs[meter] = host
		}
	}
	for _, meter := range slices.Sorted(maps.Keys(theirs)) {
		if !useful[meter] {
			remarks = append(remarks, fmt.Sprintf("The meter %.60q measures no machine, and nothing of it is booked: it names hosts such as %.60q, and the machines are such as %.60q. See power.measured[].hosts; a meter of servers on which the machines run belongs to power.reconcile",
				meter, theirs[meter], ours))
		}
	}
	return remarks
}
