// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package parts

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/config"
	"github.com/carbon-exporter/carbon_exporter/internal/readfile/readfiletest"
)

func TestASecretThatIsAPipeDoesNotHangAReload(t *testing.T) {
	pipe := filepath.Join(t.TempDir(), "pipe")
	if err := readfiletest.Pipe(pipe); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*config.Config){
		"mongodb.uri_file": func(c *config.Config) { c.MongoDB = &config.MongoDB{URIFile: pipe, Database: "ada"} },
		"attribution.pseudonym_key_file": func(c *config.Config) {
			c.Attribution.UserLabel, c.Attribution.PseudonymKeyFile = config.UserLabelPseudonym, pipe
		},
	} {
		c := config.Default()
		change(&c)
		if _, err := New(&c, nil, time.Now, false, nil); err == nil || !strings.Contains(err.Error(), "must be a regular file") {
			t.Errorf("%s: got %v", name, err)
		}
	}
}
