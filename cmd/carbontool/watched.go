// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"io"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/progress"
)

// watched shows progress on a terminal only: a log needs no progress lines for a few seconds of
// work.
func watched(stderr io.Writer, unit string, total int) *progress.Line {
	screen := func() (int, bool) { return progress.Screen(stderr) }
	out := stderr
	if _, redraws := screen(); !redraws {
		out = io.Discard
	}
	return progress.New(out, progress.Options{Unit: unit, Total: total, Screen: screen, Now: time.Now})
}
