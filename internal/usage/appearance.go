// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package usage

import "time"

// Appearance is when series with some values of labels were there.
type Appearance struct {
	Values []string
	Runs   []Run // in order of time
}

// Run is a row of moments at each of which something was there, both ends included.
type Run struct{ First, Last time.Time }
