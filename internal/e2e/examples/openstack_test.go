// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package examples

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	promconfig "github.com/prometheus/prometheus/config"
	"github.com/prometheus/prometheus/discovery"
	"github.com/prometheus/prometheus/discovery/openstack"
	"github.com/prometheus/prometheus/discovery/targetgroup"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/scrape"
)

// TestPrometheusFindsTheMachinesOfAnOpenStackCloud takes the example from what Keystone, Nova and
// Neutron answer to the labels of the targets, with Prometheus' own discovery and relabelling.
func TestPrometheusFindsTheMachinesOfAnOpenStackCloud(t *testing.T) {
	const project, user = "5c2bd2d8c4d24bd4a4d9b0ab3d2a1c55", "9cd2f0b3d7e9402f9a6be6bd9d5c3a11"
	want := map[string]map[string]string{
		// It has a floating address too, and an address in another network.
		"10.0.0.32:9100": {
			"instance": "ef079b0c-e610-4dfb-b1aa-b49f07ac48e5", "instance_name": "muon-1",
			"cloud_project_name": project, "machine_name": "m1.small", "user": user,
		},
		// Its flavor has a name of its own only by a rule; it has been resized.
		"10.0.0.33:9100": {
			"instance": "87caf8ed-d92a-41f6-9dcd-d1399e39899f", "instance_name": "muon-2",
			"cloud_project_name": project, "machine_name": "c3.large", "user": user,
		},
	}
	got := found(t, example("prometheus/openstack.yml"))
	for address, labels := range want {
		if !maps.Equal(got[address], labels) {
			t.Errorf("%s has the labels\n%v, want\n%v", address, got[address], labels)
		}
		delete(got, address)
	}
	if len(got) > 0 {
		t.Errorf("scraped as well: %v", got)
	}
}

