// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package simulate

import (
	"math"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// monday is the start of a working week.
var monday = time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)

// clouds are one plain cloud, one with everything odd, and one with a directory.
var clouds = []Config{
	{Seed: 1, Hosts: 24, Start: monday},
	{Seed: 2, Hosts: 24, Start: monday, Odd: Odd{Lifetimes: true, Reboots: true, Gaps: true}},
	{Seed: 3, Hosts: 24, Start: monday, Directory: true},
}

func newCloud(t *testing.T, config Config) *Cloud {
	t.Helper()
	c, err := New(config)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestNewRefuses(t *testing.T) {
	for _, tc := range []struct {
		name   string
		config Config
		want   string
	}{
		{"no host", Config{Start: monday}, "simulate: hosts must be 1 to 24402, is 0"},
		{
			"a start within a half hour",
			Config{Hosts: 1, Start: monday.Add(time.Minute)},
			"simulate: start 2026-03-02T00:01:00Z is not on a half hour",
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if _, err := New(tc.config); err == nil || err.Error() != tc.want {
				t.Errorf("got %v, want %s", err, tc.want)
			}
		})
	}
}

func TestTheSameConfigIsTheSameCloud(t *testing.T) {
	a, b := newCloud(t, clouds[0]), newCloud(t, clouds[0])
	// Ask one of them backwards: an answer must not depend on those before it.
	at := []time.Time{monday.Add(time.Hour), monday.Add(50 * time.Hour), monday.Add(9*time.Hour + 7*time.Second)}
	for i, h := range a.Hosts() {
		o := b.Hosts()[i]
		if h.Series() != o.Series() || !h.Begin.Equal(o.Begin) || !h.End.Equal(o.End) {
			t.Fatalf("host %d differs: %v and %v", i, h.Series(), o.Series())
		}
		want := make(map[time.Time]float64)
		for _, when := range at {
			want[when], _ = h.Counter(0, User, when)
		}
		for _, a := range slices.Backward(at) {
			if got, _ := o.Counter(0, User, a); got != want[a] {
				t.Errorf("%s at %s: %v and %v", h.Instance, a, got, want[a])
			}
		}
	}
}

func TestOneHostAtATimeLivesAtAnAddress(t *testing.T) {
	for _, config := range clouds {
		free := make(map[string]time.Time)
		for _, h := range newCloud(t, config).Hosts() {
			if h.Begin.Before(free[h.Instance]) || !h.Begin.Before(h.End) {
				t.Errorf("%s lives from %s to %s, free from %s", h.Instance, h.Begin, h.End, free[h.Instance])
			}
			if !config.Odd.Lifetimes && (!h.Begin.Equal(usage.SlotAt(h.Begin)) || !h.End.Equal(usage.SlotAt(h.End))) {
				t.Errorf("%s lives from %s to %s, not on half hours", h.Instance, h.Begin, h.End)
			}
			free[h.Instance] = h.End
		}
	}
}

func TestACloudHasWhatTestsNeed(t *testing.T) {
	c := newCloud(t, clouds[0])
	instances, project, machine, nobody, guests := map[string]bool{}, map[string]bool{}, map[string]bool{}, 0, 0
	for _, h := range c.Hosts() {
		instances[h.Instance], project[h.Project], machine[h.Machine] = true, true, true
		if h.User == "" {
			nobody++
		}
		if h.Begin.After(monday) {
			guests++
		}
		if h.Cores < 2 || h.Cores > 16 {
			t.Errorf("%s has %d cores", h.Instance, h.Cores)
		}
	}
	if !instances["172.16.100.5:9100"] || !instances["172.16.100.50:9100"] || len(instances) != 24 {
		t.Errorf("addresses are %v", instances)
	}
	if len(project) != 4 || len(machine) != 5 || nobody == 0 || guests == 0 {
		t.Errorf("%d projects, %d machine types, %d hosts of nobody, %d that come and go", len(project), len(machine), nobody, guests)
	}
}

func TestAddressesAreDistinct(t *testing.T) {
	seen := make(map[string]bool)
	for n := range maxAddresses {
		if name := instance(n); seen[name] {
			t.Fatalf("address %d is %s again", n, name)
		} else {
			seen[name] = true
		}
	}
}

func TestLoadFollowsTheDay(t *testing.T) {
	office := func(day int, hour float64) float64 {
		return office.load(monday.AddDate(0, 0, day).Add(time.Duration(hour * float64(time.Hour))))
	}
	noon := office(2, 13)
	for _, tc := range []struct {
		name string
		got  float64
	}{
		{"night of a working day", office(2, 3)},
		{"noon of a Sunday", office(6, 13)},
		{"noon of a forgotten host", quiet.load(monday.Add(13 * time.Hour))},
	} {
		if tc.got > noon/3 {
			t.Errorf("%s: load %v, that of a working noon is %v", tc.name, tc.got, noon)
		}
	}
	if batch := night.load(monday.Add(2 * time.Hour)); batch < 0.9 {
		t.Errorf("a batch host has load %v at night", batch)
	}
}

func near(got, want, relative float64) bool {
	return math.Abs(got-want) <= relative*math.Max(math.Abs(want), 1)
}

func TestTruthOfHalvesIsTruthOfTheWhole(t *testing.T) {
	type truth = map[usage.Series]usage.BusyIdle[usage.CPUSeconds]
	for _, config := range clouds {
		c := newCloud(t, config)
		for _, whole := range []usage.Interval{
			{Start: monday, Length: 30 * time.Minute},
			{Start: monday.Add(30 * time.Hour), Length: 24 * time.Hour},
			{Start: monday.Add(11*time.Hour + 17*time.Second), Length: 100 * time.Minute},
		} {
			first := usage.Interval{Start: whole.Start, Length: whole.Length / 3}
			sum := truth{}
			for _, part := range []usage.Interval{first, {Start: first.End(), Length: whole.Length - first.Length}} {
				for series, cpu := range c.Truth(part) {
					sum[series] = sum[series].Plus(cpu)
				}
			}
			want := c.Truth(whole)
			if len(want) == 0 || len(sum) != len(want) {
				t.Fatalf("%s: %d series in parts, %d in the whole", whole, len(sum), len(want))
			}
			for series, cpu := range want {
				got := sum[series]
				if !near(float64(got.Busy), float64(cpu.Busy), 1e-12) || !near(float64(got.Idle), float64(cpu.Idle), 1e-12) {
					t.Errorf("%s %v: parts give %v, the whole %v", whole, series, got, cpu)
				}
			}
		}
	}
}

func TestNothingIsTrueOfAnEmptyTime(t *testing.T) {
	c := newCloud(t, clouds[0])
	before := usage.Interval{Start: monday.AddDate(0, -6, 0), Length: time.Hour}
	if got := c.Truth(before); !reflect.DeepEqual(got, map[usage.Series]usage.BusyIdle[usage.CPUSeconds]{}) {
		t.Errorf("hosts before the oldest host: %v", got)
	}
}
