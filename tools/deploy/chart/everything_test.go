// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	monitoringv1 "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"sigs.k8s.io/yaml"

	"github.com/carbon-exporter/carbon_exporter/internal/rules"
)

// everything switches on all that the chart has.
const everything = `
files: {owners.csv: "host,owner\n"}
secrets: [{name: mongodb}, {name: entsoe.token}]
image: {repository: registry.example.org:5000/carbon/carbon-exporter, tag: 0.1.0-rc.1, pullSecrets: [registry]}
extraArgs: [--storage.retention=400d, '--log.level=debug']
env: [{name: HTTPS_PROXY, value: "http://proxy:3128"}]
web: {configSecret: carbon-web, scheme: HTTPS, probes: tcp}
persistence: {storageClass: fast, size: 20Gi}
service: {port: 80, annotations: {a: "1"}}
serviceAccount: {annotations: {a: "1"}}
serviceMonitor:
  enabled: true
  labels: {release: stack}
  scrapeTimeout: 20s
  tlsConfig: {ca: {secret: {name: carbon-web, key: ca.pem}}, serverName: carbon}
  basicAuth: {username: {name: scrape, key: user}, password: {name: scrape, key: password}}
prometheusRule: {enabled: true, labels: {release: stack}}
dashboards: {enabled: true, annotations: {grafana_folder: Carbon}}
networkPolicy: {enabled: true}
commonLabels: {team: green}
podLabels: {tier: monitoring, team: other}
podAnnotations: {a: "1"}
nodeSelector: {disk: ssd}
tolerations: [{key: a, operator: Exists}]
affinity: {nodeAffinity: {}}
priorityClassName: low
`

func TestEverythingFindsEachOther(t *testing.T) {
	r := install(t, "carbon-exporter", everything)
	set := the[appsv1.StatefulSet](t, r, "carbon-exporter").Spec
	service := the[corev1.Service](t, r, "carbon-exporter")
	monitor := the[monitoringv1.ServiceMonitor](t, r, "carbon-exporter")
	policy := the[networkingv1.NetworkPolicy](t, r, "carbon-exporter").Spec
	pod := set.Template.Labels
	for what, selects := range map[string]struct{ selector, labels map[string]string }{
		"the StatefulSet its pods":       {set.Selector.MatchLabels, pod},
		"the Service its pods":           {service.Spec.Selector, pod},
		"the NetworkPolicy its pods":     {policy.PodSelector.MatchLabels, pod},
		"the ServiceMonitor its Service": {monitor.Spec.Selector.MatchLabels, service.Labels},
	} {
		if len(selects.selector) != 2 {
			t.Errorf("%s: selector %v, not a name and an instance", what, selects.selector)
		}
		for label, value := range selects.selector {
			if selects.labels[label] != value {
				t.Errorf("%s: %s=%q is not among %v", what, label, value, selects.labels)
			}
		}
	}
	if pod["team"] != "other" || service.Labels["team"] != "green" || monitor.Labels["release"] != "stack" {
		t.Errorf("labels: pod %v, service %v, monitor %v", pod, service.Labels, monitor.Labels)
	}
	scrape := monitor.Spec.Endpoints[0]
	if scrape.Port != service.Spec.Ports[0].Name || service.Spec.Ports[0].TargetPort.String() != set.Template.Spec.Containers[0].Ports[0].Name {
		t.Errorf("the monitor scrapes %s of %v", scrape.Port, service.Spec.Ports)
	}
	if !scrape.HonorLabels || scrape.Scheme == nil || scrape.Scheme.String() != "https" || scrape.RelabelConfigs[0].TargetLabel != "instance" {
		t.Errorf("%+v", scrape)
	}
	if _, twice := set.Template.Annotations["prometheus.io/scrape"]; twice {
		t.Error("a Prometheus that reads annotations scrapes it a second time")
	}
}

