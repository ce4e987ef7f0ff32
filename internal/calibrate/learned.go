// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package calibrate

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// Learned is what was found of one machine type.
type Learned struct {
	Machine string
	Fit
	Paired
	Spared int      // measured hosts that were not looked at, because there are so many
	Meters []string // those whose measurements count
	// Err is why nothing was learned, and what would help; nil: it was.
	Err error

	meterError float64
}

// Learn returns what was found of every machine type of which hosts are measured, in order. What is
// learned without anybody looking on must be beyond doubt: an idle core that draws more than a
// busy one is refused.
func (f *Fleet) Learn() (all []Learned) {
	for _, machine := range slices.Sorted(maps.Keys(f.types)) {
		if len(f.types[machine].kept) == 0 {
			continue
		}
		l := f.Of(machine)
		if l.Err == nil && l.Watts.Idle > l.Watts.Busy {
			l.Err = errors.New("in the best fit an idle core draws more than a busy one; is it the power of these machines, at the same time? If so, calibrate the machine type alone, with --machine")
		}
		all = append(all, l)
	}
	return all
}

// Of returns what was found of one machine type.
func (f *Fleet) Of(machine string) Learned {
	l := Learned{Machine: machine}
	if t := f.types[machine]; t != nil {
		l.Spared = len(t.spared)
	}
	l.Paired, l.Meters, l.meterError = f.pair(machine)
	l.Fit, l.Err = l.Paired.Learn()
	return l
}

// Used reports whether there is any CPU time of a machine type.
func (f *Fleet) Used(machine string) bool { return f.types[machine] != nil }

// pair takes each interval of a host from the first meter that has a good measurement of it.
func (f *Fleet) pair(machine string) (p Paired, meters []string, meterError float64) {
	p = Paired{Way: ByHost, Left: usage.Rejects{}}
	t := f.types[machine]
	if t == nil {
		return p, nil, 0
	}
	if t.byName {
		p.Way = ByAddress
	}
	for host := range t.seen {
		_, kept := t.kept[host]
		_, spared := t.spared[host]
		if !kept && !spared {
			p.Unmeasured++
		}
	}
	taken := map[cell]bool{}
	for n, both := range t.pairs {
		of := Pairs{Machine: machine, Grain: f.Grain}
		found := of.observe(both.cpu, both.power, both.cpu.hosts(), p.Left)
		found = slices.DeleteFunc(found, func(o Observation) bool {
			at := cell{o.Host, o.Interval.Start.Unix()}
			was := taken[at]
			taken[at] = true
			return was
		})
		p.Observations = append(p.Observations, found...)
		if len(found) > 0 {
			meters = append(meters, f.Meters[n].Name)
			if e := f.Meters[n].Error; e != nil {
				meterError = max(meterError, *e)
			}
		}
		p.Others += f.meters[n].others(machine)
		if unused := f.meters[n].unusedOf(machine); unused > 0 {
			p.Left[leftUnused] += unused
		}
	}
	slices.SortFunc(p.Observations, func(a, b Observation) int {
		return cell{a.Host, a.Interval.Start.Unix()}.compare(cell{b.Host, b.Interval.Start.Unix()})
	})
	return p, meters, meterError
}

// others counts the hosts of other machine types.
func (m *ofMeter) others(machine string) (n int) {
	for _, t := range m.types {
		if t != machine {
			n++
		}
	}
	return n
}

// unusedOf counts the intervals of hosts of a machine type that have CPU time in other intervals
// only.
func (m *ofMeter) unusedOf(machine string) (n int) {
	for host, intervals := range m.unused {
		if m.types[host] == machine {
			n += intervals
		}
	}
	return n
}

// StandardError is that of energy computed from what was learned, as a fraction: that of the fit
// and, because the same meters measured all, that of the meters.
func (l Learned) StandardError() float64 { return math.Hypot(l.Error, l.meterError) }

// Change compares what was learned with another rating: the energy of the load that it was learned
// from is so much more, as a fraction of it, and the two differ by so many standard errors of the
// difference.
func (l Learned) Change(was usage.Rating) (change, errors float64) {
	energy := func(w usage.BusyIdle[usage.Watts]) float64 {
		return float64(w.Busy)*l.Load.Mean + float64(w.Idle)*(1-l.Load.Mean)
	}
	now, before := energy(l.Watts), energy(was.Watts)
	change = (now - before) / now
	sigma := l.StandardError()
	if was.Error != nil {
		sigma = math.Hypot(sigma, *was.Error*before/now)
	}
	if change == 0 {
		return 0, 0
	}
	return change, math.Abs(change) / sigma
}

// Unmeasured lists the machine types of which no host is measured, in order.
func (f *Fleet) Unmeasured() (all []string) {
	for _, machine := range slices.Sorted(maps.Keys(f.types)) {
		if len(f.types[machine].kept) == 0 {
			all = append(all, machine)
		}
	}
	return all
}

// Fault returns what is wrong with a meter as a whole, and what would help; nil: nothing.
func (f *Fleet) Fault(n int) error {
	if f.types == nil || f.meters[n].points == 0 {
		return errors.New("has no data in this range; check the query")
	}
	switch m := f.meters[n]; {
	case m.hostless == m.points:
		return errors.New("has series that name no host; check which label has it")
	case len(m.types) == 0 && m.mixed == 0:
		used := map[string]struct{}{}
		for _, t := range f.types {
			maps.Copy(used, t.seen)
		}
		named := map[string]struct{}{}
		for host := range m.unused {
			named[host] = struct{}{}
		}
		return fmt.Errorf("measures other hosts: it has %s, but CPU time has %s; give it the same label with label_replace", examples(named), examples(used))
	case len(m.types) == 0:
		return errors.New("measures hosts that have CPU time of two machine types at once, so nobody knows whose power it is")
	}
	return nil
}
