// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package examples

import (
	"bytes"
	"maps"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	monitoringv1 "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"sigs.k8s.io/yaml"

	"github.com/carbon-exporter/carbon_exporter/internal/config"
	"github.com/carbon-exporter/carbon_exporter/internal/e2e/built"
	"github.com/carbon-exporter/carbon_exporter/internal/manifests"
	"github.com/carbon-exporter/carbon_exporter/internal/rules"
)

// cluster is what the manifests put into one.
type cluster struct {
	config   corev1.ConfigMap
	set      appsv1.StatefulSet
	service  corev1.Service
	monitor  monitoringv1.ServiceMonitor
	networks networkingv1.NetworkPolicy
}

// applied decodes the manifests as a cluster does: an unknown key is an error.
func applied(t *testing.T) *cluster {
	t.Helper()
	c := &cluster{}
	kinds := map[string]any{
		"apps/v1 StatefulSet": &c.set, "v1 ConfigMap": &c.config, "v1 Service": &c.service,
		"monitoring.coreos.com/v1 ServiceMonitor": &c.monitor, "networking.k8s.io/v1 NetworkPolicy": &c.networks,
	}
	for _, path := range append(glob(t, "kubernetes/*.yml"), glob(t, "kubernetes/*/*.yml")...) {
		for doc := range bytes.SplitSeq(read(t, path), []byte("\n---\n")) {
			var head struct{ APIVersion, Kind string }
			if err := yaml.Unmarshal(doc, &head); err != nil {
				t.Fatalf("%s: %v", path, err)
			}
			kind := head.APIVersion + " " + head.Kind
			if kinds[kind] == nil {
				t.Fatalf("%s: an unexpected or second %s", path, kind)
			}
			strict(t, doc, kinds[kind])
			delete(kinds, kind)
		}
	}
	if len(kinds) > 0 {
		t.Fatalf("no manifest has %q", slices.Collect(maps.Keys(kinds)))
	}
	return c
}

func strict(t *testing.T, doc []byte, object any) {
	t.Helper()
	if err := yaml.UnmarshalStrict(doc, object); err != nil {
		t.Fatalf("%v\n%.300s", err, doc)
	}
}

func TestKubernetesTakesTheManifests(t *testing.T) {
	c := applied(t)
	if _, err := config.Parse("carbon.yml", []byte(c.config.Data["carbon.yml"])); err != nil {
		t.Error(err)
	}
	if n := *c.set.Spec.Replicas; n != 1 {
		t.Errorf("%d exporters on one store", n)
	}
	// The flags are those of the program.
	check := exec.Command(built.Program(t, "carbon_exporter"), append(c.set.Spec.Template.Spec.Containers[0].Args, "--config.check")...)
	if out, err := check.CombinedOutput(); err == nil || !strings.Contains(string(out), "carbon.yml") {
		t.Errorf("%v: %s", err, out)
	}
}

// A selector with a misspelt label is valid, and selects nothing.
func TestTheManifestsFindEachOther(t *testing.T) {
	c := applied(t)
	pod := c.set.Spec.Template.ObjectMeta.Labels
	for what, selects := range map[string]struct{ selector, labels map[string]string }{
		"the StatefulSet its pods":       {c.set.Spec.Selector.MatchLabels, pod},
		"the Service its pods":           {c.service.Spec.Selector, pod},
		"the NetworkPolicy its pods":     {c.networks.Spec.PodSelector.MatchLabels, pod},
		"the ServiceMonitor its Service": {c.monitor.Spec.Selector.MatchLabels, c.service.Labels},
	} {
		if len(selects.selector) == 0 {
			t.Errorf("%s: no selector", what)
		}
		for label, value := range selects.selector {
			if selects.labels[label] != value {
				t.Errorf("%s: %s=%q is not among %v", what, label, value, selects.labels)
			}
		}
	}
	if got := c.monitor.Spec.Endpoints[0].Port; got != c.service.Spec.Ports[0].Name {
		t.Errorf("the ServiceMonitor scrapes the port %q, the Service has %q", got, c.service.Spec.Ports[0].Name)
	}
	if !c.monitor.Spec.Endpoints[0].HonorLabels {
		t.Error("the ServiceMonitor renames the exporter's labels to exported_...")
	}
}

