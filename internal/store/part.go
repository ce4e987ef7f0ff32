// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package store

import "github.com/carbon-exporter/carbon_exporter/internal/usage"

// part is what a fact adds to the sums of its key.
type part struct {
	row
	priced bool
	sums   sums
	rare   [sumCount - usualCount]usage.Sum // of sums, so that a part can be used again
}

// set makes it the part of a fact.
func (p *part) set(f row, by terms) {
	p.row, p.priced = f, by.price != nil
	clear(p.rare[:])
	p.sums = sums{rare: &p.rare}
	p.sums.add(f, by)
}

// add adds a fact.
func (t totals) add(f row, by terms) {
	var p part
	p.set(f, by)
	t.plus(&p)
}

// plus adds the part of a fact.
func (t totals) plus(p *part) {
	r := t[p.key]
	if r == nil {
		r = &keyTotals{}
		t[p.key] = r
	}
	r.rows++
	if p.start >= r.last {
		r.last, r.stale = p.start, false
	}
	r.sums.include(&p.sums)
	if p.priced {
		r.priced++
	}
}

// minus subtracts the part of a fact again, to the last bit.
func (t totals) minus(p *part) {
	r := t[p.key]
	r.rows--
	r.stale = r.stale || p.start == r.last
	r.sums.exclude(&p.sums)
	if p.priced {
		r.priced--
	}
}

// add adds what a fact has of each sum.
func (s *sums) add(f row, by terms) {
	do := func(i int, v float64) {
		if v != 0 {
			s.of(i).Add(v)
		}
	}
	// Mode by mode, as in the other sums, so that subtracting one sum from another is exact.
	energy := func(e usage.ByMode[usage.KWh], busy, idle, measured int) {
		do(busy, float64(e.Busy))
		do(idle, float64(e.Idle))
		do(measured, float64(e.Measured))
	}
	emissions := func(g usage.ByMode[usage.Grams], busy, idle, measured int) {
		do(busy, float64(g.Busy))
		do(idle, float64(g.Idle))
		do(measured, float64(g.Measured))
	}
	do(busyCPU, float64(f.cpu.Busy))
	do(idleCPU, float64(f.cpu.Idle))
	energy(f.energy, busyKWh, idleKWh, measuredKWh)
	margin := by.margin(f)
	do(doubtKWh, float64(margin.Down))
	do(skewKWh, float64(margin.Up-margin.Down))
	energy(margin.Unknown, undoubtedKWh, undoubtedKWh, undoubtedKWh)
	if by.hardware {
		embodied := float64(by.embodied.Of(f.cpu.Total()))
		do(embodiedGrams, embodied)
		do(hardwareCPU, float64(f.cpu.Busy))
		do(hardwareCPU, float64(f.cpu.Idle))
		if by.settled {
			do(settledEmbodiedGrams, embodied)
		}
	}
	if by.price == nil {
		energy(f.energy, unpricedKWh, unpricedKWh, unpricedKWh)
		return
	}
	if by.forecast {
		energy(f.energy, forecastKWh, forecastKWh, forecastKWh)
	}
	grams := f.at(*by.price)
	emissions(grams, busyGrams, idleGrams, measuredGrams)
	if by.settled {
		energy(f.energy, settledBusyKWh, settledIdleKWh, settledMeasuredKWh)
		emissions(grams, settledBusyGrams, settledIdleGrams, settledMeasuredGrams)
	}
}

// margin returns how far a row's energy may be off.
func (by factors) margin(f row) usage.Margin {
	var rating usage.Rating
	if by.rating != nil {
		rating = *by.rating
	}
	return rating.Margin(usage.Fact{Energy: f.energy, Beside: f.beside})
}
