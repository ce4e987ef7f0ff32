// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package calibrate

import (
	"math"
	"slices"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// The reasons for leaving out a measured interval.
const (
	leftUnused   = "no_cpu_time" // the host has CPU time in other intervals only
	leftPartial  = "partial"     // the CPU time or the power does not cover the whole interval
	leftConstant = "constant"    // the power is the same whatever the load
	leftHostless = "no_host"     // the series names no host, but others do
)

const (
	// spare is how far the seen CPU time, or the number of values, may differ from the usual
	// for the host, as a fraction.
	spare = 0.1
	// moves is how far the share of busy time must vary before unchanged power counts as a
	// constant instead of a steady load.
	moves = 0.1
)

// observe lists the intervals that both sides cover completely, by host and time. used has the
// hosts of the machine type, or "".
func (p *Pairs) observe(cpu cells[cpuTime], power cells[measured], used map[string]struct{}, left usage.Rejects) []Observation {
	byHost := map[string][]cell{}
	for at := range power {
		_, ofType := used[at.host]
		switch {
		case at.host == "" && !ofType:
			left[leftHostless]++
		case !ofType:
		case cpu[at].Total() <= 0:
			left[leftUnused]++
		default:
			byHost[at.host] = append(byHost[at.host], at)
		}
	}
	var all []Observation
	for _, of := range byHost {
		all = append(all, p.observeHost(of, cpu, power, left)...)
	}
	slices.SortFunc(all, func(a, b Observation) int {
		return cell{a.Host, a.Interval.Start.Unix()}.compare(cell{b.Host, b.Interval.Start.Unix()})
	})
	return all
}

// observeHost leaves out intervals that are not covered completely: their mean power and CPU
// time are of different parts of the interval. With all hosts as one the CPU time may change,
// as hosts come and go, and the power with it.
func (p *Pairs) observeHost(of []cell, cpu cells[cpuTime], power cells[measured], left usage.Rejects) (all []Observation) {
	usualTime := median(of, func(at cell) float64 { return float64(cpu[at].Total()) })
	usualPoints := median(of, func(at cell) float64 { return power[at].points })
	for _, at := range of {
		short := at.host != "" && float64(cpu[at].Total()) < (1-spare)*usualTime
		if short || math.Abs(power[at].points-usualPoints) > spare*usualPoints {
			left[leftPartial]++
			continue
		}
		all = append(all, Observation{
			Host: at.host, Interval: usage.IntervalAt(time.Unix(at.start, 0), p.Grain),
			CPU: cpu[at], Power: power[at].watts,
		})
	}
	if stuck(all) {
		left[leftConstant] += len(all)
		return nil
	}
	return all
}

// stuck reports whether the power stays the same to the last digit while the load varies.
func stuck(all []Observation) bool {
	if len(all) == 0 {
		return false
	}
	least, most := math.Inf(1), math.Inf(-1)
	for _, o := range all {
		share := float64(o.CPU.Busy / o.CPU.Total())
		least, most = min(least, share), max(most, share)
		if math.Abs(float64(o.Power-all[0].Power)) > sameDigits*float64(o.Power) {
			return false
		}
	}
	return most-least > moves
}

// sameDigits is how far equal values may differ because of rounding.
const sameDigits = 1e-9

func median(of []cell, value func(cell) float64) float64 {
	values := make([]float64, len(of))
	for i, at := range of {
		values[i] = value(at)
	}
	slices.Sort(values)
	return values[len(values)/2]
}
