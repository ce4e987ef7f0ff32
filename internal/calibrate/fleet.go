// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package calibrate

import (
	"cmp"
	"hash/fnv"
	"maps"
	"slices"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/directory"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// Meter is a measurement of the power of many hosts.
type Meter struct {
	Name  string
	Error *float64 // standard error, a fraction of the reading; nil: not known
}

// Fleet collects CPU time of all hosts and their measured power, in parts of adjacent intervals,
// and learns every machine type of which hosts are measured. It holds only what is measured.
type Fleet struct {
	Meters []Meter       // in the order of preference
	Grain  time.Duration // length of the intervals
	// Most bounds the memory: of one machine type, so many hosts are looked at; 0: all.
	Most int

	types  map[string]*ofType
	meters []*ofMeter
}

// ofType is what is known of one machine type.
type ofType struct {
	seen   map[string]struct{} // hosts with CPU time
	kept   map[string]struct{} // those of them that are measured and looked at
	pairs  []*pair             // by meter
	byName bool                // a host was matched whatever the port
	spared map[string]struct{} // hosts that are not looked at, because there are so many
}

// pair are both sides of the hosts that one meter measures, under the same names.
type pair struct {
	cpu   cells[cpuTime]
	power cells[measured]
}

// ofMeter is which hosts a meter names.
type ofMeter struct {
	points   int               // measured intervals
	hostless int               // of them, those that name no host
	types    map[string]string // machine types of the hosts that have CPU time
	unused   map[string]int    // intervals without CPU time, by host
	mixed    int               // intervals of hosts with CPU time of two machine types
}

// hostTime is the CPU time of a host in an interval.
type hostTime struct {
	machine string
	mixed   bool // there is another machine type as well
	cpu     cpuTime
}

// Add adds what was read of some intervals: CPU time, and measured power by meter. An interval
// must be added as a whole.
func (f *Fleet) Add(readings []usage.Reading, power [][]usage.Measurement) {
	if f.types == nil {
		f.types = map[string]*ofType{}
		for range f.Meters {
			f.meters = append(f.meters, &ofMeter{types: map[string]string{}, unused: map[string]int{}})
		}
	}
	used := f.used(readings)
	for n, all := range power {
		byTime := map[int64]cells[measured]{}
		for _, m := range all {
			start := usage.FloorEpoch(m.Piece.Start, f.Grain).Unix()
			if byTime[start] == nil {
				byTime[start] = cells[measured]{}
			}
			byTime[start].add(cell{m.Host, start}, measured{m.Watts, m.Points})
		}
		for _, start := range slices.Sorted(maps.Keys(byTime)) {
			f.match(n, start, byTime[start], used[start])
		}
	}
}

// used adds up CPU time by interval and host.
func (f *Fleet) used(readings []usage.Reading) map[int64]map[string]hostTime {
	all := map[int64]map[string]hostTime{}
	for _, r := range readings {
		start := usage.FloorEpoch(r.Piece.Start, f.Grain).Unix()
		if all[start] == nil {
			all[start] = map[string]hostTime{}
		}
		for _, s := range r.Samples {
			if s.Host == usage.Unknown || s.Host == "" || s.CPU.Total() <= 0 {
				continue
			}
			h, known := all[start][s.Host]
			h.mixed = h.mixed || known && h.machine != s.Machine
			h.machine, h.cpu = s.Machine, h.cpu.Plus(s.CPU)
			all[start][s.Host] = h
			f.typeOf(s.Machine).seen[s.Host] = struct{}{}
		}
	}
	return all
}

func (f *Fleet) typeOf(machine string) *ofType {
	t := f.types[machine]
	if t == nil {
		t = &ofType{seen: map[string]struct{}{}, kept: map[string]struct{}{}, spared: map[string]struct{}{}}
		for range f.Meters {
			t.pairs = append(t.pairs, &pair{cells[cpuTime]{}, cells[measured]{}})
		}
		f.types[machine] = t
	}
	return t
}

// match puts the two sides of one interval together.
func (f *Fleet) match(n int, start int64, power cells[measured], used map[string]hostTime) {
	var hosts directory.ByHost[string]
	for _, host := range slices.Sorted(maps.Keys(used)) {
		hosts.Add(host, host)
	}
	m := f.meters[n]
	taken := map[string]bool{}
	for _, at := range slices.SortedFunc(maps.Keys(power), byChance) {
		m.points++
		if at.host == "" {
			m.hostless++
			continue
		}
		own := slices.DeleteFunc(slices.Clone(hosts.Of(at.host)), func(host string) bool { return taken[host] })
		if len(own) == 0 {
			m.unused[at.host]++
			continue
		}
		machine, cpu, mixed := used[own[0]].machine, cpuTime{}, false
		for _, host := range own {
			taken[host] = true
			cpu = cpu.Plus(used[host].cpu)
			mixed = mixed || used[host].mixed || used[host].machine != machine
		}
		if mixed {
			m.mixed++
			continue
		}
		m.types[at.host] = machine
		t := f.typeOf(machine)
		t.byName = t.byName || own[0] != at.host
		if !t.looksAt(own, f.Most) {
			continue
		}
		t.pairs[n].cpu.add(cell{own[0], start}, cpu)
		t.pairs[n].power.add(cell{own[0], start}, power[at])
	}
}

// looksAt reports whether hosts are among those that are looked at.
func (t *ofType) looksAt(hosts []string, most int) bool {
	if _, known := t.kept[hosts[0]]; !known && most > 0 && len(t.kept) >= most {
		t.spared[hosts[0]] = struct{}{}
		return false
	}
	for _, host := range hosts {
		t.kept[host] = struct{}{}
	}
	return true
}

// byChance is an order that has nothing to do with what hosts are, and is the same every time: names
// in alphabetical order often are in order of age, too.
func byChance(a, b cell) int {
	of := func(c cell) uint64 {
		h := fnv.New64a()
		_, _ = h.Write([]byte(c.host))
		return h.Sum64()
	}
	return cmp.Or(cmp.Compare(of(a), of(b)), a.compare(b))
}
