package intensity

import (
	"bytes"
	"encoding/json"
)

// readNumber reads a number of an answer. Nil without an error: it is not known yet.
func readNumber(raw json.RawMessage) (*float64, error) {
	if len(raw) == 0 || bytes.Equal(raw, []byte("null")) {
		return nil, nil
	}
	var number float64
	if err := json.Unmarshal(raw, &number); err != nil {
		return nil, err
	}
	return &number, nil
}
