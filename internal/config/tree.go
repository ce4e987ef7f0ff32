// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package config

import (
	"bytes"
	"errors"
	"io"

	"go.yaml.in/yaml/v3"
)

// maxValues bounds the values that aliases expand to. Without them no file of maxSize has as
// many values.
const maxValues = maxSize

var (
	errSeveral = errors.New("has several YAML documents, but only one is allowed")
	errBomb    = errors.New("has aliases that expand to more than a million values")
)

// lineError is a fault with its line.
type lineError struct {
	line int
	error
}

// readTree reads the file's only document and expands aliases and merge keys (<<), so that
// readers of the tree need not know either. An empty file is nil.
func readTree(text []byte) (*yaml.Node, error) {
	var document, more yaml.Node
	documents := yaml.NewDecoder(bytes.NewReader(text))
	if err := documents.Decode(&document); errors.Is(err, io.EOF) {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	if err := documents.Decode(&more); err == nil {
		return nil, errSeveral
	} else if !errors.Is(err, io.EOF) {
		return nil, err
	}
	w := writer{done: map[*yaml.Node]*yaml.Node{}, size: map[*yaml.Node]int{}}
	return w.write(document.Content[0])
}

// writer expands a tree. What an alias refers to is expanded once and shared, so that aliases
// of aliases are counted before they cost anything.
type writer struct {
	done   map[*yaml.Node]*yaml.Node // by source node; nil: in progress
	size   map[*yaml.Node]int        // number of values of an expanded node, shared ones included
	merged int                       // keys examined for merging
}

func (w *writer) write(n *yaml.Node) (*yaml.Node, error) {
	line := n.Line
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	if out, begun := w.done[n]; out != nil {
		return out, nil
	} else if begun {
		return nil, lineError{line, errors.New("not valid YAML: anchor '" + n.Anchor + "' value contains itself")}
	}
	w.done[n] = nil
	out := *n
	out.Anchor, out.Content = "", nil
	var err error
	if n.Kind == yaml.MappingNode {
		out.Content, err = w.fields(n)
	} else {
		out.Content, err = w.list(n.Content)
	}
	if err != nil {
		return nil, err
	}
	size := 1
	for _, child := range out.Content {
		size += w.size[child]
	}
	if size > maxValues {
		return nil, errBomb
	}
	w.done[n], w.size[&out] = &out, size
	return &out, nil
}

func (w *writer) list(items []*yaml.Node) ([]*yaml.Node, error) {
	all := make([]*yaml.Node, len(items))
	for i, item := range items {
		var err error
		if all[i], err = w.write(item); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// fields returns a mapping's own keys and values, then those merged into it that it lacks: of
// several mappings the first wins.
func (w *writer) fields(n *yaml.Node) ([]*yaml.Node, error) {
	var own, merges []*yaml.Node
	seen := map[string]bool{}
	for i := 0; i < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		if key.ShortTag() != "!!merge" {
			own = append(own, key, value)
			seen[key.Value] = true
			continue
		}
		if merges != nil {
			return nil, lineError{key.Line, errors.New("duplicate key \"<<\"")}
		}
		value, err := w.write(value)
		if err != nil {
			return nil, err
		}
		if merges = []*yaml.Node{value}; value.Kind == yaml.SequenceNode {
			merges = value.Content
		}
		for _, from := range merges {
			if from.Kind != yaml.MappingNode {
				return nil, lineError{key.Line, errors.New("<<: must be a mapping or a list of mappings")}
			}
		}
	}
	all, err := w.list(own)
	for _, from := range merges {
		if w.merged += len(from.Content); w.merged > maxValues {
			return nil, errBomb
		}
		for i := 0; i < len(from.Content); i += 2 {
			if key := from.Content[i]; !seen[key.Value] {
				seen[key.Value] = true
				all = append(all, key, from.Content[i+1])
			}
		}
	}
	return all, err
}

// The kinds of values, as messages call them.
const (
	null    = "nothing"
	scalar  = "a plain value"
	list    = "a list"
	mapping = "a mapping"
)

func kindOf(n *yaml.Node) string {
	switch {
	case n.Kind == yaml.MappingNode:
		return mapping
	case n.Kind == yaml.SequenceNode:
		return list
	case n.ShortTag() == "!!null":
		return null
	}
	return scalar
}
