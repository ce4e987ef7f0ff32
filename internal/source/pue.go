package source

import (
	"context"
	"math"
	"time"
)

var pueParts = []string{partGood, partMean, partLeast, partMost, partNumber}

// pue asks for the PUE. Values that are none are left out of the mean.
func (g *gathering) pue(ctx context.Context) error {
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
			g.remark("Of %d of %d pieces some values of the PUE are below %g or above %g or no numbers, and are left out: the query must give the energy of the site over that of its machines", refused, len(g.pieces), leastPUE, mostPUE)
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
