// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package usage

// Found is what a store has found since it was made.
type Found struct {
	Usage      bool        // whether there ever was any
	Empty      int         // intervals for which the source answered and had no usage
	Attendance *Attendance // of the newest interval in which hosts were there; nil: there were none, or not known
}
