package intensity

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// region is what the regional answers hold around their slots.
type region struct {
	ID    *int              `json:"regionid"`
	Slots []json.RawMessage `json:"data"`
}

// rawSlots takes an answer apart as far as its slots, each of which may still
// be anything. An answer without slots is a failure: the API says so when it is
// ill, and "no carbon" is nothing that it ever has to say.
func (u *UK) rawSlots(text []byte) ([]json.RawMessage, error) {
	var answer struct {
		Data  json.RawMessage `json:"data"`
		Error json.RawMessage `json:"error"`
	}
	if err := json.Unmarshal(strictJSON(text), &answer); err != nil {
		return nil, malformed(err, "not the JSON that was asked for: %.60q", text)
	}
	if len(answer.Error) > 0 && string(answer.Error) != "null" {
		return nil, malformed(nil, "answer is an error: %.120q", answer.Error)
	}
	var slots []json.RawMessage
	var err error
	if u.regional() {
		slots, err = u.regionalSlots(answer.Data)
	} else if len(answer.Data) > 0 {
		err = json.Unmarshal(answer.Data, &slots)
	}
	if err != nil {
		return nil, malformed(err, "data is not what the API promises")
	}
	if len(slots) == 0 {
		return nil, malformed(nil, "answer without data")
	}
	return slots, nil
}

// regionalSlots accepts all that has been seen or documented: an object that
// holds the slots, an array with one such object, and the slots themselves.
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

// slotsOf reads one region, which must not be another than was asked for: its
// numbers would look right and be wrong.
func (u *UK) slotsOf(data json.RawMessage) ([]json.RawMessage, error) {
	var r region
	if err := json.Unmarshal(data, &r); err != nil {
		return nil, err
	}
	if u.RegionID != 0 && r.ID != nil && *r.ID != u.RegionID {
		return nil, fmt.Errorf("region %d in place of %d", *r.ID, u.RegionID)
	}
	return r.Slots, nil
}

func malformed(err error, format string, args ...any) error {
	return &usage.Failure{Reason: usage.ReasonMalformed, Detail: fmt.Sprintf(format, args...), Err: err}
}
