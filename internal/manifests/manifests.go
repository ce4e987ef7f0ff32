// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Package manifests wraps rules and dashboards into the Kubernetes objects that
// kube-prometheus-stack looks for. It must not know what they say: both pass through as text, so
// that what runs in a cluster is what is tested outside of one. Start with Rules.
package manifests

import (
	"fmt"
	"path/filepath"
	"strings"
)

// Rules returns a PrometheusRule with the groups of a rule file. Prometheus takes those with the
// name of its Helm release in the label release.
func Rules(file, release string) string {
	return fmt.Sprintf(`apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  name: carbon-exporter
  labels:
    app.kubernetes.io/name: carbon-exporter
    release: %q
spec:
%s`, release, indented(file, "  "))
}

// Dashboard returns a ConfigMap with one dashboard. Grafana's sidecar takes those with the label
// grafana_dashboard.
func Dashboard(file, json string) string {
	return fmt.Sprintf(`apiVersion: v1
kind: ConfigMap
metadata:
  name: %s
  labels:
    app.kubernetes.io/name: carbon-exporter
    grafana_dashboard: "1"
data:
  %s: |
%s`, strings.TrimSuffix(file, filepath.Ext(file)), file, indented(json, "    "))
}

// indented moves every line that is not empty to the right, so that text becomes part of a YAML
// document: what is empty in a block stays a line of it.
func indented(text, by string) string {
	var out strings.Builder
	for line := range strings.Lines(text) {
		if line != "\n" {
			out.WriteString(by)
		}
		out.WriteString(line)
	}
	return out.String()
}
