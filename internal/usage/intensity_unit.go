// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package usage

// IntensityUnits are the units in which others give a carbon intensity, by the names that the
// configuration has, each as what one of it is in gCO2eq/kWh.
var IntensityUnits = map[string]GramsPerKWh{
	"g/kWh":  1,
	"kg/kWh": 1000,
	"kg/MWh": 1,
	"t/MWh":  1000,
	"lb/MWh": 0.45359237, // the international pound, by definition
}
