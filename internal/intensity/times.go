// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package intensity

import (
	"encoding/json"
	"time"
)

// readZoned reads a time that says of which zone it is, in any of the forms of ISO 8601 that
// servers use: with seconds and parts of them or without, and the zone as Z, +00:00 or +0000.
func readZoned(text string) (at time.Time, err error) {
	for _, layout := range []string{
		"2006-01-02T15:04:05Z07:00", "2006-01-02T15:04Z07:00", "2006-01-02T15:04:05Z0700", "2006-01-02T15:04Z0700", "2006-01-02 15:04:05Z07:00",
	} {
		if at, err = time.Parse(layout, text); err == nil {
			return at.UTC(), nil
		}
	}
	return time.Time{}, err
}

// readNaive reads a time that need not say of which zone it is.
func readNaive(text string, zone *time.Location) (time.Time, error) {
	at, err := readZoned(text)
	if err == nil {
		return at, nil
	}
	for _, layout := range []string{"2006-01-02T15:04:05", "2006-01-02T15:04", "2006-01-02 15:04:05", "2006-01-02 15:04"} {
		if at, err := time.ParseInLocation(layout, text, zone); err == nil {
			return at.UTC(), nil
		}
	}
	return time.Time{}, err
}

// zonedOf reads such a time as it stands in an answer; false: it is none.
func zonedOf(raw json.RawMessage) (time.Time, bool) {
	var text string
	if json.Unmarshal(raw, &text) != nil {
		return time.Time{}, false
	}
	at, err := readZoned(text)
	return at, err == nil && !at.IsZero()
}
