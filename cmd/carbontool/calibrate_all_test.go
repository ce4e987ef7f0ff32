// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"math"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/simulate/scraped"
	"github.com/carbon-exporter/carbon_exporter/internal/store"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// meteredSite is one with hosts of Muon and SANS, with good meters of both, and of Quiet, whose hosts
// nobody measures. The configuration says what each is called.
func meteredSite(t *testing.T, power string) *newSite {
	t.Helper()
	bare := func(host string) string { return strings.TrimSuffix(host, ":9100") }
	of := scraped.MeterOf
	sans := of("SANS", scraped.Drawn)
	sans.Label, sans.Name = "node", bare
	others := of("SANS", scraped.Drawn)
	others.Name = func(host string) string { return "bmc-" + host }
	server := httptest.NewServer(&scraped.Metered{
		Hosts: map[string][]string{"Muon": {"10.0.0.1:9100", "10.0.0.2:9100"}, "SANS": {"10.0.1.1:9100", "10.0.1.2:9100"}, "Quiet": {"10.0.2.1:9100"}},
		Meters: map[string]scraped.Meter{
			"muon_watts":    of("Muon", scraped.Drawn),
			"sans_watts":    sans,
			"twice_watts":   of("Muon", func(m string, busy float64) float64 { return 2 * scraped.Drawn(m, busy) }),
			"stuck_watts":   of("SANS", func(string, float64) float64 { return 120 }),
			"no_such_watts": of("SANS", func(string, float64) float64 { return math.NaN() }),
			"other_watts":   others,
		},
	})
	t.Cleanup(server.Close)
	s := &newSite{t: t, url: server.URL}
	s.file, s.store = filepath.Join(t.TempDir(), "carbon.yml"), filepath.Join(t.TempDir(), "carbon.db")
	s.configure(power)
	st, err := store.Open(t.Context(), s.store, store.Options{Interval: usage.SlotLength, Timezone: time.UTC})
	if err != nil {
		t.Fatal(err)
	}
	if err := st.Close(); err != nil {
		t.Fatal(err)
	}
	return s
}

// averages are the ratings in the store at a time.
func (s *newSite) averages(at time.Time) map[string]usage.Rating {
	s.t.Helper()
	st, err := store.OpenToRead(s.t.Context(), s.store, store.Options{})
	if err != nil {
		s.t.Fatal(err)
	}
	defer st.Close()
	all, err := st.MachineAverages(s.t.Context(), at)
	if err != nil {
		s.t.Fatal(err)
	}
	return all
}

// whens are times in what the command prints: they are those of the test.
var whens = regexp.MustCompile(`[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]+Z`)

func (s *newSite) timeless(text string) string {
	text = strings.NewReplacer(s.store, "STORE", s.file, "FILE").Replace(text)
	return whens.ReplaceAllString(text, "TIME")
}

const bothMeters = "power: {busy_watts: 4, idle_watts: 1, pue: 1.3, machines: {Muon: {busy_watts: 9, idle_watts: 2}}, measured: [{name: ipmi, query: muon_watts, error: 0.05}, {name: pdu, query: sans_watts, hosts: node}]}\n"

func TestCalibrateAllLearnsEveryTypeThatIsMeasured(t *testing.T) {
	s := meteredSite(t, bothMeters)
	const lines = `MACHINE       BUSY WATTS       IDLE WATTS              ENERGY  BEFORE                 OBSERVATIONS  HOSTS
Muon     7.2500 ± 0.0000  2.5000 ± 0.0000               ± 5 %  9 W and 2 W (config)            672      2
SANS     3.5000 ± 0.0000  0.5000 ± 0.0000  ± less than 0.01 %  4 W and 1 W (default)           672      2
Without measured hosts: Quiet.

`
	const after = ": 2 averages from TIME on, learned from TIME to TIME.\nStored usage keeps its watts until \"carbontool recost\". PUE is not included: energy is multiplied by it afterwards (currently 1.3).\n"
	const warning = "carbontool calibrate: warning: this average counts before power.machines.Muon in FILE; to go back: carbontool calibrate --forget=Muon\n"
	got := s.call("calibrate", "--all", "--dry-run")
	if want := lines + "Dry run, not stored" + after; got.code != exitDone || s.timeless(got.stdout) != want || s.timeless(got.stderr) != warning {
		t.Errorf("code %d\n%s\nwant\n%s\n%s", got.code, s.timeless(got.stdout), want, got.stderr)
	}
	later := time.Now().Add(time.Hour)
	if all := s.averages(later); len(all) != 0 {
		t.Errorf("a dry run stored %v", all)
	}
	got = s.call("calibrate", "--all")
	if want := lines + "Stored in STORE" + after; got.code != exitDone || s.timeless(got.stdout) != want {
		t.Errorf("code %d\n%s\nwant\n%s\n%s", got.code, s.timeless(got.stdout), want, got.stderr)
	}
	if all := s.averages(usage.IntervalAt(time.Now(), usage.SlotLength).Start); len(all) != 0 {
		t.Errorf("the interval that is not over has %v", all)
	}
	all := s.averages(later)
	if len(all) != 2 || math.Abs(float64(all["Muon"].Watts.Busy)-7.25) > 1e-6 || math.Abs(float64(all["SANS"].Watts.Idle)-0.5) > 1e-6 ||
		all["Muon"].Source != "calibrated" || all["Muon"].Error == nil || math.Abs(*all["Muon"].Error-0.05) > 1e-6 {
		t.Errorf("stored %+v", all)
	}

	got = s.call("calibrate", "--forget=Muon", "--dry-run")
	if want := "Dry run, not ended: what was learned of Muon, 7.25 W and 2.5 W (calibrated), from TIME on.\n"; got.code != exitDone || s.timeless(got.stdout) != want {
		t.Errorf("%+v", got)
	}
	got = s.call("calibrate", "--forget=Muon")
	want := "Ended in STORE: what was learned of Muon, 7.25 W and 2.5 W (calibrated), from TIME on.\nFrom then on it has 9 W and 2 W (config). Stored usage keeps its watts until \"carbontool recost\".\n"
	if got.code != exitDone || s.timeless(got.stdout) != want || got.stderr != "" {
		t.Errorf("%+v", got)
	}
	if all := s.averages(later); len(all) != 1 {
		t.Errorf("left is %v", all)
	}
	got = s.call("calibrate", "--forget=Muon")
	if got.code != exitUsage || !strings.Contains(got.stderr, `--forget: there is no learned average of "Muon" in force; there is of SANS`) {
		t.Errorf("%+v", got)
	}
}

