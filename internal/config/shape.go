package config

import (
	"cmp"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/prometheus/common/config"
	"github.com/prometheus/common/model"
	"go.yaml.in/yaml/v2"
)

// shape compares the tree with the type that is to hold it and reports what does
// not fit: unknown keys, keys that are there twice, values of another type or of
// none. What it lets through decodes.
func (f *faults) shape(path string, line int, n node, t reflect.Type) {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if n.kind == null {
		// YAML would put a zero there, which is no default and often no valid value:
		// a section whose keys are all commented out is the common case.
		f.at(line, "%s: has no value; leave the key out for its default", path)
		return
	}
	if word := scalarWord(t); word != "" {
		f.scalar(path, line, n, t, word)
		return
	}
	switch t.Kind() {
	case reflect.Slice:
		if f.want(path, line, n, list) {
			for i, item := range n.items {
				itemPath := fmt.Sprintf("%s[%d]", path, i)
				f.lines[itemPath] = cmp.Or(item.line, line)
				f.shape(itemPath, f.lines[itemPath], item, t.Elem())
			}
		}
	case reflect.Map, reflect.Struct:
		if f.want(path, line, n, mapping) {
			f.fields(path, line, n, t)
		}
	}
}

// want reports a value that is not of the kind.
func (f *faults) want(path string, line int, n node, k kind) bool {
	if n.kind != k {
		f.at(line, "%s: must be %s, is %s", path, k, n.kind)
	}
	return n.kind == k
}

// scalar reports a value that its type does not take. A text is never the fault
// of its value, so no message can show a secret; a URL may hold one.
func (f *faults) scalar(path string, line int, n node, t reflect.Type, word string) {
	if n.kind != scalar {
		f.at(line, "%s: must be %s, is %s", path, word, n.kind)
		return
	}
	// YAML cuts 13.7 down to the whole number 13 without a word.
	if t.Kind() == reflect.Int {
		var v any
		if err := n.decode(&v); err == nil && reflect.TypeOf(v) == t {
			return
		}
	} else if err := n.decode(reflect.New(t).Interface()); err == nil {
		return
	}
	if t == reflect.TypeFor[config.URL]() {
		f.at(line, "%s: must be %s", path, word)
		return
	}
	f.at(line, "%s: must be %s, is %q", path, word, n.text)
}

// fields reports the keys of a mapping, then whatever the type itself finds
// wrong with them together.
func (f *faults) fields(path string, line int, n node, t reflect.Type) {
	before := len(f.found)
	known, others := keysOf(t)
	seen := map[string]int{}
	for _, child := range n.fields {
		childPath := strings.TrimPrefix(path+"."+child.name, ".")
		if first, twice := seen[child.name]; twice {
			f.at(child.line, "%s: is there twice, first in line %d", childPath, first)
			continue
		}
		seen[child.name] = child.line
		f.lines[childPath] = child.line
		childType, ok := known[child.name]
		if !ok {
			childType = others
		}
		if childType == nil {
			f.unknown(path, child)
			continue
		}
		f.shape(childPath, child.line, child.value, childType)
	}
	if len(f.found) == before && reflect.PointerTo(t).Implements(reflect.TypeFor[yaml.Unmarshaler]()) {
		if err := n.decode(reflect.New(t).Interface()); err != nil {
			f.at(line, "%s: %w", path, err)
		}
	}
}

func (f *faults) unknown(path string, child field) {
	if path == "" {
		f.at(child.line, "unknown key %q", child.name)
		return
	}
	f.at(child.line, "unknown key %q in %s", child.name, path)
}

// keysOf is the YAML keys of a type and, for a map, the type of all other keys.
func keysOf(t reflect.Type) (known map[string]reflect.Type, others reflect.Type) {
	if t.Kind() == reflect.Map {
		return nil, t.Elem()
	}
	known = map[string]reflect.Type{}
	for i := range t.NumField() {
		name, options, _ := strings.Cut(t.Field(i).Tag.Get("yaml"), ",")
		switch {
		case slices.Contains(strings.Split(options, ","), "inline"):
			inner, rest := keysOf(t.Field(i).Type)
			for name, inlined := range inner {
				known[name] = inlined
			}
			if rest != nil {
				others = rest
			}
		// A reference to a secret manager would be taken and fail at the first
		// request: these programs have none.
		case name != "" && !strings.HasSuffix(name, "_ref"):
			known[name] = t.Field(i).Type
		}
	}
	return known, others
}

// scalarWord is what a message calls a value of the type; empty for what is made
// of other values, or may be anything.
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
