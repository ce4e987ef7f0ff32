// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package config

import (
	"os"
	"reflect"
	"strings"
	"testing"
)

// FuzzParse holds the laws of any text: Parse ends, each line of its error names
// the file, an error is never long, a text that sets nothing means the defaults,
// and what Parse takes is the same after a way through Redacted.
func FuzzParse(f *testing.F) {
	for _, path := range append(files(f, "testdata/*.yml"), files(f, "../../examples/*.yml")...) {
		text, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	for _, text := range []string{
		"", "---\n", "{}", "~", "# nothing\n...\n", "<<: {interval: 1h}", "power: {machines: {A: &a {<<: [*a]}}}",
		"power: &p {<<: {pue: 1}, machines: {A: *p}}", "? [a]\n: b", `power: {machines: {"<<": {busy_watts: 1}, "=": {}, "~": {}, "1e3": {}, "no": {}}}`, "%YAML 1.1\n---\n!!map {!!str interval: !!str 1h}",
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		c, err := Parse("carbon.yml", text)
		if err != nil {
			if !strings.HasPrefix(err.Error(), "carbon.yml:") || len(err.Error()) > maxFaults*2*maxFaultBytes {
				t.Fatalf("error without the file, or without end: %v", err)
			}
			return
		}
		if IsEmpty(text) && !reflect.DeepEqual(*c, Default()) {
			t.Fatalf("%q sets nothing and means %+v", text, c)
		}
		first, err := c.Redacted()
		if err != nil {
			t.Fatal(err)
		}
		again, err := Parse("carbon.yml", []byte(first))
		if err != nil {
			t.Fatalf("%v, in\n%s", err, first)
		}
		if second, err := again.Redacted(); err != nil || second != first {
			t.Fatalf("%v; redacted twice\n%s\nredacted once\n%s", err, second, first)
		}
	})
}
