// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package profiles_test

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/carbon-exporter/carbon_exporter/internal/config"
)

// Every line of a profile is the default of a key: a file that has the key with another value
// has that one, and all others of the profile.
func TestEveryLineCanBeOverridden(t *testing.T) {
	for _, name := range config.Profiles() {
		t.Run(name, func(t *testing.T) {
			printed := flat(t, tool(t, "profiles", name))
			base := inForce(t, nil, name)
			for _, path := range slices.Sorted(maps.Keys(printed)) {
				if !reflect.DeepEqual(base[path], printed[path]) {
					t.Errorf("%s is %v, the profile says %v", path, base[path], printed[path])
				}
				value := instead(path, printed[path])
				got := inForce(t, []string{path, value}, name)
				want := maps.Clone(base)
				want[path] = decoded(t, value)
				if path == "labels.host" { // other series of a host have the same label, unless it is said
					want["processors.labels.host"], want["memory.labels.host"] = want[path], want[path]
				}
				if !reflect.DeepEqual(got, want) {
					t.Errorf("with %s: %s, the section is\n%v, want\n%v", path, value, got, want)
				}
			}
			if len(printed) < 5 {
				t.Errorf("the profile has only %v", printed)
			}
		})
	}
}

// instead is a valid value other than that of the profile.
func instead(path string, was any) string {
	last := path[strings.LastIndex(path, ".")+1:]
	switch {
	case last == "info":
		return `[{query: another_info, by: [` + map[bool]string{true: "pod", false: ""}[strings.Contains(path, "shares")] + `], labels: {project: another}}]`
	case strings.HasSuffix(last, "_query"):
		return fmt.Sprintf("another_query * (%v)", strings.ReplaceAll(fmt.Sprint(was), "\n", " "))
	case reflect.TypeOf(was) == reflect.TypeFor[[]any]():
		return "[another]"
	case last == "unit":
		return "us"
	case last == "matchers":
		return `'another="1"'`
	}
	return "another_" + strings.ReplaceAll(last, ".", "_")
}

// inForce is the section prometheus of a configuration with a profile and perhaps one more key.
func inForce(t *testing.T, key []string, profile string) map[string]any {
	t.Helper()
	text := "prometheus:\n  profile: " + profile + "\n"
	if key != nil {
		parts := strings.Split(key[0], ".")
		for i, part := range parts {
			text += strings.Repeat("  ", i+1) + part + ":"
			if i+1 < len(parts) {
				text += "\n"
			}
		}
		text += " " + key[1] + "\n"
	}
	c, err := config.Parse("carbon.yml", []byte(text))
	if err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	whole, err := c.Redacted()
	if err != nil {
		t.Fatal(err)
	}
	return flat(t, whole)
}

// flat are the values of the section prometheus by the path of their key. A list is one value.
func flat(t *testing.T, text string) map[string]any {
	t.Helper()
	var file map[string]any
	if err := yaml.Unmarshal([]byte(text), &file); err != nil {
		t.Fatal(err)
	}
	all := map[string]any{}
	var walk func(path string, node any)
	walk = func(path string, node any) {
		keys, isMap := node.(map[string]any)
		if !isMap {
			all[path] = plain(node)
			return
		}
		for key, value := range keys {
			walk(strings.TrimPrefix(path+"."+key, "."), value)
		}
	}
	walk("", file["prometheus"])
	return all
}

// plain leaves out of a value what is not said: an empty label of an info is no label.
func plain(node any) any {
	switch n := node.(type) {
	case map[string]any:
		all := map[string]any{}
		for key, value := range n {
			if v := plain(value); v != nil && !reflect.DeepEqual(v, map[string]any{}) && !reflect.DeepEqual(v, []any{}) {
				all[key] = v
			}
		}
		return all
	case []any:
		all := []any{}
		for _, value := range n {
			all = append(all, plain(value))
		}
		return all
	case string:
		if n = strings.TrimSpace(n); n == "" {
			return nil
		}
		return n
	}
	return node
}

func decoded(t *testing.T, value string) any {
	t.Helper()
	var v any
	if err := yaml.Unmarshal([]byte(value), &v); err != nil {
		t.Fatal(err)
	}
	return plain(v)
}
