// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package instruments_test

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/source"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// held is what a server shows of a signal at a moment: its newest sample.
func held(s signal, at time.Duration) float64 {
	latest := at - (at-s.offset)%s.every
	if (at-s.offset)%s.every < 0 {
		latest -= s.every
	}
	return s.value(latest)
}

// The energies of pieces add up to the integral of what the server shows, however the time is cut;
// and that is the integral of the truth, but for how late scrapes are.
func TestEnergiesTelescope(t *testing.T) {
	shapes := map[string]func(time.Duration) float64{
		"constant": constant(180),
		"ramp":     func(at time.Duration) float64 { return 100 + at.Minutes() },
		"sinus":    func(at time.Duration) float64 { return 300 + 200*math.Sin(at.Minutes()/9) },
		"steps":    func(at time.Duration) float64 { return 100 + 50*math.Mod(math.Floor(at.Minutes()/7)+20, 4) },
	}
	for name, shape := range shapes {
		for _, every := range []time.Duration{15 * time.Second, time.Minute} {
			for _, offset := range []time.Duration{0, 7 * time.Second} {
				t.Run(fmt.Sprintf("%s each %s after %s", name, every, offset), func(t *testing.T) {
					s := signal{labels: map[string]string{"__name__": "ipmi_watts", "instance": "a"}, value: shape, every: every, offset: offset}
					w := newWorld(t, minutes(-30), minutes(185), s)
					w.client.Query.Instruments = source.Instruments{
						Meters: []source.Meter{{Name: "ipmi", Query: w.of("ipmi_watts")}},
						Zones:  []source.Zone{{Name: "site", Query: w.of("ipmi_watts")}},
					}
					shown, truth := 0.0, 0.0
					for m := range 180 {
						shown += 60 * (held(s, minutes(float64(m))) + held(s, minutes(float64(m+1)))) / 2
					}
					for second := range 180 * 60 {
						truth += shape(time.Duration(second)*time.Second + 500*time.Millisecond)
					}
					for _, cut := range []time.Duration{time.Minute, 5 * time.Minute, 20 * time.Minute, 30 * time.Minute, time.Hour, 90 * time.Minute} {
						all, _, err := w.client.Instruments(t.Context(), run(cut, int(3*time.Hour/cut)), true)
						if err != nil {
							t.Fatal(err)
						}
						sum, zone := 0.0, 0.0
						for _, i := range all {
							if m := i.Power["a"]; m.Covered != 1 || m.Meter != "ipmi" || len(i.Zones) != 1 {
								t.Fatalf("cut by %s: %+v", cut, i)
							}
							sum += float64(i.Power["a"].Energy)
							zone += float64(i.Zones[0].Energy)
						}
						if !near(sum, shown, 1e-6) || !near(zone, shown, 1e-6) {
							t.Errorf("cut by %s: %v J and %v J in the zone, want %v J", cut, sum, zone, shown)
						}
						if !near(sum, truth, 0.01) {
							t.Errorf("cut by %s: %v J, the truth is %v J", cut, sum, truth)
						}
					}
				})
			}
		}
	}
}