func TestWhatCalibrateAllCannotLearn(t *testing.T) {
	measured := func(meters string) string { return "power: {measured: [" + meters + "]}\n" }
	for _, c := range []struct {
		name, power, more string
		code              int
		stdout, stderr    string // in it
	}{
		{
			name: "one of two meters is stuck", power: measured("{name: ipmi, query: muon_watts}, {name: pdu, query: stuck_watts}"), code: exitFailed,
			stdout: "Not learned: SANS: the measured power is the same in every interval, whatever the load; it is a constant, not a measurement; left out: 672 measured (672 constant whatever the load)\n",
			stderr: "1 machine type learned, but there is 1 fault: see what is listed above",
		},
		{
			name: "other hosts", power: measured("{name: ipmi, query: muon_watts}, {name: pdu, query: other_watts}"), code: exitFailed,
			stdout: "Not used: power.measured[1] (pdu) measures other hosts: it has bmc-10.0.1.1:9100, bmc-10.0.1.2:9100, but CPU time has 10.0.0.1:9100, 10.0.0.2:9100 and 3 more",
			stderr: "1 machine type learned, but there is 1 fault",
		},
		{
			name: "a query that is none", power: measured("{name: ipmi, query: muon_watts}, {name: pdu, query: no PromQL}"), code: exitFailed,
			stdout: "Not used: power.measured[1] (pdu) is a query that Prometheus rejects: bad_data: parse error", stderr: "1 machine type learned, but there is 1 fault",
		},
		{
			name: "a meter without data", power: measured("{name: pdu, query: no_such_watts}"), code: exitFailed,
			stdout: "Not used: power.measured[0] (pdu) has no data in this range", stderr: "carbontool calibrate: power.measured[0] (pdu) has no data in this range; check the query\n",
		},
		{
			name: "too little", power: measured("{name: ipmi, query: muon_watts}"), more: "--from=-4h", code: exitFailed,
			stdout: "Not learned: Muon: ", stderr: "nothing was learned: see what is listed above for the reasons",
		},
		{
			name: "a range of no interval", power: measured("{name: ipmi, query: muon_watts}"), more: "--from=-1m", code: exitUsage,
			stderr: "the range contains no complete interval of 30m",
		},
		{
			name: "the second meter has another opinion", power: measured("{name: ipmi, query: muon_watts}, {name: pdu, query: twice_watts}"),
			stdout: "Muon     7.2500 ± 0.0000  2.5000 ± 0.0000",
		},
		{
			name: "the first meter has another opinion", power: measured("{name: pdu, query: twice_watts}, {name: ipmi, query: muon_watts}"),
			stdout: "Muon     14.5000 ± 0.0000  5.0000 ± 0.0000",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := meteredSite(t, c.power)
			args := []string{"calibrate", "--all"}
			if c.more != "" {
				args = append(args, c.more)
			}
			got := s.call(args...)
			if got.code != c.code || !strings.Contains(got.stdout, c.stdout) || !strings.Contains(got.stderr, c.stderr) {
				t.Errorf("code %d, want %d\n%s\nwant in it %s\n%s\nwant in it %s", got.code, c.code, got.stdout, c.stdout, got.stderr, c.stderr)
			}
		})
	}
}

func TestAnAverageThatChangesMoreThanByChanceIsSaid(t *testing.T) {
	s := meteredSite(t, "power: {measured: [{name: ipmi, query: twice_watts}]}\n")
	if got := s.call("calibrate", "--all"); got.code != exitDone || got.stderr != "" {
		t.Fatalf("%+v", got)
	}
	s.configure("power: {measured: [{name: ipmi, query: muon_watts}]}\n")
	got := s.call("calibrate", "--all")
	if got.code != exitDone || !strings.Contains(got.stderr, "warning: Muon: this differs from what was learned before by -100.0 % of the energy, which is ") {
		t.Errorf("%+v", got)
	}
}

func TestOneTypeByTheMetersOfTheConfiguration(t *testing.T) {
	s := meteredSite(t, bothMeters)
	got := s.call("calibrate", "--machine=SANS", "--from=-2d")
	if got.code != exitDone || !strings.Contains(got.stdout, "SANS: 3.5 W per busy core, 0.5 W per idle core\n") || !strings.Contains(got.stdout, "by host (whatever the port), 2 hosts") {
		t.Errorf("%+v", got)
	}
	got = s.call("calibrate", "--machine=Quiet", "--from=-2d")
	if got.code != exitFailed || got.stdout != "" || !strings.Contains(got.stderr, "learn the watts of Quiet: no interval has both CPU time and measured power") {
		t.Errorf("%+v", got)
	}
	if err := os.Remove(s.store); err != nil {
		t.Fatal(err)
	}
	if got := s.call("calibrate", "--all"); got.code != exitFailed || !strings.Contains(got.stderr, "there is no such file") {
		t.Errorf("%+v", got)
	}
}
