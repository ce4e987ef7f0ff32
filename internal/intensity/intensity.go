// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Package intensity gets the carbon intensity of a grid, per half hour, from a provider. It must
// not know what the numbers are used for, nor fill in what a provider does not publish: a missing
// slot is unpriced, never 0. Start with API, what a provider needs to have, and Feed, which does
// the rest; UK, whose API has half hours of its own, and Static stand alone.
package intensity

import (
	"io"
	"net/http"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// Doer sends a request and returns the body of a successful answer, bounded in time and size.
type Doer interface {
	Do(*http.Request) (io.ReadCloser, error)
	// Failed returns an error that begins with what was attempted. It is safe to show although
	// err may quote the server at any length.
	Failed(what string, err error) error
	// Text returns text of the server, made safe to show and store.
	Text(text string) string
}

// The reasons why a slot is refused: values of a metric's label.
const (
	RejectTime       = "intensity_time"        // no start or end, or measured before it came
	RejectSlotLength = "intensity_slot_length" // not half an hour long, or longer than an hour
	RejectValue      = "intensity_value"       // not a number, or not one that a grid can have
	RejectDuplicate  = "intensity_duplicate"   // repeated later in the answer
)

// firstSlot is the start of the first slot that begins at or after t.
func firstSlot(t time.Time) time.Time {
	at := usage.SlotAt(t)
	if at.Before(t) {
		at = at.Add(usage.SlotLength)
	}
	return at
}
