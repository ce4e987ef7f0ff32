// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package profiles_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/carbon-exporter/carbon_exporter/internal/config"
	"github.com/carbon-exporter/carbon_exporter/internal/e2e/engine"
	"github.com/carbon-exporter/carbon_exporter/internal/e2e/engine/enginetest"
	"github.com/carbon-exporter/carbon_exporter/internal/e2e/profiles"
)

// page is what an exporter shows of hardware, in the names of the real one.
type page struct{ instance, text string }

const nodePage = `node_cpu_info{core="0",cpu="0",model_name="EPYC",package="0"} 1
node_cpu_info{core="1",cpu="1",model_name="EPYC",package="1"} 1
node_memory_MemTotal_bytes 4e9
`

// A host of which nothing is said is not among the answers, and two of one name are no error.
var hardware = []struct {
	profile, name string
	pages         []page
	models        map[string]string  // by host
	memory        map[string]float64 // bytes by host
}{
	{
		"node_exporter", "a node",
		[]page{{"a:9100", nodePage}, {"b:9100", "node_memory_MemTotal_bytes 2e9\n"}},
		map[string]string{"a:9100": "EPYC"},
		map[string]float64{"a:9100": 4e9, "b:9100": 2e9},
	},
	{"slurm", "a node", []page{{"a:9100", nodePage}}, map[string]string{"a:9100": "EPYC"}, map[string]float64{"a:9100": 4e9}},
	{"recorded", "a node", []page{{"a:9100", nodePage}}, map[string]string{"a:9100": "EPYC"}, map[string]float64{"a:9100": 4e9}},
	{
		"kubernetes", "node_exporter beside cAdvisor",
		[]page{{"a:9100", nodePage}, {"a:10250", "machine_memory_bytes 4.1e9\n"}},
		map[string]string{"a:9100": "EPYC"},
		map[string]float64{"a:9100": 4e9},
	},
	{"kubernetes", "cAdvisor alone", []page{{"a:10250", "machine_memory_bytes 4.1e9\n"}}, nil, map[string]float64{"a:10250": 4.1e9}},
	{
		"windows_exporter", "two versions",
		[]page{
			{"a:9182", `windows_cpu_info{architecture="9",description="AMD64 Family 23",device_id="CPU0",family="107",name="EPYC"} 1
windows_memory_physical_total_bytes 4e9
windows_cs_physical_memory_bytes 4e9
`}, {"b:9182", "windows_cs_physical_memory_bytes 2e9\n"},
		},
		map[string]string{"a:9182": "EPYC"},
		map[string]float64{"a:9182": 4e9, "b:9182": 2e9},
	},
	{
		"libvirt", "two hypervisors, one with two models and one without node_exporter",
		[]page{
			{"hv1:9177", `libvirt_domain_info_virtual_cpus{domain="inst1"} 2
libvirt_domain_info_virtual_cpus{domain="inst2"} 2
libvirt_domain_info_memory_usage_bytes{domain="inst1"} 4e9
libvirt_domain_info_memory_usage_bytes{domain="inst2"} 2e9
`},
			{"hv1:9100", nodePage + `node_cpu_info{core="2",cpu="2",model_name="another",package="1"} 1` + "\n"},
			{"hv2:9177", `libvirt_domain_info_virtual_cpus{domain="inst3"} 2` + "\n"},
		},
		map[string]string{"inst1": "EPYC", "inst2": "EPYC"},
		map[string]float64{"inst1": 4e9, "inst2": 2e9},
	},
	{
		"lxd", "two servers, one without node_exporter",
		[]page{
			{"lxd1:8443", `lxd_memory_MemTotal_bytes{name="c1",project="default",type="container"} 4e9` + "\n"},
			{"lxd1:9100", nodePage},
			{"lxd2:8443", `lxd_memory_MemTotal_bytes{name="c2",project="default",type="container"} 2e9` + "\n"},
		},
		map[string]string{"c1": "EPYC"},
		map[string]float64{"c1": 4e9, "c2": 2e9},
	},
	{"proxmox", "a guest that is stopped", []page{{"pve:9221", `pve_memory_size_bytes{id="node/pve1"} 1.6e10
pve_memory_size_bytes{id="qemu/100"} 4e9
pve_memory_size_bytes{id="lxc/101"} 2e9
pve_up{id="node/pve1"} 1
pve_up{id="qemu/100"} 1
pve_up{id="lxc/101"} 0
`}}, nil, map[string]float64{"qemu/100": 4e9}},
	{"opentelemetry", "the model on each series, and the model in target_info", []page{
		{"collector", `{"system.memory.usage","host.name"="a",state="used"} 1e9
{"system.memory.usage","host.name"="a",state="free"} 2e9
{"system.memory.usage","host.name"="a",state="cached"} 1e9
{"system.memory.usage","host.name"="a",state="slab_reclaimable"} 5e8
{"target_info","host.name"="a","host.cpu.model.name"="EPYC"} 1
{"system.memory.usage","host.name"="b","host.cpu.model.name"="Xeon",state="used"} 2e9
`},
	}, map[string]string{"a": "EPYC", "b": "Xeon"}, map[string]float64{"a": 4e9, "b": 2e9}},
}

