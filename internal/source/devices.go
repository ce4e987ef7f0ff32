// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package source

import (
	"context"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// devices asks for the energy of devices that have meters of their own.
func (g *gathering) devices(ctx context.Context) error {
	for _, d := range g.client.Query.Instruments.Devices {
		ask := g.counters
		if d.Unit == 0 {
			ask = g.gauge
		}
		used, err := ask(ctx, d)
		if g.forgives(err) {
			g.refusal(err, "the query of the devices "+quoted(d.Name), "their energy is not counted", "power.devices")
			continue
		}
		if err != nil {
			return err
		}
		if err := g.book(ctx, d, used); err != nil {
			return err
		}
	}
	return nil
}

// joules is what devices used, by the labels that they have, and by piece. NaN: they were not there.
type joules map[carrier][]float64

func (j joules) add(s carrier, piece, pieces int, v float64) {
	if j[s] == nil {
		j[s] = slices.Repeat([]float64{math.NaN()}, pieces)
	}
	if math.IsNaN(j[s][piece]) {
		j[s][piece] = 0
	}
	j[s][piece] += v
}

// book adds what devices used to the pieces, under the names that other metrics give to their
// hosts, and to the shares of those.
func (g *gathering) book(ctx context.Context, d Device, used joules) error {
	if len(used) == 0 {
		return nil
	}
	if err := g.askNames(ctx); err != nil {
		return err
	}
	if err := g.askShareNames(ctx, d); err != nil {
		return err
	}
	order := slices.SortedFunc(maps.Keys(used), byCarrier)
	for i := range g.pieces {
		sums := map[usage.Series]float64{}
		for _, s := range order {
			if v := used[s][i]; !math.IsNaN(v) {
				sums[g.bookedAs(d, s, i)] += v
			}
		}
		for _, s := range slices.SortedFunc(maps.Keys(sums), bySeries) {
			g.all[i].Devices = append(g.all[i].Devices, usage.DeviceSample{Series: s, Name: d.Name, Energy: usage.Joules(sums[s]), Error: d.Error})
		}
	}
	return nil
}

func bySeries(a, b usage.Series) int {
	return slices.Compare([]string{a.Project, a.Machine, a.Host, a.User}, []string{b.Project, b.Machine, b.Host, b.User})
}

// gauge asks for the energy of devices that show watts. A device that is absent uses nothing, and
// one that shows 0 W uses nothing either: of a device that is a true value.
func (g *gathering) gauge(ctx context.Context, d Device) (used joules, err error) {
	err = g.inSteps(func(step time.Duration) error {
		used, err = g.gaugeAt(ctx, d, step)
		return err
	})
	return used, err
}

func (g *gathering) gaugeAt(ctx context.Context, d Device, step time.Duration) (joules, error) {
	by := g.client.deviceLabels(d)
	folded, edges, err := g.askGauge(ctx, d.Query, by, step)
	if err != nil {
		return nil, err
	}
	odd := 0
	for _, r := range folded.order {
		for i := range g.pieces {
			reason := refusedGauge(r, i)
			if reason != "" {
				odd++
			}
			g.reject(reason)
		}
	}
	if odd > 0 {
		g.remark("Of the device %.60q, values that are no power are left out in %d pieces of hosts: see what the query gives that is below 0, above 1e9 or no number", d.Name, odd)
		folded, edges, err = g.askGauge(ctx, onlyPower(d.Query), by, step)
		if err != nil {
			return nil, err
		}
	}
	used, alike := joules{}, []string{}
	for _, r := range folded.sort() {
		series, edge := g.client.carrierOf(d, r.labels), edges.like(r)
		for i := range g.pieces {
			sum := r.at(sumPart, i)
			if math.IsNaN(sum) || refusedGauge(r, i) != "" {
				continue
			}
			if first := edge.at(valuePart, i); first >= 0 && !math.IsInf(first, 0) {
				sum += first / 2
			}
			if last := edge.at(valuePart, i+1); last >= 0 && !math.IsInf(last, 0) {
				sum -= last / 2
			}
			used.add(series, i, len(g.pieces), max(sum, 0)*step.Seconds())
		}
		if edges.alike(r) {
			alike = append(alike, orUnknown(series.Host))
		}
	}
	if len(alike) > 0 {
		g.remark("The device %.60q has several series with the same value, and adds them up: %s; if they are copies, such as of two servers, take one of them: max without (...) (...)", d.Name, some(alike))
	}
	return used, nil
}

func (g *gathering) askGauge(ctx context.Context, expr string, by []string, step time.Duration) (folded, edges *answer, err error) {
	window := g.pieces[0].Length
	if folded, err = g.ask(ctx, endsOf(g.pieces), gaugeIntegral(expr, by, window, step), by, gaugeSums); err != nil || len(folded.order) == 0 {
		return folded, edges, err
	}
	edges, err = g.ask(ctx, edgesOf(g.pieces), gaugeAtEdge(expr, by), by, gaugeEdges)
	return folded, edges, err
}

// refusedGauge says why some values of a device are no power, or nothing.
func refusedGauge(r *row, i int) string {
	sum, least, most := r.at(sumPart, i), r.at(leastPart, i), r.at(gaugeMost, i)
	switch {
	case isAbsent(sum), isOdd(sum), isOdd(least), isOdd(most):
		return ""
	case math.IsNaN(sum):
		return rejectNaN
	case math.IsInf(sum, 0):
		return rejectInfinite
	case least < 0:
		return rejectNegative
	case most > maxPower:
		return rejectOverCapacity
	}
	return ""
}
