// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package intensity

import (
	"encoding/json"
	"strings"
)

// readNumber reads a number of an answer, which some servers write as text. Nil without an error:
// it is not known yet.
func readNumber(raw json.RawMessage) (number *float64, err error) {
	if isNull(raw) {
		return nil, nil
	}
	var text string
	if json.Unmarshal(raw, &text) == nil {
		raw = json.RawMessage(strings.TrimSpace(text)) // "NaN", "0x10" and "" are no numbers in JSON
	}
	if err := json.Unmarshal(raw, &number); err != nil {
		return nil, err
	}
	return number, nil
}

func isNull(raw json.RawMessage) bool { return len(raw) == 0 || string(raw) == "null" }
