// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package usage

import "slices"

// Quality is how sure the provider of a carbon intensity is of it.
type Quality string

// The qualities, the best first.
const (
	QualityFinal       Quality = "final"       // it will not be revised
	QualityProvisional Quality = "provisional" // measured, and may be revised
	QualityEstimated   Quality = "estimated"   // filled in by the provider
	QualityForecast    Quality = "forecast"    // said before the time came
	QualityYearly      Quality = "yearly"      // the mean of a year
)

// Qualities lists them, the best first.
func Qualities() []Quality {
	return []Quality{QualityFinal, QualityProvisional, QualityEstimated, QualityForecast, QualityYearly}
}

// Settled is what becomes of a quality once the value will not be revised any more: measured values
// are final, and an estimate, a forecast and a yearly mean stay what they are.
func (q Quality) Settled() Quality {
	if q == "" || q == QualityProvisional {
		return QualityFinal
	}
	return q
}

// Worse returns the worse of two; empty is not known, and as good as provisional.
func (q Quality) Worse(o Quality) Quality {
	rank := func(q Quality) int {
		if q == "" {
			q = QualityProvisional
		}
		return slices.Index(Qualities(), q)
	}
	if rank(o) > rank(q) {
		return o
	}
	return q
}