// found is the labels of each target, by its address, without those that every target has.
func found(t *testing.T, path string) map[string]map[string]string {
	t.Helper()
	c, err := promconfig.LoadFile(path, false, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	jobs, err := c.GetScrapeConfigs()
	if err != nil {
		t.Fatal(err)
	}
	job := jobs[slices.IndexFunc(jobs, func(j *promconfig.ScrapeConfig) bool { return j.JobName == "node" })]
	sd := job.ServiceDiscoveryConfigs[0].(*openstack.SDConfig)
	sd.IdentityEndpoint = cloud(t) + "/v3"
	targets := map[string]map[string]string{}
	for _, group := range discovered(t, sd) {
		for _, target := range group.Targets {
			all, err := scrape.PopulateLabels(labels.NewBuilder(labels.EmptyLabels()), job, target, group.Labels)
			if err != nil {
				t.Fatal(err)
			}
			if all.IsEmpty() {
				continue // dropped
			}
			named := all.Map()
			address := named["__address__"]
			if targets[address] != nil {
				t.Errorf("two targets at %s", address)
			}
			maps.DeleteFunc(named, func(name, _ string) bool { return name[:2] == "__" || name == "job" })
			targets[address] = named
		}
	}
	return targets
}

// discovered is what the first refresh of a discovery finds.
func discovered(t *testing.T, sd *openstack.SDConfig) []*targetgroup.Group {
	t.Helper()
	metrics, err := discovery.CreateAndRegisterSDMetrics(prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	d, err := sd.NewDiscoverer(discovery.DiscovererOptions{
		Logger: slog.New(slog.NewTextHandler(t.Output(), nil)), Metrics: metrics.MechanismMetrics[sd.Name()], SetName: "node",
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	groups := make(chan []*targetgroup.Group)
	go d.Run(ctx, groups)
	select {
	case found := <-groups:
		return found
	case <-ctx.Done():
		t.Fatal("nothing was discovered")
		return nil
	}
}

// cloud serves Keystone, Nova and Neutron as far as Prometheus asks them, and returns its URL.
func cloud(t *testing.T) string {
	t.Helper()
	mux := http.NewServeMux()
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	answer := func(pattern, text string) {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodGet && r.Header.Get("X-Auth-Token") == "" && r.URL.Path != "/" {
				w.WriteHeader(http.StatusUnauthorized)
				return
			}
			w.Header().Set("Content-Type", "application/json")
			io.WriteString(w, text)
		})
	}
	answer("GET /{$}", fmt.Sprintf(`{"versions": {"values": [{"status": "stable", "id": "v3.14", "links": [{"href": %q, "rel": "self"}]}]}}`, server.URL+"/v3/"))
	mux.HandleFunc("POST /v3/auth/tokens", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Subject-Token", "gAAAAABl")
		w.WriteHeader(http.StatusCreated)
		fmt.Fprintf(w, keystone, server.URL+"/nova/v2.1", server.URL+"/neutron")
	})
	answer("GET /neutron/{$}", fmt.Sprintf(`{"versions": [{"id": "v2.0", "status": "CURRENT", "links": [{"rel": "self", "href": %q}]}]}`, server.URL+"/neutron/v2.0/"))
	answer("GET /nova/v2.1/servers/detail", nova)
	answer("GET /neutron/v2.0/ports", `{"ports": [{"id": "d5597901-48c8-4a69-a041-cfc5be158a04", "device_id": "ef079b0c-e610-4dfb-b1aa-b49f07ac48e5"}]}`)
	answer("GET /neutron/v2.0/floatingips", `{"floatingips": [{"port_id": "d5597901-48c8-4a69-a041-cfc5be158a04",
		"fixed_ip_address": "10.0.0.32", "floating_ip_address": "192.0.2.32", "status": "ACTIVE"}]}`)
	return server.URL
}

const keystone = `{"token": {
	"expires_at": "2036-11-27T18:30:59.999999Z", "methods": ["application_credential"],
	"project": {"domain": {"id": "default", "name": "Default"}, "id": "263fd9", "name": "monitoring"},
	"user": {"domain": {"id": "default", "name": "Default"}, "id": "0ca8f6", "name": "prometheus"},
	"catalog": [
		{"type": "compute", "name": "nova", "id": "1", "endpoints": [{"id": "2", "interface": "public", "region": "RegionOne", "region_id": "RegionOne", "url": %q}]},
		{"type": "network", "name": "neutron", "id": "3", "endpoints": [{"id": "4", "interface": "public", "region": "RegionOne", "region_id": "RegionOne", "url": %q}]}
	]}}`

// nova has two machines that run, one that was stopped and one in a network that Prometheus does
// not reach.
const nova = `{"servers": [
	{"id": "ef079b0c-e610-4dfb-b1aa-b49f07ac48e5", "name": "muon-1", "status": "ACTIVE",
	 "tenant_id": "5c2bd2d8c4d24bd4a4d9b0ab3d2a1c55", "user_id": "9cd2f0b3d7e9402f9a6be6bd9d5c3a11",
	 "flavor": {"id": "m1.small"}, "image": {"id": "f90f6034-2570-4974-8351-6b49732ef2eb"}, "metadata": {"owner": "alice"},
	 "addresses": {
		"internal": [{"version": 4, "addr": "10.0.0.32", "OS-EXT-IPS:type": "fixed"}, {"version": 4, "addr": "192.0.2.32", "OS-EXT-IPS:type": "floating"}],
		"storage": [{"version": 4, "addr": "10.1.0.7", "OS-EXT-IPS:type": "fixed"}]}},
	{"id": "87caf8ed-d92a-41f6-9dcd-d1399e39899f", "name": "muon-2", "status": "VERIFY_RESIZE",
	 "tenant_id": "5c2bd2d8c4d24bd4a4d9b0ab3d2a1c55", "user_id": "9cd2f0b3d7e9402f9a6be6bd9d5c3a11",
	 "flavor": {"id": "6a1c6d2e-8d5b-4b0a-9f0e-3f1a1f1f0c11"}, "image": "", "metadata": {},
	 "addresses": {"internal": [{"version": 4, "addr": "10.0.0.33", "OS-EXT-IPS:type": "fixed"}]}},
	{"id": "0cf1a1ac-5c10-4a3b-8b0c-0b4c3c4a6c21", "name": "muon-3", "status": "SHUTOFF",
	 "tenant_id": "5c2bd2d8c4d24bd4a4d9b0ab3d2a1c55", "user_id": "9cd2f0b3d7e9402f9a6be6bd9d5c3a11",
	 "flavor": {"id": "m1.small"}, "image": "", "metadata": {},
	 "addresses": {"internal": [{"version": 4, "addr": "10.0.0.34", "OS-EXT-IPS:type": "fixed"}]}},
	{"id": "b7f2a5b1-a019-459c-b956-e43a8cb41e31", "name": "elsewhere", "status": "ACTIVE",
	 "tenant_id": "11112222333344445555666677778888", "user_id": "9cd2f0b3d7e9402f9a6be6bd9d5c3a11",
	 "flavor": {"id": "m1.small"}, "image": "", "metadata": {},
	 "addresses": {"storage": [{"version": 4, "addr": "10.1.0.8", "OS-EXT-IPS:type": "fixed"}]}}
]}`
