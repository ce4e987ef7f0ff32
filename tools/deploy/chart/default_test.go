// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"

	"github.com/carbon-exporter/carbon_exporter/internal/config"
)

func read(t *testing.T, path ...string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(append([]string{root}, path...)...))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestDefaultsAreTheExporterAlone(t *testing.T) {
	r := install(t, "carbon-exporter", "")
	want := []string{"ConfigMap carbon-exporter", "Service carbon-exporter", "ServiceAccount carbon-exporter", "StatefulSet carbon-exporter"}
	if got := slices.Sorted(maps.Keys(r.objects)); !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
	if _, err := config.Parse("carbon.yml", []byte(the[corev1.ConfigMap](t, r, "carbon-exporter").Data["carbon.yml"])); err != nil {
		t.Error(err)
	}
	if account := the[corev1.ServiceAccount](t, r, "carbon-exporter"); account.AutomountServiceAccountToken == nil || *account.AutomountServiceAccountToken {
		t.Error("pods get a token of the account")
	}
	if strings.Contains(r.notes, "WARNING") || !strings.Contains(r.notes, "statefulset/carbon-exporter") {
		t.Errorf("notes:\n%s", r.notes)
	}
}

// Who moves from the plain manifests to the chart gets the same pod, on the same volume.
func TestThePodIsThatOfTheManifests(t *testing.T) {
	r := install(t, "carbon-exporter", "")
	var config corev1.ConfigMap
	var set appsv1.StatefulSet
	var service corev1.Service
	manifests := strings.Split(read(t, "examples/kubernetes/carbon_exporter.yml"), "\n---\n")
	for i, object := range []any{&config, &set, &service} {
		if err := yaml.UnmarshalStrict([]byte(manifests[i]+"\n"), object); err != nil {
			t.Fatal(err)
		}
	}
	if got := the[corev1.ConfigMap](t, r, "carbon-exporter").Data; !reflect.DeepEqual(got, config.Data) {
		t.Errorf("configuration %q, that of the manifests is %q", got, config.Data)
	}
	if got := the[corev1.Service](t, r, "carbon-exporter").Spec.Ports; !reflect.DeepEqual(got, service.Spec.Ports) {
		t.Errorf("ports %v, those of the manifests are %v", got, service.Spec.Ports)
	}
	spec := the[appsv1.StatefulSet](t, r, "carbon-exporter").Spec
	pod := &spec.Template.Spec
	if got, want := pod.Containers[0].Image, "carbon-exporter:"+strings.TrimSpace(read(t, "VERSION")); got != want {
		t.Errorf("image %s, not %s", got, want)
	}
	if got, want := strings.Split(pod.Containers[0].Image, ":")[0], strings.Split(set.Spec.Template.Spec.Containers[0].Image, ":")[0]; got != want {
		t.Errorf("image %s, that of the manifests is %s", got, want)
	}
	for key, value := range set.Spec.Template.Annotations {
		if got := spec.Template.Annotations[key]; got != value {
			t.Errorf("annotation %s: %q, that of the manifests is %q", key, got, value)
		}
	}
	// What the manifests leave to Kubernetes, and what only a chart has.
	pod.ServiceAccountName = ""
	pod.Containers[0].Image = set.Spec.Template.Spec.Containers[0].Image
	c := &pod.Containers[0]
	for _, probe := range []*corev1.Probe{c.StartupProbe, c.ReadinessProbe, c.LivenessProbe} {
		if probe.HTTPGet.Scheme != corev1.URISchemeHTTP {
			t.Errorf("scheme %s", probe.HTTPGet.Scheme)
		}
		probe.HTTPGet.Scheme = ""
	}
	same(t, "pod", *pod, set.Spec.Template.Spec)
	same(t, "volumes", spec.VolumeClaimTemplates, set.Spec.VolumeClaimTemplates)
	same(t, "replicas", spec.Replicas, set.Spec.Replicas)
	same(t, "serviceName", spec.ServiceName, set.Spec.ServiceName)
}

// same compares as JSON, in which quantities are equal that are written alike.
func same(t *testing.T, what string, got, want any) {
	t.Helper()
	g, err := json.MarshalIndent(got, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	w, err := json.MarshalIndent(want, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	if string(g) != string(w) {
		t.Errorf("%s: the chart has\n%s\nthe manifests have\n%s", what, g, w)
	}
}

func TestTheContainerIsThatOfTheDockerfileAndOfCompose(t *testing.T) {
	pod := the[appsv1.StatefulSet](t, install(t, "carbon-exporter", ""), "carbon-exporter").Spec.Template.Spec
	c := pod.Containers[0]
	dockerfile := read(t, "Dockerfile")
	args, err := json.Marshal(c.Args)
	if err != nil {
		t.Fatal(err)
	}
	for what, line := range map[string]string{
		"arguments": "CMD " + strings.ReplaceAll(string(args), ",", ", "),
		"user":      "USER 65534:65534",
		"volume":    "VOLUME " + c.VolumeMounts[1].MountPath,
		"port":      "EXPOSE 9977",
	} {
		if !regexp.MustCompile(`(?m)^` + regexp.QuoteMeta(line) + `$`).MatchString(dockerfile) {
			t.Errorf("%s: the Dockerfile has no line %q", what, line)
		}
	}
	if s := pod.SecurityContext; *s.RunAsUser != 65534 || *s.RunAsGroup != 65534 || *s.FSGroup != 65534 || !*s.RunAsNonRoot {
		t.Errorf("%+v", s)
	}
	if c.Ports[0].ContainerPort != 9977 || c.Command != nil {
		t.Errorf("port %d, command %q", c.Ports[0].ContainerPort, c.Command)
	}

	var compose struct {
		Services map[string]struct {
			ReadOnly     bool     `json:"read_only"`
			Drop         []string `json:"cap_drop"`
			Opt          []string `json:"security_opt"`
			Image        string
			Volumes      []string
			Ports        []string
			User         string
			CapAdd       []string `json:"cap_add"`
			IsPrivileged bool     `json:"privileged"`
		}
	}
	if err := yaml.Unmarshal([]byte(read(t, "examples/compose/compose.yml")), &compose); err != nil {
		t.Fatal(err)
	}
	s := compose.Services["carbon_exporter"]
	var drop []string
	for _, capability := range c.SecurityContext.Capabilities.Drop {
		drop = append(drop, string(capability))
	}
	if s.ReadOnly != *c.SecurityContext.ReadOnlyRootFilesystem || !slices.Equal(s.Drop, drop) || s.CapAdd != nil || s.IsPrivileged ||
		slices.Contains(s.Opt, "no-new-privileges:true") == *c.SecurityContext.AllowPrivilegeEscalation {
		t.Errorf("compose has %+v, the pod %+v", s, c.SecurityContext)
	}
	if !slices.Equal(s.Ports, []string{"9977:9977"}) || strings.Split(s.Image, ":")[0] != strings.Split(c.Image, ":")[0] {
		t.Errorf("compose has the ports %q and the image %s", s.Ports, s.Image)
	}
	if want := c.VolumeMounts[0].MountPath + "/carbon.yml:ro"; !strings.HasSuffix(s.Volumes[0], want) || !strings.HasSuffix(s.Volumes[1], ":"+c.VolumeMounts[1].MountPath) {
		t.Errorf("compose mounts %q, the pod %v", s.Volumes, c.VolumeMounts)
	}
}
