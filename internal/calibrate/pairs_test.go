// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package calibrate

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// slot is the n-th half hour of October.
func slot(n int) usage.Interval {
	return usage.IntervalAt(october.Add(time.Duration(n)*usage.SlotLength), usage.SlotLength)
}

// used is CPU time of hosts of the machine type Muon: of each 1800 core seconds,
// so many busy ones.
func used(n int, busy usage.CPUSeconds, hosts ...string) usage.Reading {
	r := usage.Reading{Piece: slot(n)}
	for _, host := range hosts {
		r.Samples = append(r.Samples, usage.Sample{
			Series: usage.Series{Project: "ISIS", Machine: "Muon", Host: host},
			CPU:    usage.BusyIdle[usage.CPUSeconds]{Busy: busy, Idle: 1800 - busy},
		})
	}
	return r
}

func drew(n int, power usage.Watts, host string) usage.Measurement {
	return usage.Measurement{Host: host, Piece: slot(n), Watts: power, Points: 30}
}

// paired puts both together, and says what came of it.
func paired(t *testing.T, grain time.Duration, cpu []usage.Reading, power []usage.Measurement) Paired {
	t.Helper()
	p := Pairs{Machine: "Muon", Grain: grain}
	for _, r := range cpu {
		if err := p.AddCPU([]usage.Reading{r}); err != nil {
			t.Fatal(err)
		}
	}
	if err := p.AddPower(power); err != nil {
		t.Fatal(err)
	}
	got, err := p.Pair()
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func TestPairs(t *testing.T) {
	other := used(0, 600, "x:9100")
	other.Samples[0].Machine = "SANS"
	otherPower := drew(0, 500, "a:9100")
	otherPower.Machine = "SANS"
	for _, c := range []struct {
		name       string
		cpu        []usage.Reading
		power      []usage.Measurement
		way        Way
		want       []string // host, busy seconds and watts of each observation
		left       usage.Rejects
		unmeasured int
		others     int
	}{
		{
			name:  "the same label",
			cpu:   []usage.Reading{used(0, 600, "a:9100", "b:9100"), used(1, 900, "a:9100")},
			power: []usage.Measurement{drew(1, 12, "a:9100"), drew(0, 11, "b:9100"), drew(0, 10, "a:9100")},
			way:   ByHost, want: []string{"a:9100 600 10", "a:9100 900 12", "b:9100 600 11"},
		},
		{
			name:  "two exporters on one host",
			cpu:   []usage.Reading{used(0, 600, "a:9100", "b:9100")},
			power: []usage.Measurement{drew(0, 10, "A:8080"), drew(0, 11, "b.:8080")},
			way:   ByAddress, want: []string{"a 600 10", "b 600 11"},
		},
		{
			name:  "one host with the same label is enough to want it of all",
			cpu:   []usage.Reading{used(0, 600, "a:9100", "b:9100")},
			power: []usage.Measurement{drew(0, 10, "a:9100"), drew(0, 11, "b:8080")},
			way:   ByHost, want: []string{"a:9100 600 10"}, unmeasured: 1, others: 1,
		},
		{
			name:  "power that names no host",
			cpu:   []usage.Reading{used(0, 600, "a:9100", "b:9100"), used(1, 900, "a:9100", usage.Unknown)},
			power: []usage.Measurement{drew(0, 20, ""), drew(1, 25, "")},
			way:   AllAsOne, want: []string{" 1200 20", " 1800 25"},
		},
		{
			name:  "some that name a host and some that do not",
			cpu:   []usage.Reading{used(0, 600, "a:9100", usage.Unknown)},
			power: []usage.Measurement{drew(0, 20, ""), drew(0, 10, "a:9100")},
			way:   ByHost, want: []string{"a:9100 600 10"}, left: usage.Rejects{"no_host": 1},
		},
		{
			name:  "other machine types",
			cpu:   []usage.Reading{used(0, 600, "a:9100"), other},
			power: []usage.Measurement{otherPower, drew(0, 10, "a:9100"), drew(0, 70, "x:9100")},
			way:   ByHost, want: []string{"a:9100 600 10"}, others: 1,
		},
		{
			name:  "hosts and intervals that only one side has",
			cpu:   []usage.Reading{used(0, 600, "a:9100", "b:9100"), used(1, 700, "a:9100")},
			power: []usage.Measurement{drew(0, 10, "a:9100"), drew(7, 10, "a:9100"), drew(0, 9, "c:9100")},
			way:   ByHost, want: []string{"a:9100 600 10"}, left: usage.Rejects{"no_cpu_time": 1}, unmeasured: 1, others: 1,
		},
		{
			name:  "no time at all",
			cpu:   []usage.Reading{{Piece: slot(0), Samples: []usage.Sample{{Series: usage.Series{Machine: "Muon", Host: "a"}}}}},
			power: []usage.Measurement{drew(0, 10, "a")},
			way:   ByHost, left: usage.Rejects{"no_cpu_time": 1},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := paired(t, usage.SlotLength, c.cpu, c.power)
			if got.Way != c.way || got.Unmeasured != c.unmeasured || got.Others != c.others {
				t.Errorf("paired %s, %d unmeasured, %d others; want %s, %d, %d", got.Way, got.Unmeasured, got.Others, c.way, c.unmeasured, c.others)
			}
			if !slices.Equal(told(got), c.want) {
				t.Errorf("got %q, want %q", told(got), c.want)
			}
			if !maps.Equal(got.Left, c.left) {
				t.Errorf("left out %v, want %v", got.Left, c.left)
			}
		})
	}
}

