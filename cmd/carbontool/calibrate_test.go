// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"fmt"
	"math"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/calibrate"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// calibrating is how a call of calibrate ends, on a store with one machine type
// and a Prometheus that is not there.
func calibrating(t *testing.T, args ...string) (got called, prometheus string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	prometheus = "http://" + listener.Addr().String()
	listener.Close()
	file := filepath.Join(t.TempDir(), "carbon.yml")
	if err := os.WriteFile(file, fmt.Appendf(nil, "prometheus: {url: %q}\n", prometheus), 0o600); err != nil {
		t.Fatal(err)
	}
	return call(append([]string{"calibrate", "--config.file=" + file, "--storage.path=" + exporterStore(t)}, args...)...), prometheus
}

func TestCalibrateUsedInAWrongWay(t *testing.T) {
	for _, c := range []struct{ name, args, want string }{
		{"without a machine type", "--power-metric=watts --from=2026-01-01 --to=2026-01-02", "carbontool calibrate: nothing to learn: give --machine, or --all; see carbontool calibrate --help\n"},
		{"without an expression", "--machine=Muon --from=2026-01-01 --to=2026-01-02", "carbontool calibrate: --power-metric: must be given, because power.measured of the configuration has no meter; see carbontool calibrate --help\n"},
		{"all without a meter", "--all", "carbontool calibrate: --all: power.measured of the configuration has no meter to learn from; see carbontool calibrate --help\n"},
		{"all and one", "--all --machine=Muon", "carbontool calibrate: --all cannot be combined with --machine; see carbontool calibrate --help\n"},
		{"all by an expression", "--all --power-metric=watts", "carbontool calibrate: --all cannot be combined with --power-metric: it uses power.measured of the configuration; see carbontool calibrate --help\n"},
		{"forget, and learn", "--forget=Muon --all", "carbontool calibrate: --forget cannot be combined with flags other than --dry-run; see carbontool calibrate --help\n"},
		{"forget nothing by name", "--forget= ", "carbontool calibrate: --forget: must not be empty; see carbontool calibrate --help\n"},
		{"with an empty machine type", "--machine= --power-metric=watts --from=2026-01-01", "carbontool calibrate: --machine: must not be empty; see carbontool calibrate --help\n"},
		{"with an empty expression", "--machine=Muon --power-metric= --from=2026-01-01", "carbontool calibrate: --power-metric: must not be empty; see carbontool calibrate --help\n"},
		{"without a range", "--machine=Muon --power-metric=watts", "carbontool calibrate: no range: give --from; see carbontool calibrate --help\n"},
		{"with a range of less than an interval", "--machine=Muon --power-metric=watts --from=2026-01-01T00:05 --to=2026-01-01T00:45", "carbontool calibrate: the range contains no complete interval of 30m; see carbontool calibrate --help\n"},
		{"with a validity that has no length", "--machine=Muon --power-metric=watts --from=2026-01-01 --to=2026-01-02 --valid-to=2026-01-01", "carbontool calibrate: --valid-to: 2026-01-01 is not after 2026-01-01T00:00:00Z, the start of the validity; see carbontool calibrate --help\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, _ := calibrating(t, strings.Fields(c.args)...)
			if want := (called{exitUsage, "", c.want}); got != want {
				t.Errorf("got  %+v\nwant %+v", got, want)
			}
		})
	}
}

func TestCalibrateWithoutPrometheusSaysWhyInALine(t *testing.T) {
	got, prometheus := calibrating(t, "--machine=Muon", "--power-metric=watts", "--from=2026-01-01", "--to=2026-01-02")
	if got.code != exitFailed || got.stdout != "" || strings.Count(got.stderr, "\n") != 1 ||
		!strings.HasPrefix(got.stderr, "carbontool calibrate: ") || !strings.Contains(got.stderr, prometheus[len("http://"):]) {
		t.Errorf("%+v", got)
	}
}

