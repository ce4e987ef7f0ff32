package calibrate

import (
	"math"
	"slices"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// The reasons for which a measured interval is left out here.
const (
	leftUnused   = "no_cpu_time" // of a host that has CPU time in other intervals
	leftPartial  = "partial"     // the CPU time or the power is not of all the interval
	leftConstant = "constant"    // the same whatever the load
	leftHostless = "no_host"     // beside series that name one
)

const (
	// spare is by how much the time seen, or the number of values, may differ from
	// what is usual for the host, as a part of it.
	spare = 0.1
	// moves is by how much the share of busy time must move for a power that does
	// not to be a constant and not that of a steady load.
	moves = 0.1
)

// observe lists the intervals that have both sides, whole, by host and time. Used
// are the hosts of the machine type, or "".
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

// observeHost leaves out what is not whole: there the mean power is that of a part
// of the interval, and the CPU time that of another part. Of all hosts as one the
// CPU time may change, as they come and go, and the power with it.
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

// stuck says that the power stays the same to the last digit while the load moves.
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

// sameDigits is how far two values may differ that are one but for rounding.
const sameDigits = 1e-9

func median(of []cell, value func(cell) float64) float64 {
	values := make([]float64, len(of))
	for i, at := range of {
		values[i] = value(at)
	}
	slices.Sort(values)
	return values[len(values)/2]
}
