// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"sigs.k8s.io/yaml"
)

func TestOddValues(t *testing.T) {
	const long = "a-release-whose-name-has-the-fifty-three-letters-ofit" // Helm takes no longer one
	digest := "sha256:" + strings.Repeat("0123456789abcdef", 4)
	for _, c := range []struct {
		name, release, values, object string
		odd                           func(s appsv1.StatefulSetSpec) bool
	}{
		{
			name: "a digest counts before the tag", values: "image: {repository: r/c, tag: '1', digest: '" + digest + "'}",
			odd: func(s appsv1.StatefulSetSpec) bool { return s.Template.Spec.Containers[0].Image != "r/c@"+digest },
		},
		{
			name: "a claim that exists", values: "persistence: {existingClaim: old}",
			odd: func(s appsv1.StatefulSetSpec) bool {
				return s.VolumeClaimTemplates != nil || s.Template.Spec.Volumes[1].PersistentVolumeClaim.ClaimName != "old"
			},
		},
		{
			name: "no claim", values: "persistence: {enabled: false, existingClaim: old}",
			odd: func(s appsv1.StatefulSetSpec) bool {
				return s.VolumeClaimTemplates != nil || s.Template.Spec.Volumes[1].EmptyDir == nil
			},
		},
		{
			name: "an account of the cluster", values: "serviceAccount: {create: false}",
			odd: func(s appsv1.StatefulSetSpec) bool { return s.Template.Spec.ServiceAccountName != "default" },
		},
		{
			name: "the release has the name of the chart in its own", release: "my-carbon-exporter-2", object: "my-carbon-exporter-2",
			odd: func(s appsv1.StatefulSetSpec) bool {
				return s.Selector.MatchLabels["app.kubernetes.io/instance"] != "my-carbon-exporter-2"
			},
		},
		{
			name: "another release", release: "green", object: "green-carbon-exporter",
			odd: func(s appsv1.StatefulSetSpec) bool { return s.ServiceName != "green-carbon-exporter" },
		},
		{
			// A pod's label has this name and 11 letters more, of 63 at most.
			name: "a long release", release: long, object: long[:52],
			odd: func(s appsv1.StatefulSetSpec) bool { return len(s.ServiceName) > 52 },
		},
		{
			name: "a name of one's own", values: "fullnameOverride: co2", object: "co2",
			odd: func(s appsv1.StatefulSetSpec) bool { return s.Template.Spec.ServiceAccountName != "co2" },
		},
		{
			name: "a label that would undo a selector", values: "commonLabels: {app.kubernetes.io/name: x}\npodLabels: {app.kubernetes.io/instance: other}",
			odd: func(s appsv1.StatefulSetSpec) bool {
				labels := s.Template.Labels
				return labels["app.kubernetes.io/name"] != "carbon-exporter" || labels["app.kubernetes.io/instance"] != "carbon-exporter"
			},
		},
		{
			name: "probes of HTTPS", values: "web: {scheme: HTTPS}",
			odd: func(s appsv1.StatefulSetSpec) bool {
				c := s.Template.Spec.Containers[0]
				return c.LivenessProbe.HTTPGet.Scheme != "HTTPS" || s.Template.Annotations["prometheus.io/scheme"] != "https"
			},
		},
		{
			name: "probes without a password", values: "web: {probes: tcp}",
			odd: func(s appsv1.StatefulSetSpec) bool {
				c := s.Template.Spec.Containers[0]
				return c.LivenessProbe.HTTPGet != nil || c.LivenessProbe.TCPSocket.Port.String() != "metrics" || c.StartupProbe.FailureThreshold != 150
			},
		},
		{
			name: "values of a parent chart", values: "global: {anything: 1}",
			odd: func(s appsv1.StatefulSetSpec) bool { return *s.Replicas != 1 },
		},
		{
			name: "flags that look like other YAML", values: `extraArgs: ['--log.level="debug"', '--a={b: c} # d']`,
			odd: func(s appsv1.StatefulSetSpec) bool {
				args := s.Template.Spec.Containers[0].Args
				return args[2] != `--log.level="debug"` || args[3] != "--a={b: c} # d"
			},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.release == "" {
				c.release = "carbon-exporter"
			}
			if c.object == "" {
				c.object = "carbon-exporter"
			}
			if s := the[appsv1.StatefulSet](t, install(t, c.release, c.values), c.object).Spec; c.odd(s) {
				t.Errorf("%+v", s)
			}
		})
	}
}

// Whatever a file says, it is in the pod as it was given, and a new one is a new pod.
func TestFilesAreNotTemplates(t *testing.T) {
	seen := map[string]string{}
	for _, text := range []string{
		"a: 1\n", "a: 1", "{{ .Values.image }}\n", "prometheus:\n\n  url: \"{{ fail `x` }}\"\n\n", "# ümlaut\n---\na: |\n  \tb\n", "~", "1", "a: 1\r\nb: 2\r\n", "a:   \n  trailing: x   \n",
	} {
		values, err := yaml.Marshal(map[string]any{"config": text, "files": map[string]string{"owners.csv": text}})
		if err != nil {
			t.Fatal(err)
		}
		r := install(t, "carbon-exporter", string(values))
		data := the[corev1.ConfigMap](t, r, "carbon-exporter").Data
		if data["carbon.yml"] != text || data["owners.csv"] != text || len(data) != 2 {
			t.Errorf("%q became %q", text, data)
		}
		sum := the[appsv1.StatefulSet](t, r, "carbon-exporter").Spec.Template.Annotations["checksum/config"]
		if other, ok := seen[sum]; ok {
			t.Errorf("%q and %q have the same checksum", text, other)
		}
		seen[sum] = text
	}
}

// A rule without peers would let everybody in.
func TestAPolicyWithoutPeersLetsNobodyIn(t *testing.T) {
	r := install(t, "carbon-exporter", "networkPolicy: {enabled: true, from: [], egress: []}")
	policy := the[networkingv1.NetworkPolicy](t, r, "carbon-exporter").Spec
	if policy.Ingress != nil || policy.Egress != nil || len(policy.PolicyTypes) != 2 {
		t.Errorf("%+v", policy)
	}
	if !strings.Contains(r.notes, "nobody may scrape") {
		t.Errorf("notes:\n%s", r.notes)
	}
}

func TestNotesWarn(t *testing.T) {
	for _, c := range []struct{ name, values, says string }{
		{"a store that goes with its pod", "persistence: {enabled: false}", "WARNING: persistence.enabled is false."},
		{"no scrape", "scrapeAnnotations: false", "WARNING: nothing tells a Prometheus to scrape"},
		{"a monitor without a label", "serviceMonitor: {enabled: true}", "--set serviceMonitor.labels.release="},
		{"a way to the page", "web: {scheme: HTTPS}\nservice: {port: 443}", "9977:443\n\nand open https://localhost:9977/"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if notes := install(t, "carbon-exporter", c.values).notes; !strings.Contains(notes, c.says) {
				t.Errorf("%q is not in\n%s", c.says, notes)
			}
			if notes := install(t, "carbon-exporter", "").notes; strings.Contains(notes, c.says) {
				t.Errorf("%q is said without a reason", c.says)
			}
		})
	}
}
