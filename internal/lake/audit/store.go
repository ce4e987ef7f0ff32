// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package audit

import (
	"cmp"
	"context"
	"errors"
	"io"
	"slices"

	"github.com/carbon-exporter/carbon_exporter/internal/lake"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// Store is what a store has of days. See store.Store.
type Store interface {
	LakeWork(ctx context.Context, lake string, since int64) (usage.LakeWork, error)
	ReplayDay(ctx context.Context, day usage.Period, facts func(usage.Record) error, members func(usage.Member) error) (usage.LakeDay, error)
}

// compare compares the present revision of a day with what a store has of it.
func (a *Audit) compare(ctx context.Context, f *findings, m *lake.Manifest) error {
	day, facts, members, err := contents(ctx, a.Store, usage.Period{From: m.From, To: m.Until})
	is := m.Present()
	switch {
	case errors.Is(err, usage.ErrPruned):
		f.note(Stored, "%s: the store has deleted its rows by key, so that it cannot be compared", m.Day)
		return nil
	case err != nil:
		return err
	case day.Open > 0:
		f.note(Stored, "%s: the store is about to change it: %d intervals are not settled", m.Day, day.Open)
	case day.Settled != is.Intervals.Settled || day.Empty != is.Intervals.Empty || day.Unknown != is.Intervals.Unknown:
		f.fault(Stored, "%s: the store has %d settled, %d empty and %d unknown intervals, and the lake %d, %d and %d; carbon_exporter publishes it again if it runs",
			m.Day, day.Settled, day.Empty, day.Unknown, is.Intervals.Settled, is.Intervals.Empty, is.Intervals.Unknown)
	case !facts.Same(is.Facts) || !members.Same(is.Members):
		f.fault(Stored, "%s: the store has other numbers than the lake; carbon_exporter publishes them if it runs", m.Day)
	default:
		f.stored++
	}
	return nil
}

// Same reports whether a store has the numbers of the present revision of a day. If it has deleted
// them, the error is usage.ErrPruned.
func Same(ctx context.Context, store Store, m *lake.Manifest) (bool, error) {
	day, facts, members, err := contents(ctx, store, usage.Period{From: m.From, To: m.Until})
	is := m.Present()
	return day.Open == 0 && day.Settled == is.Intervals.Settled && day.Empty == is.Intervals.Empty && day.Unknown == is.Intervals.Unknown &&
		facts.Same(is.Facts) && members.Same(is.Members), err
}

// contents is what would be published of a day, without its bytes.
func contents(ctx context.Context, store Store, p usage.Period) (day usage.LakeDay, facts, members lake.Object, err error) {
	factRows, memberRows := lake.NewWriter[lake.Fact](io.Discard), lake.NewWriter[lake.Member](io.Discard)
	var together []lake.Member // rows of one interval, which the store has in another order
	flush := func() error {
		slices.SortFunc(together, func(a, b lake.Member) int { return cmp.Or(cmp.Compare(a.Scope, b.Scope), cmp.Compare(a.Name, b.Name)) })
		err := memberRows.Write(together)
		together = together[:0]
		return err
	}
	day, err = store.ReplayDay(ctx, p, func(rec usage.Record) error {
		return factRows.Write(lake.FactRows(rec))
	}, func(m usage.Member) error {
		row := lake.MemberRow(m)
		if len(together) > 0 && !together[0].Start.Equal(row.Start) {
			if err := flush(); err != nil {
				return err
			}
		}
		together = append(together, row)
		return nil
	})
	if err == nil {
		err = flush()
	}
	if err != nil {
		return day, facts, members, err
	}
	if facts, err = factRows.Close(); err != nil {
		return day, facts, members, err
	}
	members, err = memberRows.Close()
	return day, facts, members, err
}

// unpublished notes the days that a store could publish and a lake does not have.
func (a *Audit) unpublished(ctx context.Context, f *findings, has map[lake.Day]bool) error {
	work, err := a.Store.LakeWork(ctx, "", 0) // a lake that has nothing
	if err != nil {
		return err
	}
	var days []string
	for _, d := range work.Due {
		if !has[lake.Day(d.Date)] {
			days = append(days, d.Date)
		}
	}
	if len(days) > 0 {
		f.note(Stored, "%d settled days of the store are not in the lake yet: %s", len(days), sample(days))
	}
	return nil
}
