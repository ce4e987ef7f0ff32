// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"
	"helm.sh/helm/v3/pkg/lint"
	"helm.sh/helm/v3/pkg/lint/support"
)

func TestHelmHasNothingToSay(t *testing.T) {
	c, err := assemble(root)
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), name)
	for path, text := range c.files {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, path)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, path), text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, values := range []string{"", everything} {
		var given map[string]any
		if err := yaml.Unmarshal([]byte(values), &given); err != nil {
			t.Fatal(err)
		}
		for _, m := range lint.All(dir, given, "monitoring", true).Messages {
			if m.Severity > support.InfoSev || !strings.Contains(m.Err.Error(), "icon is recommended") {
				t.Error(m)
			}
		}
	}
}

func TestThePackageIsReproducible(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	var first []byte
	for range 5 {
		c, err := assemble(root)
		if err != nil {
			t.Fatal(err)
		}
		again, err := c.archive(at)
		if err != nil {
			t.Fatal(err)
		}
		if first == nil {
			first = again
		}
		if !bytes.Equal(first, again) {
			t.Fatal("two packages of the same files differ")
		}
	}
}

// Helm keeps a release in a Secret: the chart and what was rendered, as gzipped JSON in base64.
func TestAReleaseHasRoomInASecret(t *testing.T) {
	r := install(t, "carbon-exporter", everything)
	text, err := json.Marshal(map[string]any{"chart": r.chart, "manifest": r.manifest})
	if err != nil {
		t.Fatal(err)
	}
	var kept bytes.Buffer
	zip := gzip.NewWriter(&kept)
	if _, err := zip.Write(text); err != nil {
		t.Fatal(err)
	}
	if err := zip.Close(); err != nil {
		t.Fatal(err)
	}
	if size := base64.StdEncoding.EncodedLen(kept.Len()); size > 1<<20*3/4 {
		t.Errorf("a release has %d bytes: of the 1 MiB of a Secret, a quarter is for the values of a site", size)
	} else {
		t.Logf("a release has %d bytes", size)
	}
}

func TestWriteNamesThePackageByItsVersion(t *testing.T) {
	dir := t.TempDir()
	path, err := write(root, dir, "2026-01-02T03:04:05Z")
	if err != nil {
		t.Fatal(err)
	}
	if want := filepath.Join(dir, "carbon-exporter-"+strings.TrimSpace(read(t, "VERSION"))+".tgz"); path != want {
		t.Errorf("%s, not %s", path, want)
	}
	if _, err := write(root, dir, "yesterday"); err == nil || !strings.Contains(err.Error(), "-date") {
		t.Errorf("%v", err)
	}
	if _, err := write(dir, dir, "2026-01-02T03:04:05Z"); err == nil {
		t.Error("a directory that is no repository is taken")
	}
}

func TestTheFolderOfTheRepositorySaysThatItIsNotWhole(t *testing.T) {
	for _, c := range []struct{ missing, values string }{
		{"files/rules.yml", "prometheusRule: {enabled: true}"},
		{"files/dashboards/", "dashboards: {enabled: true}"},
	} {
		folder, err := assemble(root)
		if err != nil {
			t.Fatal(err)
		}
		maps.DeleteFunc(folder.files, func(path string, _ []byte) bool { return strings.HasPrefix(path, c.missing) })
		if _, err := tryFiles(t, folder, "carbon-exporter", c.values); err == nil || !strings.Contains(err.Error(), "install what `make chart` writes") {
			t.Errorf("without %s: %v", c.missing, err)
		}
	}
}

