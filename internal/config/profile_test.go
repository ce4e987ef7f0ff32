// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package config

import (
	"errors"
	"io/fs"
	"slices"
	"strings"
	"testing"
)

func TestProfiles(t *testing.T) {
	want := []string{"node_exporter", "kubernetes", "libvirt", "lxd", "opentelemetry", "proxmox", "recorded", "slurm", "windows_exporter"}
	if got := Profiles(); !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	for _, name := range Profiles() {
		t.Run(name, func(t *testing.T) {
			c, err := Parse("carbon.yml", []byte("prometheus: {profile: "+name+"}\n"))
			if err != nil {
				t.Fatal(err)
			}
			if c.Prometheus.Profile != name {
				t.Errorf("has profile %q", c.Prometheus.Profile)
			}
			// What is printed is a configuration of its own, and says the same.
			text, err := ProfileText(name)
			if err != nil {
				t.Fatal(err)
			}
			if !strings.HasPrefix(string(text), "# ") {
				t.Error("does not begin with what it is for")
			}
			own, err := Parse("carbon.yml", text)
			if err != nil {
				t.Fatal(err)
			}
			own.Prometheus.Profile = name
			same(t, c, own)
		})
	}
}

func same(t *testing.T, a, b *Config) {
	t.Helper()
	one, err := a.Redacted()
	if err != nil {
		t.Fatal(err)
	}
	two, err := b.Redacted()
	if err != nil {
		t.Fatal(err)
	}
	if one != two {
		t.Errorf("%s\ndiffers from\n%s", one, two)
	}
}

func TestTheDefaultsAreTheDefaultProfile(t *testing.T) {
	c, err := Parse("carbon.yml", []byte("prometheus: {profile: node_exporter}\n"))
	if err != nil {
		t.Fatal(err)
	}
	d := Default()
	same(t, c, &d)
}

func TestEveryKeyWinsOverTheProfile(t *testing.T) {
	c, err := Parse("carbon.yml", []byte(`
prometheus:
  profile: kubernetes
  labels: {host: node}
  info: []
  shares: {labels: {user: container}, cores_query: "", matchers: 'pod!=""'}
`))
	if err != nil {
		t.Fatal(err)
	}
	p := c.Prometheus
	if p.Labels.Host != "node" || p.Labels.Project != "cluster" || len(p.Info) != 0 {
		t.Errorf("machines: %+v, %v", p.Labels, p.Info)
	}
	s := p.Shares
	if s.Labels.User != "container" || s.Labels.Project != "namespace" || s.CoresQuery != "" || s.Matchers != `pod!=""` || s.Metric != "container_cpu_usage_seconds_total" {
		t.Errorf("shares: %+v", s)
	}
}

func TestNoProfile(t *testing.T) {
	if _, err := ProfileText("../config"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v", err)
	}
	_, err := Parse("carbon.yml", []byte("prometheus:\n  profile: nodeexporter\n"))
	want := `carbon.yml:2: prometheus.profile: must be one of node_exporter, kubernetes, libvirt, lxd, opentelemetry, proxmox, recorded, slurm, windows_exporter, is "nodeexporter"`
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}
