// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package ingest

import (
	"slices"
	"strings"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// verdict is what to do with a run of intervals that could not be read.
type verdict struct {
	// less: the query may be at fault. Ask for a shorter run.
	less bool
	// aside: this one interval is at fault. Go on without it.
	aside bool
	// wait: pause before the next query.
	wait bool
}

// judge decides what a failure means for a run of intervals, after row failures of single
// intervals in a row. If the server is at fault, the whole run waits. If the query may be at
// fault, shorter runs follow, down to single intervals, and one that still fails is set aside
// so that it does not hold up the others. But if many fail like that in a row, it is the server
// after all.
func judge(err error, run, row int) verdict {
	tooLarge := usage.IsTooLarge(err) && !timedOut(err)
	switch {
	case isAway(err):
		return verdict{wait: true}
	case run > 1:
		return verdict{less: true, wait: !tooLarge}
	default:
		return verdict{aside: true, wait: !tooLarge || row >= fewInARow}
	}
}

// fewInARow is how many single intervals may fail in a row before it is no coincidence: from
// then on a pause follows each further one.
const fewInARow = 3

// errs are several errors in one line, each text once. Both upstream calls of a round
// often fail alike.
type errs []error

// joined is nil if there is no error.
func joined(all ...error) error {
	all = slices.DeleteFunc(all, func(err error) bool { return err == nil })
	if len(all) == 0 {
		return nil
	}
	return errs(all)
}

func (e errs) Error() string {
	var texts []string
	for _, err := range e {
		if text := err.Error(); !slices.Contains(texts, text) {
			texts = append(texts, text)
		}
	}
	return strings.Join(texts, "; ")
}

func (e errs) Unwrap() []error { return e }

// isAway reports whether the server is unavailable, at least to us, whatever the query.
func isAway(err error) bool {
	f := usage.FailureOf(err)
	return f != nil && (f.Reason == usage.ReasonConnection || f.Reason == usage.ReasonAuth || f.Reason == usage.ReasonRateLimited)
}

// unheard reports whether nobody answered.
func unheard(err error) bool {
	f := usage.FailureOf(err)
	return f != nil && f.Reason == usage.ReasonConnection
}

func timedOut(err error) bool {
	f := usage.FailureOf(err)
	return f != nil && f.Reason == usage.ReasonTimeout
}

// waits reports whether the server has asked us to wait.
func waits(err error) bool {
	f := usage.FailureOf(err)
	return f != nil && f.RetryAfter > 0
}

// beforeSmaller bounds the pause before a smaller query than one that was too large. A server
// says so of every query while a part of it is away, and must not be asked hotly then.
const beforeSmaller = 5 * time.Second

const (
	// longestRun is the time asked for at once if all goes well. A day of 200 hosts costs
	// Prometheus 1 s.
	longestRun = 24 * time.Hour
	// mostAtOnce bounds the intervals of a run, all of which are held in memory: a day of
	// five-minute intervals.
	mostAtOnce = 288
)

// chunk is how many intervals are asked for at once: half as many after an answer that was too
// large, twice as many after two that were not.
type chunk struct {
	most int // 0: longestRun, but at most mostAtOnce
	good int
}

func (c *chunk) size(interval time.Duration) int {
	whole := min(max(int(longestRun/interval), 1), mostAtOnce)
	if c.most == 0 || c.most >= whole {
		return whole
	}
	return c.most
}

func (c *chunk) shrink(tried int) {
	c.most, c.good = max(tried/2, 1), 0
}

func (c *chunk) grow() {
	if c.good++; c.most > 0 && c.good >= 2 {
		c.most, c.good = min(2*c.most, mostAtOnce), 0
	}
}
