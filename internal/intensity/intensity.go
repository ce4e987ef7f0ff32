// Package intensity knows how much CO2 a kilowatt hour of the grid stands for, half
// hour by half hour, as a provider says it. It must not know what the numbers are
// used for, nor fill in what a provider does not say: a missing slot is unpriced,
// never 0. Start with UK, the Carbon Intensity API of Great Britain; Static is one
// number for all time.
package intensity

import (
	"io"
	"net/http"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// Doer sends a request and returns the body of an answer that is a success,
// bounded in time and size.
type Doer interface {
	Do(*http.Request) (io.ReadCloser, error)
	// Failed is an error that begins with what was attempted, fit to be shown
	// although it may quote the server at any length.
	Failed(what string, err error) error
	// Text is text of the server, fit to be shown and stored.
	Text(text string) string
}

// The reasons why a slot is refused: values of a metric's label.
const (
	RejectTime       = "intensity_time"        // no start or end, or not on a half hour
	RejectSlotLength = "intensity_slot_length" // not half an hour long
	RejectValue      = "intensity_value"       // not a number between 0 and 1000
	RejectDuplicate  = "intensity_duplicate"   // there again later in the answer
)

// firstSlot is the start of the first slot that begins at t or later.
func firstSlot(t time.Time) time.Time {
	at := usage.SlotAt(t)
	if at.Before(t) {
		at = at.Add(usage.SlotLength)
	}
	return at
}
