// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package rehearsal

import (
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// Mishaps are the faults of two ordinary days: the carbon API is down for some hours, and
// Prometheus for one.
func Mishaps(now time.Time) []Fault {
	at := func(ago, length time.Duration) usage.Period {
		from := now.Add(-ago)
		return usage.Period{From: from, To: from.Add(length)}
	}
	return []Fault{
		{at(20*time.Hour, 3*time.Hour), usage.SourceCarbonIntensity},
		{at(31*time.Hour, 80*time.Minute), usage.SourcePrometheus},
	}
}