// TestProfilesFindTheHardware: their queries for processors and memory are taken by Prometheus,
// and say what exporters show by the host label of the profile.
func TestProfilesFindTheHardware(t *testing.T) {
	tried := map[string]bool{}
	for _, test := range hardware {
		tried[test.profile] = true
		t.Run(test.profile+": "+test.name, func(t *testing.T) {
			e, address := enginetest.Serve(t, engine.Options{})
			for _, p := range test.pages {
				if err := e.NewTarget("test", p.instance).Scrape(t.Context(), profiles.Noon, []byte(p.text)); err != nil {
					t.Fatal(err)
				}
			}
			c, err := config.Parse("carbon.yml", []byte("prometheus: {profile: "+test.profile+"}\n"))
			if err != nil {
				t.Fatal(err)
			}
			models := map[string]string{}
			of := c.Prometheus.Processors
			for _, r := range asked(t, address, of.Query) {
				host, model := r.Metric[of.Labels.Host], r.Metric[of.Labels.Model]
				if was, known := models[host]; known && was != model {
					t.Errorf("%s has a %s and a %s", host, was, model)
				}
				models[host] = model
				if _, says := r.Metric[of.Labels.Package]; of.Labels.Package != "" && !says {
					t.Errorf("%v has no %s", r.Metric, of.Labels.Package)
				}
			}
			if !maps.Equal(models, test.models) {
				t.Errorf("models are %v, want %v", models, test.models)
			}
			memory := map[string]float64{}
			for _, r := range asked(t, address, c.Prometheus.Memory.Query) {
				var bytes float64
				if _, err := fmt.Sscan(r.Value[1].(string), &bytes); err != nil {
					t.Fatal(err)
				}
				memory[r.Metric[c.Prometheus.Memory.Labels.Host]] = bytes
			}
			if !maps.Equal(memory, test.memory) {
				t.Errorf("memory is %v, want %v", memory, test.memory)
			}
		})
	}
	for _, name := range config.Profiles() {
		if !tried[name] {
			t.Errorf("%s was not tried", name)
		}
	}
}

// answered is one series of the answer to a query.
type answered struct {
	Metric map[string]string `json:"metric"`
	Value  [2]any            `json:"value"`
}

// asked is what a query says; an empty one says nothing.
func asked(t *testing.T, address, query string) []answered {
	t.Helper()
	if query == "" {
		return nil
	}
	response, err := http.PostForm(address+"/api/v1/query", url.Values{
		"query": {query}, "time": {fmt.Sprint(profiles.Noon.Unix())},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var answer struct {
		Error    string   `json:"error"`
		Warnings []string `json:"warnings"`
		Data     struct {
			Result []answered `json:"result"`
		} `json:"data"`
	}
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil {
		t.Fatal(err)
	}
	if answer.Error != "" || len(answer.Warnings) > 0 {
		t.Fatalf("%s: %s %s", query, answer.Error, strings.Join(answer.Warnings, ", "))
	}
	return answer.Data.Result
}
