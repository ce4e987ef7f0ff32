// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package processor

import (
	"fmt"
	"math"
	"strings"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// The thermal design power per hardware thread, in watts, of a processor of the last ten years is
// between these.
const (
	leastTDP = 1
	mostTDP  = 12
)

// Of is as the function Of, from this table.
func (t *Table) Of(model string, threadsPerPackage int) (Estimate, bool) {
	name, ok := Recognise(model)
	if !ok {
		return Estimate{}, false
	}
	e, ok := t.of(name, threadsPerPackage)
	if !ok {
		return Estimate{}, false
	}
	if name.Virtual {
		e = t.atLeastAsWideAsUnknown(e)
	}
	return e, true
}

// Unknown is as the function Unknown, from this table.
func (t *Table) Unknown() Estimate {
	row := t.rows[[2]string{Any, PerThread}]
	e := estimate(row, one)
	e.Weak = true
	e.Reason = fmt.Sprintf("the median of %d servers of all families published from %s to %s", row.Servers, row.From, row.To)
	return e
}

// of prefers to scale by the thermal design power and the threads of the model: in these, models of
// one family differ by more than servers differ for the same model.
func (t *Table) of(name Name, given int) (Estimate, bool) {
	model := t.models[[2]string{name.Family, name.Model}]
	threads, said := threadsOf(name, model, given)
	perPackage, hasPackage := t.rows[[2]string{name.Family, PerPackage}]
	perThread, hasThread := t.rows[[2]string{name.Family, PerThread}]
	switch tdp := model.TDP / float64(threads); {
	case threads > 0 && tdp > 0 && hasPackage:
		e := estimate(perPackage, usage.BusyIdle[usage.Watts]{Busy: usage.Watts(tdp), Idle: 1 / usage.Watts(threads)})
		// A model much smaller than those of the family's servers cannot draw more when idle.
		e.Watts.Idle, e.Low.Idle, e.High.Idle = min(e.Watts.Idle, e.Watts.Busy), min(e.Low.Idle, e.Low.Busy), min(e.High.Idle, e.High.Busy)
		e.Reason = fmt.Sprintf("as %d servers of the family draw, for %g W of thermal design power and %d threads (%s)", perPackage.Servers, model.TDP, threads, said)
		return e, true
	case hasThread:
		e := estimate(perThread, one)
		e.Reason = fmt.Sprintf("the median of %d servers of the family", perThread.Servers)
		return e, true
	case threads > 0 && tdp > 0:
		all := t.rows[[2]string{Any, PerTDP}]
		e := estimate(all, usage.BusyIdle[usage.Watts]{Busy: usage.Watts(tdp), Idle: usage.Watts(tdp)})
		e.Family, e.Weak = name.Family, true
		e.Reason = fmt.Sprintf("as %d servers of all families draw, for %g W of thermal design power and %d threads (%s)", all.Servers, model.TDP, threads, said)
		return e, true
	}
	return Estimate{}, false
}

// threadsOf is how many threads a package has, and who has said so; 0 if nobody has. Packages of
// virtual machines have any number of threads. So what is given counts only if it agrees with
// what is known of the model, with simultaneous multithreading or without, or else if it leads to
// a thermal design power per thread that servers have.
func threadsOf(name Name, model Model, given int) (threads int, said string) {
	known, said := model.Threads, "as in its results"
	if known == 0 && strings.HasPrefix(name.Family, "EPYC") {
		known, said = 2*name.Cores, "as its name says"
	}
	per := model.TDP / float64(max(given, 1))
	switch {
	case known > 0 && given != known && 2*given != known:
		return known, said
	case known > 0 || leastTDP <= per && per <= mostTDP:
		return max(given, 0), "as the machine says"
	}
	return 0, ""
}

// one leaves the watts of a row as they are.
var one = usage.BusyIdle[usage.Watts]{Busy: 1, Idle: 1}

func estimate(row Row, by usage.BusyIdle[usage.Watts]) Estimate {
	watts := func(busy, idle float64) usage.BusyIdle[usage.Watts] {
		return usage.BusyIdle[usage.Watts]{Busy: usage.Watts(busy) * by.Busy, Idle: usage.Watts(idle) * by.Idle}
	}
	return Estimate{
		Family:  row.Family,
		Watts:   watts(row.Busy.Median, row.Idle.Median),
		Low:     watts(row.Busy.Low, row.Idle.Low),
		High:    watts(row.Busy.High, row.Idle.High),
		Servers: row.Servers, From: row.From, To: row.To,
	}
}

// atLeastAsWideAsUnknown widens the bounds of a name that a hypervisor has given: the machine may
// be of that family or of a newer one.
func (t *Table) atLeastAsWideAsUnknown(e Estimate) Estimate {
	u := t.Unknown()
	e.Low = both(e.Low, u.Low, math.Min)
	e.High = both(e.High, u.High, math.Max)
	e.Weak = true
	e.Reason += "; a hypervisor gives this name, and the machine may be newer"
	return e
}

func both(a, b usage.BusyIdle[usage.Watts], of func(a, b float64) float64) usage.BusyIdle[usage.Watts] {
	return usage.BusyIdle[usage.Watts]{
		Busy: usage.Watts(of(float64(a.Busy), float64(b.Busy))),
		Idle: usage.Watts(of(float64(a.Idle), float64(b.Idle))),
	}
}
