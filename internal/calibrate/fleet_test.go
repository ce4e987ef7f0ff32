// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package calibrate

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"math/rand"
	"slices"
	"strings"
	"testing"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// drawn is a world of several machine types, as a server would tell of it: every host has four
// cores, and a meter that names it as meterName says.
type drawn struct {
	watts     map[string]usage.BusyIdle[usage.Watts] // by machine type
	hosts     int                                    // of each type
	intervals int
	noise     float64
	meterName func(host string) string
}

func (d drawn) read(seed int64) (cpu []usage.Reading, power []usage.Measurement) {
	r := rand.New(rand.NewSource(seed))
	for n := range d.intervals {
		reading := usage.Reading{Piece: slot(n)}
		for _, machine := range slices.Sorted(maps.Keys(d.watts)) {
			for h := range d.hosts {
				host := fmt.Sprintf("%s-%d:9100", strings.ToLower(machine), h)
				whole := 4.0 * 1800
				share := r.Float64()
				busy, idle := usage.CPUSeconds(share*whole), usage.CPUSeconds((1-share)*whole)
				reading.Samples = append(reading.Samples, usage.Sample{
					Series: usage.Series{Machine: machine, Host: host},
					CPU:    usage.BusyIdle[usage.CPUSeconds]{Busy: busy, Idle: idle},
				})
				w := d.watts[machine]
				watts := (float64(w.Busy)*float64(busy) + float64(w.Idle)*float64(idle)) / 1800
				power = append(power, drew(n, usage.Watts(watts*(1+d.noise*r.NormFloat64())), d.meterName(host)))
			}
		}
		cpu = append(cpu, reading)
	}
	return cpu, power
}

func sameName(host string) string { return host }

func withoutPort(host string) string { return strings.TrimSuffix(host, ":9100") }

func otherPort(host string) string { return withoutPort(host) + ":9290" }

var twoTypes = map[string]usage.BusyIdle[usage.Watts]{"Muon": watts(7.25, 2.5), "SANS": watts(3.1, 0.6)}

func fleetOf(meters ...string) *Fleet {
	f := &Fleet{Grain: usage.SlotLength}
	for _, name := range meters {
		f.Meters = append(f.Meters, Meter{Name: name})
	}
	return f
}

// TestTypesAreLearnedTogether: whatever the hosts are called by the meter, and in whatever parts the
// answers come, each type has its own watts, as often within its errors as it should be.
func TestTypesAreLearnedTogether(t *testing.T) {
	for _, c := range []struct {
		name string
		by   func(string) string
		way  Way
	}{
		{"the same label", sameName, ByHost},
		{"another exporter's port", otherPort, ByAddress},
		{"no port", withoutPort, ByAddress},
	} {
		t.Run(c.name, func(t *testing.T) {
			const seeds, few = 60, 4
			beyond := 0
			for seed := range int64(seeds) {
				cpu, power := drawn{twoTypes, 9, 48, 0.05, c.by}.read(seed)
				whole, parts := fleetOf("ipmi"), fleetOf("ipmi")
				whole.Add(cpu, [][]usage.Measurement{power})
				each := len(power) / len(cpu)
				for n := range cpu {
					parts.Add(cpu[n:n+1], [][]usage.Measurement{power[n*each : (n+1)*each]})
				}
				learned := whole.Learn()
				if len(learned) != 2 {
					t.Fatalf("%d types", len(learned))
				}
				for i, other := range parts.Learn() {
					if other.Watts != learned[i].Watts || other.Error != learned[i].Error {
						t.Fatalf("in parts %v, as a whole %v", other.Watts, learned[i].Watts)
					}
				}
				for _, l := range learned {
					if l.Err != nil {
						t.Fatal(l.Err)
					}
					truth := twoTypes[l.Machine]
					if math.Abs(float64(l.Watts.Busy-truth.Busy)) > 2*float64(l.StdError.Busy) || math.Abs(float64(l.Watts.Idle-truth.Idle)) > 2*float64(l.StdError.Idle) {
						beyond++
					}
					if l.Way != c.way || l.Fit.Hosts != 9 || l.Fit.Observations != 9*48 || l.Others != 9 || l.Unmeasured != 0 {
						t.Fatalf("%s: %s, %d hosts, %d observations, %d others, %d not measured", l.Machine, l.Way, l.Fit.Hosts, l.Fit.Observations, l.Others, l.Unmeasured)
					}
				}
			}
			if beyond > 2*seeds/few {
				t.Errorf("%d of %d are not within two errors", beyond, 2*seeds)
			}
		})
	}
}

func TestOfSeveralMetersTheFirstCounts(t *testing.T) {
	cpu, power := drawn{twoTypes, 2, 48, 0, sameName}.read(1)
	wrong := slices.Clone(power)
	for i := range wrong {
		wrong[i].Watts *= 2
	}
	half := slices.DeleteFunc(slices.Clone(power), func(m usage.Measurement) bool { return m.Host == "muon-0:9100" })
	f := fleetOf("ipmi", "pdu")
	f.Add(cpu, [][]usage.Measurement{power, wrong})
	for _, l := range f.Learn() {
		if l.Err != nil || !near(l.Watts.Busy, twoTypes[l.Machine].Busy, 1e-9) || !slices.Equal(l.Meters, []string{"ipmi"}) {
			t.Errorf("%s: %v by %v, %v", l.Machine, l.Watts, l.Meters, l.Err)
		}
	}
	f = fleetOf("ipmi", "pdu")
	f.Add(cpu, [][]usage.Measurement{half, power})
	l := f.Learn()[0]
	if l.Err != nil || l.Fit.Hosts != 2 || l.Fit.Observations != 96 || !slices.Equal(l.Meters, []string{"ipmi", "pdu"}) {
		t.Errorf("%d hosts, %d observations by %v, %v", l.Fit.Hosts, l.Fit.Observations, l.Meters, l.Err)
	}
}

