// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package intensity

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// region is the object around the slots of a regional answer.
type region struct {
	ID    *int              `json:"regionid"`
	Slots []json.RawMessage `json:"data"`
}

// rawSlots splits an answer into its slots, which are not checked yet. An answer without slots
// is an error: the API always has slots for a valid time.
func (u *UK) rawSlots(text []byte) ([]json.RawMessage, error) {
	var answer struct {
		Data  json.RawMessage `json:"data"`
		Error json.RawMessage `json:"error"`
	}
	if err := json.Unmarshal(strictJSON(text), &answer); err != nil {
		return nil, malformed(nil, "the answer is not JSON in the API's format: %s", text)
	}
	if len(answer.Error) > 0 && string(answer.Error) != "null" {
		return nil, malformed(nil, "the answer is an error: %s", answer.Error)
	}
	var slots []json.RawMessage
	var err error
	if u.regional() {
		slots, err = u.regionalSlots(answer.Data)
	} else if len(answer.Data) > 0 {
		err = json.Unmarshal(answer.Data, &slots)
	}
	if err != nil {
		return nil, malformed(err, "the data is not in the API's format")
	}
	if len(slots) == 0 {
		return nil, malformed(nil, "the answer has no slots")
	}
	return slots, nil
}

// regionalSlots accepts every form that was seen or is documented: an object with the slots, an
// array with one such object, or only the slots.
func (u *UK) regionalSlots(data json.RawMessage) ([]json.RawMessage, error) {
	if len(data) == 0 {
		return nil, nil
	}
	if !bytes.HasPrefix(data, []byte("[")) {
		return u.slotsOf(data)
	}
	var elements []json.RawMessage
	if err := json.Unmarshal(data, &elements); err != nil {
		return nil, err
	}
	if len(elements) == 1 && bytes.HasPrefix(elements[0], []byte("{")) {
		if slots, err := u.slotsOf(elements[0]); slots != nil || err != nil {
			return slots, err
		}
	}
	return elements, nil
}

// slotsOf reads one region. It must be the requested one: the numbers of another would look
// right and be wrong.
func (u *UK) slotsOf(data json.RawMessage) ([]json.RawMessage, error) {
	var r region
	if err := json.Unmarshal(data, &r); err != nil {
		return nil, err
	}
	if u.RegionID != 0 && r.ID != nil && *r.ID != u.RegionID {
		return nil, fmt.Errorf("asked for region %d and got region %d", u.RegionID, *r.ID)
	}
	return r.Slots, nil
}

func malformed(err error, format string, args ...any) error {
	return &usage.Failure{Reason: usage.ReasonMalformed, Detail: fmt.Sprintf(format, args...), Err: err}
}

// bareWord is a JSON string, or a word outside of strings.
var bareWord = regexp.MustCompile(`"(?:[^"\\]|\\.)*"|[^\s\[\]{},:"]+`)

// strictJSON turns every word that JSON does not have, such as NaN, 0x10 or None, into a
// string. Some servers write such words; like this they spoil only their own slot.
func strictJSON(text []byte) []byte {
	if json.Valid(text) {
		return text
	}
	return bareWord.ReplaceAllFunc(text, func(word []byte) []byte {
		if word[0] == '"' || json.Valid(word) {
			return word
		}
		quoted, _ := json.Marshal(string(word)) // a string never fails
		return quoted
	})
}
