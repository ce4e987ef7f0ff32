// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"context"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/openmetrics"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// family is a metric and how its history is written.
type family struct {
	openmetrics.Family
	write func(context.Context, *history, *openmetrics.Writer) error
}

// families lists the metrics of /metrics that have a history, with the same names and
// labels.
func families() []family {
	ofUsage := []string{"project", "machine", "user", "group", "mode"}
	ofGrid := []string{"grid", "provider", "kind"}
	gauge := func(name, unit, help string, labels []string) openmetrics.Family {
		return openmetrics.Family{Name: name, Type: openmetrics.Gauge, Unit: unit, Help: help, Labels: labels}
	}
	return []family{
		{gauge("carbon_cpu_seconds", "seconds", "CPU seconds since the first stored interval, busy and idle.", ofUsage), running(cpuSeconds)},
		{gauge("carbon_energy_kwh", "kwh", "Energy since the first stored interval.", ofUsage), running(energy)},
		{gauge("carbon_emissions_gco2eq", "gco2eq", "Emissions of all priced intervals.", ofUsage), running(emissions)},
		{
			gauge("carbon_power_watts", "watts", "Mean power over the interval, including PUE.", ofUsage),
			perInterval(energy, func(v float64, length time.Duration) float64 { return float64(usage.KWh(v).Over(length)) }),
		},
		{
			gauge("carbon_emission_rate_gco2eq_per_hour", "", "Mean emission rate over the interval.", ofUsage),
			perInterval(emissions, func(v float64, length time.Duration) float64 { return usage.Grams(v).PerHour(length) }),
		},
		{gauge("carbon_coverage_ratio", "ratio", "CPU seconds of all modes seen in the interval, divided by cores x interval length.", []string{"project"}), writeCoverage},
		{gauge("carbon_machine_power_watts", "watts", "Average power per core, without PUE.", []string{"machine", "mode", "source"}), writePower},
		{gauge("carbon_pue_ratio", "ratio", "Power usage effectiveness.", nil), writePUE},
		{
			gauge("carbon_intensity_gco2eq_per_kwh", "", "Carbon intensity of the grid: the forecast at the start of a slot, the actual at its end.", ofGrid),
			slots(func(_ time.Time, v usage.GramsPerKWh) float64 { return float64(v) }),
		},
		{
			gauge("carbon_intensity_slot_start_timestamp_seconds", "seconds", "Start of the slot.", ofGrid),
			slots(func(start time.Time, _ usage.GramsPerKWh) float64 { return float64(start.Unix()) }),
		},
	}
}

// sample writes a value at a time and, with --every, repeats it while it is shown.
func (h *history) sample(w *openmetrics.Writer, v float64, at, until time.Time) error {
	for {
		if err := w.Sample(v, at); err != nil {
			return err
		}
		if at = at.Add(h.every); h.every == 0 || !at.Before(until) || at.After(h.to) {
			return nil
		}
	}
}

// until is when the value of an interval is replaced by the next one. A gap in the store
// is a gap in the history.
func (h *history) until(i int) time.Time {
	until := h.ends[i].Add(h.x.Interval())
	if i+1 < len(h.ends) && h.ends[i+1].Before(until) {
		return h.ends[i+1]
	}
	return until
}

// usageRow is the usage of a series in an interval.
type usageRow struct {
	at     int // index of the interval
	values amounts
}

// eachUsage calls f for each usage series in order, with its rows.
func (h *history) eachUsage(ctx context.Context, f func(k usage.Key, rows []usageRow) error) error {
	var rows []usageRow
	for _, k := range slices.SortedFunc(maps.Keys(h.usage.series), usage.Key.Compare) {
		if err := ctx.Err(); err != nil {
			return err
		}
		rows = rows[:0]
		if err := h.usage.Each(h.usage.series[k], func(at uint32, values []float64) error {
			rows = append(rows, usageRow{int(at), amounts(values)})
			return nil
		}); err != nil {
			return err
		}
		if err := f(k, rows); err != nil {
			return err
		}
	}
	return nil
}

// running writes the running sum of a quantity at the end of each interval, for as long
// as /metrics shows the key.
func running(q quantity) func(context.Context, *history, *openmetrics.Writer) error {
	return func(ctx context.Context, h *history, w *openmetrics.Writer) error {
		return h.eachUsage(ctx, func(k usage.Key, rows []usageRow) error {
			return q.each(func(mode usage.Mode, c column) error {
				if err := w.Series(k.Project, k.Machine, k.User, k.Group, string(mode)); err != nil {
					return err
				}
				return h.run(w, k, rows, c)
			})
		})
	}
}

