// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package answers

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/budget"
	"github.com/carbon-exporter/carbon_exporter/internal/report"
	"github.com/carbon-exporter/carbon_exporter/internal/store"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// Days asks for the usage of each key on each day of a period, in the zone of the store. It is read
// as a report reads it, so that their sums cannot differ.
type Days struct {
	usage.Period
	// As is the key that usage is told of. Keys that become one are added up.
	As func(usage.Key) usage.Key
}

// Day is the usage of a day, or of the part of it that is in the period.
type Day struct {
	// Date is the day or its part. The intervals that begin in it, as far as they are over, are
	// Covered.
	Date, Covered usage.Period
	Keys          []KeyUse
}

// KeyUse is what a key used, and between which bounds the truth is. Nil: not known.
type KeyUse struct {
	usage.KeyTally
	Energy    *usage.EnergyBounds
	Emissions *report.Bounds[usage.Grams]
}

// Each calls f for each day that has usage, in order of time. All days show the store at the same
// moment. The result counts the intervals of the period.
func (q Days) Each(ctx context.Context, from From, f func(Day) error) (report.Intervals, error) {
	st, zone := from.Store, from.Zone()
	forecasts, err := ForecastError(ctx, st, q.Period)
	if err != nil {
		return report.Intervals{}, err
	}
	err = st.View(ctx, func(v *store.View) error {
		for _, date := range budget.Split(q.Period, budget.Day, zone) {
			accounts, err := v.Accounts(ctx, date)
			if err != nil {
				return err
			}
			day := Day{Date: date, Covered: covered(date, st.Interval(), from.Now)}
			for _, t := range accounts[0].ByKey(q.As) {
				day.Keys = append(day.Keys, useOf(t, forecasts.Mean))
			}
			if len(day.Keys) == 0 || !day.Covered.From.Before(day.Covered.To) {
				continue
			}
			if err := f(day); err != nil {
				return err
			}
		}
		return nil
	})
	if errors.Is(err, usage.ErrPruned) {
		return report.Intervals{}, fmt.Errorf("%w; give %s", err, wholeDays(q.Period, zone, from.Now))
	}
	if err != nil {
		return report.Intervals{}, err
	}
	known, err := st.Known(ctx, q.Period)
	return report.CountIntervals(known, q.Period, st.Interval(), from.Now), err
}

func useOf(t usage.KeyTally, forecasts usage.GramsPerKWh) KeyUse {
	use := KeyUse{KeyTally: t}
	if b, ok := report.EnergyBounds(t.Tally); ok {
		use.Energy = &usage.EnergyBounds{Low: b.Low, High: b.High}
	}
	if b, ok := report.EmissionsBounds(t.Tally, forecasts); ok {
		use.Emissions = &b
	}
	return use
}

// covered is the time of the intervals that begin in a period and are over.
func covered(p usage.Period, length time.Duration, now time.Time) usage.Period {
	if length <= 0 {
		return p
	}
	ceil := func(t time.Time) time.Time {
		if i := usage.IntervalAt(t, length); i.Start.Before(t) {
			return i.End()
		}
		return t
	}
	return usage.Period{From: ceil(p.From), To: usage.Earlier(ceil(p.To), usage.IntervalAt(now, length).Start)}
}
