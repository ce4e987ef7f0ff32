// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package exporter

import (
	"context"
	"time"
)

const (
	// monthsEvery is how often days may have ended long enough ago to become part of a month.
	monthsEvery = time.Hour
	// monthsRest is the pause after a step, as a multiple of the step: others write meanwhile.
	monthsRest      = 4
	leastMonthsRest = 20 * time.Millisecond
)

// sumMonths keeps the sums of months in the store, so that the next start need not read every day of
// the year. After an upgrade, or when a year was filled in, it has much to do once.
func (d *daemon) sumMonths(ctx context.Context) {
	for ctx.Err() == nil {
		began := d.clock.Now()
		more, err := d.store.SumMonths(ctx)
		if (more || err != nil) && ctx.Err() == nil {
			d.Wrote(err)
		}
		pause := monthsEvery
		switch {
		case err != nil:
			d.log.Debug("Adding up months failed", "err", err, "retry_in", pause)
		case more:
			pause = max(leastMonthsRest, monthsRest*d.clock.Now().Sub(began))
		}
		d.clock.Sleep(ctx, pause, nil)
	}
}
