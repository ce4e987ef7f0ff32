// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package budget

import "github.com/carbon-exporter/carbon_exporter/internal/usage"

// fastBurn is the burn ratio above which the fast alert of a budget fires.
const fastBurn = 3

// Reachable reports whether the fast alert can fire at all: whether a target with all
// cores busy (cores x busy watts x PUE), on the dirtiest electricity there is, exceeds
// fastBurn. If not, the limit most likely has a zero too many.
func (b Budget) Reachable(p usage.Period, full usage.Watts, dirtiest usage.GramsPerKWh) bool {
	seconds := usage.CPUSeconds(length(p).Seconds()) // full is of all cores together, as if of one
	most := Amount{Energy: full.For(seconds)}
	most.Emissions = most.Energy.At(dirtiest)
	amount, _ := most.in(b.Unit)
	return amount > fastBurn*b.Limit
}
