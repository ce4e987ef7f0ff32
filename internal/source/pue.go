// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package source

import (
	"context"
	"math"
	"time"
)

var pueParts = []string{partGood, partMean, partLeast, partMost, partNumber}

// pue asks for the PUE. Values that are none are left out of the mean. Where there is none, the last
// one counts for a day: a site does not change so fast.
func (g *gathering) pue(ctx context.Context) error {
	if err := g.meanPUE(ctx); err != nil {
		return err
	}
	for i := range g.all {
		if g.all[i].PUE == nil {
			return g.lastPUE(ctx)
		}
	}
	return nil
}

// lastPUE asks for the last PUE of the day before the end of each piece, where there is no other.
func (g *gathering) lastPUE(ctx context.Context) error {
	a, err := g.ask(ctx, endsOf(g.pieces), lastPUE(g.client.Query.Instruments.PUE), nil, nil)
	if err != nil {
		return err
	}
	lacking := 0
	for i := range g.all {
		if g.all[i].PUE != nil {
			continue
		}
		for _, r := range a.order { // one at most
			if last := r.at(0, i); last >= leastPUE && last <= mostPUE { // and not absent
				g.all[i].PUE = &last
			}
		}
		if g.all[i].PUE == nil {
			lacking++
		}
	}
	if lacking > 0 {
		g.remark("The query for the PUE has had no answer for a day, and power.pue.otherwise counts, in %d of %d pieces: correct power.pue.query", lacking, len(g.pieces))
	}
	return nil
}

// meanPUE asks for the mean of each piece.
func (g *gathering) meanPUE(ctx context.Context) error {
	window := g.pieces[0].Length
	return g.inSteps(func(step time.Duration) error {
		a, err := g.ask(ctx, endsOf(g.pieces), pueOf(g.client.Query.Instruments.PUE, window, step), nil, pueParts)
		if err != nil {
			return err
		}
		refused, several := 0, false
		for _, r := range a.order { // one at most
			for i := range g.pieces {
				good, mean, least, most := r.at(0, i), r.at(1, i), r.at(2, i), r.at(3, i)
				if good >= leastPUE && good <= mostPUE { // and not absent
					g.all[i].PUE = &good
				}
				reason := refusedPUE(mean, least, most)
				if reason != "" {
					refused++
				}
				g.reject(reason)
				several = several || r.at(4, i) > 1
			}
		}
		if refused > 0 {
			g.remark("In %d of %d pieces some values of the PUE are below %g or above %g or no numbers, and are left out: the query must give the energy of the site over that of its machines", refused, len(g.pieces), leastPUE, mostPUE)
		}
		if several {
			g.remark("The query for the PUE gives several series, and their mean counts: let it give one")
		}
		return nil
	})
}

// refusedPUE says why some values are no PUE, or nothing.
func refusedPUE(mean, least, most float64) string {
	switch {
	case isAbsent(mean), isOdd(mean), isOdd(least), isOdd(most):
		return ""
	case math.IsNaN(mean):
		return rejectNaN
	case math.IsInf(least, 0) || math.IsInf(most, 0):
		return rejectInfinite
	case least < leastPUE || most > mostPUE:
		return rejectRange
	}
	return ""
}
