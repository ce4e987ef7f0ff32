// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package profiles_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/carbon-exporter/carbon_exporter/internal/e2e/profiles"
)

// energy is what is stored of a half hour, in kWh.
type energy struct{ modelled, measured float64 }

// drawn is the energy of each key of a half hour. Its sums by machine type, project and site are held
// to it.
func (p place) drawn(t *testing.T, i int) map[profiles.Key]energy {
	t.Helper()
	db := p.open(t)
	rows, err := db.Query(`SELECT cloud_project_name, machine_name, user_id, sum(busy_kwh + idle_kwh), sum(measured_kwh)
		FROM v_usage WHERE ts = ? GROUP BY 1, 2, 3`, start(i))
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	all := map[profiles.Key]energy{}
	for rows.Next() {
		var k profiles.Key
		var e energy
		if err := rows.Scan(&k.Project, &k.Machine, &k.User, &e.modelled, &e.measured); err != nil {
			t.Fatal(err)
		}
		all[k] = e
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	if out := tool(t, "check", "store", "--storage.path="+p.store); out == "" {
		t.Error("check store says nothing")
	}
	return all
}

// drawnCase is a site with instruments, and what is booked of a half hour.
type drawnCase struct {
	name     string
	site     *profiles.Site
	half     int
	measured map[profiles.Key]float64 // mean watts of devices; all others have none
	modelled map[profiles.Key]float64 // mean watts of some keys
	all      float64                  // mean watts of all that is not a device; 0: not held
}

func checkDrawn(t *testing.T, cases []drawnCase) {
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			p := newPlace(t, tc.site)
			p.read(t, tc.half, tc.half+1)
			got, sum := p.drawn(t, tc.half), 0.0
			for _, k := range slices.SortedFunc(maps.Keys(got), byName) {
				watts := energy{got[k].modelled * 2000, got[k].measured * 2000}
				sum += watts.modelled
				if want := tc.measured[k]; !near(watts.measured, want, 1e-6, 1e-6) {
					t.Errorf("devices of %v use %v W, want %v W", k, watts.measured, want)
				}
				if want, held := tc.modelled[k]; held && !near(watts.modelled, want, 1e-6, 1e-6) {
					t.Errorf("%v uses %v W, want %v W", k, watts.modelled, want)
				}
			}
			for _, wanted := range []map[profiles.Key]float64{tc.measured, tc.modelled} {
				for k := range wanted {
					if _, there := got[k]; !there {
						t.Errorf("%v has nothing, of %v", k, slices.Collect(maps.Keys(got)))
					}
				}
			}
			if tc.all > 0 && !near(sum, tc.all, 1e-6, 0) {
				t.Errorf("all together use %v W, want %v W", sum, tc.all)
			}
		})
	}
}

const dcgm = "DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION"

// gpuOf is a GPU as dcgm-exporter shows it, of so many watts.
func gpuOf(watts float64, uuid string, pairs ...string) profiles.Series {
	return profiles.Counter(dcgm, watts*1000, append([]string{"job", "dcgm-exporter", "UUID", uuid, "gpu", uuid[len(uuid)-1:], "modelName", "NVIDIA A100"}, pairs...)...)
}

// exporterPod are the labels of the target of dcgm-exporter on a node of Kubernetes.
func exporterPod(node string, pairs ...string) []string {
	return append([]string{
		"instance", "10.244.3." + node[len(node)-1:] + ":9400", "namespace", "gpu-operator", "pod", "nvidia-dcgm-exporter-" + node,
		"container", "nvidia-dcgm-exporter", "Hostname", node,
	}, pairs...)
}

const podDevices = `devices:
  - {name: gpu, query: ` + dcgm + `, unit: mJ, labels: {project: exported_namespace, user: exported_pod, host: Hostname}}`

var (
	web      = profiles.Key{Project: "shop", Machine: "x86_64", User: "web"}
	notebook = profiles.Key{Project: "lab", Machine: "x86_64", User: "notebook"}
	nobodys  = profiles.Key{Project: profiles.Unattributed, Machine: "x86_64", User: profiles.Unattributed}
)