// Every volume is mounted, everything mounted is a volume, and files are where flags look.
func TestSecretsAreFiles(t *testing.T) {
	set := the[appsv1.StatefulSet](t, install(t, "carbon-exporter", everything), "carbon-exporter").Spec
	pod := set.Template.Spec
	volumes := map[string]corev1.Volume{}
	for _, v := range pod.Volumes {
		volumes[v.Name] = v
	}
	mounted := map[string]string{}
	for _, m := range pod.Containers[0].VolumeMounts {
		if m.Name == "data" && len(set.VolumeClaimTemplates) == 1 {
			continue
		}
		v, ok := volumes[m.Name]
		if !ok {
			t.Errorf("%s is mounted and no volume", m.Name)
		}
		if v.Secret != nil {
			mounted[m.MountPath] = v.Secret.SecretName
			if !m.ReadOnly || *v.Secret.DefaultMode != 0o440 {
				t.Errorf("%s: read-only %t, mode %o", m.Name, m.ReadOnly, *v.Secret.DefaultMode)
			}
		}
		delete(volumes, m.Name)
	}
	for _, secret := range []string{"mongodb", "entsoe.token", "carbon-web"} {
		if mounted["/run/secrets/"+secret] != secret {
			t.Errorf("%s is not in its folder: %v", secret, mounted)
		}
	}
	if len(volumes) > 0 || len(mounted) != 3 {
		t.Errorf("not mounted: %v; secrets: %v", volumes, mounted)
	}
	if args := strings.Join(pod.Containers[0].Args, " "); !strings.Contains(args, "--web.config.file=/run/secrets/carbon-web/web.yml --storage.retention=400d --log.level=debug") {
		t.Error(args)
	}
}

func TestThePolicyIsThatOfTheManifests(t *testing.T) {
	policy := the[networkingv1.NetworkPolicy](t, install(t, "carbon-exporter", everything), "carbon-exporter").Spec
	var want networkingv1.NetworkPolicy
	if err := yaml.UnmarshalStrict([]byte(read(t, "examples/kubernetes/kube-prometheus-stack/network.yml")), &want); err != nil {
		t.Fatal(err)
	}
	// MongoDB has an address of yours there, and is last.
	last := len(want.Spec.Egress) - 1
	if port := want.Spec.Egress[last].Ports[0].Port.IntValue(); port != 27017 {
		t.Fatalf("the last rule of the manifest is for port %d", port)
	}
	want.Spec.Egress = want.Spec.Egress[:last]
	want.Spec.PodSelector = policy.PodSelector
	same(t, "policy", policy, want.Spec)
}

func TestRulesAreThoseOfTheRepository(t *testing.T) {
	for _, c := range []struct {
		name, values string
		links        rules.Links
	}{
		{"as they are", "", rules.Links{}},
		{"runbooks of a site", ", runbookUrl: 'https://wiki.example.org/carbon'", rules.Links{Runbooks: "https://wiki.example.org/carbon"}},
		{"with a slash at the end", ", runbookUrl: 'https://wiki.example.org/carbon/'", rules.Links{Runbooks: "https://wiki.example.org/carbon"}},
		{"dashboards of a site", ", grafanaUrl: 'https://g.example.org/x/'", rules.Links{Grafana: "https://g.example.org/x"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			rule := the[monitoringv1.PrometheusRule](t, install(t, "carbon-exporter", "prometheusRule: {enabled: true"+c.values+"}"), "carbon-exporter")
			files, err := rules.Files(c.links)
			if err != nil {
				t.Fatal(err)
			}
			var want monitoringv1.PrometheusRuleSpec
			if err := yaml.UnmarshalStrict([]byte(rules.Joined(files)), &want); err != nil {
				t.Fatal(err)
			}
			same(t, "rules", rule.Spec, want)
			if len(want.Groups) == 0 {
				t.Error("there are none")
			}
		})
	}
}

func TestDashboardsAreThoseOfTheRepository(t *testing.T) {
	r := install(t, "carbon-exporter", everything)
	paths, err := filepath.Glob(filepath.Join(root, "dashboards", "*.json"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("%v: %q", err, paths)
	}
	for _, path := range paths {
		file := filepath.Base(path)
		object := the[corev1.ConfigMap](t, r, "carbon-exporter-dashboard-"+strings.TrimPrefix(strings.TrimSuffix(file, ".json"), "carbon-"))
		json, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if len(object.Data) != 1 || object.Data[file] != string(json) {
			t.Errorf("%s is another in its ConfigMap", file)
		}
		if object.Labels["grafana_dashboard"] != "1" || object.Annotations["grafana_folder"] != "Carbon" {
			t.Errorf("%s: labels %v, annotations %v", file, object.Labels, object.Annotations)
		}
	}
}

// The values that a reader copies from the page are those of the chart.
func TestTheValuesOfThePageAreTaken(t *testing.T) {
	_, block, found := strings.Cut(read(t, "docs/kubernetes.md"), "```yaml\n# values.yaml\n")
	if !found {
		t.Fatal("docs/kubernetes.md has no values")
	}
	values, _, _ := strings.Cut(block, "```")
	r := install(t, "carbon-exporter", values)
	boards, err := filepath.Glob(filepath.Join(root, "dashboards", "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	if want := 4 + 2 + len(boards) + 1; len(r.objects) != want {
		t.Errorf("%d objects, not the %d of the defaults, of the operator, of the dashboards and the policy", len(r.objects), want)
	}
}
