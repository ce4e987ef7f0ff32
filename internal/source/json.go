// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package source

import (
	"fmt"
	"io"
	"slices"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// object calls f for each member. f must read the member's value.
func (d *decoder) object(f func(name string) error) error {
	if err := d.expect('{'); err != nil {
		return err
	}
	for d.json.PeekKind() != '}' {
		name, err := d.name()
		if err != nil {
			return err
		}
		if err := f(name); err != nil {
			return err
		}
	}
	_, err := d.json.ReadToken()
	return err
}

// name reads a member's name. Answers have few, known names: the compiler copies no bytes for
// these comparisons, only for an unknown name.
func (d *decoder) name() (string, error) {
	raw, err := d.json.ReadValue()
	if err != nil {
		return "", err
	}
	plain := raw[1 : len(raw)-1]
	switch string(plain) {
	case "metric":
		return "metric", nil
	case "values":
		return "values", nil
	}
	for _, label := range d.labels {
		if string(plain) == label {
			return label, nil
		}
	}
	name, err := jsontext.AppendUnquote(nil, raw)
	return string(name), err
}

// array calls f for each element. f must read it.
func (d *decoder) array(f func() error) error {
	if err := d.expect('['); err != nil {
		return err
	}
	for d.json.PeekKind() != ']' {
		if err := f(); err != nil {
			return err
		}
	}
	_, err := d.json.ReadToken()
	return err
}

func (d *decoder) expect(kind jsontext.Kind) error {
	t, err := d.json.ReadToken()
	if err != nil {
		return err
	}
	if t.Kind() != kind {
		return fmt.Errorf("must have %s, but has %s", kind, t.Kind())
	}
	return nil
}

// text reads a string; null leaves into unchanged.
func (d *decoder) text(into *string) error {
	raw, err := d.json.ReadValue()
	switch {
	case err != nil:
		return err
	case raw.Kind() == '"':
		*into = unquoted(raw)
	case raw.Kind() != 'n':
		return fmt.Errorf("must have a string, but has %s", raw.Kind())
	}
	return nil
}

// texts calls f for each string of a list, which may be null.
func (d *decoder) texts(f func(string)) error {
	if d.json.PeekKind() == 'n' {
		return d.json.SkipValue()
	}
	return d.array(func() error {
		var text string
		if err := d.text(&text); err != nil {
			return err
		}
		f(text)
		return nil
	})
}

// unquoted returns the text of a JSON string. Bytes that are not UTF-8 stay as they are, so
// that two texts do not become one here. An escape of half a surrogate pair has no text: it
// stays an escape, marked with such a byte.
func unquoted(raw jsontext.Value) string {
	plain := raw[1 : len(raw)-1]
	if !slices.Contains(plain, '\\') {
		return string(plain)
	}
	text, err := jsontext.AppendUnquote(nil, raw)
	if err != nil {
		return string(plain) + "\xff"
	}
	return string(text)
}

// meter refuses an endless series before the JSON decoder has stored it.
type meter struct {
	r          io.Reader
	read, mark int64
}

func (m *meter) since(offset int64) { m.mark = offset }

func (m *meter) Read(p []byte) (int, error) {
	if m.read-m.mark > maxSeriesBytes {
		return 0, &usage.Failure{Reason: usage.ReasonLimit, Detail: fmt.Sprintf("one series or list takes more than %d bytes", maxSeriesBytes)}
	}
	n, err := m.r.Read(p)
	m.read += int64(n)
	return n, err
}
