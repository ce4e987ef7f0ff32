// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package gate

import (
	"fmt"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// Grid is the forecast of a grid.
type Grid struct {
	Name    string
	Outlook usage.Outlook
	// FetchedAt is when the forecast was fetched.
	FetchedAt time.Time
}

// oldForecast is the age from which on a forecast does not count: carbon_exporter fetches one each
// half hour.
const oldForecast = time.Hour

// look finds the best time to begin, and says what of it is not known. Of equally good times it is the
// first, so work that waited for its start is not told to wait again.
func (d *Decision) look(r Rules, f Facts) (doubts []string) {
	if age := f.Now.Sub(f.Grid.FetchedAt); age > oldForecast {
		return []string{fmt.Sprintf("the forecast of %s is old: it was fetched at %s, %s ago", f.Grid.Name, stamp(f.Grid.FetchedAt), long(age))}
	}
	now, ok := f.Grid.Outlook.Window(0, r.For)
	if !ok {
		return []string{fmt.Sprintf("the forecast of %s does not cover %s from now on", f.Grid.Name, long(r.For))}
	}
	best, last := now, int(f.Now.Add(r.Within).Sub(f.Grid.Outlook.From)/usage.SlotLength)
	for n := 1; n <= last; n++ {
		if w, ok := f.Grid.Outlook.Window(n, r.For); ok && w.Mean < best.Mean {
			best = w
		}
	}
	d.Now, d.Best = &now, &best
	return nil
}

// better says when work should begin, and why.
func better(d Decision, saving float64) string {
	return fmt.Sprintf("%s is a better time to begin: the mean is %s gCO2eq/kWh then and %s now, %s less",
		stamp(d.Best.From), short(float64(d.Best.Mean)), short(float64(d.Now.Mean)), percent(saving))
}
