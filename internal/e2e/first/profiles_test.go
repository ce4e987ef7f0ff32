// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package first_test

import (
	"bufio"
	"maps"
	"math"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/e2e/built"
	"github.com/carbon-exporter/carbon_exporter/internal/e2e/engine"
	"github.com/carbon-exporter/carbon_exporter/internal/e2e/engine/enginetest"
	"github.com/carbon-exporter/carbon_exporter/internal/e2e/profiles"
)

const halfHour = 30 * time.Minute

// TestFirstNumber: from a Prometheus that nobody has configured for us to the first right number,
// with three commands.
func TestFirstNumber(t *testing.T) {
	for _, test := range []struct {
		name              string
		site              func() *profiles.Site
		relative, seconds float64 // by which a number may be off
	}{
		{"node_exporter", profiles.NodeExporter, 1e-9, 0},
		{"windows_exporter", profiles.WindowsExporter, 1e-9, 0},
		{"libvirt with openstack_info", profiles.Libvirt, 1e-9, 0},
		{"libvirt with info_meta", profiles.LibvirtMeta, 1e-9, 0},
		{"libvirt with labels of its own", profiles.LibvirtLabels, 1e-9, 0},
		{"kubernetes with kube-prometheus-stack", profiles.Kubernetes, 1e-9, 0},
		{"kubernetes with sums over all of a node", profiles.KubernetesWhole, 1e-9, 0},
		{"kubernetes without node_exporter", profiles.KubernetesBare, 1e-9, 0},
		{"kubernetes without node_exporter, with sums over all of a node", profiles.KubernetesBareWhole, 1e-9, 0},
		{"slurm without node_exporter", profiles.SlurmBare, 1e-9, 0},
		{"slurm", profiles.Slurm, 1e-9, 0},
		{"proxmox", profiles.Proxmox, 0.01, 240},
		{"lxd", profiles.LXD, 1e-9, 0},
		{"incus", profiles.Incus, 1e-9, 0},
		{"opentelemetry with dotted names", profiles.OpenTelemetry, 1e-9, 0},
		{"opentelemetry with underscores", profiles.OpenTelemetryUnderscores, 1e-9, 0},
		{"opentelemetry with dots and suffixes", profiles.OpenTelemetrySuffixes, 1e-9, 0},
		{"opentelemetry with cpu.mode", profiles.OpenTelemetryModes, 1e-9, 0},
		{"opentelemetry with target_info", profiles.OpenTelemetryTargets, 1e-9, 0},
		{"recorded", profiles.Recorded, 1e-9, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			began := time.Now()
			site := test.site()
			e, url := enginetest.Serve(t, engine.Options{})
			if err := site.Record(t.Context(), e); err != nil {
				t.Fatal(err)
			}
			dir := t.TempDir()
			if got := run(t, dir, "carbontool", "init", "--yes", "--prometheus="+url, "--carbon-intensity=static=100,XX"); got.Code != 0 {
				t.Fatalf("init: %d\n%s", got.Code, got.Stderr)
			}
			text, err := os.ReadFile(filepath.Join(dir, "carbon.yml"))
			if err != nil || !strings.Contains(string(text), "  profile: "+site.Profile+"\n") {
				t.Errorf("%v: the profile is not %s", err, site.Profile)
			}
			if got := run(t, dir, "carbontool", "check", "config", "carbon.yml"); got.Code != 0 {
				t.Fatalf("check config: %s", got.Stderr)
			}
			x := start(t, dir)
			at, got, rated := x.power(t)
			if since := time.Since(began); since > 3*time.Minute {
				t.Errorf("the first number came after %s", since)
			}
			in := profiles.Span{From: at.Sub(profiles.Noon), To: at.Sub(profiles.Noon) + halfHour}
			if in.From < 0 || in.To > profiles.History.To {
				t.Fatalf("the newest interval is %s, of which the site knows nothing", at)
			}
			if !right(t, got, rated, site.Truth(in), site.Slack(in), test.relative, test.seconds) {
				t.Logf("carbon.yml\n%s", text)
			}
		})
	}
}

