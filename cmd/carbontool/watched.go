package main

import (
	"io"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/progress"
)

// watched shows how far it is to whoever watches; a log needs no word of what
// takes seconds.
func watched(stderr io.Writer, unit string, total int) *progress.Line {
	screen := func() (int, bool) { return progress.Screen(stderr) }
	out := stderr
	if _, redraws := screen(); !redraws {
		out = io.Discard
	}
	return progress.New(out, progress.Options{Unit: unit, Total: total, Screen: screen, Now: time.Now})
}
