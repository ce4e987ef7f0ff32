// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package config

import (
	"cmp"
	"fmt"
	"maps"
	"reflect"
	"strings"

	"github.com/prometheus/common/config"
	"github.com/prometheus/common/model"
	"go.yaml.in/yaml/v3"
)

// shape compares the tree with the type that it is for, and reports what does not match:
// unknown keys, duplicate keys, values of another type and missing values. What it accepts can
// be decoded.
func (f *faults) shape(path string, line int, n *yaml.Node, t reflect.Type) {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if kindOf(n) == null && reflect.PointerTo(t).Implements(reflect.TypeFor[kind]()) {
		// A source that is named and nothing else has all its defaults.
		*n = yaml.Node{Kind: yaml.MappingNode, Tag: "!!map", Line: n.Line, Column: n.Column}
	}
	if kindOf(n) == null {
		// YAML would set a zero there, which is not the default and often not valid. A section
		// whose keys are all commented out is the common case.
		f.at(line, "%s: has no value; leave the key out for its default", path)
		return
	}
	if either, ok := reflect.TypeAssert[forms](reflect.Zero(t)); ok {
		var word string
		if t, word = either.form(kindOf(n)); t == nil {
			f.at(line, "%s: must be %s, is %s", path, word, kindOf(n))
			return
		}
	}
	if word := scalarWord(t); word != "" {
		f.scalar(path, line, n, t, word)
		return
	}
	switch t.Kind() {
	case reflect.Slice:
		if f.want(path, line, n, list) {
			for i, item := range n.Content {
				itemPath := fmt.Sprintf("%s[%d]", path, i)
				f.lines[itemPath] = item.Line
				f.shape(itemPath, item.Line, item, t.Elem())
			}
		}
	case reflect.Map, reflect.Struct:
		if f.want(path, line, n, mapping) {
			f.fields(path, line, n, t)
		}
	}
}

// forms is a type that is written in one of several ways. It says as what a value of a kind is
// read, or, if it is of none of them, what it must be.
type forms interface {
	form(kind string) (as reflect.Type, word string)
}

// want reports a value that is not of the kind.
func (f *faults) want(path string, line int, n *yaml.Node, kind string) bool {
	is := kindOf(n)
	if is != kind {
		f.at(line, "%s: must be %s, is %s", path, kind, is)
	}
	return is == kind
}

// scalar reports a value that its type does not accept. Text and URLs are not quoted: they may
// be secrets.
func (f *faults) scalar(path string, line int, n *yaml.Node, t reflect.Type, word string) {
	if is := kindOf(n); is != scalar {
		f.at(line, "%s: must be %s, is %s", path, word, is)
		return
	}
	// YAML silently cuts 13.7 down to the integer 13.
	if t.Kind() == reflect.Int {
		var v any
		if err := n.Decode(&v); err == nil && reflect.TypeOf(v) == t {
			return
		}
	} else if err := n.Decode(reflect.New(t).Interface()); err == nil {
		return
	}
	if t == reflect.TypeFor[config.URL]() || t.Kind() == reflect.String {
		f.at(line, "%s: must be %s", path, word)
		return
	}
	f.at(line, "%s: must be %s, is %q", path, word, n.Value)
}

// fields reports faults in the keys of a mapping, then any that the type itself finds in their
// combination.
func (f *faults) fields(path string, line int, n *yaml.Node, t reflect.Type) {
	before := len(f.found)
	known, others := keysOf(t)
	seen := map[string]int{}
	for i := 0; i < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		if is := kindOf(key); is != scalar {
			f.at(key.Line, "%s: a key must be text, is %s", cmp.Or(path, "the file"), is)
			continue
		}
		childPath := strings.TrimPrefix(path+"."+key.Value, ".")
		if first, twice := seen[key.Value]; twice {
			f.twice(childPath, key, first)
			continue
		}
		seen[key.Value] = key.Line
		f.lines[childPath] = key.Line
		childType, ok := known[key.Value]
		if !ok {
			childType = others
		}
		if childType == nil {
			f.unknown(path, key)
			continue
		}
		f.shape(childPath, key.Line, value, childType)
	}
	if len(f.found) == before && reflect.PointerTo(t).Implements(reflect.TypeFor[unmarshaler]()) {
		if err := n.Decode(reflect.New(t).Interface()); err != nil {
			f.at(line, "%s: %w", path, err)
		}
	}
}

// unmarshaler is how the types of prometheus/common read YAML, in any version.
type unmarshaler interface {
	UnmarshalYAML(unmarshal func(any) error) error
}

func (f *faults) twice(path string, key *yaml.Node, first int) {
	if key.Line == first {
		f.at(key.Line, "duplicate key %q", key.Value)
		return
	}
	f.at(key.Line, "%s: duplicate key, first set in line %d", path, first)
}

func (f *faults) unknown(path string, key *yaml.Node) {
	if path == "" {
		f.at(key.Line, "unknown key %q", key.Value)
		return
	}
	f.at(key.Line, "unknown key %q in %s", key.Value, path)
}

// keysOf returns the YAML keys of a type and, for a map, the type of all other keys.
func keysOf(t reflect.Type) (known map[string]reflect.Type, others reflect.Type) {
	if t.Kind() == reflect.Map {
		return nil, t.Elem()
	}
	known = map[string]reflect.Type{}
	for _, field := range keyFields(t) {
		of := t.Field(field.index).Type
		switch {
		case field.name == "":
			inner, rest := keysOf(of)
			maps.Copy(known, inner)
			if rest != nil {
				others = rest
			}
		// A reference to a secret manager would be accepted and fail at the first request:
		// these programs support none.
		case !strings.HasSuffix(field.name, "_ref"):
			known[field.name] = of
		}
	}
	return known, others
}

// scalarWord is how a message calls a value of the type; empty for a type that is composed of
// other values, or may be anything.
func scalarWord(t reflect.Type) string {
	switch t {
	case reflect.TypeFor[model.Duration]():
		return "a duration such as 30m or 1d"
	case reflect.TypeFor[config.URL]():
		return "a URL such as http://localhost:9090"
	case reflect.TypeFor[config.TLSVersion]():
		return "a TLS version such as TLS12"
	}
	switch t.Kind() {
	case reflect.String:
		return "text"
	case reflect.Bool:
		return "true or false"
	case reflect.Int:
		return "a whole number"
	case reflect.Float64:
		return "a number"
	}
	return ""
}