// A device is booked once, to whom it names, and by the names that CPU time has.
func TestDevicesOfProfiles(t *testing.T) {
	pods := []profiles.Series{
		gpuOf(300, "GPU-0", exporterPod("worker-1", "exported_namespace", "shop", "exported_pod", "web-6d4b75cb6d-aaaaa", "exported_container", "nginx")...),
		gpuOf(200, "GPU-1", exporterPod("worker-2", "exported_namespace", "lab", "exported_pod", "notebook", "exported_container", "jupyter")...),
		gpuOf(50, "GPU-2", exporterPod("worker-2")...),
	}
	kept := []profiles.Series{
		gpuOf(300, "GPU-0", "instance", "10.244.3.1:9400", "Hostname", "worker-1", "namespace", "shop", "pod", "web-6d4b75cb6d-aaaaa", "container", "nginx"),
	}
	inPods := map[profiles.Key]float64{web: 300, notebook: 200, nobodys: 50}
	gpuNode := gpuOf(100, "GPU-3", "instance", "node002:9400", "Hostname", "node002", "cluster", "hpc", "machine_name", "compute")
	checkDrawn(t, []drawnCase{
		{name: "kubernetes, whose labels the target's are in front of", site: profiles.Kubernetes().With(podDevices, pods...), measured: inPods},
		{name: "kubernetes, nodes by their names", site: profiles.KubernetesWhole().With(podDevices, pods...), measured: inPods},
		{
			name: "kubernetes, whose labels are kept", measured: map[profiles.Key]float64{web: 300},
			site: profiles.Kubernetes().With(`devices:
  - {name: gpu, query: `+dcgm+`, unit: mJ, labels: {project: namespace, user: pod, host: Hostname}}`, kept...),
		},
		{
			name: "kubernetes without node_exporter", measured: map[profiles.Key]float64{
				{Project: "shop", Machine: profiles.Unknown, User: "web"}:                                300,
				{Project: "lab", Machine: profiles.Unknown, User: "notebook"}:                            200,
				{Project: profiles.Unattributed, Machine: profiles.Unknown, User: profiles.Unattributed}: 50,
			},
			site: profiles.KubernetesBareWhole().With(podDevices, pods...),
		},
		{
			name: "slurm, a GPU by its node, divided as CPU time is",
			site: profiles.Slurm().With("devices: [{name: gpu, query: "+dcgm+", unit: mJ}]", gpuNode),
			measured: map[profiles.Key]float64{ // 8 cores: 4 and 3 of jobs, the rest is nobody's
				{Project: "def-smith", Machine: "compute", User: "alice"}: 50, {Project: "def-smith", Machine: "compute", User: "carol"}: 37.5,
				{Project: profiles.Unattributed, Machine: "compute", User: profiles.Unattributed}: 12.5,
			},
		},
		{
			name: "slurm, a GPU of a job", half: 1,
			site: profiles.Slurm().With("devices: [{name: gpu, query: slurm_job_power_gpu / 1000, unit: W, labels: {project: account, user: user}}]",
				profiles.Gauge("slurm_job_power_gpu", 250_000, "job", "slurm-job-exporter", "instance", "node001:9798", "account", "def-jones", "user", "alice", "slurmjobid", "1002", "gpu", "0")),
			measured: map[profiles.Key]float64{{Project: "def-jones", Machine: "compute", User: "alice"}: 250},
		},
		{
			name: "libvirt, a GPU that is passed through, by the domain's name, and one of a hypervisor",
			site: profiles.Libvirt().With("devices: [{name: gpu, query: "+dcgm+", unit: mJ}]",
				gpuOf(200, "GPU-0", "instance", "10.9.0.1:9400", "domain", "instance-00000001"), gpuOf(40, "GPU-1", "instance", "kvm-02:9400", "Hostname", "kvm-02")),
			measured: map[profiles.Key]float64{
				{Project: "astro", Machine: "m1.large", User: "ada"}:                                200,
				{Project: profiles.Unknown, Machine: profiles.Unknown, User: profiles.Unattributed}: 40,
			},
		},
		{
			name: "lxd, a GPU of a container",
			site: profiles.LXD().With("devices: [{name: gpu, query: "+dcgm+", unit: mJ, labels: {host: Hostname}}]",
				gpuOf(150, "GPU-0", "instance", "10.9.0.1:9400", "Hostname", "u2")),
			measured: map[profiles.Key]float64{{Project: "lab", Machine: "container", User: profiles.Unattributed}: 150},
		},
		{
			name: "proxmox, a GPU of a guest",
			site: profiles.Proxmox().With(`devices: [{name: gpu, query: gpu_watts, unit: W, labels: {host: guest}}]`,
				profiles.Gauge("gpu_watts", 80, "instance", "10.9.0.1:9835", "guest", "qemu/100")),
			measured: map[profiles.Key]float64{{Project: "shop", Machine: "qemu", User: profiles.Unattributed}: 80},
		},
		{
			name: "opentelemetry, a GPU by the machine's name",
			site: profiles.OpenTelemetry().With("devices: [{name: gpu, query: "+dcgm+", unit: mJ, labels: {host: Hostname}}]",
				gpuOf(90, "GPU-0", "instance", "x:9400", "Hostname", profiles.OpenTelemetry().HostsOf("system.cpu.time", "host.name")[0])),
			measured: map[profiles.Key]float64{profiles.OpenTelemetry().Work[0].Key: 90},
		},
		{
			name:     "windows_exporter, a GPU on another port",
			site:     profiles.WindowsExporter().With("devices: [{name: gpu, query: "+dcgm+", unit: mJ}]", gpuOf(60, "GPU-0", "instance", "win-02:9400")),
			measured: map[profiles.Key]float64{{Project: "CAD", Machine: "Workstation", User: "bob"}: 60},
		},
		{
			name:     "windows_exporter, a GPU whose target has the label of the project alone",
			site:     profiles.WindowsExporter().With("devices: [{name: gpu, query: "+dcgm+", unit: mJ}]", gpuOf(60, "GPU-0", "instance", "win-02:9400", "cloud_project_name", "CAD")),
			measured: map[profiles.Key]float64{{Project: "CAD", Machine: "Workstation", User: "bob"}: 60},
		},
		{
			name:     "recorded, a GPU on another port",
			site:     profiles.Recorded().With("devices: [{name: gpu, query: "+dcgm+", unit: mJ}]", gpuOf(60, "GPU-0", "instance", "172.16.1.10:9400")),
			measured: map[profiles.Key]float64{{Project: "IDAaaS", Machine: "Muon", User: "ada"}: 60},
		},
		{
			name: "node_exporter, ids that another metric names, by the host on another port", site: named(profiles.NodeExporter()),
			measured: map[profiles.Key]float64{{Project: "Neutrons", Machine: "Muon", User: "ada"}: 60},
		},
	})
}