func TestWhatAMeterCovers(t *testing.T) {
	psu := func(n string, watts float64, holes ...[2]time.Duration) signal {
		return signal{labels: map[string]string{"__name__": "psu_watts", "instance": "a", "psu": n}, value: constant(watts), holes: holes}
	}
	odd := func(v float64) signal {
		return signal{labels: map[string]string{"__name__": "psu_watts", "instance": "a"}, value: func(at time.Duration) float64 {
			if at > minutes(10) && at < minutes(20) {
				return v
			}
			return 100
		}}
	}
	for _, c := range []struct {
		name    string
		signals []signal
		covered []float64 // of the first two half hours
		watts   float64   // where it is covered
		rejects usage.Rejects
	}{
		{"two supplies", []signal{psu("1", 100), psu("2", 50)}, []float64{1, 1}, 150, nil},
		{"one of two supplies at rest", []signal{psu("1", 100), psu("2", 0)}, []float64{1, 1}, 100, nil},
		{"one of two supplies has no reading for ten minutes", []signal{psu("1", 100), psu("2", 50, [2]time.Duration{minutes(10), minutes(20)})}, []float64{20. / 30, 1}, 150, nil},
		{"one of two supplies fails over an edge", []signal{psu("1", 100), psu("2", 50, [2]time.Duration{minutes(20.1), minutes(45)})}, []float64{20.5 / 30, 14.5 / 30}, 150, nil},
		{"one of two supplies fails for the whole of a piece", []signal{psu("1", 100), psu("2", 50, [2]time.Duration{minutes(-15), minutes(45)})}, []float64{0, 14.5 / 30}, 150, nil},
		{"a hole", []signal{psu("1", 100, [2]time.Duration{minutes(9.9), minutes(19.9)})}, []float64{20. / 30, 1}, 100, nil},
		{"a second supply is built in", []signal{psu("1", 150), {labels: psu("2", 0).labels, value: constant(0), from: minutes(10)}}, []float64{1, 1}, 150, nil},
		{"no number", []signal{odd(math.NaN())}, []float64{20. / 30, 1}, 100, usage.Rejects{"nan": 1}},
		{"without end", []signal{odd(math.Inf(1))}, []float64{20. / 30, 1}, 100, usage.Rejects{"infinite": 1}},
		{"below nothing", []signal{odd(-5)}, []float64{20. / 30, 1}, 100, usage.Rejects{"negative": 1}},
		{"nothing at all", []signal{odd(0)}, []float64{20. / 30, 1}, 100, usage.Rejects{"zero": 1}},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, minutes(-26*60), minutes(65), c.signals...)
			w.client.Query.Instruments.Meters = []source.Meter{{Name: "psu", Query: w.of("psu_watts")}}
			all, rejects := w.read(t, run(30*time.Minute, 2))
			for i, covered := range c.covered {
				m := all[i].Power["a"]
				if math.Abs(m.Covered-covered) > 1.01/30 || !near(float64(m.Energy), c.watts*1800*m.Covered, 1e-9) {
					t.Errorf("piece %d: %v J of %v, want %v W of %v", i, m.Energy, m.Covered, c.watts, covered)
				}
			}
			if fmt.Sprint(rejects) != fmt.Sprint(c.rejects) && len(rejects)+len(c.rejects) > 0 {
				t.Errorf("rejects %v, want %v", rejects, c.rejects)
			}
		})
	}
}

func TestOfTwoMetersTheOneThatCoversMoreCounts(t *testing.T) {
	ipmi := signal{labels: map[string]string{"__name__": "ipmi_watts", "node": "a:9100"}, value: constant(120), holes: [][2]time.Duration{{minutes(35), minutes(40)}}}
	rapl := signal{labels: map[string]string{"__name__": "rapl_joules_total", "instance": "a:9100", "package": "0"}, value: func(at time.Duration) float64 { return 1e6 + 80*at.Seconds() }}
	socket := rapl
	socket.labels = map[string]string{"__name__": "rapl_joules_total", "instance": "a:9100", "package": "1"}
	other := ipmi
	other.labels = map[string]string{"__name__": "ipmi_watts"} // of no host
	w := newWorld(t, minutes(-30), minutes(65), ipmi, rapl, socket, other)
	w.client.Query.Instruments.Meters = []source.Meter{
		{Name: "ipmi", Query: w.of("ipmi_watts") + " # at the wall", Host: "node"},
		{Name: "rapl", Query: "rate(" + w.of("rapl_joules_total") + "[2m])"},
	}
	all, _ := w.read(t, run(30*time.Minute, 2))
	for i, want := range []usage.Metering{{Meter: "ipmi", Energy: 120 * 1800, Covered: 1}, {Meter: "rapl", Energy: 160 * 1800, Covered: 1}} {
		if got := all[i].Power["a:9100"]; got.Meter != want.Meter || got.Covered != 1 || !near(float64(got.Energy), float64(want.Energy), 1e-6) || len(all[i].Power) != 1 {
			t.Errorf("piece %d: %+v, want %+v", i, all[i].Power, want)
		}
	}
	for _, words := range []string{"Two meters measure the same hosts", `without the label "node"`} {
		if !slices.ContainsFunc(all[1].Remarks, func(r string) bool { return strings.Contains(r, words) }) {
			t.Errorf("remarks %q do not say %q", all[1].Remarks, words)
		}
	}
}

