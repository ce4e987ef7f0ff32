// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package statement

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// Canonical is the text of a document that is kept and hashed: JSON without white space, with the
// keys of every object in order and amounts with all their digits.
func (d Document) Canonical() ([]byte, error) {
	text, err := encode(d)
	if err != nil {
		return nil, fmt.Errorf("statement of %s: %w", d.Month, err)
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber() // keeps every digit
	var ordered any
	if err := decoder.Decode(&ordered); err != nil {
		return nil, fmt.Errorf("statement of %s: %w", d.Month, err)
	}
	return encode(ordered) // maps are written in the order of their keys
}

func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// Parse reads a canonical text.
func Parse(text []byte) (d Document, err error) {
	if err := json.Unmarshal(text, &d); err != nil {
		return d, fmt.Errorf("read a statement: %w", err)
	}
	if d.Layout < 1 || d.Layout > layout {
		return d, fmt.Errorf("statement %d has the layout %d, and this program knows %d: use the carbontool of a newer version", d.Number, d.Layout, layout)
	}
	return d, nil
}

// Seal makes the statement that is kept of a document that has its number.
func (d Document) Seal(people []usage.StatementPerson) (usage.Statement, error) {
	d.Layout = layout
	body, err := d.Canonical()
	if err != nil {
		return usage.Statement{}, err
	}
	return usage.Statement{
		StatementHead: usage.StatementHead{
			Number: d.Number, Scope: d.Scope, Member: d.Member, Month: d.Month, IssuedAt: d.IssuedAt,
			Version: d.Version, Revision: d.Revision, Previous: d.Previous, Hash: usage.HashOf(body),
		},
		Body: body, People: people,
	}, nil
}
