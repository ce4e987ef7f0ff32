package config

import (
	"bytes"
	"errors"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v2"
)

// node is one value of the file and where it stands. The YAML package keeps its
// own tree to itself and tells a line only in some of its errors; this tree is
// what lets every fault name both line and key.
type node struct {
	kind   kind
	line   int               // 0 for a null, which is never handed to UnmarshalYAML
	text   string            // of a scalar, as written
	fields []field           // of a mapping, by line
	items  []node            // of a list
	decode func(v any) error // decodes this value, strictly
}

type kind int

const (
	null kind = iota
	scalar
	list
	mapping
)

// String is what a message calls the kind.
func (k kind) String() string {
	return [...]string{"nothing", "a plain value", "a list", "a mapping"}[k]
}

// field is one key of a mapping and its value.
type field struct {
	key
	value node
}

// key holds its line too, so that a mapping with a key twice keeps both and the
// second can be reported. Twice in one line is left to the YAML package.
type key struct {
	name string
	line int
}

// GoString is how the YAML package prints a key that is there twice.
func (k key) GoString() string { return strconv.Quote(k.name) }

// UnmarshalYAML reads the key's name and its line.
func (k *key) UnmarshalYAML(unmarshal func(any) error) error {
	k.line, _ = place(unmarshal)
	return unmarshal(&k.name)
}

// UnmarshalYAML reads the value and all that is in it.
func (n *node) UnmarshalYAML(unmarshal func(any) error) error {
	n.decode = unmarshal
	n.line, n.kind = place(unmarshal)
	switch n.kind {
	case mapping:
		fields := map[key]node{}
		if err := unmarshal(&fields); err != nil {
			return err
		}
		for k, v := range fields {
			n.fields = append(n.fields, field{k, v})
		}
		slices.SortFunc(n.fields, func(a, b field) int {
			if a.line != b.line {
				return a.line - b.line
			}
			return strings.Compare(a.name, b.name)
		})
		return nil
	case list:
		return unmarshal(&n.items)
	default:
		return unmarshal(&n.text)
	}
}

var misfit = regexp.MustCompile("^line ([0-9]+): cannot unmarshal (!![a-z]+)?")

// place asks for something that no YAML can be, because the refusal says what
// the value is and in which line.
func place(unmarshal func(any) error) (int, kind) {
	var impossible chan struct{}
	refusal := new(yaml.TypeError)
	if !errors.As(unmarshal(&impossible), &refusal) {
		return 0, null
	}
	found := misfit.FindStringSubmatch(refusal.Errors[0])
	if found == nil {
		return 0, scalar
	}
	line, _ := strconv.Atoi(found[1])
	switch found[2] {
	case "!!map":
		return line, mapping
	case "!!seq":
		return line, list
	}
	return line, scalar
}

var errSeveral = errors.New("holds several YAML documents, must be one")

// readTree reads the file's one document; an empty file is a null.
func readTree(text []byte) (node, error) {
	var root, more node
	documents := yaml.NewDecoder(bytes.NewReader(text))
	documents.SetStrict(true)
	if err := documents.Decode(&root); errors.Is(err, io.EOF) {
		return node{}, nil
	} else if err != nil {
		return node{}, err
	}
	if err := documents.Decode(&more); err == nil {
		return node{}, errSeveral
	} else if !errors.Is(err, io.EOF) {
		return node{}, err
	}
	return root, nil
}
