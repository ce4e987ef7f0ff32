// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package docs

import (
	"regexp"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/carbon-exporter/carbon_exporter/internal/config"
)

var block = regexp.MustCompile("(?ms)^```yaml\n(.*?)^```$")

// TestBlocksOfYAMLAreTaken: what a reader copies from a page, the program takes. Blocks for other
// programs are YAML at least; internal/e2e/examples gives those for Prometheus to Prometheus, and
// tools/deploy/chart those for the chart to Helm.
func TestBlocksOfYAMLAreTaken(t *testing.T) {
	ours := 0
	for _, path := range documents(t) {
		for _, m := range block.FindAllStringSubmatch(read(t, path), -1) {
			var keys map[string]any
			if err := yaml.Unmarshal([]byte(m[1]), &keys); err != nil {
				t.Errorf("%s: %v in\n%s", path, err, m[1])
				continue
			}
			if ofAnother(keys) {
				continue
			}
			ours++
			if _, err := config.Parse("carbon.yml", []byte(m[1])); err != nil {
				t.Errorf("%s: %v in\n%s", path, err, m[1])
			}
		}
	}
	if ours < 4 {
		t.Errorf("%d blocks of configuration were found: where are the others?", ours)
	}
}

// ofAnother tells by its keys whether a block is the configuration of another program.
func ofAnother(keys map[string]any) bool {
	for theirs := range strings.FieldsSeq("scrape_configs otlp rule_files remote_write alerting apiVersion groups services route stages jobs serviceMonitor") {
		if _, ok := keys[theirs]; ok {
			return true
		}
	}
	return false
}
