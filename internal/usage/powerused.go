// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package usage

// Beside the sources of ratings: energy that no average power was used for.
const (
	PowerMeasured = "measured" // of hosts whose power was measured
	PowerDevices  = "devices"  // of devices with meters of their own
	PowerDeleted  = "deleted"  // of intervals whose machine types are no longer stored
)

// PowerUsed is energy of one machine type by where its power came from.
type PowerUsed struct {
	Machine string
	Source  string // of a rating, or one of the above
	Energy  KWh
}
