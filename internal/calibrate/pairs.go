// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package calibrate

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/directory"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// Way is how measured power is matched with CPU time.
type Way string

// The ways, best first.
const (
	ByHost    Way = "by host"           // the label is the same on both sides
	ByAddress Way = "by host, any port" // two exporters on one host
	AllAsOne  Way = "all hosts as one"  // the power names no host
)

// maxCells bounds the memory to about 300 MB.
const maxCells = 2_000_000

// Pairs collects CPU time and measured power, in any order and in any number of parts, and
// matches them.
type Pairs struct {
	Machine string        // the machine type to learn
	Grain   time.Duration // length of the intervals

	cpu   cells[cpuTime]
	power cells[measured]
	most  int // cells of one side; 0: maxCells
}

// Paired is what Learn learns from, and what was left out.
type Paired struct {
	Observations []Observation
	Way          Way
	Left         usage.Rejects // measured intervals left out, by reason
	Unmeasured   int           // hosts of the type whose power was not measured
	Others       int           // measured hosts of other types
}

// Constant reports whether nothing is left because each wattmeter that measured whole intervals
// shows the same power whatever the load.
func (p Paired) Constant() bool { return len(p.Observations) == 0 && p.Left[leftConstant] > 0 }

// Learn fits what was paired.
func (p Paired) Learn() (Fit, error) {
	switch {
	case p.Constant():
		return Fit{}, errors.New("the measured power is the same in every interval, whatever the load; it is a constant, not a measurement")
	case len(p.Observations) == 0:
		return Fit{}, tooLittlef("no interval has both CPU time and measured power")
	}
	return Learn(p.Observations)
}

// cell is one host in one interval. The host is "" for a series without one.
type cell struct {
	host  string
	start int64 // Unix seconds
}

type cells[T interface{ Plus(T) T }] map[cell]T

type cpuTime = usage.BusyIdle[usage.CPUSeconds]

type measured struct {
	watts  usage.Watts
	points float64
}

// Plus adds the power of two series.
func (m measured) Plus(o measured) measured { return measured{m.watts + o.watts, m.points + o.points} }

// AddCPU adds CPU time. That of other machine types is ignored.
func (p *Pairs) AddCPU(readings []usage.Reading) error {
	if p.cpu == nil {
		p.cpu = cells[cpuTime]{}
	}
	for _, r := range readings {
		start := usage.FloorEpoch(r.Piece.Start, p.Grain).Unix()
		for _, s := range r.Samples {
			host := s.Host
			if host == usage.Unknown {
				host = ""
			}
			if s.Machine == p.Machine {
				p.cpu.add(cell{host, start}, s.CPU)
			}
		}
	}
	return p.fits(len(p.cpu))
}

// AddPower adds measured power. Series of another machine type are ignored.
func (p *Pairs) AddPower(all []usage.Measurement) error {
	if p.power == nil {
		p.power = cells[measured]{}
	}
	for _, m := range all {
		if m.Machine == "" || m.Machine == p.Machine {
			p.power.add(cell{m.Host, m.Piece.Start.Unix()}, measured{m.Watts, m.Points})
		}
	}
	return p.fits(len(p.power))
}

func (p *Pairs) fits(n int) error {
	if most := cmp.Or(p.most, maxCells); n > most {
		return fmt.Errorf("more than %d intervals of hosts are too many to learn from at once; use a shorter range", most)
	}
	return nil
}

// Used reports whether there is any CPU time of the machine type.
func (p *Pairs) Used() bool { return len(p.cpu) > 0 }

// Measured reports whether there is any measured power.
func (p *Pairs) Measured() bool { return len(p.power) > 0 }

// Pair matches the two sides: by the host label if the power has it, else all as one. It is an
// error if hosts are named but none is of the machine type: all as one would then be a guess.
func (p *Pairs) Pair() (Paired, error) {
	pair := Paired{Way: ByHost, Left: usage.Rejects{}}
	cpu, power := p.cpu, p.power
	named := power.hosts()
	switch {
	case len(named) == 0:
		pair.Way, cpu = AllAsOne, cpu.renamed(func(string) string { return "" })
	case !meet(named, cpu.hosts()):
		pair.Way, cpu, power = ByAddress, cpu.renamed(directory.HostName), power.renamed(directory.HostName)
		if !meet(power.hosts(), cpu.hosts()) {
			return Paired{}, fmt.Errorf("the measured power is of other hosts: it has %s, but CPU time has %s; give it the same label with label_replace or, if it covers all hosts together, wrap it in sum()",
				examples(named), examples(p.cpu.hosts()))
		}
	}
	used, named := cpu.hosts(), power.hosts()
	pair.Unmeasured, pair.Others = beside(used, named), beside(named, used)
	if pair.Way == AllAsOne {
		used[""] = struct{}{}
	}
	pair.Observations = p.observe(cpu, power, used, pair.Left)
	return pair, nil
}

func (c cells[T]) add(at cell, v T) {
	if was, ok := c[at]; ok {
		v = was.Plus(v)
	}
	c[at] = v
}

// hosts returns the named hosts.
func (c cells[T]) hosts() map[string]struct{} {
	names := map[string]struct{}{}
	for at := range c {
		if at.host != "" {
			names[at.host] = struct{}{}
		}
	}
	return names
}

// renamed gives every host another name, and adds up those that get the same one, in a fixed
// order.
func (c cells[T]) renamed(name func(string) string) cells[T] {
	under := cells[T]{}
	for _, at := range slices.SortedFunc(maps.Keys(c), cell.compare) {
		under.add(cell{name(at.host), at.start}, c[at])
	}
	return under
}

func (c cell) compare(o cell) int {
	return cmp.Or(strings.Compare(c.host, o.host), cmp.Compare(c.start, o.start))
}

// beside counts the names of a that are not in b.
func beside(a, b map[string]struct{}) (n int) {
	for name := range a {
		if _, ok := b[name]; !ok {
			n++
		}
	}
	return n
}

func meet(a, b map[string]struct{}) bool { return beside(a, b) < len(a) }

// examples names a few of the hosts.
func examples(names map[string]struct{}) string {
	const most = 2
	sorted := slices.Sorted(maps.Keys(names))
	switch {
	case len(sorted) == 0:
		return "none by name"
	case len(sorted) > most:
		return fmt.Sprintf("%s and %d more", strings.Join(sorted[:most], ", "), len(sorted)-most)
	}
	return strings.Join(sorted, ", ")
}
