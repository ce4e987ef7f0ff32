// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package source

import (
	"errors"
	"fmt"
	"slices"

	"github.com/go-json-experiment/json/jsontext"
)

// series reads one series of an answer. The JSON decoder sees to it that it is valid JSON, as a
// whole; then we walk it, which takes half the time of taking it apart token by token.
func (d *decoder) series() error {
	d.meter.since(d.json.InputOffset())
	raw, err := d.json.ReadValue()
	if err != nil {
		return err
	}
	named := false
	p := scanner{text: raw, ok: true}
	err = p.members(func(name []byte) error {
		switch string(inner(name)) {
		case "metric":
			if err := d.metric(&p); err != nil {
				return err
			}
			named = true
			if d.rest != nil {
				d.rest.Rest(d.others)
			}
			return d.sink.Series(d.values)
		case "values":
			if !named {
				return errors.New("has values before the metric of their series")
			}
			return d.points(&p)
		case "histograms":
			return p.elements(func() error {
				p.value()
				d.sink.Histogram()
				return nil
			})
		}
		return fmt.Errorf("has a series with an unknown member: %q", unquoted(name))
	})
	if err == nil && !named {
		return errors.New("has a series without a metric")
	}
	return err
}

// metric reads the labels of a series.
func (d *decoder) metric(p *scanner) error {
	clear(d.values)
	d.others = d.others[:0]
	return p.members(func(name []byte) error {
		value := p.value()
		if value[0] != '"' {
			return fmt.Errorf("must have a string in every label, but has %s in %q", jsontext.Value(value).Kind(), unquoted(name))
		}
		if i := d.label(name); i >= 0 {
			if text := inner(value); string(text) != d.last[i] { // never equal if it has escapes
				d.last[i] = unquoted(value)
			}
			d.values[i] = d.last[i]
		} else if d.rest != nil {
			d.others = append(d.others, label{unquoted(name), unquoted(value)})
		}
		return nil
	})
}

// label returns which of the requested labels a name is; -1: none.
func (d *decoder) label(name []byte) int {
	if slices.Contains(name, '\\') {
		return slices.Index(d.labels, unquoted(name))
	}
	for i, label := range d.labels {
		if string(inner(name)) == label {
			return i
		}
	}
	return -1
}

// inner is the text between the quotes of a JSON string, with its escapes as they are.
func inner(raw []byte) []byte { return raw[1 : len(raw)-1] }

// members calls f for each member of an object. f must take the member's value.
func (p *scanner) members(f func(name []byte) error) error {
	return p.list('{', '}', func() error {
		if !p.peek('"') {
			return p.unexpected('"')
		}
		name := p.value()
		p.take(':')
		return f(name)
	})
}

// elements calls f for each element of an array. f must take it.
func (p *scanner) elements(f func() error) error { return p.list('[', ']', f) }

func (p *scanner) list(begin, end byte, f func() error) error {
	if !p.peek(begin) {
		return p.unexpected(begin)
	}
	p.at++
	for first := true; !p.peek(end); first = false {
		if !first {
			p.take(',')
			p.peek(0)
		}
		if err := f(); err != nil {
			return err
		}
		if !p.ok || p.at >= len(p.text) {
			return errors.New("is not the JSON that it was found to be")
		}
	}
	p.at++
	return nil
}

// unexpected says what is next, where something else was expected.
func (p *scanner) unexpected(want byte) error {
	rest := jsontext.Value(p.text[min(p.at, len(p.text)):])
	return fmt.Errorf("must have %c, but has %s", want, rest.Kind())
}
