// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package usage

import "time"

// Instruments is what is known of a piece beside CPU time: measured power, the energy of devices,
// memory, PUE, and which processors the hosts have. What was not asked for, or has no answer, is
// absent, which is not 0. Hosts are named by their label as received.
type Instruments struct {
	Piece   Interval
	Models  map[string][]ModelShare // by host: the processors that it says it has; shares add up to 1
	Power   map[string]Metering     // by host
	Devices []DeviceSample
	Memory  map[string]GiBSeconds // by host, for the time in which it was there
	PUE     *float64
	Zones   []ZoneEnergy
	Remarks []string // what the operator should know of it, a sentence each
	// Since is how far back a hole in the counters of a device reaches that ends in this piece;
	// zero: there is none. The intervals from there on can now be read again.
	Since time.Time
}

// Metering is the measured energy of one host in a piece.
type Metering struct {
	Meter   string  // its name in the configuration
	Place   int     // of the meter in the configuration, in the order of preference
	Energy  Joules  // of the time that it covers
	Covered float64 // the part of the piece that it covers, from 0 to 1
	Error   *float64
	// Includes names devices of the host whose energy is in Energy, as the GPUs of a server are in
	// what its power supplies draw.
	Includes []string
}

// DeviceSample is the energy of the devices of one series in a piece.
type DeviceSample struct {
	Series
	Name   string // of the devices, in the configuration
	Energy Joules
	Error  *float64
}

// ZoneEnergy is the measured energy of the site, or of a part of it, in a piece.
type ZoneEnergy struct {
	Zone   string
	Energy Joules
}