func told(p Paired) (all []string) {
	for _, o := range p.Observations {
		all = append(all, strings.Join([]string{o.Host, number(float64(o.CPU.Busy)), number(float64(o.Power))}, " "))
	}
	return all
}

func TestPiecesAreAddedUpToTheGrain(t *testing.T) {
	hour := usage.Interval{Start: october, Length: time.Hour}
	power := usage.Measurement{Host: "a", Piece: hour, Watts: 10, Points: 60}
	got := paired(t, time.Hour, []usage.Reading{used(0, 600, "a"), used(1, 900, "a")}, []usage.Measurement{power})
	if len(got.Observations) != 1 || got.Observations[0].Interval != hour || got.Observations[0].CPU != (usage.BusyIdle[usage.CPUSeconds]{Busy: 1500, Idle: 2100}) {
		t.Errorf("got %+v", got)
	}
}

func TestPowerOfOtherHostsIsNoPowerOfAll(t *testing.T) {
	p := Pairs{Machine: "Muon", Grain: usage.SlotLength}
	if err := p.AddCPU([]usage.Reading{used(0, 600, "a:9100", "b:9100", "c:9100")}); err != nil {
		t.Fatal(err)
	}
	if err := p.AddPower([]usage.Measurement{drew(0, 10, "bmc-7"), drew(0, 10, "")}); err != nil {
		t.Fatal(err)
	}
	want := "the measured power is of other hosts: it has bmc-7, but CPU time has a:9100, b:9100 and 1 more; give it the same label with label_replace or, if it covers all hosts together, wrap it in sum()"
	if _, err := p.Pair(); err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}

