// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"github.com/grafana/grafana-foundation-sdk/go/units"
)

// What stands for the same on every dashboard.

// Units that Grafana knows, and two that it can be told.
const (
	watts        = units.Watt
	kWh          = units.KiloWattHour
	grams        = units.Gram
	gramsPerHour = "si:g/h"
	gramsPerKWh  = "suffix:g/kWh"
	share        = units.PercentUnit
	plain        = units.Short
	whole        = units.LocaleFormat // 3,020 rather than 3.02 K

	weekdayAndTime = "time:ddd HH:mm" // in the time zone of the dashboard
)

// Colours that stand for something, on every dashboard.
const (
	busyColour     = "semi-dark-blue"
	idleColour     = "semi-dark-orange"
	measuredColour = "super-light-blue"
	goodColour     = "semi-dark-green"
	noteColour     = "semi-dark-yellow"
	badColour      = "semi-dark-red"
	faintColour    = "text"
)