func TestTheReportOfAFit(t *testing.T) {
	fit := calibrate.Fit{
		Watts:    usage.BusyIdle[usage.Watts]{Busy: 9.4831, Idle: 1.262},
		StdError: usage.BusyIdle[usage.Watts]{Busy: 0.0312, Idle: 0.0118},
		Error:    0.00412, RMSE: 4.123, RSquared: 0.97312, MeanPower: 131.5,
		Observations: 1330, Intervals: 112, Hosts: 12,
		Load: calibrate.Load{Mean: 0.312, Deviation: 0.171, Least: 0.021, Most: 0.881, Condition: 2.31},
	}
	paired := calibrate.Paired{Way: calibrate.ByHost, Left: usage.Rejects{"nan": 3, "partial": 9}, Unmeasured: 2, Others: 40}
	atZero := fit
	atZero.Watts.Idle, atZero.StdError.Idle, atZero.AtZero = 0, usage.Watts(math.NaN()), usage.Idle
	for _, c := range []struct {
		name     string
		fit      calibrate.Fit
		paired   calibrate.Paired
		want     string
		warnings int
	}{
		{"by host", fit, paired, `Muon: 9.48 W per busy core, 1.26 W per idle core
  busy          9.483 ± 0.031 W per core (standard error)
  idle          1.262 ± 0.012 W per core (standard error)
  energy        ± 0.41 % (standard error of the energy these watts give over a long time)
  R²            0.9731
  RMSE          4.12 W per interval; mean measured power 131.50 W
  observations  1330, by host, 12 hosts, 112 intervals of 30m
  busy time     mean 31.2 %, standard deviation 17 %, from 2.1 to 88.1 % (condition number 2.3)
  left out      12 measured (3 NaN, 9 incomplete)
  hosts         2 of this type without measurements; 40 measured but of other types
`, 0},
		{"all as one, and idle cores that seem to draw nothing", atZero, calibrate.Paired{Way: calibrate.AllAsOne}, `Muon: 9.48 W per busy core, 0 W per idle core
  busy          9.483 ± 0.031 W per core (standard error)
  idle          0 W per core; the best fit is negative, so 0 is used
  energy        ± 0.41 % (standard error of the energy these watts give over a long time)
  R²            0.9731
  RMSE          4.12 W per interval; mean measured power 131.50 W
  observations  1330, all hosts as one, 112 intervals of 30m
  busy time     mean 31.2 %, standard deviation 17 %, from 2.1 to 88.1 % (condition number 2.3)
  left out      nothing
`, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			var out, warned bytes.Buffer
			k := calibrateMachine{machine: "Muon"}
			k.report(&out, c.fit, c.paired, 30*time.Minute)
			if out.String() != c.want {
				t.Errorf("got\n%s\nwant\n%s", out.String(), c.want)
			}
			doubts(&warned, c.fit)
			if strings.Count(warned.String(), "carbontool calibrate: warning: ") != c.warnings {
				t.Errorf("it warns\n%s", warned.String())
			}
		})
	}
}

func TestDoubts(t *testing.T) {
	good := calibrate.Fit{Watts: usage.BusyIdle[usage.Watts]{Busy: 9, Idle: 1}, RSquared: 0.9}
	upsideDown, poor := good, good
	upsideDown.Watts.Idle = 10
	poor.RSquared = 0.3
	for _, c := range []struct {
		name string
		fit  calibrate.Fit
		want string
	}{
		{"none", good, ""},
		{"an idle core that draws more", upsideDown, "carbontool calibrate: warning: in this fit an idle core draws more than a busy one: check that the measurements are from these machines, at the same time\n"},
		{"a load that explains little", poor, "carbontool calibrate: warning: the load explains little of the measured power (R² is 0.30)\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var warned bytes.Buffer
			if doubts(&warned, c.fit); warned.String() != c.want {
				t.Errorf("got %q, want %q", warned.String(), c.want)
			}
		})
	}
}

func TestAsManyDigitsAsTheErrorDeserves(t *testing.T) {
	for _, c := range []struct {
		watts, sigma usage.Watts
		want         string
	}{
		{9.48312, 0.0312, "9.483 ± 0.031 W per core (standard error)"},
		{9.48312, 0.312, "9.48 ± 0.31 W per core (standard error)"},
		{9.48312, 3.12, "9.5 ± 3.1 W per core (standard error)"},
		{94.8312, 31.2, "95 ± 31 W per core (standard error)"},
		{9.48312, 1e-12, "9.4831 ± 0.0000 W per core (standard error)"},
		{9.48312, 0, "9.4831 ± 0.0000 W per core (standard error)"},
	} {
		if got := withError(c.watts, c.sigma); got != c.want {
			t.Errorf("%v ± %v is written %s, want %s", c.watts, c.sigma, got, c.want)
		}
	}
}
