// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package simulate

import (
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

func TestModesAddUpToTime(t *testing.T) {
	for _, h := range newCloud(t, clouds[0]).Hosts() {
		for _, age := range []time.Duration{0, time.Second, 29 * time.Minute, 30 * time.Minute, 59*time.Minute + 123*time.Millisecond} {
			at := h.Begin.Add(age)
			for cpu := range h.Cores {
				var sum float64
				for _, mode := range CPUModes() {
					seconds, ok := h.Counter(cpu, mode, at)
					if !ok {
						t.Fatalf("%s is not alive %s after its begin", h.Instance, age)
					}
					sum += seconds
				}
				if !near(sum, age.Seconds(), 1e-12) {
					t.Fatalf("%s core %d: modes add up to %v s after %v", h.Instance, cpu, sum, age)
				}
			}
		}
	}
}

func TestCountersNeverFallWithoutAReboot(t *testing.T) {
	for _, h := range newCloud(t, clouds[0]).Hosts() {
		for _, mode := range CPUModes() {
			last := 0.0
			for at := h.Begin; at.Before(h.End) && at.Before(h.Begin.Add(12*time.Hour)); at = at.Add(7 * time.Minute) {
				got, _ := h.Counter(0, mode, at)
				if got < last {
					t.Fatalf("%s %s falls from %v to %v at %s", h.Instance, mode, last, got, at)
				}
				last = got
			}
		}
	}
}

func TestCountersFallToZeroAtAReboot(t *testing.T) {
	reboots := 0
	for _, h := range newCloud(t, clouds[1]).Hosts() {
		boot := h.bootedBefore(usage.Earlier(h.End, monday.AddDate(0, 0, 7)).Add(-time.Second))
		if !boot.After(h.Begin) {
			continue
		}
		reboots++
		before, _ := h.Counter(0, Idle, boot.Add(-time.Second))
		after, _ := h.Counter(0, Idle, boot)
		if before <= 0 || after != 0 {
			t.Errorf("%s boots at %s: idle is %v before and %v then", h.Instance, boot, before, after)
		}
	}
	if reboots == 0 {
		t.Error("no host reboots in a week")
	}
}

// Truth adds rates and counters are kept sums: two ways to one number.
func TestCountersGrowByTruth(t *testing.T) {
	c := newCloud(t, clouds[0])
	interval := usage.Interval{Start: monday.Add(9*time.Hour + 10*time.Minute), Length: 3 * time.Hour}
	truth := c.Truth(interval)
	compared := 0
	for _, h := range c.Hosts() {
		if !h.Alive(interval.Start) || !h.Alive(interval.End()) {
			continue
		}
		var got usage.BusyIdle[usage.CPUSeconds]
		for cpu := range h.Cores {
			for _, mode := range CPUModes() {
				from, _ := h.Counter(cpu, mode, interval.Start)
				to, _ := h.Counter(cpu, mode, interval.End())
				switch mode {
				case Steal:
				case Idle, IOWait:
					got.Idle += usage.CPUSeconds(to - from)
				default:
					got.Busy += usage.CPUSeconds(to - from)
				}
			}
		}
		want := truth[h.Series()]
		if !near(float64(got.Busy), float64(want.Busy), 1e-9) || !near(float64(got.Idle), float64(want.Idle), 1e-9) {
			t.Errorf("%s: counters grow by %v, truth is %v", h.Instance, got, want)
		}
		compared++
	}
	if compared < 10 {
		t.Errorf("only %d hosts live through %s", compared, interval)
	}
}

func TestACounterIsAbsentOutsideOfALife(t *testing.T) {
	h := newCloud(t, clouds[0]).Hosts()[0]
	for _, tc := range []struct {
		name string
		cpu  int
		at   time.Time
		want bool
	}{
		{"at its begin", 0, h.Begin, true},
		{"just before its end", 0, h.End.Add(-time.Millisecond), true},
		{"before its begin", 0, h.Begin.Add(-time.Millisecond), false},
		{"at its end", 0, h.End, false},
		{"a core that it does not have", h.Cores, h.Begin, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if _, ok := h.Counter(tc.cpu, User, tc.at); ok != tc.want {
				t.Errorf("present is %v, want %v", ok, tc.want)
			}
		})
	}
}

func TestScrapesAreMissingOnlyInGaps(t *testing.T) {
	for _, config := range clouds {
		missing := 0
		for _, h := range newCloud(t, config).Hosts() {
			for at := usage.Later(h.Begin, monday); at.Before(monday.AddDate(0, 0, 3)) && h.Alive(at); at = at.Add(time.Minute) {
				if !h.Scraped(at) {
					missing++
				}
			}
			if h.Scraped(h.End) {
				t.Errorf("%s is scraped after its end", h.Instance)
			}
		}
		if (missing > 0) != config.Odd.Gaps {
			t.Errorf("gaps %v: %d scrapes are missing", config.Odd.Gaps, missing)
		}
	}
}

func TestAddressesAreScrapedAtDifferentTimes(t *testing.T) {
	phases := make(map[time.Duration]bool)
	for _, h := range newCloud(t, clouds[0]).Hosts() {
		phase := h.Phase(time.Minute)
		if phase < 0 || phase >= time.Minute {
			t.Errorf("%s has phase %s", h.Instance, phase)
		}
		phases[phase] = true
	}
	if len(phases) < 20 {
		t.Errorf("24 addresses share %d phases", len(phases))
	}
}
