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

// exportCSV writes facts for spreadsheets and data frames.
type exportCSV struct {
	export
	grain string
}

// The grains of facts.
const (
	grainKey   = "key"
	grainScope = "scope"
)

func (e *exportCSV) register(app *kingpin.Application) *kingpin.CmdClause {
	c := e.export.register(app, "csv", "Write facts as CSV.", `
A row is what a key (project, machine type, user, group) used in a half hour or,
with --grain=scope, what the site, a project, a machine type or a user used in an
interval, as in the table fact_usage: that is there also where facts at key grain
are not kept any more. ts is the start, in UTC. What is not known yet, such as the
grams of an unpriced interval, is an empty cell, never 0. Users appear by id.

It is written as it is read, whatever the range, and all of it is as of one
moment.

Example:

    carbontool export csv --month=2026-10 --output=october.csv
`)
	c.Flag("grain", "key or scope.").Default(grainKey).EnumVar(&e.grain, grainKey, grainScope)
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
			rows, err = x.memberRows(ctx, w, told)
		} else {
			rows, err = x.factRows(ctx, w, told)
		}
		if err != nil {
			return err
		}
		w.Flush()
		return w.Error()
	})
	if errors.Is(err, usage.ErrPruned) {
		return fmt.Errorf("%w; --grain=scope is there for all time", err)
	}
	if err == nil && rows == 0 {
		e.sayNothing(s)
	}
	return err
}

// factRows writes a row for each fact.
func (x *exported) factRows(ctx context.Context, w *csv.Writer, told *ticker) (rows int, err error) {
	head := []string{
		"ts", "project", "machine", "user", "group", "state", "busy_cpu_seconds", "idle_cpu_seconds", "busy_kwh", "idle_kwh",
		"busy_gco2eq", "idle_gco2eq", "intensity_gco2eq_per_kwh", "kind", "provider", "grid",
	}
	if err := x.Kept(ctx, x.period); err != nil {
		return 0, err // without a head that looks like an answer
	}
	if err := w.Write(head); err != nil {
		return 0, err
	}
	cells := make([]string, 0, len(head))
	err = x.Replay(ctx, x.period, nil, func(rec usage.Record) error {
		told.at(rec.Interval)
		for _, f := range rec.Facts {
			cells = append(cells[:0], stamp(f.Start), f.Project, f.Machine, f.User, f.Group, string(rec.State),
				digits(f.CPU.Busy), digits(f.CPU.Idle), digits(f.Energy.Busy), digits(f.Energy.Idle))
			if p := priceOf(rec, f.Start); p != nil {
				cells = append(cells, digits(f.Energy.Busy.At(p.Intensity)), digits(f.Energy.Idle.At(p.Intensity)),
					digits(p.Intensity), string(p.Kind), p.Provider, p.Grid)
			} else {
				cells = append(cells, "", "", "", "", "", "")
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
func (x *exported) memberRows(ctx context.Context, w *csv.Writer, told *ticker) (rows int, err error) {
	head := []string{
		"ts", "scope", "name", "state", "busy_cpu_seconds", "idle_cpu_seconds", "busy_kwh", "idle_kwh",
		"busy_gco2eq", "idle_gco2eq", "intensity_gco2eq_per_kwh",
	}
	if err := w.Write(head); err != nil {
		return 0, err
	}
	cells := make([]string, 0, len(head))
	err = x.ReplayMembers(ctx, x.period, func(m usage.Member) error {
		told.at(m.Interval)
		cells = append(cells[:0], m.Interval.String(), string(m.Scope), m.Name, string(m.State),
			digits(m.CPU.Busy), digits(m.CPU.Idle), digits(m.Energy.Busy), digits(m.Energy.Idle))
		if m.Emissions != nil && m.Intensity != nil {
			cells = append(cells, digits(m.Emissions.Busy), digits(m.Emissions.Idle), digits(*m.Intensity))
		} else {
			cells = append(cells, "", "", "")
		}
		rows++
		return w.Write(cells)
	})
	return rows, err
}

// priceOf is the price of a piece of a record; nil while it has none.
func priceOf(rec usage.Record, piece time.Time) *usage.PiecePrice {
	for i := range rec.Prices {
		if rec.Prices[i].Start.Equal(piece) {
			return &rec.Prices[i]
		}
	}
	return nil
}

func stamp(at time.Time) string { return at.UTC().Format(time.RFC3339) }

// digits is as exact as it is, without an exponent that a spreadsheet would take for
// text.
func digits[T ~float64](v T) string { return strconv.FormatFloat(float64(v), 'f', -1, 64) }
