// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package calibrate

import (
	"fmt"
	"math"
	"math/rand"
	"strconv"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

var october = time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC)

// site is a machine type whose watts are known: what it is to be found out.
type site struct {
	hosts     int
	intervals int
	cores     int // of each host, and one more for every second one
	watts     usage.BusyIdle[usage.Watts]
	least     float64 // share of busy time, and the most
	most      float64
	// What is measured is off: each interval by itself, all of a host, all of a
	// day; as a part of the power.
	noise, hostNoise, dayNoise float64
}

func (s site) observe(seed int64) []Observation {
	r := rand.New(rand.NewSource(seed))
	days := make([]float64, s.intervals/48+1)
	for i := range days {
		days[i] = r.NormFloat64() * s.dayNoise
	}
	var all []Observation
	for h := range s.hosts {
		ofHost := r.NormFloat64() * s.hostNoise
		for i := range s.intervals {
			share := s.least + (s.most-s.least)*r.Float64()
			whole := float64(s.cores+h%2) * 1800
			o := Observation{
				Host:     fmt.Sprintf("host-%03d", h),
				Interval: usage.IntervalAt(october.Add(time.Duration(i)*usage.SlotLength), usage.SlotLength),
				CPU:      usage.BusyIdle[usage.CPUSeconds]{Busy: usage.CPUSeconds(share * whole), Idle: usage.CPUSeconds((1 - share) * whole)},
			}
			joules := float64(s.watts.Busy)*float64(o.CPU.Busy) + float64(s.watts.Idle)*float64(o.CPU.Idle)
			off := 1 + ofHost + days[i/48] + r.NormFloat64()*s.noise
			o.Power = usage.Watts(joules / 1800 * off)
			all = append(all, o)
		}
	}
	return all
}

func watts(busy, idle usage.Watts) usage.BusyIdle[usage.Watts] {
	return usage.BusyIdle[usage.Watts]{Busy: busy, Idle: idle}
}

func near(got, want usage.Watts, relative float64) bool {
	return math.Abs(float64(got-want)) <= relative*math.Abs(float64(want))
}

func number(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }
