// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package doctor

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/prometheus/common/model"
)

var scrapes = check{Prometheus, "scrape interval"}

// Stale is about series that have samples in the last time, none of which is fresh.
func Stale(jobs map[string]int, window time.Duration) Finding {
	n := 0
	for _, series := range jobs {
		n += series
	}
	return scrapes.warn("scrape at least every 2 minutes; if the targets have stopped, see up",
		"%d selected series had samples in the last %s, from job %s, and none is there now: they are scraped less often than the server looks back for a sample (query.lookback-delta), or no longer",
		n, model.Duration(window), some(slices.Collect(maps.Keys(jobs))))
}

// fewestScrapes is how many samples an interval should have: with fewer, one scrape that is
// missed at a border leaves a hole.
const fewestScrapes = 4

// Scrapes is about how often machines are scraped, by how many samples some have in an interval.
// It also returns the time between two samples; 0: not known.
func Scrapes(samples map[string]int, interval time.Duration) (Finding, time.Duration) {
	counts := slices.Sorted(maps.Values(samples))
	if len(counts) == 0 {
		return scrapes.ok("not known: no machine has samples in the newest interval, or the queries are your own"), 0
	}
	usual := counts[len(counts)/2]
	every := (interval / time.Duration(max(usual, 1))).Round(time.Second)
	said := fmt.Sprintf("a sample every %s, %d in an interval of %s", model.Duration(every), usual, model.Duration(interval))
	if usual < fewestScrapes {
		return scrapes.warn(fmt.Sprintf("scrape more often, or set interval to at least %s", model.Duration(fewestScrapes*every)),
			"%s: fewer than %d leave holes wherever one is missed", said, fewestScrapes), every
	}
	return scrapes.ok("%s", said), every
}