// Two servers that scrape one sensor cannot be told from two sensors, but for their values.
func TestCopiesOfAMeterAreSaid(t *testing.T) {
	copied := func(replica string) signal {
		return signal{labels: map[string]string{"__name__": "ipmi_watts", "instance": "a", "replica": replica}, value: func(at time.Duration) float64 { return 100 + math.Floor(at.Minutes()) }}
	}
	w := newWorld(t, minutes(-30), minutes(185), copied("0"), copied("1"))
	w.client.Query.Instruments = source.Instruments{
		Meters: []source.Meter{{Name: "ipmi", Query: w.of("ipmi_watts")}},
		Zones:  []source.Zone{{Name: "hall", Query: w.of("ipmi_watts")}},
	}
	all, _, err := w.client.Instruments(t.Context(), run(30*time.Minute, 6), true)
	if err != nil || len(all[5].Remarks) != 2 || !strings.Contains(all[5].Remarks[0], `take one of them: max by (instance) (...)`) || !strings.Contains(all[5].Remarks[1], "hall") {
		t.Errorf("remarks %q, %v", all[5].Remarks, err)
	}
	w.client.Query.Instruments.Meters[0].Query = "max by (instance) (" + w.of("ipmi_watts") + ")"
	w.client.Query.Instruments.Zones = nil
	all, _, err = w.client.Instruments(t.Context(), run(30*time.Minute, 6), true)
	if err != nil || len(all[5].Remarks) != 0 || !near(float64(all[5].Power["a"].Energy), 265*1800, 1e-3) {
		t.Errorf("one of them: %+v, %v", all[5], err)
	}
}

func TestZonesAndPUE(t *testing.T) {
	pdu := func(n string, holes ...[2]time.Duration) signal {
		return signal{labels: map[string]string{"__name__": "pdu_watts", "pdu": n}, value: constant(1000), holes: holes, every: time.Minute}
	}
	pue := signal{labels: map[string]string{"__name__": "site_pue"}, value: func(at time.Duration) float64 {
		switch {
		case at < minutes(30):
			return 1.2 + 0.2*math.Floor(2*(at.Seconds()+59)/1800)
		case at < minutes(60):
			return 0.4
		}
		return math.NaN()
	}, every: time.Minute}
	w := newWorld(t, minutes(-26*60), minutes(95), pdu("a"), pdu("b", [2]time.Duration{minutes(35), minutes(45)}), pue)
	w.client.Query.Instruments = source.Instruments{PUE: w.of("site_pue"), Zones: []source.Zone{{Name: "hall", Query: w.of("pdu_watts")}}}
	all, rejects := w.read(t, run(30*time.Minute, 3))
	if z := all[0].Zones; len(z) != 1 || z[0].Zone != "hall" || !near(float64(z[0].Energy), 2000*1800, 1e-9) {
		t.Errorf("got %v of the hall", z)
	}
	if len(all[1].Zones) != 0 || len(all[2].Zones) != 1 {
		t.Errorf("a zone that is partly known: %v, and after that: %v", all[1].Zones, all[2].Zones)
	}
	if p := all[0].PUE; p == nil || math.Abs(*p-1.3) > 0.02 {
		t.Errorf("PUE is %v, want a mean of 1.3", p)
	}
	for i := 1; i < 3; i++ {
		if p := all[i].PUE; p == nil || math.Abs(*p-1.4) > 1e-9 {
			t.Errorf("where there is no PUE it is %v, want the last one, 1.4", p)
		}
	}
	if rejects["out_of_range"] == 0 || rejects["nan"] == 0 {
		t.Errorf("rejects %v", rejects)
	}
}

// The last PUE counts for a day, whatever is read with it.
func TestAPUEThatStops(t *testing.T) {
	pue := signal{labels: map[string]string{"__name__": "site_pue"}, value: constant(1.5), holes: [][2]time.Duration{{minutes(60), minutes(30 * 60)}}, every: time.Minute}
	w := newWorld(t, minutes(-60), minutes(30*60), pue)
	w.client.Query.Instruments = source.Instruments{PUE: w.of("site_pue")}
	all, _ := w.read(t, run(30*time.Minute, 56))
	for i, is := range all {
		known := is.PUE != nil && *is.PUE == 1.5
		if ends := minutes(float64(30 * (i + 1))); known != (ends < minutes(60+24*60)) {
			t.Errorf("%v after noon: %v", ends, is.PUE)
		}
	}
	if n := len(all[len(all)-1].Remarks); n != 1 {
		t.Errorf("%d remarks", n)
	}
	alone, _ := w.read(t, run(30*time.Minute, 10)[9:])
	if p := alone[0].PUE; p == nil || *p != 1.5 {
		t.Errorf("read alone it is %v", p)
	}
}
