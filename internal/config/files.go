// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package config

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/prometheus/common/config"
)

// File is a file that a configuration names.
type File struct {
	Key  string // such as prometheus.basic_auth.password_file
	Path string // relative to the working directory, or absolute
}

// Files returns the files that a configuration names, in the order of the keys of Config. They
// are found by the names of the keys, so that new keys are included.
func (c *Config) Files() []File { return FilesIn(c) }

// FilesIn does the same for one section, given by its pointer.
func FilesIn(section any) []File {
	var all []File
	eachFile("", reflect.ValueOf(section), func(key string, path reflect.Value) {
		if path.String() != "" {
			all = append(all, File{key, path.String()})
		}
	})
	return all
}

// eachFile calls f with each key in v that has the name of a file.
func eachFile(path string, v reflect.Value, f func(key string, path reflect.Value)) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			eachFile(path, v.Elem(), f)
		}
	case reflect.Struct:
		for _, field := range keyFields(v.Type()) {
			child, inner := v.Field(field.index), join(path, field.name)
			switch {
			case (field.name == "file" || strings.HasSuffix(field.name, "_file")) && child.Kind() == reflect.String:
				f(inner, child)
			case field.name == "files" && child.Kind() == reflect.Slice:
				for i := range child.Len() {
					f(fmt.Sprintf("%s[%d]", inner, i), child.Index(i))
				}
			default:
				eachFile(inner, child, f)
			}
		}
	case reflect.Slice:
		for i := range v.Len() {
			eachFile(fmt.Sprintf("%s[%d]", path, i), v.Index(i), f)
		}
	case reflect.Map:
		if v.Type().Key().Kind() == reflect.String {
			for _, key := range sortedKeys(v) {
				eachFile(join(path, key.String()), v.MapIndex(key), f)
			}
		}
	}
}

func sortedKeys(m reflect.Value) []reflect.Value {
	byName := map[string]reflect.Value{}
	for _, key := range m.MapKeys() {
		byName[key.String()] = key
	}
	var keys []reflect.Value
	for _, name := range slices.Sorted(maps.Keys(byName)) {
		keys = append(keys, byName[name])
	}
	return keys
}

// Changes returns the keys whose values differ between two configurations, without the values:
// some are secrets.
func Changes(was, is *Config) []string {
	return changes("", reflect.ValueOf(was), reflect.ValueOf(is))
}

func changes(path string, was, is reflect.Value) (keys []string) {
	if was.Kind() == reflect.Pointer && !was.IsNil() && !is.IsNil() {
		was, is = was.Elem(), is.Elem()
	}
	// Field by field, because the client of a configuration in use also stores things in it
	// that are not keys.
	if fields := keyFields(was.Type()); len(fields) > 0 {
		for _, field := range fields {
			keys = append(keys, changes(join(path, field.name), was.Field(field.index), is.Field(field.index))...)
		}
		return keys
	}
	if !reflect.DeepEqual(was.Interface(), is.Interface()) {
		keys = []string{path}
	}
	return keys
}

// keyField is a field of a struct that is a key in YAML. An inlined field has no name; its own
// keys are among those of the struct.
type keyField struct {
	index int
	name  string
}

func keyFields(t reflect.Type) (fields []keyField) {
	if t.Kind() != reflect.Struct {
		return nil
	}
	for i := range t.NumField() {
		name, options, tagged := strings.Cut(t.Field(i).Tag.Get("yaml"), ",")
		if inline := tagged && slices.Contains(strings.Split(options, ","), "inline"); name != "" || inline {
			fields = append(fields, keyField{i, name})
		}
	}
	return fields
}

func join(path, key string) string {
	if path == "" || key == "" {
		return path + key
	}
	return path + "." + key
}

// setDirectory makes file names relative to the configuration file.
func (c *CarbonIntensity) setDirectory(dir string) {
	of := func(k Kinds) {
		for _, one := range k.all() {
			if at, ok := one.(asked); ok {
				setDirectoryOfClient(&at.endpoint().HTTPClientConfig, dir)
			}
			if with, ok := one.(interface{ tokenFile() *string }); ok {
				*with.tokenFile() = config.JoinDir(dir, *with.tokenFile())
			}
		}
	}
	setDirectoryOfClient(&c.UK.HTTPClientConfig, dir)
	c.each(func(_ string, s *Source) { of(s.Kinds) })
}
