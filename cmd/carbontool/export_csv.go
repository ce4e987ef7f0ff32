// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/alecthomas/kingpin/v2"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// exportCSV writes usage for spreadsheets and data frames.
type exportCSV struct {
	export
	grain   string
	csvSafe csvSafe
}

// What a row can be for.
const (
	grainKey   = "key"
	grainScope = "scope"
)

func (e *exportCSV) register(app *kingpin.Application) *kingpin.CmdClause {
	c := e.export.register(app, "csv", "Write usage as CSV.", `
With --grain=key, each row is the usage of one combination of project, machine type,
user and group in one half hour. With --grain=scope, each row is the usage of the
site, a project, a machine type or a user in one interval, as in the table
fact_usage; these rows exist even where per-key rows were deleted by
--storage.retention. ts is the start in UTC. Unknown values, such as the grams of an
unpriced interval, are empty cells, never 0. Energy is busy + idle + measured, which
is what devices with meters of their own used. Users are shown by id.

Rows are written as they are read, so any range fits in memory. All rows show the
store at the same moment.

Example:

    carbontool export csv --month=2026-10 --output=october.csv
`)
	c.Flag("grain", "What a row is for: key or scope.").Default(grainKey).EnumVar(&e.grain, grainKey, grainScope)
	e.csvSafe.register(c)
	return c
}

func (e *exportCSV) run(ctx context.Context, s streams) error {
	x, err := e.open(ctx, time.Now())
	if err != nil {
		return err
	}
	defer x.Close()
	told := &ticker{Line: watched(s.err, "intervals", x.intervals())}
	defer told.End()
	rows := 0
	err = e.write(s, func(out io.Writer) error {
		w := csv.NewWriter(out)
		if e.grain == grainScope {
			rows, err = x.memberRows(ctx, w, told, e.csvSafe.text)
		} else {
			rows, err = x.factRows(ctx, w, told, e.csvSafe.text)
		}
		if err != nil {
			return err
		}
		w.Flush()
		return w.Error()
	})
	if errors.Is(err, usage.ErrPruned) {
		return fmt.Errorf("%w; --grain=scope covers all time", err)
	}
	if err == nil && rows == 0 {
		e.sayNothing(s)
	}
	return err
}

// factRows writes a row for each fact.
func (x *exported) factRows(ctx context.Context, w *csv.Writer, told *ticker, text func(string) string) (rows int, err error) {
	head := []string{
		"ts", "project", "machine", "user", "group", "state", "busy_cpu_seconds", "idle_cpu_seconds", "busy_kwh", "idle_kwh",
		"busy_gco2eq", "idle_gco2eq", "intensity_gco2eq_per_kwh", "kind", "provider", "grid", "measured_kwh", "measured_gco2eq",
		"basis", "quality",
	}
	if err := x.Kept(ctx, x.period); err != nil {
		return 0, err // no header line: it would look like an empty result
	}
	if err := w.Write(head); err != nil {
		return 0, err
	}
	cells := make([]string, 0, len(head))
	err = x.Replay(ctx, x.period, nil, func(rec usage.Record) error {
		told.at(rec.Interval)
		for _, f := range rec.Facts {
			cells = append(cells[:0], stamp(f.Start), text(f.Project), text(f.Machine), text(f.User), text(f.Group), string(rec.State),
				digits(f.CPU.Busy), digits(f.CPU.Idle), digits(f.Energy.Busy), digits(f.Energy.Idle))
			if p := priceOf(rec, f.Start); p != nil {
				cells = append(cells, digits(f.Energy.Busy.At(p.Intensity)), digits(f.Energy.Idle.At(p.Intensity)),
					digits(p.Intensity), string(p.Kind), text(p.Provider), text(p.Grid), digits(f.Energy.Measured), digits(f.Energy.Measured.At(p.Intensity)),
					p.Basis.String(), string(p.Quality))
			} else {
				cells = append(cells, "", "", "", "", "", "", digits(f.Energy.Measured), "", "", "")
			}
			if err := w.Write(cells); err != nil {
				return err
			}
			rows++
		}
		return nil
	})
	return rows, err
}

// memberRows writes a row for each member of each scope.
func (x *exported) memberRows(ctx context.Context, w *csv.Writer, told *ticker, text func(string) string) (rows int, err error) {
	head := []string{
		"ts", "scope", "name", "state", "busy_cpu_seconds", "idle_cpu_seconds", "busy_kwh", "idle_kwh",
		"busy_gco2eq", "idle_gco2eq", "intensity_gco2eq_per_kwh", "measured_kwh", "measured_gco2eq",
	}
	if err := w.Write(head); err != nil {
		return 0, err
	}
	cells := make([]string, 0, len(head))
	err = x.ReplayMembers(ctx, x.period, func(m usage.Member) error {
		told.at(m.Interval)
		cells = append(cells[:0], m.Interval.String(), string(m.Scope), text(m.Name), string(m.State),
			digits(m.CPU.Busy), digits(m.CPU.Idle), digits(m.Energy.Busy), digits(m.Energy.Idle))
		if m.Emissions != nil && m.Intensity != nil {
			cells = append(cells, digits(m.Emissions.Busy), digits(m.Emissions.Idle), digits(*m.Intensity), digits(m.Energy.Measured), digits(m.Emissions.Measured))
		} else {
			cells = append(cells, "", "", "", digits(m.Energy.Measured), "")
		}
		rows++
		return w.Write(cells)
	})
	return rows, err
}

// priceOf is the price of a half hour of a record; nil if it is unpriced.
func priceOf(rec usage.Record, piece time.Time) *usage.PiecePrice {
	for i := range rec.Prices {
		if rec.Prices[i].Start.Equal(piece) {
			return &rec.Prices[i]
		}
	}
	return nil
}

func stamp(at time.Time) string { return at.UTC().Format(time.RFC3339) }

// digits is a number with all its digits, and without an exponent, which a spreadsheet
// would take for text.
func digits[T ~float64](v T) string { return strconv.FormatFloat(float64(v), 'f', -1, 64) }