// named is a site whose projects are ids, which another metric calls by name.
func named(site *profiles.Site) *profiles.Site {
	site.Section = "info: [{query: server_info, labels: {project: tenant}}]"
	return site.With("devices: [{name: gpu, query: "+dcgm+", unit: mJ}]",
		profiles.Gauge("server_info", 1, "instance", "172.16.1.10:9100", "tenant", "Neutrons"),
		gpuOf(60, "GPU-0", "instance", "172.16.1.10:9400", "cloud_project_name", "IDAaaS"))
}

// A GPU that is handed from one pod to the next is counted once, and so is one that several pods
// have at a time. What is read alone is what is read in a run.
func TestDevicesThatAreHandedOn(t *testing.T) {
	whole := gpuOf(200, "GPU-1", exporterPod("worker-2")...)
	pod := func(namespace, name string) profiles.Series {
		return gpuOf(200, "GPU-1", exporterPod("worker-2", "exported_namespace", namespace, "exported_pod", name, "exported_container", "c")...)
	}
	train := profiles.Key{Project: "lab", Machine: "x86_64", User: "train"}
	job := pod("lab", "train-28930320-k2b4c").While(66, 81)
	restarted := gpuOf(200, "GPU-1", append(exporterPod("worker-2"), "pod", "nvidia-dcgm-exporter-again", "instance", "10.244.9.9:9400")...).While(81, 24*60)
	for _, tc := range []struct {
		name   string
		series []profiles.Series
		want   []map[profiles.Key]float64 // mean watts by half hour
	}{
		{
			"a job has it for a quarter of an hour",
			[]profiles.Series{whole.While(-24*60, 66), job, whole.While(81, 24*60)},
			[]map[profiles.Key]float64{{nobodys: 200}, {nobodys: 200}, {nobodys: 100, train: 100}, {nobodys: 200}},
		},
		{
			"and its exporter is another afterwards",
			[]profiles.Series{whole.While(-24*60, 66), job, restarted},
			[]map[profiles.Key]float64{{nobodys: 200}, {nobodys: 200}, {nobodys: 100, train: 100}, {nobodys: 200}},
		},
		{
			"two servers, and a job has it for a quarter of an hour",
			[]profiles.Series{whole.While(-24*60, 66), job, whole.While(81, 24*60)},
			[]map[profiles.Key]float64{{nobodys: 200}, {nobodys: 200}, {nobodys: 100, train: 100}, {nobodys: 200}},
		},
		{
			"a pod has it over an edge",
			[]profiles.Series{whole.While(-24*60, 50), pod("lab", "notebook").While(50, 70), whole.While(70, 24*60)},
			[]map[profiles.Key]float64{{nobodys: 200}, {nobodys: 200 * 20. / 30, notebook: 200 * 10. / 30}, {nobodys: 200 * 20. / 30, notebook: 200 * 10. / 30}, {nobodys: 200}},
		},
		{
			"two pods share it by time",
			[]profiles.Series{pod("lab", "notebook"), pod("shop", "web-6d4b75cb6d-bbbbb")},
			[]map[profiles.Key]float64{{notebook: 100, web: 100}, {notebook: 100, web: 100}, {notebook: 100, web: 100}, {notebook: 100, web: 100}},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			site := profiles.Kubernetes().With(podDevices, tc.series...)
			if strings.HasPrefix(tc.name, "two servers") {
				site = profiles.Paired(site)
			}
			p := newPlace(t, site)
			p.read(t, 0, halfHours)
			alone := p
			alone.store += ".alone"
			for _, i := range []int{2, 0, 3, 1} {
				alone.read(t, i, i+1)
			}
			for i := range halfHours {
				together, one, sum := p.drawn(t, i), alone.drawn(t, i), 0.0
				for k, e := range together {
					if got := e.measured * 2000; !near(got, tc.want[i][k], 0, 200*60/1800.) || (tc.want[i][k] == 0 && got > 0) {
						t.Errorf("%s: %v has %v W, want %v W", start(i), k, got, tc.want[i][k])
					}
					if !near(e.measured, one[k].measured, 1e-9, 1e-12) {
						t.Errorf("%s: %v has %v kWh in a run and %v kWh alone", start(i), k, e.measured, one[k].measured)
					}
					sum += e.measured * 2000
				}
				if !near(sum, 200, 1e-6, 0) {
					t.Errorf("%s: %v W in all", start(i), sum)
				}
			}
		})
	}
}