// TestWhatIsNotWholeIsLeftOut has ten half hours of a host, one of which is
// changed.
func TestWhatIsNotWholeIsLeftOut(t *testing.T) {
	const changed = 4
	for _, c := range []struct {
		name string
		host string
		cpu  func(*usage.Sample)
		pow  func(*usage.Measurement)
		left usage.Rejects
	}{
		{"all whole", "a", nil, nil, nil},
		{"two thirds of the CPU time", "a", func(s *usage.Sample) { s.CPU.Idle -= 600 }, nil, usage.Rejects{"partial": 1}},
		{"a twentieth less, by scrapes that come late", "a", func(s *usage.Sample) { s.CPU.Idle -= 90 }, nil, nil},
		{"less of all hosts together, when some have gone", "", func(s *usage.Sample) { s.CPU.Idle -= 600 }, nil, nil},
		{"half of the values of power", "a", nil, func(m *usage.Measurement) { m.Points = 15 }, usage.Rejects{"partial": 1}},
		{"twice as many, from two servers", "a", nil, func(m *usage.Measurement) { m.Points, m.Watts = 60, 2*m.Watts }, usage.Rejects{"partial": 1}},
		{"half of the values of all hosts together", "", nil, func(m *usage.Measurement) { m.Points = 15 }, usage.Rejects{"partial": 1}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var cpu []usage.Reading
			var power []usage.Measurement
			for n := range 10 {
				r, m := used(n, usage.CPUSeconds(100*n), "a"), drew(n, usage.Watts(10+n), c.host)
				if n == changed && c.cpu != nil {
					c.cpu(&r.Samples[0])
				}
				if n == changed && c.pow != nil {
					c.pow(&m)
				}
				cpu, power = append(cpu, r), append(power, m)
			}
			got := paired(t, usage.SlotLength, cpu, power)
			if !maps.Equal(got.Left, c.left) || len(got.Observations) != 10-c.left["partial"] {
				t.Errorf("left out %v, want %v; %d observations", got.Left, c.left, len(got.Observations))
			}
		})
	}
}

func TestAHostWhosePowerIsStuckIsLeftOut(t *testing.T) {
	for _, c := range []struct {
		name  string
		busy  func(n int) usage.CPUSeconds
		power func(n int) usage.Watts
		left  int
	}{
		{"the same while the load moves", func(n int) usage.CPUSeconds { return usage.CPUSeconds(100 * n) }, func(int) usage.Watts { return 120 }, 10},
		{"the same while the load stays", func(n int) usage.CPUSeconds { return usage.CPUSeconds(10 * n) }, func(int) usage.Watts { return 120 }, 0},
		{"in steps of a watt", func(n int) usage.CPUSeconds { return usage.CPUSeconds(100 * n) }, func(n int) usage.Watts { return usage.Watts(120 + n/8) }, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			var cpu []usage.Reading
			var power []usage.Measurement
			for n := range 10 {
				cpu = append(cpu, used(n, c.busy(n), "a"), used(n, usage.CPUSeconds(50*n), "b"))
				power = append(power, drew(n, c.power(n), "a"), drew(n, usage.Watts(10+n), "b"))
			}
			got := paired(t, usage.SlotLength, cpu, power)
			if got.Left["constant"] != c.left || len(got.Observations) != 20-c.left {
				t.Errorf("left out %v, %d observations", got.Left, len(got.Observations))
			}
		})
	}
}

func TestPowerThatIsStuckEverywhereIsAConstant(t *testing.T) {
	for _, c := range []struct {
		name  string
		power func(n int) usage.Watts
		want  bool
	}{
		{"the same while the load moves", func(int) usage.Watts { return 120 }, true},
		{"in steps of a watt", func(n int) usage.Watts { return usage.Watts(120 + n/8) }, false},
	} {
		var cpu []usage.Reading
		var power []usage.Measurement
		for n := range 10 {
			cpu, power = append(cpu, used(n, usage.CPUSeconds(100*n), "a")), append(power, drew(n, c.power(n), "a"))
		}
		if got := paired(t, usage.SlotLength, cpu, power); got.Constant() != c.want {
			t.Errorf("%s: constant %v, left out %v", c.name, got.Constant(), got.Left)
		}
	}
}

func TestTooMuchIsNotHeld(t *testing.T) {
	want := "more than 3 intervals of hosts are too many to learn from at once; use a shorter range"
	p := Pairs{Machine: "Muon", Grain: usage.SlotLength, most: 3}
	for n := range 3 {
		if err := p.AddPower([]usage.Measurement{drew(n, 10, "a")}); err != nil {
			t.Fatal(err)
		}
	}
	if err := p.AddCPU([]usage.Reading{used(0, 600, "a", "b", "c")}); err != nil {
		t.Fatal(err)
	}
	if err := p.AddPower([]usage.Measurement{drew(3, 10, "a")}); err == nil || err.Error() != want {
		t.Errorf("one more of power: %v", err)
	}
	if err := p.AddCPU([]usage.Reading{used(0, 600, "d")}); err == nil || err.Error() != want {
		t.Errorf("one more of CPU time: %v", err)
	}
}