// right compares power with the CPU seconds of the half hour, at the watts of each machine type: some
// hosts name their processor.
func right(t *testing.T, got map[profiles.Key]profiles.Amount, rated map[string]profiles.Amount, want, slack map[profiles.Key]profiles.Amount, relative, seconds float64) bool {
	t.Helper()
	all := maps.Clone(got)
	maps.Copy(all, want)
	for key := range all {
		g, w, s := got[key], want[key], slack[key]
		near := func(watts, cpu, perCore, off float64) bool {
			want := cpu * perCore / halfHour.Seconds()
			return math.Abs(watts-want) <= relative*want+(off+seconds+1e-6)*perCore/halfHour.Seconds()
		}
		watts := rated[key.Machine]
		if watts.Busy <= 0 || watts.Idle <= 0 {
			t.Errorf("%s is rated %v W", key.Machine, watts)
		}
		if !near(g.Busy, w.Busy, watts.Busy, s.Busy) || !near(g.Idle, w.Idle, watts.Idle, s.Idle) {
			t.Errorf("%v has %v W busy and %v W idle, truth %v and %v CPU seconds", key, g.Busy, g.Idle, w.Busy, w.Idle)
		}
	}
	return !t.Failed()
}

// exporter is a running carbon_exporter.
type exporter struct{ url string }

var listening = regexp.MustCompile(`msg="Listening on" address=(\S+)`)

// start runs the program with the configuration in a directory.
func start(t *testing.T, dir string) exporter {
	t.Helper()
	p := built.Start(t, program(t.Context(), dir, "carbon_exporter", "--config.file=carbon.yml", "--web.listen-address=127.0.0.1:0"))
	poll := time.NewTicker(10 * time.Millisecond)
	defer poll.Stop()
	for late := time.After(30 * time.Second); ; {
		if found := listening.FindStringSubmatch(p.Stderr.String()); found != nil {
			return exporter{"http://" + found[1]}
		}
		select {
		case <-poll.C:
		case <-late:
			t.Fatal("carbon_exporter does not listen")
		case <-p.Ended:
			t.Fatal("carbon_exporter has ended")
		}
	}
}

// power waits for the first numbers, and returns the watts of every key in the newest complete
// interval, and when that begins.
func (x exporter) power(t *testing.T) (at time.Time, power map[profiles.Key]profiles.Amount, rated map[string]profiles.Amount) {
	t.Helper()
	due := time.Now().Add(-2 * time.Minute).Truncate(halfHour) // the end of the newest that can be complete
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		answer, err := http.Get(x.url + "/metrics")
		if err != nil {
			t.Fatal(err)
		}
		newest, watts, rated := time.Time{}, map[profiles.Key]profiles.Amount{}, map[string]profiles.Amount{}
		for lines := bufio.NewScanner(answer.Body); lines.Scan(); {
			name, labels, value := sample(lines.Text())
			switch name {
			case "carbon_last_complete_interval_timestamp_seconds":
				newest = time.Unix(int64(value), 0)
			case "carbon_power_watts":
				k := profiles.Key{Project: labels["project"], Machine: labels["machine"], User: labels["user"]}
				a := watts[k]
				if labels["mode"] == "busy" {
					a.Busy += value
				} else {
					a.Idle += value
				}
				watts[k] = a
			case "carbon_machine_power_watts":
				a := rated[labels["machine"]]
				if labels["mode"] == "busy" {
					a.Busy = value
				} else {
					a.Idle = value
				}
				rated[labels["machine"]] = a
			}
		}
		answer.Body.Close()
		if !newest.Before(due) {
			return newest.Add(-halfHour), watts, rated
		}
	}
	t.Fatal("there is no complete interval after a minute")
	return time.Time{}, nil, nil
}

var labelled = regexp.MustCompile(`^([a-z_]+)(?:\{(.*)\})? (\S+)$`)

// sample parses a line of /metrics whose labels have no odd values.
func sample(line string) (name string, labels map[string]string, value float64) {
	m := labelled.FindStringSubmatch(line)
	if m == nil {
		return "", nil, 0
	}
	labels = map[string]string{}
	for pair := range strings.SplitSeq(m[2], ",") {
		k, v, _ := strings.Cut(pair, "=")
		labels[k] = strings.Trim(v, `"`)
	}
	value, err := strconv.ParseFloat(m[3], 64)
	if err != nil {
		return "", nil, 0
	}
	return m[1], labels, value
}