func (h *history) run(w *openmetrics.Writer, k usage.Key, rows []usageRow, c column) error {
	b := before{}
	if was := h.before[k]; was != nil {
		b = *was
	}
	known := func() bool {
		return !b.last.IsZero() && (b.priced || !c.priced()) && (b.devices || !c.measured())
	}
	shown := func(at time.Time) bool { return known() && !b.last.Before(at.Add(-h.keep)) }
	if shown(h.from) {
		until := h.from.Add(h.x.Interval())
		if len(h.ends) > 0 && h.ends[0].Before(until) {
			until = h.ends[0]
		}
		if err := h.sample(w, b.sums[c].Float64(), h.from, until); err != nil {
			return err
		}
	}
	for i, end := range h.ends {
		if len(rows) > 0 && rows[0].at == i {
			b.last = end.Add(-h.x.Interval())
			b.devices = b.devices || rows[0].values[measuredEnergy] != 0
			if v := rows[0].values[c]; !math.IsNaN(v) {
				b.sums[c].Add(v)
				b.priced = true
			}
			rows = rows[1:]
		}
		if !shown(end) {
			continue
		}
		if err := h.sample(w, b.sums[c].Float64(), end, h.until(i)); err != nil {
			return err
		}
	}
	return nil
}

// perInterval writes the rate of a quantity for each interval with usage of the key.
func perInterval(q quantity, rate func(v float64, length time.Duration) float64) func(context.Context, *history, *openmetrics.Writer) error {
	return func(ctx context.Context, h *history, w *openmetrics.Writer) error {
		return h.eachUsage(ctx, func(k usage.Key, rows []usageRow) error {
			return q.each(func(mode usage.Mode, c column) error {
				if err := w.Series(k.Project, k.Machine, k.User, k.Group, string(mode)); err != nil {
					return err
				}
				for _, r := range rows {
					v := r.values[c]
					if math.IsNaN(v) || c.measured() && r.values[measuredEnergy] == 0 {
						continue
					}
					if err := h.sample(w, rate(v, h.x.Interval()), h.ends[r.at], h.until(r.at)); err != nil {
						return err
					}
				}
				return nil
			})
		})
	}
}

func writeCoverage(_ context.Context, h *history, w *openmetrics.Writer) error {
	for _, project := range slices.Sorted(maps.Keys(h.coverage.series)) {
		if err := w.Series(project); err != nil {
			return err
		}
		if err := h.coverage.Each(h.coverage.series[project], func(at uint32, values []float64) error {
			return h.sample(w, values[0], h.ends[at], h.until(int(at)))
		}); err != nil {
			return err
		}
	}
	return nil
}

func writePower(_ context.Context, h *history, w *openmetrics.Writer) error {
	modes := []usage.Mode{usage.Busy, usage.Idle} // in the order of the columns
	type series struct {
		rated
		mode int
	}
	var all []series
	for r := range h.power.series {
		for mode := range modes {
			all = append(all, series{r, mode})
		}
	}
	slices.SortFunc(all, func(a, b series) int {
		return cmp.Or(cmp.Compare(a.machine, b.machine), cmp.Compare(a.mode, b.mode), cmp.Compare(a.source, b.source))
	})
	for _, s := range all {
		if err := w.Series(s.machine, string(modes[s.mode]), s.source); err != nil {
			return err
		}
		if err := h.power.Each(h.power.series[s.rated], func(at uint32, values []float64) error {
			return h.sample(w, values[s.mode], h.ends[at], h.until(int(at)))
		}); err != nil {
			return err
		}
	}
	return nil
}

func writePUE(_ context.Context, h *history, w *openmetrics.Writer) error {
	if err := w.Series(); err != nil {
		return err
	}
	for i, pue := range h.pue {
		if math.IsNaN(pue) {
			continue
		}
		if err := h.sample(w, pue, h.ends[i], h.until(i)); err != nil {
			return err
		}
	}
	return nil
}

// slots writes what is known of each slot of each grid: the actual at its end, the
// forecast at its start, as /metrics shows them.
func slots(value func(start time.Time, v usage.GramsPerKWh) float64) func(context.Context, *history, *openmetrics.Writer) error {
	return func(ctx context.Context, h *history, w *openmetrics.Writer) error {
		grids, err := h.x.Grids(ctx)
		if err != nil {
			return err
		}
		slices.SortFunc(grids, func(a, b usage.Slot) int {
			return cmp.Or(cmp.Compare(valid(a.Grid), valid(b.Grid)), cmp.Compare(valid(a.Provider), valid(b.Provider)))
		})
		for _, g := range grids {
			known, err := h.x.Slots(ctx, g.Provider, g.Grid, h.from.Add(-usage.SlotLength), h.to)
			if err != nil {
				return err
			}
			for _, kind := range [...]usage.Kind{usage.Actual, usage.Forecast} {
				if err := w.Series(valid(g.Grid), valid(g.Provider), string(kind)); err != nil {
					return err
				}
				for _, slot := range known {
					v, at := slot.Forecast, slot.From
					if kind == usage.Actual {
						v, at = slot.Actual, slot.From.Add(usage.SlotLength)
					}
					if v == nil || at.Before(h.from) || at.After(h.to) {
						continue
					}
					if err := h.sample(w, value(slot.From, *v), at, at.Add(usage.SlotLength)); err != nil {
						return err
					}
				}
			}
		}
		return nil
	}
}