func TestBadValuesAreRefused(t *testing.T) {
	for _, c := range []struct{ name, values, says string }{
		{"a misspelt key", "servicemonitor: {enabled: true}", "additional properties 'servicemonitor' not allowed"},
		{"a misspelt key further in", "persistence: {sise: 1Gi}", "additional properties 'sise' not allowed"},
		{"a second replica", "replicas: 2", "additional properties 'replicas' not allowed"},
		{"the configuration as an object", "config: {prometheus: {}}", "at '/config': got object, want string"},
		{"no configuration", "config: ''", "at '/config'"},
		{"a second configuration", "files: {carbon.yml: x}", "at '/files/carbon.yml': false schema"},
		{"a file in a folder", "files: {a/b: x}", "additional properties 'a/b' not allowed"},
		{"a secret with its text", "secrets: [{name: a, uri: mongodb://}]", "additional properties 'uri' not allowed"},
		{"a secret twice", "secrets: [{name: a}, {name: a}]", "at '/secrets'"},
		{"a flag of the chart", "extraArgs: [--storage.path=/tmp/x]", "at '/extraArgs/0'"},
		{"a flag with its value apart", "extraArgs: ['--log.level', debug]", "at '/extraArgs/1'"},
		{"a switch that is text", "dashboards: {enabled: 'yes'}", "at '/dashboards/enabled': got string, want boolean"},
		{"a size in words", "persistence: {size: ten}", "at '/persistence/size'"},
		{"a tag that is a number", "image: {tag: 0.1}", "at '/image/tag': got number, want string"},
		{"a digest that is cut", "image: {digest: 'sha256:12'}", "at '/image/digest'"},
		{"an interval without a unit", "serviceMonitor: {interval: '60'}", "at '/serviceMonitor/interval'"},
		{"a scheme in small letters", "web: {scheme: https}", "at '/web/scheme': value must be one of 'HTTP', 'HTTPS'"},
		{"a label that is a number", "commonLabels: {cost: 12}", "at '/commonLabels/cost': got number, want string"},
		{"a runbook that is no URL", "prometheusRule: {runbookUrl: wiki}", "at '/prometheusRule/runbookUrl'"},
		{"a runbook with a template", "prometheusRule: {runbookUrl: 'https://x/{{ a }}'}", "at '/prometheusRule/runbookUrl'"},
		{"a port out of range", "service: {port: 99770}", "at '/service/port'"},
		{"a name in capitals", "fullnameOverride: Carbon", "at '/fullnameOverride'"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, err := try(t, "carbon-exporter", c.values); err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%q is not in %v", c.says, err)
			}
		})
	}
}

// Every value has a comment above it, and the schema knows it; the schema knows no other.
func TestEveryValueIsExplained(t *testing.T) {
	var doc yaml.Node
	if err := yaml.Unmarshal([]byte(read(t, "charts", name, "values.yaml")), &doc); err != nil {
		t.Fatal(err)
	}
	var schema node
	if err := json.Unmarshal([]byte(read(t, "charts", name, "values.schema.json")), &schema); err != nil {
		t.Fatal(err)
	}
	delete(schema.Properties, "global") // Helm's own
	schema.holds(t, "", doc.Content[0])
}

type node struct {
	Properties map[string]node
	Patterns   map[string]any `json:"patternProperties"`
	Additional any            `json:"additionalProperties"`
}

// UnmarshalJSON also takes the schema false, of a key that nobody may use.
func (n *node) UnmarshalJSON(text []byte) error {
	if string(text) == "false" {
		return nil
	}
	type plain node
	return json.Unmarshal(text, (*plain)(n))
}

func (n node) holds(t *testing.T, at string, values *yaml.Node) {
	t.Helper()
	if n.Additional != false {
		t.Errorf("%s: the schema takes unknown keys", at)
	}
	seen := map[string]bool{}
	for pair := range slices.Chunk(values.Content, 2) {
		key := pair[0].Value
		seen[key] = true
		under, known := n.Properties[key]
		if !known {
			t.Errorf("%s.%s is not in the schema", at, key)
		}
		// What enabled means is said above the whole.
		if pair[0].HeadComment == "" && key != "enabled" && at != ".resources" && under.Properties == nil {
			t.Errorf("%s.%s has no comment", at, key)
		}
		if under.Properties != nil && under.Patterns == nil {
			under.holds(t, at+"."+key, pair[1])
		}
	}
	for key := range n.Properties {
		if !seen[key] && at+"."+key != ".resources.claims" {
			t.Errorf("%s.%s is in the schema, and not in values.yaml", at, key)
		}
	}
}
