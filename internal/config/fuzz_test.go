package config

import (
	"os"
	"strings"
	"testing"
)

// FuzzParse holds the laws of any text: Parse ends, each line of its error names
// the file, and what it takes is the same after a way through Redacted.
func FuzzParse(f *testing.F) {
	for _, path := range append(files(f, "testdata/*.yml"), files(f, "../../examples/*.yml")...) {
		text, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		c, err := Parse("carbon.yml", text)
		if err != nil {
			if !strings.HasPrefix(err.Error(), "carbon.yml:") {
				t.Fatalf("error without the file: %v", err)
			}
			return
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
