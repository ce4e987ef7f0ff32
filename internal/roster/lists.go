// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package roster

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
	"go.yaml.in/yaml/v3"
)

var errNoList = errors.New("must be a list of rows such as {host: 172.16.100.5, owner: ada}")

// jsonList is a list of objects that is read token by token.
type jsonList struct {
	text []byte
	*jsontext.Decoder
}

// parseJSON reads a list of objects.
func parseJSON(text []byte) ([]row, error) {
	l := jsonList{text, jsontext.NewDecoder(bytes.NewReader(text))}
	start, err := l.ReadToken()
	switch {
	case err != nil:
		return nil, l.fault(err)
	case start.Kind() != '[':
		return nil, errNoList
	}
	var rows []row
	for l.PeekKind() == '{' {
		made, err := l.row()
		if err != nil {
			return nil, err
		}
		rows = append(rows, made)
	}
	if end, err := l.ReadToken(); err != nil {
		return nil, l.fault(err)
	} else if end.Kind() != ']' {
		return nil, fmt.Errorf("line %d: %w", l.line(), errNoList)
	}
	if _, err := l.ReadToken(); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("line %d: has more after the end of the list", l.line())
	}
	return rows, nil
}

// line is where the last token ends.
func (l jsonList) line() int { return 1 + bytes.Count(l.text[:l.InputOffset()], []byte("\n")) }

// fault says what is wrong without the package's own words, which may quote a name.
func (l jsonList) fault(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("line %d: ends in the middle, as if the file were still being written", l.line())
	}
	return fmt.Errorf("line %d: is not valid JSON", l.line())
}

// row reads one object.
func (l jsonList) row() (row, error) {
	made := row{cells: map[string]string{}}
	if _, err := l.ReadToken(); err != nil {
		return made, l.fault(err)
	}
	made.line = l.line()
	var names []string
	for l.PeekKind() == '"' {
		name, err := l.ReadToken()
		if err != nil {
			return made, l.fault(err)
		}
		column := strings.ToLower(name.String())
		names = append(names, column)
		if err := l.cell(&made, column); err != nil {
			return made, err
		}
	}
	if _, err := l.ReadToken(); err != nil {
		return made, l.fault(err)
	}
	return made, checkColumns(made.line, names)
}

// cell reads the value of a column.
func (l jsonList) cell(made *row, column string) error {
	value, err := l.ReadValue()
	if err != nil {
		return l.fault(err)
	}
	switch value.Kind() {
	case 'n':
	case '"':
		text, err := jsontext.AppendUnquote(nil, value)
		if err != nil {
			return l.fault(err)
		}
		made.cells[column] = string(text)
	case '0':
		made.cells[column] = string(value)
	default:
		made.fault = badType
	}
	return nil
}

// yamlLine is where the package yaml says that a fault is.
var yamlLine = regexp.MustCompile(`line ([0-9]+)`)

// parseYAML reads a list of mappings.
func parseYAML(text []byte) ([]row, error) {
	var document yaml.Node
	d := yaml.NewDecoder(bytes.NewReader(text))
	if err := d.Decode(&document); errors.Is(err, io.EOF) {
		return nil, nil
	} else if err != nil {
		// Its text may quote a name.
		if at := yamlLine.FindStringSubmatch(err.Error()); at != nil {
			return nil, fmt.Errorf("line %s: is not valid YAML", at[1])
		}
		return nil, errors.New("is not valid YAML")
	}
	if err := d.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		return nil, errors.New("must be one YAML document")
	}
	list := document.Content[0]
	if list.Kind != yaml.SequenceNode {
		return nil, errNoList
	}
	var rows []row
	for _, item := range list.Content {
		if item.Kind == yaml.AliasNode {
			item = item.Alias
		}
		if item.Kind != yaml.MappingNode {
			return nil, fmt.Errorf("line %d: %w", item.Line, errNoList)
		}
		made := row{line: item.Line, cells: map[string]string{}}
		var names []string
		for i := 0; i+1 < len(item.Content); i += 2 {
			name, value := strings.ToLower(item.Content[i].Value), item.Content[i+1]
			names = append(names, name)
			switch {
			case value.Kind != yaml.ScalarNode:
				made.fault = badType
			case value.ShortTag() != "!!null":
				made.cells[name] = value.Value
			}
		}
		if err := checkColumns(item.Line, names); err != nil {
			return nil, err
		}
		rows = append(rows, made)
	}
	return rows, nil
}
