// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package lake

import (
	"context"
	"errors"
	"fmt"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// edition is a day as it is to be published.
type edition struct {
	day            usage.LakeDay
	facts, members *File
	Revision       // without number, paths and time
}

func (e *edition) Close() error { return errors.Join(e.facts.Close(), e.members.Close()) }

// build writes the files of a day. They are closed with the edition.
func build(ctx context.Context, store Store, day usage.LakeDay, dir string) (_ *edition, err error) {
	facts, err := newFile(dir)
	if err != nil {
		return nil, err
	}
	members, err := newFile(dir)
	if err != nil {
		return nil, errors.Join(err, facts.Close())
	}
	e := &edition{facts: facts, members: members}
	defer func() {
		if err != nil {
			e.Close()
		}
	}()
	factRows, memberRows, sums := NewWriter[Fact](facts), NewWriter[Member](members), &Adder{}
	var interval []Member // rows of one, to be sorted as the others are: by text
	flush := func() error {
		rows := interval
		interval = nil
		sortRows(rows)
		return memberRows.Write(rows)
	}
	e.day, err = store.ReplayDay(ctx, day.Period, func(rec usage.Record) error {
		rows := FactRows(rec)
		for _, row := range rows {
			sums.Fact(row)
		}
		return factRows.Write(rows)
	}, func(m usage.Member) error {
		row := MemberRow(m)
		sums.Member(row)
		if len(interval) > 0 && !interval[0].Start.Equal(row.Start) {
			if err := flush(); err != nil {
				return err
			}
		}
		interval = append(interval, row)
		return nil
	})
	if err == nil {
		err = flush()
	}
	if err != nil {
		return nil, fmt.Errorf("day %s: %w", day.Date, err)
	}
	if facts.Object, err = factRows.Close(); err != nil {
		return nil, err
	}
	if members.Object, err = memberRows.Close(); err != nil {
		return nil, err
	}
	e.Facts, e.Members, e.Sums, e.Intervals = facts.Object, members.Object, sums.Sums(), intervalsOf(e.day)
	return e, nil
}

// intervalsOf says which intervals of a day have usage, and which have none.
func intervalsOf(d usage.LakeDay) Intervals {
	i := Intervals{Seconds: d.Seconds, Settled: d.Settled, Empty: d.Empty, Unknown: d.Unknown}
	for _, hole := range d.Holes {
		state := "unknown"
		if hole.State == usage.Empty {
			state = "empty"
		}
		i.Holes = append(i.Holes, Hole{From: hole.From.UTC(), Until: hole.To.UTC(), State: state})
	}
	return i
}
