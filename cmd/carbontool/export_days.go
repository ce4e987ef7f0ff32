// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/carbon-exporter/carbon_exporter/cmd/internal/answers"
	"github.com/carbon-exporter/carbon_exporter/cmd/internal/parts"
	"github.com/carbon-exporter/carbon_exporter/internal/report"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// users returns how a user is shown, which is as /metrics shows them today.
func (x *exported) users(ctx context.Context) (func(id string) string, error) {
	labels, err := parts.Labels(x.config.Attribution)
	if err != nil {
		return nil, fmt.Errorf("attribution: %w", err)
	}
	summary, err := x.Summary(ctx)
	if err != nil {
		return nil, err
	}
	shown, err := x.Shown(ctx)
	if err != nil {
		return nil, err
	}
	named := labels.Summary(summary, shown, false).Named
	return func(user string) string { return labels.Shown(user, named) }, nil
}

// days calls f with the usage of each day of the range, and counts what it lacks.
func (x *exported) days(ctx context.Context, now time.Time, as func(usage.Key) usage.Key, f func(answers.Day) error) (report.Intervals, error) {
	return answers.Days{Period: x.period, As: as}.Each(ctx, from(x.config, x.Store, now), f)
}

// sayLacking prints to stderr what an export by day cannot say in its format: nothing of what is
// missing, and which part has no emissions.
func (e *export) sayLacking(s streams, n report.Intervals) {
	if lacking := n.Missing + n.Unasked; lacking > 0 {
		fmt.Fprintf(s.err, "carbontool export: of %d intervals, %d are not known and not in the export; see carbontool intervals\n", n.All, lacking)
	}
	if n.Unpriced > 0 {
		fmt.Fprintf(s.err, "carbontool export: of %d intervals, %d have energy and no emissions yet: export them again later\n", n.All, n.Unpriced)
	}
}

// dayWriter writes the rows of an export by day.
type dayWriter[Row any] interface {
	Write(Row) error
	Close() error
}

// writeDays writes a row for each key of each day, and says what the rows lack.
func writeDays[Row any](ctx context.Context, s streams, e *export, x *exported, now time.Time, as func(usage.Key) usage.Key,
	open func(io.Writer) (dayWriter[Row], error), row func(answers.Day, answers.KeyUse) Row,
) error {
	rows := 0
	var intervals report.Intervals
	err := e.write(s, func(out io.Writer) error {
		w, err := open(out)
		if err != nil {
			return err
		}
		intervals, err = x.days(ctx, now, as, func(day answers.Day) error {
			for _, k := range day.Keys {
				rows++
				if err := w.Write(row(day, k)); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
		return w.Close()
	})
	if err != nil {
		return err
	}
	if rows == 0 {
		e.sayNothing(s)
	}
	e.sayLacking(s, intervals)
	return nil
}
