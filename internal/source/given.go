// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package source

import (
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// readGiven reads by queries of the operator, which return CPU seconds of whole windows. With
// cores_query the law holds for them, too.
func (c *Client) readGiven(ctx context.Context, pieces []usage.Interval) ([]usage.Reading, usage.Rejects, error) {
	t := newTable(pieces)
	window, labels := t.step, c.Query.Labels.list()
	if err := c.ask(ctx, endsOf(pieces), c.Query.busy(window), labels, t.into(busy)); err != nil {
		return nil, nil, err
	}
	if c.Query.IdleQuery != "" {
		if err := c.ask(ctx, endsOf(pieces), c.Query.idle(window), labels, t.into(idle)); err != nil {
			return nil, nil, err
		}
	}
	if c.Query.CoresQuery != "" {
		s := &hostCoreSink{table: t, byHost: map[string][]float64{}}
		if err := c.ask(ctx, endsOf(pieces), c.Query.cores(window, nil), []string{c.Query.Labels.Host}, s); err != nil {
			return nil, nil, err
		}
		t.coresOf = s.byHost
	}
	if err := t.usable(); err != nil {
		return nil, nil, err
	}
	if len(t.order) > 0 && len(c.Query.Info) > 0 {
		var err error
		if t.info, err = c.askInfo(ctx, c.Query.Info, pieces, []string{c.Query.Labels.Host}); err != nil {
			return nil, nil, err
		}
	}
	t.shared = c.Query.Shares != nil
	readings := t.readings(c.Query.IdleQuery == "")
	readings[len(readings)-1].Remarks = t.info.remarks()
	if err := t.halves(readings, c.Query); err != nil {
		return nil, nil, err
	}
	if t.shared && len(t.order) > 0 {
		if err := c.shareOut(ctx, newShares(c.Query.Shares, callHosts(t.names(), t.info, 0, len(pieces)), pieces, t.rejects), nil, readings); err != nil {
			return nil, nil, err
		}
	}
	if c.Query.fixed() {
		readings = spread(readings)
	}
	return readings, t.rejects, nil
}

// names lists the hosts.
func (t *table) names() []string {
	var names []string
	for _, h := range t.order {
		names = append(names, h.series.Host)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// Fallback are queries for a site where Query.Metric has no series at all. They are as those of
// Query are, and give hosts under a label of their own.
type Fallback struct {
	BusyQuery, IdleQuery, CoresQuery string
	Host                             string
}

// byFallback returns a client that asks what there is a fallback for; nil: there is none.
func (c *Client) byFallback() *Client {
	f := c.Query.Fallback
	if f == nil {
		return nil
	}
	other := c.copy()
	q := &other.Query
	q.BusyQuery, q.IdleQuery, q.CoresQuery, q.Labels.Host, q.Fallback = f.BusyQuery, f.IdleQuery, f.CoresQuery, f.Host, nil
	return other
}

// readings turns the table into one reading per piece. A host with a rejected or absent part is
// refused: with the other part alone, that one would count as 0. So is one with more time than
// its cores have. If idle time was not asked for, it is what the cores have left.
func (t *table) readings(withoutIdle bool) []usage.Reading {
	readings := make([]usage.Reading, len(t.pieces))
	for i, n := range t.filled() {
		readings[i] = usage.Reading{Piece: t.pieces[i], Samples: make([]usage.Sample, 0, n), Present: map[string]usage.Presence{}}
	}
	for _, h := range t.order {
		for i := range readings {
			series := t.info.named(h.series, i, t.shared)
			b, hasBusy := h.at(busy, i)
			d, hasIdle := h.at(idle, i)
			cores := t.cores(h, i)
			o := outcome{state: usage.HostExact, cores: cores, capacity: cores * t.step.Seconds()}
			switch {
			case h.refused(i):
				o = doubted(o, usage.DoubtInvalid, "a value that is not a number of seconds")
			case withoutIdle && hasBusy && cores == 0:
				t.reject(string(usage.DoubtNoCores))
				o = doubted(o, usage.DoubtNoCores, "cores_query says nothing of it")
			case withoutIdle && hasBusy:
				d = max(o.capacity-b, 0)
			case !hasBusy && !hasIdle:
				continue
			case hasBusy != hasIdle:
				t.reject(rejectHalf)
				t.half[i]++
				o = doubted(o, usage.DoubtHalf, "only one of busy and idle CPU seconds")
			}
			if o.state == usage.HostExact && o.capacity > 0 && b+d > o.capacity*(1+tolerance) {
				t.reject(rejectOverCapacity)
				o = doubted(o, usage.DoubtLeap, fmt.Sprintf("%.0f CPU seconds of %.0f", b+d, o.capacity))
			}
			if o.state == usage.HostExact {
				o.seen, o.booked = b+d, []booked{{series: series, busy: b, idle: d, seen: b + d}}
			}
			enter(&readings[i], series, o)
		}
	}
	return readings
}

func doubted(o outcome, reason usage.DoubtReason, detail string) outcome {
	o.state, o.reason, o.detail = usage.HostRefused, reason, detail
	return o
}

// cores returns the cores of a host in a piece; 0: not known.
func (t *table) cores(h *hostRow, i int) float64 {
	if row := t.coresOf[h.series.Host]; row != nil && row[i] >= 1 && row[i] <= maxCores {
		return row[i]
	}
	return 0
}

// hostCoreSink receives the cores of hosts, which may come without other labels.
type hostCoreSink struct {
	table  *table
	byHost map[string][]float64
	row    []float64
}

// Series implements sink.
func (k *hostCoreSink) Series(labels []string) error {
	host := usage.HostLabel(labels[0])
	if k.byHost[host] == nil {
		if len(k.byHost) >= maxHosts || len(k.byHost)*len(k.table.pieces) > maxCells {
			return errTooManySeries()
		}
		k.byHost[host] = make([]float64, len(k.table.pieces))
	}
	k.row = k.byHost[host]
	return nil
}

// Point implements sink. Cores that are not a positive whole number are not known.
func (k *hostCoreSink) Point(at, v float64) {
	if i, ok := columnOf(at, k.table.first, k.table.step.Seconds(), len(k.row)); ok && v >= 1 && v == math.Trunc(v) {
		k.row[i] = max(k.row[i], v)
	}
}

// Odd implements sink.
func (k *hostCoreSink) Odd(float64) { k.table.reject(rejectNotANumber) }

// Histogram implements sink.
func (k *hostCoreSink) Histogram() { k.table.reject(rejectHistogram) }
