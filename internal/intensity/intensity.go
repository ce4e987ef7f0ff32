// Package intensity gets the carbon intensity of the grid, per half hour, from a provider. It
// must not know what the numbers are used for, nor fill in what a provider does not publish: a
// missing slot is unpriced, never 0. Start with UK, the Carbon Intensity API of Great Britain;
// Static is one number for all time.
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
	RejectTime       = "intensity_time"        // no start or end, or not on a half hour
	RejectSlotLength = "intensity_slot_length" // not half an hour long
	RejectValue      = "intensity_value"       // not a number between 0 and 1000
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
