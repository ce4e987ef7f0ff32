// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package exporter_test

import (
	"maps"
	"math"
	"net/http"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/e2e/built"
	"github.com/carbon-exporter/carbon_exporter/internal/e2e/engine"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// tool runs carbontool to its end.
func tool(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	got := built.Run(t, exec.Command(filepath.Join(scratch, "carbontool"), args...))
	return got.Code, got.Stdout, got.Stderr
}

// truly are the watts that the machines of these tests draw, whatever is
// configured.
var truly = usage.BusyIdle[float64]{Busy: 7.25, Idle: 2.5}

// wattmeter records the power of every host twice a minute. The load is the same
// all through a half hour, so that a value is that of the minute around it.
func (s *site) wattmeter(t *testing.T, name string, more func(host usage.Series) map[string]string, distort func(usage.Series, time.Time, float64) float64) {
	t.Helper()
	samples := map[usage.Series][]engine.Sample{}
	var last map[usage.Series]bool
	for slot := usage.IntervalAt(s.from, usage.SlotLength); !slot.End().After(s.to); slot = slot.Next() {
		here := map[usage.Series]bool{}
		for host, cpu := range s.cloud.Truth(slot) {
			host.User = "" // one wattmeter, whoever has the machine
			here[host] = true
			watts := (truly.Busy*float64(cpu.Busy) + truly.Idle*float64(cpu.Idle)) / slot.Length.Seconds()
			for at := slot.Start.Add(15 * time.Second); at.Before(slot.End()); at = at.Add(30 * time.Second) {
				if v := distort(host, at, watts); v != 0 {
					samples[host] = append(samples[host], engine.At(at, v))
				}
			}
		}
		for host := range last {
			if !here[host] {
				samples[host] = append(samples[host], engine.At(slot.Start.Add(15*time.Second), engine.Stale()))
			}
		}
		last = here
	}
	for host, all := range samples {
		l := map[string]string{"__name__": name, "job": "ipmi"}
		maps.Copy(l, more(host))
		if err := s.engine.Append(background, engine.NewSeries(l), all...); err != nil {
			t.Fatal(err)
		}
	}
}

func byInstance(host usage.Series) map[string]string {
	return map[string]string{"instance": host.Host}
}

func faithful(_ usage.Series, _ time.Time, watts float64) float64 { return watts }

// learned are the watts that the tool prints with their standard errors.
var learned = regexp.MustCompile(`(?m)^  (busy|idle) +([0-9.]+) ± ([0-9.]+) W per core`)

func fitOf(t *testing.T, stdout string) (watts, sigma usage.BusyIdle[float64]) {
	t.Helper()
	found := learned.FindAllStringSubmatch(stdout, -1)
	if len(found) != 2 {
		t.Fatalf("no fit in\n%s", stdout)
	}
	number := func(s string) float64 {
		v, err := strconv.ParseFloat(s, 64)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	return usage.BusyIdle[float64]{Busy: number(found[0][2]), Idle: number(found[1][2])},
		usage.BusyIdle[float64]{Busy: number(found[0][3]), Idle: number(found[1][3])}
}

// learnedMachine is a type that no test configures, with several hosts.
const learnedMachine = "SANS"

func TestMeasuredPowerIsLearnedAndUsed(t *testing.T) {
	s, uk := newSite(t, 12, engine.Options{}), newGrid(t)
	s.wattmeter(t, "ipmi_watts", byInstance, faithful)
	prometheus := serve(t, s.engine.Handler())
	over := spanOf(30*time.Minute, 12*time.Hour)
	where := settings{prometheus: prometheus.URL, uk: uk.URL}.place(t, over)
	other := place{store: where.store, config: filepath.Join(t.TempDir(), "carbon.yml")}
	write(t, other.config, settings{prometheus: serve(t, s.engine.Handler()).URL, uk: uk.URL}.yaml(over))
	args := func(machine string, more ...string) []string {
		return append(append([]string{"calibrate", "--machine=" + machine, "--power-metric=ipmi_watts", "--from=" + over.first.Format(time.RFC3339)},
			other.args()...), more...)
	}

	// The exporter has nothing yet, for its Prometheus is away; the tool asks another.
	prometheus.status.Store(http.StatusServiceUnavailable)
	p := start(t, where.args()...)
	p.says(0, "carbon_exporter_source_errors_total", "source", "prometheus", "reason", "server_error")

	code, stdout, stderr := tool(t, args(learnedMachine, "--dry-run")...)
	if code != 0 || !strings.Contains(stdout, "not stored") {
		t.Fatalf("exit code %d\n%s%s", code, stdout, stderr)
	}
	code, again, stderr := tool(t, args(learnedMachine)...)
	if code != 0 || strings.Contains(stderr, "warning") {
		t.Fatalf("exit code %d\n%s%s", code, again, stderr)
	}
	t.Logf("carbontool said\n%s", again)
	watts, sigma := fitOf(t, again)
	if dry, _ := fitOf(t, stdout); dry != watts {
		t.Errorf("a dry run finds %v, the other %v", dry, watts)
	}
	if !near(watts.Busy, truly.Busy, 1e-3) || !near(watts.Idle, truly.Idle, 1e-3) || sigma.Busy > 1e-3 || sigma.Idle > 1e-3 {
		t.Errorf("found %v ± %v, the machines draw %v", watts, sigma, truly)
	}
	for _, line := range []string{"by host, ", "Stored in " + where.store, "replacing 12 W and 1 W (default)", "PUE is not included: energy is multiplied by it afterwards (currently 1.2)"} {
		if !strings.Contains(again, line) {
			t.Errorf("it does not say %q:\n%s", line, again)
		}
	}

	code, stdout, stderr = tool(t, args("Muon")...)
	if code != 0 || !strings.Contains(stderr, "warning: this average counts before power.machines.Muon in "+other.config) {
		t.Errorf("of a machine type with watts of its own: exit code %d\n%s%s", code, stdout, stderr)
	}

	prometheus.status.Store(0)
	seen := p.becomesWhole(over)
	checkPower(t, seen, learnedMachine, "calibrated", truly)
	checkPower(t, seen, "Muon", "calibrated", truly)
	var want, got usage.BusyIdle[float64]
	for key, a := range truth(s.cloud, over, uk.price).total() {
		if key.Machine == learnedMachine {
			want.Busy += a.CPU.Busy * truly.Busy * pue / 3.6e6
			want.Idle += a.CPU.Idle * truly.Idle * pue / 3.6e6
		}
	}
	for key, v := range seen.usage(t, "carbon_energy_kwh") {
		if key.Machine == learnedMachine {
			got = got.Plus(v)
		}
	}
	if want.Busy == 0 || !near(got.Busy, want.Busy, exact) || !near(got.Idle, want.Idle, exact) {
		t.Errorf("%s used %v kWh, as measured it is %v", learnedMachine, got, want)
	}
}

func checkPower(t *testing.T, seen scrape, machine, source string, want usage.BusyIdle[float64]) {
	t.Helper()
	busy, hasBusy := seen.value("carbon_machine_power_watts", "machine", machine, "mode", "busy", "source", source)
	idle, hasIdle := seen.value("carbon_machine_power_watts", "machine", machine, "mode", "idle", "source", source)
	if !hasBusy || !hasIdle || !near(busy, want.Busy, exact) || !near(idle, want.Idle, exact) {
		t.Errorf("carbon_machine_power_watts of %s from %s is %v and %v, want %v", machine, source, busy, idle, want)
	}
}

// TestCalibrateAgainstARealPrometheus has wattmeters of many kinds beside the same
// machines, and a store in use.
func TestCalibrateAgainstARealPrometheus(t *testing.T) {
	s, uk := newSite(t, 12, engine.Options{}), newGrid(t)
	over := spanOf(30*time.Minute, 12*time.Hour)
	first := ""
	for _, h := range s.cloud.Hosts() {
		if h.Machine == learnedMachine && first == "" {
			first = h.Instance
		}
	}
	s.wattmeter(t, "ports_watts", func(h usage.Series) map[string]string {
		return map[string]string{"instance": strings.Replace(h.Host, ":9100", ":8080", 1)}
	}, faithful)
	s.wattmeter(t, "typed_watts", func(h usage.Series) map[string]string {
		return map[string]string{"machine_name": h.Machine, "rack": h.Host}
	}, faithful)
	s.wattmeter(t, "bmc_watts", func(h usage.Series) map[string]string {
		return map[string]string{"instance": "bmc-" + h.Host, "rack": "r", "machine_name": h.Machine}
	}, faithful)
	for _, socket := range []string{"0", "1"} {
		s.wattmeter(t, "socket_watts", func(h usage.Series) map[string]string {
			return map[string]string{"instance": h.Host, "socket": socket}
		}, func(_ usage.Series, _ time.Time, w float64) float64 { return w / 2 })
	}
	s.wattmeter(t, "scattered_watts", byInstance, func(h usage.Series, at time.Time, w float64) float64 {
		const scatter = 0.1
		return w * (1 + scatter*math.Sin(float64(at.Unix()/1800*int64(len(h.Host)+len(h.Project))))) // of the half hour
	})
	broken := over.first.Add(2 * time.Hour)
	s.wattmeter(t, "broken_watts", byInstance, func(h usage.Series, at time.Time, w float64) float64 {
		switch hours := at.Sub(broken).Hours(); {
		case h.Host != first || hours < 0:
			return w
		case hours < 0.5:
			return math.NaN()
		case 1 <= hours && hours < 1.2:
			return -1
		case 2 <= hours && hours < 2.25:
			return 0 // no value
		}
		return w
	})
	s.wattmeter(t, "stuck_watts", byInstance, func(usage.Series, time.Time, float64) float64 { return 120 })
	s.wattmeter(t, "milli_watts", byInstance, func(_ usage.Series, _ time.Time, w float64) float64 { return 1000 * w })
	where := settings{prometheus: serve(t, s.engine.Handler()).URL, uk: uk.URL}.place(t, over)
	p := start(t, where.args()...)
	p.becomesWhole(over)

	from := "--from=" + over.first.Format(time.RFC3339)
	for _, c := range []struct {
		name, machine, expr string
		more                []string
		code                int
		exact               bool
		stdout, stderr      string // in it
	}{
		{name: "ports of another exporter", expr: "ports_watts", exact: true, stdout: "by host (whatever the port), "},
		{name: "all hosts of the type, by their label", expr: "typed_watts", exact: true, stdout: "all hosts as one, "},
		{name: "all hosts of the type, added up", expr: `sum(typed_watts{machine_name="SANS"})`, exact: true, stdout: "all hosts as one, "},
		{name: "the same with a comment", expr: `sum(typed_watts{machine_name="SANS"}) # PDU`, exact: true, stdout: "all hosts as one, "},
		{name: "labels mended", expr: `label_replace(bmc_watts, "instance", "$1", "instance", "bmc-(.*)")`, exact: true, stdout: "by host, "},
		{name: "sockets are added up", expr: "socket_watts", exact: true, stdout: "by host, "},
		{name: "kilowatts made watts", expr: "(socket_watts / 1000) * 1000", exact: true},
		{name: "a scatter", expr: "scattered_watts"},
		{name: "what is no measurement is left out", expr: "broken_watts", exact: true, stdout: "3 measured (1 NaN, 1 negative, 1 incomplete)"},
		{name: "a wattmeter that is stuck", expr: "stuck_watts", code: 1, stderr: "it is a constant, not a measurement; left out: "},
		{name: "milliwatts", expr: "milli_watts", code: 1, stderr: "more than any core uses; the expression must be in watts"},
		{name: "hosts that nobody knows", expr: "bmc_watts", code: 1, stderr: "the measured power is of other hosts: it has bmc-"},
		{name: "no such metric", expr: "no_such_watts", code: 1, stderr: "carbontool calibrate: learn the watts of SANS: --power-metric returns no data in this range\n"},
		{name: "no PromQL", expr: "sum(", code: 2, stderr: "--power-metric: Prometheus rejects the query: bad_data: "},
		{name: "a number", expr: "120", code: 2, stderr: "--power-metric: Prometheus rejects the query: bad_data: "},
		{name: "nothing", expr: " ", code: 2, stderr: "--power-metric: must not be empty; see carbontool calibrate --help\n"},
		{name: "a machine type that nobody has", machine: "Moun", expr: "ports_watts", code: 2, stderr: `--machine: there is no machine type "Moun"; known types: `},
		{name: "one that was not used then", machine: learnedMachine, expr: "ports_watts", more: []string{"--to=2020-01-02", "--from=2020-01-01"}, code: 1, stderr: "carbontool calibrate: learn the watts of SANS: Prometheus has no CPU time for it in this range\n"},
		{name: "a range that is too short", expr: "ports_watts", more: []string{"--to=" + over.first.Add(2*time.Hour).Format(time.RFC3339)}, code: 1, stderr: "4 intervals have both CPU time and measured power, but at least 12 are needed"},
		{name: "a range of no interval", expr: "ports_watts", more: []string{"--to=" + over.first.Add(20*time.Minute).Format(time.RFC3339)}, code: 2, stderr: "the range contains no complete interval of 30m"},
		{name: "the future", expr: "ports_watts", more: []string{"--to=2099-01-01"}, code: 2, stderr: "--to: 2099-01-01 is in the future"},
		{name: "reversed", expr: "ports_watts", more: []string{"--to=2020-01-01"}, code: 2, stderr: "--to: 2020-01-01T00:00:00Z is not after --from"},
		{name: "a validity that is no time", expr: "ports_watts", more: []string{"--valid-from=soon"}, code: 2, stderr: `--valid-from: "soon" is not a time`},
		{name: "a validity that ends before it begins", expr: "ports_watts", more: []string{"--valid-to=2020-01-01"}, code: 2, stderr: "--valid-to: 2020-01-01 is not after "},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.machine == "" {
				c.machine = learnedMachine
			}
			args := append([]string{"calibrate", "--machine=" + c.machine, "--power-metric=" + c.expr, "--dry-run"}, where.args()...)
			if len(c.more) < 2 {
				args = append(args, from)
			}
			code, stdout, stderr := tool(t, append(args, c.more...)...)
			if code != c.code || !strings.Contains(stdout, c.stdout) || !strings.Contains(stderr, c.stderr) {
				t.Fatalf("exit code %d, want %d; stdout, want %q in it\n%s\nstderr, want %q in it\n%s", code, c.code, c.stdout, stdout, c.stderr, stderr)
			}
			if code != 0 {
				if stdout != "" || strings.Count(stderr, "\n") != 1 {
					t.Errorf("it failed and says more than a line\n%s%s", stdout, stderr)
				}
				return
			}
			watts, sigma := fitOf(t, stdout)
			off := usage.BusyIdle[float64]{Busy: math.Abs(watts.Busy - truly.Busy), Idle: math.Abs(watts.Idle - truly.Idle)}
			if c.exact && (off.Busy > 1e-3 || off.Idle > 1e-3) || off.Busy > 4*sigma.Busy+1e-3 || off.Idle > 4*sigma.Idle+1e-3 {
				t.Errorf("found %v ± %v, the machines draw %v", watts, sigma, truly)
			}
		})
	}
	checkPower(t, p.scrape(), learnedMachine, "default", watts(learnedMachine)) // those were dry runs
}
