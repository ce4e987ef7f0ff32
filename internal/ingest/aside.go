// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package ingest

import (
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// aside are intervals that failed alone and wait. The server may have been to blame: then its
// first good answer makes them due again. But intervals that fail each time are not retried
// with every good answer.
type aside struct {
	intervals map[time.Time]usage.Interval
	notBefore time.Time
	times     int // in a row
}

const (
	asideAtOnce  = 1000 // more wait for their retry time
	asideBetween = 10 * time.Second
	asideLongest = time.Minute
)

func (a *aside) add(i usage.Interval) {
	if a.intervals == nil {
		a.intervals = map[time.Time]usage.Interval{}
	}
	if len(a.intervals) < asideAtOnce {
		a.intervals[i.Start] = i
	}
}

// takeUp returns the intervals to retry after a good answer, if it is time. The more there are,
// the longer they wait: each may cost a query.
func (a *aside) takeUp(now time.Time) []usage.Interval {
	if now.Before(a.notBefore) && a.notBefore.Sub(now) <= putOffLongest { // later: set by a clock that ran ahead
		return nil
	}
	if len(a.intervals) == 0 {
		a.times = 0
		return nil
	}
	var all []usage.Interval
	for _, i := range a.intervals {
		all = append(all, i)
	}
	longest := min(max(asideLongest, time.Duration(len(all))*5*time.Second), putOffLongest)
	a.notBefore = now.Add(grow(asideBetween, a.times, longest))
	a.times++
	clear(a.intervals)
	return all
}
