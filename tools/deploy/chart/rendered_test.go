// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"fmt"
	"path"
	"strings"
	"testing"
	"time"

	monitoringv1 "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	helm "helm.sh/helm/v3/pkg/chart"
	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/engine"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"sigs.k8s.io/yaml"
)

const root = "../../.."

// release is what Helm would apply and print.
type release struct {
	chart    *helm.Chart
	manifest string         // of all objects
	objects  map[string]any // by kind and name
	notes    string
}

// install renders the package of this repository with the text of a file of values, as `helm
// install NAME --namespace monitoring --values` does. Objects are decoded strictly.
func install(t *testing.T, name, values string) release {
	t.Helper()
	r, err := try(t, name, values)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func try(t *testing.T, name, values string) (release, error) {
	t.Helper()
	c, err := assemble(root)
	if err != nil {
		t.Fatal(err)
	}
	return tryFiles(t, c, name, values)
}

func tryFiles(t *testing.T, c chart, name, values string) (release, error) {
	t.Helper()
	archive, err := c.archive(time.Unix(0, 0))
	if err != nil {
		t.Fatal(err)
	}
	loaded, err := loader.LoadArchive(bytes.NewReader(archive))
	if err != nil {
		t.Fatal(err)
	}
	given, err := chartutil.ReadValues([]byte(values))
	if err != nil {
		t.Fatal(err)
	}
	options := chartutil.ReleaseOptions{Name: name, Namespace: "monitoring", Revision: 1, IsInstall: true}
	top, err := chartutil.ToRenderValues(loaded, given, options, chartutil.DefaultCapabilities)
	if err != nil {
		return release{}, err
	}
	texts, err := engine.Engine{Strict: true}.Render(loaded, top)
	if err != nil {
		return release{}, err
	}
	r := release{chart: loaded, objects: map[string]any{}}
	for file, text := range texts {
		if path.Base(file) == "NOTES.txt" {
			r.notes = text
			continue
		}
		r.manifest += text
		for doc := range strings.SplitSeq("\n"+text, "\n---\n") {
			if err := r.add(doc); err != nil {
				return release{}, fmt.Errorf("%s: %w\n%.2000s", file, err, doc)
			}
		}
	}
	return r, nil
}

// add decodes an object as a cluster does: an unknown key is an error.
func (r release) add(doc string) error {
	var head struct {
		APIVersion, Kind string
		Metadata         struct{ Name string }
	}
	if err := yaml.Unmarshal([]byte(doc), &head); err != nil {
		return err
	}
	if head.Kind == "" {
		var rest any
		if err := yaml.Unmarshal([]byte(doc), &rest); err != nil || rest != nil {
			return fmt.Errorf("neither an object nor nothing: %w", err)
		}
		return nil
	}
	object := map[string]any{
		"v1 ConfigMap":                            &corev1.ConfigMap{},
		"v1 Service":                              &corev1.Service{},
		"v1 ServiceAccount":                       &corev1.ServiceAccount{},
		"apps/v1 StatefulSet":                     &appsv1.StatefulSet{},
		"networking.k8s.io/v1 NetworkPolicy":      &networkingv1.NetworkPolicy{},
		"monitoring.coreos.com/v1 ServiceMonitor": &monitoringv1.ServiceMonitor{},
		"monitoring.coreos.com/v1 PrometheusRule": &monitoringv1.PrometheusRule{},
	}[head.APIVersion+" "+head.Kind]
	if object == nil {
		return fmt.Errorf("an unexpected %s %s", head.APIVersion, head.Kind)
	}
	key := head.Kind + " " + head.Metadata.Name
	if r.objects[key] != nil {
		return fmt.Errorf("a second %s", key)
	}
	r.objects[key] = object
	return yaml.UnmarshalStrict([]byte(doc), object)
}

// the returns the object of a type with a name.
func the[T any](t *testing.T, r release, name string) *T {
	t.Helper()
	for key, object := range r.objects {
		if o, ok := object.(*T); ok && strings.HasSuffix(key, " "+name) {
			return o
		}
	}
	t.Fatalf("there is no %T %s", *new(T), name)
	return nil
}
