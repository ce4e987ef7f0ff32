// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package exporter

import (
	"bytes"
	"strings"
	"testing"

	"github.com/prometheus/common/version"

	"github.com/carbon-exporter/carbon_exporter/cmd/internal/manual/manualtest"
)

func TestManualPage(t *testing.T) {
	was := version.BuildDate
	t.Cleanup(func() { version.BuildDate = was })
	version.BuildDate = "20261101-12:00:00"
	var out, said bytes.Buffer
	if code := Run([]string{"--help-man"}, &out, &said); code != exitDone || said.Len() > 0 {
		t.Fatalf("exit code %d, stderr %q", code, said.String())
	}
	manualtest.Lint(t, out.String())
	read := manualtest.Read(t, out.String())
	for _, want := range []string{"November 1, 2026", "--storage.retention=", "EXIT STATUS 0 ", " 3 The store cannot be used.", "carbontool(1)"} {
		if !strings.Contains(read, want) {
			t.Errorf("%q is not in it:\n%s", want, read)
		}
	}
}
