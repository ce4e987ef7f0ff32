// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package usage

// Measurement is the measured mean power in a piece: of one host or, if the series names no
// host, of all hosts together.
type Measurement struct {
	Host, Machine string // the labels as received; empty: the series has none
	Piece         Interval
	Watts         Watts   // of the whole host, not per core; without PUE
	Points        float64 // number of values averaged, over all series of the host
}
