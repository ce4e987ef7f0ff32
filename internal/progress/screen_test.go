// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package progress

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

func TestWhatIsNoTerminal(t *testing.T) {
	file, err := os.Create(filepath.Join(t.TempDir(), "file"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	from, to, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer from.Close()
	defer to.Close()
	for name, stream := range map[string]any{
		"a buffer": &bytes.Buffer{}, "a file": file, "a pipe": to, "nothing": nil, "a closed file": (*os.File)(nil),
	} {
		if columns, redraws := Screen(stream); columns != 0 || redraws || Terminal(stream) {
			t.Errorf("%s is taken for a terminal of %d columns", name, columns)
		}
	}
}
