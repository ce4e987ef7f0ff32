// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package source

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

const (
	rejectZero = "zero"
	// maxPower, in watts, is more than anything uses.
	maxPower = 1e9
)

// OfMachine returns a client for the CPU seconds of one machine type. Queries written by the
// operator cannot be restricted: see Query.given.
func (c *Client) OfMachine(machine string) *Client {
	only := c.copy()
	only.extent.from(&extent{}) // it has less than all
	only.Query.machine = &machine
	return only
}

// OfHosts returns a client for measured power whose series name their host by another label.
func (c *Client) OfHosts(label string) *Client {
	other := c.copy()
	other.Query.Labels.Host = label
	return other
}

// Grain is the time for which CPU seconds are known: a piece of an interval, or the whole
// interval if the operator's queries have a fixed window.
func (c *Client) Grain(interval time.Duration) time.Duration {
	if c.Query.fixed() {
		return interval
	}
	return usage.PieceLength(interval)
}

// Measured evaluates a PromQL expression in watts. It returns the mean power in each of a run
// of adjacent intervals, by host and machine type, and counts rejected samples. Hosts that the
// server does not know are left out. It returns all or nothing, as Read does.
func (c *Client) Measured(ctx context.Context, run []usage.Interval, expr string) ([]usage.Measurement, usage.Rejects, error) {
	if len(run) == 0 {
		return nil, nil, nil
	}
	if len(run) > maxPoints {
		return nil, nil, &usage.Failure{Reason: usage.ReasonTooLarge, TooLarge: true, Detail: fmt.Sprintf("%d points in one query, the limit is %d", len(run), maxPoints)}
	}
	t := newTable(run)
	p := &powerSink{table: t, byName: map[powerName]*powerRow{}}
	labels := []string{c.Query.Labels.Host, c.Query.Labels.Machine, partLabel}
	if err := c.ask(ctx, endsOf(run), c.Query.measured(expr, t.step), labels, p); err != nil {
		return nil, nil, err
	}
	return p.measurements(), t.rejects, nil
}

// powerSink collects power by host and machine type.
type powerSink struct {
	table  *table
	byName map[powerName]*powerRow
	order  []*powerRow // in order of arrival
	row    *powerRow   // of the current series; nil: not part of the answer
	part   string
}

type powerName struct{ host, machine string }

type powerRow struct {
	powerName
	cells []powerCell
}

type powerCell struct {
	came, odd           bool // odd: a sample was not a number
	mean, points, least float64
}

// Series implements sink.
func (p *powerSink) Series(labels []string) error {
	p.row, p.part = nil, labels[2]
	if p.part != partMean && p.part != partPoints && p.part != partLeast {
		return nil
	}
	name := powerName{usage.HostLabel(labels[0]), usage.Name(labels[1])}
	if p.row = p.byName[name]; p.row != nil {
		return nil
	}
	if len(p.order) >= maxHosts || len(p.order)*len(p.table.pieces)*parts > maxCells {
		return &usage.Failure{Reason: usage.ReasonLimit, TooLarge: true, Detail: "the answer has more series than fit in memory"}
	}
	p.row = &powerRow{powerName: name, cells: make([]powerCell, len(p.table.pieces))}
	p.byName[name] = p.row
	p.order = append(p.order, p.row)
	return nil
}

// Point implements sink.
func (p *powerSink) Point(at, v float64) {
	cell := p.cell(at)
	if cell == nil {
		return
	}
	switch p.part {
	case partMean:
		cell.came, cell.mean = true, v
	case partPoints:
		cell.points = v
	case partLeast:
		cell.least = v
	}
}

// Odd implements sink.
func (p *powerSink) Odd(at float64) {
	if cell := p.cell(at); cell != nil {
		p.table.reject(rejectNotANumber)
		cell.odd = true
	}
}

// cell returns the cell of a sample; nil if there is none.
func (p *powerSink) cell(at float64) *powerCell {
	if p.row == nil {
		return nil
	}
	i, ok := columnOf(at, p.table.first, p.table.step.Seconds(), len(p.row.cells))
	if !ok {
		p.table.reject(rejectTimestamp)
		return nil
	}
	return &p.row.cells[i]
}

// Histogram implements sink.
func (p *powerSink) Histogram() {
	if p.row != nil {
		p.table.reject(rejectHistogram)
	}
}

// measurements returns the plausible ones.
func (p *powerSink) measurements() []usage.Measurement {
	var all []usage.Measurement
	for _, row := range p.order {
		for i, cell := range row.cells {
			if !cell.came || cell.odd {
				continue
			}
			if reason := cell.refused(); reason != "" {
				p.table.reject(reason)
				continue
			}
			all = append(all, usage.Measurement{
				Host: row.host, Machine: row.machine, Piece: p.table.pieces[i],
				Watts: usage.Watts(cell.mean), Points: cell.points,
			})
		}
	}
	return all
}

// refused returns why a mean power is implausible, or "". A machine that ran has used power: a
// sensor without a reading reports 0.
func (c powerCell) refused() string {
	switch {
	case math.IsNaN(c.mean), math.IsNaN(c.least):
		return rejectNaN
	case math.IsInf(c.mean, 0), math.IsInf(c.least, 0):
		return rejectInfinite
	case c.mean < 0 || c.least < 0:
		return rejectNegative
	case c.mean == 0 || c.least == 0:
		return rejectZero
	case c.mean > maxPower:
		return rejectOverCapacity
	}
	return ""
}