// The exporter reaches what its configuration names, and Prometheus reaches it.
func TestTheNetworkPolicyLetsThrough(t *testing.T) {
	c := applied(t)
	settings, err := config.Parse("carbon.yml", []byte(c.config.Data["carbon.yml"]))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := ports(c.networks.Spec.Ingress[0].Ports), int(c.set.Spec.Template.Spec.Containers[0].Ports[0].ContainerPort); !slices.Equal(got, []int{want}) {
		t.Errorf("Prometheus reaches the ports %d, the exporter listens on %d", got, want)
	}
	var reached []int
	for _, rule := range c.networks.Spec.Egress {
		if len(rule.To) == 0 {
			t.Error("an egress rule leads anywhere")
		}
		reached = append(reached, ports(rule.Ports)...)
	}
	for what, port := range map[string]int{
		"DNS": 53, "MongoDB": 27017,
		"Prometheus":               portOf(t, settings.Prometheus.URL.String()),
		"the carbon intensity API": portOf(t, settings.CarbonIntensity.UK.URL.String()),
	} {
		if !slices.Contains(reached, port) {
			t.Errorf("%s, on port %d, is out of reach: only %d are not", what, port, reached)
		}
	}
}

func ports(of []networkingv1.NetworkPolicyPort) (all []int) {
	for _, p := range of {
		all = append(all, p.Port.IntValue())
	}
	return all
}

func portOf(t *testing.T, address string) int {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	if u.Port() == "" {
		return map[string]int{"http": 80, "https": 443}[u.Scheme]
	}
	port, err := strconv.Atoi(u.Port())
	if err != nil {
		t.Fatal(err)
	}
	return port
}

// What `make kubernetes` writes says what the files say that it is made of.
func TestARuleInAClusterIsTheRuleOutsideOfOne(t *testing.T) {
	files, err := rules.Files(rules.Links{})
	if err != nil {
		t.Fatal(err)
	}
	var object monitoringv1.PrometheusRule
	strict(t, []byte(manifests.Rules(rules.Joined(files), "stack")), &object)
	if object.Labels["release"] != "stack" {
		t.Errorf("labels %v", object.Labels)
	}
	got, err := yaml.Marshal(object.Spec)
	if err != nil {
		t.Fatal(err)
	}
	var want monitoringv1.PrometheusRuleSpec
	strict(t, []byte(rules.Joined(files)), &want)
	outside, err := yaml.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, outside) || len(object.Spec.Groups) != len(files) {
		t.Errorf("in the cluster:\n%s\noutside:\n%s", got, outside)
	}
}

func TestADashboardInAClusterIsTheDashboardOutsideOfOne(t *testing.T) {
	paths, err := filepath.Glob(filepath.Join(root, "dashboards", "*.json"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("%v: %q", err, paths)
	}
	for _, path := range paths {
		name := filepath.Base(path)
		json, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		var object corev1.ConfigMap
		strict(t, []byte(manifests.Dashboard(name, string(json))), &object)
		if got := object.Data[name]; got != string(json) {
			t.Errorf("%s is another in its ConfigMap:\n%.300s", name, got)
		}
		if object.Labels["grafana_dashboard"] != "1" {
			t.Errorf("%s: Grafana's sidecar does not take it with the labels %v", name, object.Labels)
		}
		// What kubectl apply writes into an annotation of it has to fit.
		if len(json) > 250_000 {
			t.Errorf("%s has %d bytes, too many for kubectl apply", name, len(json))
		}
	}
}
