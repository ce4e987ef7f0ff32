// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package simulate

import (
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

const day = 24 * time.Hour

// bootedBefore returns when the host last booted before or at t: its Begin, or a reboot. On
// average there is a reboot every second day.
func (h *Host) bootedBefore(t time.Time) time.Time {
	for today := usage.FloorEpoch(t, day); today.Add(day).After(h.Begin); today = today.Add(-day) {
		seed := mix(h.seed, aboutReboot, uint64(today.Unix()))
		boot := today.Add(wholeSeconds(draw(seed, 1) * day.Seconds()))
		if draw(seed, 2) < 0.5 && !boot.After(t) && boot.After(h.Begin) {
			return boot
		}
	}
	return h.Begin
}

// Scraped reports whether a scrape of the host at t succeeds. Without Odd.Gaps all do; with it
// every third day has a gap of up to twenty minutes.
func (h *Host) Scraped(t time.Time) bool {
	if !h.Alive(t) {
		return false
	}
	if !h.odd.Gaps {
		return true
	}
	today := usage.FloorEpoch(t, day)
	seed := mix(h.seed, aboutGap, uint64(today.Unix()))
	from := today.Add(wholeSeconds(draw(seed, 1) * day.Seconds()))
	gap := usage.Interval{Start: from, Length: 2*time.Minute + wholeSeconds(draw(seed, 2)*1080)}
	return draw(seed, 3) > 1.0/3 || !gap.Holds(t)
}

// Phase returns when in each scrape interval an address is scraped: Prometheus spreads its
// targets, too.
func (h *Host) Phase(every time.Duration) time.Duration {
	return time.Duration(draw(h.Address.seed, aboutPhase) * float64(every)).Truncate(time.Millisecond)
}
