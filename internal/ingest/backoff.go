// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package ingest

import (
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/clock"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// backoff spaces out attempts at a source that fails.
type backoff struct {
	longest  time.Duration
	failures int
}

const shortestBackoff = time.Second

// permanentBackoff is the least wait after an answer that a retry will not change: first
// somebody must correct the query or the permissions.
const permanentBackoff = 30 * time.Second

// after returns how long to wait after err, the n-th failure in a row: twice as long each time,
// up to longest, less the clock's jitter. It is never less than what the server asked for.
func (b *backoff) after(err error, c clock.Clock) time.Duration {
	d := grow(shortestBackoff, b.failures, b.longest)
	b.failures++
	f := usage.FailureOf(err)
	if f == nil {
		return c.Jitter(d)
	}
	d = max(c.Jitter(d), f.RetryAfter)
	if f.Permanent {
		d = max(d, permanentBackoff)
	}
	return d
}

func (b *backoff) reset() { b.failures = 0 }

func grow(d time.Duration, times int, longest time.Duration) time.Duration {
	for range times {
		if d >= longest {
			break
		}
		d *= 2
	}
	return min(d, longest)
}
