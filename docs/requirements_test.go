// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package docs

import (
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestTheVersionsThatTestsRunAreThoseOfTheModules: requirements.md says what the tests run, and
// the go.mod files decide it.
func TestTheVersionsThatTestsRunAreThoseOfTheModules(t *testing.T) {
	page := read(t, "requirements.md")
	for _, c := range []struct{ what, module, version, says string }{
		{"Go, for everything", "internal/e2e", `go (\S+)`, "| Go | %s |"},
		{"Go, for the dashboards", "dashboards", `go (\S+)`, "| Go | %s |"},
		{"Go, for the programs", ".", `go (\S+)`, "build with %s |"},
		{"Prometheus", "tools/prometheus", `github.com/prometheus/prometheus v0.3(\S+)`, "by hand | 3.%s |"},
		{"node_exporter", "tools/node_exporter", `github.com/prometheus/node_exporter v(\S+)`, "| %s, in `make stack` |"},
		{"VictoriaMetrics", "tools/victoriametrics", `github.com/VictoriaMetrics/VictoriaMetrics v(\S+)`, "(upstreams.md) | %s,"},
		{"Thanos", "tools/thanos", `github.com/thanos-io/thanos v(\S+)`, ", %s, "},
		{"Cortex", "tools/cortex", `github.com/cortexproject/cortex v(\S+)`, ", %s |"},
		{"Alertmanager", "tools/alertmanager", `github.com/prometheus/alertmanager v(\S+)`, "| %s, with `amtool` |"},
		{"Kubernetes", "internal/e2e", `k8s.io/api v0\.(\d+)`, "the types of 1.%s |"},
		{"the Prometheus Operator", "internal/e2e", `prometheus-operator/pkg/apis/monitoring v(\d+\.\d+)`, "the types of operator %s |"},
		{"Helm", "tools/deploy", `helm.sh/helm/v3 v(\S+)`, "| %s's own code |"},
		{"jsonnet", "tools/deploy", `github.com/google/go-jsonnet v(\S+)`, "| go-jsonnet %s |"},
		{"Kubernetes, for the chart", "tools/deploy", `k8s.io/api v0\.(\d+)`, "the types of 1.%s |"},
		{"the Prometheus Operator, for the chart", "tools/deploy", `prometheus-operator/pkg/apis/monitoring v(\d+\.\d+)`, "the types of operator %s |"},
		{"FerretDB", "internal/e2e", `github.com/FerretDB/FerretDB v(\d+\.\d+)`, "| FerretDB %s,"},
		{"MongoDB's driver", ".", `go.mongodb.org/mongo-driver/v2 v(\d+\.\d+)`, "its Go driver %s connects"},
	} {
		m := regexp.MustCompile(c.version).FindStringSubmatch(read(t, filepath.Join(root, c.module, "go.mod")))
		if m == nil {
			t.Errorf("%s: %s/go.mod has no version of it", c.what, c.module)
			continue
		}
		if row := strings.Replace(c.says, "%s", m[1], 1); !strings.Contains(page, row) {
			t.Errorf("%s: the page does not say %q, which %s/go.mod does", c.what, row, c.module)
		}
	}
}