func TestWhatCannotBeLearnedSaysWhy(t *testing.T) {
	short, shortPower := drawn{twoTypes, 2, 6, 0, sameName}.read(1)
	cpu, power := drawn{twoTypes, 2, 48, 0, sameName}.read(1)
	of := func(change func(m *usage.Measurement)) []usage.Measurement {
		all := slices.Clone(power)
		for i := range all {
			change(&all[i])
		}
		return all
	}
	for _, c := range []struct {
		name   string
		cpu    []usage.Reading
		power  []usage.Measurement
		want   string
		little bool
	}{
		{"few intervals", short, shortPower, "6 intervals have both CPU time and measured power, but at least 12 are needed; a longer range would help", true},
		{"a constant", cpu, of(func(m *usage.Measurement) { m.Watts = 120 }), "the measured power is the same in every interval, whatever the load; it is a constant, not a measurement", false},
		{"milliwatts", cpu, of(func(m *usage.Measurement) { m.Watts *= 1000 }), "more than any core uses; the expression must be in watts", false},
		{"the less the busier", cpu, of(func(m *usage.Measurement) { m.Watts = 40 - m.Watts }), "calibrate the machine type alone, with --machine", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := fleetOf("ipmi")
			f.Add(c.cpu, [][]usage.Measurement{c.power})
			for _, l := range f.Learn() {
				if l.Err == nil || !strings.Contains(l.Err.Error(), c.want) || isTooLittle(l.Err) != c.little {
					t.Errorf("%s: %v", l.Machine, l.Err)
				}
			}
			if err := f.Fault(0); err != nil {
				t.Errorf("the meter %v", err)
			}
		})
	}
}

func isTooLittle(err error) bool { return errors.Is(err, ErrTooLittle) }

func TestFaultsOfAMeter(t *testing.T) {
	cpu, power := drawn{twoTypes, 1, 2, 0, func(host string) string { return "bmc-" + host }}.read(1)
	hostless := slices.Clone(power)
	for i := range hostless {
		hostless[i].Host = ""
	}
	both := slices.Clone(cpu)
	for i := range both {
		both[i].Samples = slices.Clone(both[i].Samples)
		for j := range both[i].Samples {
			both[i].Samples[j].Host = "bmc-muon-0:9100"
		}
	}
	for _, c := range []struct {
		name  string
		cpu   []usage.Reading
		power []usage.Measurement
		want  string
	}{
		{"nothing", cpu, nil, "has no data in this range; check the query"},
		{"no host", cpu, hostless, "has series that name no host; check which label has it"},
		{"other hosts", cpu, power, "measures other hosts: it has bmc-muon-0:9100, bmc-sans-0:9100, but CPU time has muon-0:9100, sans-0:9100; give it the same label with label_replace"},
		{"hosts of two types at once", both, power, "measures hosts that have CPU time of two machine types at once, so nobody knows whose power it is"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := fleetOf("ipmi")
			f.Add(c.cpu, [][]usage.Measurement{c.power})
			if err := f.Fault(0); err == nil || err.Error() != c.want {
				t.Errorf("got  %v\nwant %s", err, c.want)
			}
			if all := f.Learn(); len(all) != 0 {
				t.Errorf("learned %d types", len(all))
			}
		})
	}
}

// TestNotMoreHostsThanFit: which are looked at does not depend on the parts in which they come, and
// the others are counted.
func TestNotMoreHostsThanFit(t *testing.T) {
	cpu, power := drawn{twoTypes, 20, 24, 0.01, sameName}.read(1)
	f := fleetOf("ipmi")
	f.Most = 8
	f.Add(cpu, [][]usage.Measurement{power})
	for _, l := range f.Learn() {
		if l.Err != nil || l.Fit.Hosts != 8 || l.Spared != 12 || l.Unmeasured != 0 {
			t.Errorf("%s: %d hosts, %d spared, %d not measured, %v", l.Machine, l.Fit.Hosts, l.Spared, l.Unmeasured, l.Err)
		}
	}
}

func TestHowMuchChangesAndHowSurprising(t *testing.T) {
	sigma := 0.03
	l := Learned{Fit: Fit{Watts: watts(4, 1), Error: 0.03, Load: Load{Mean: 0.5}}, meterError: 0.04}
	if got := l.StandardError(); math.Abs(got-0.05) > 1e-12 {
		t.Errorf("the standard error is %v", got)
	}
	for _, c := range []struct {
		name           string
		was            usage.Rating
		change, sigmas float64
	}{
		{"the same", usage.Rating{Watts: watts(4, 1)}, 0, 0},
		{"the same energy of this load", usage.Rating{Watts: watts(3, 2)}, 0, 0},
		{"a fifth less before, of no known error", usage.Rating{Watts: watts(3.2, 0.8)}, 0.2, 4},
		{"a fifth less before, with an error", usage.Rating{Watts: watts(3.2, 0.8), Error: &sigma}, 0.2, 0.2 / math.Hypot(0.05, 0.03*0.8)},
		{"more before", usage.Rating{Watts: watts(6, 1.5)}, -0.5, 10},
	} {
		if change, sigmas := l.Change(c.was); math.Abs(change-c.change) > 1e-9 || math.Abs(sigmas-c.sigmas) > 1e-9 {
			t.Errorf("%s: %v, %v errors; want %v, %v", c.name, change, sigmas, c.change, c.sigmas)
		}
	}
}
