// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package statement

import (
	"encoding/csv"
	"fmt"
	"io"
	"strconv"
)

// csvFields are the fields of every line, in their order. New ones come at the end.
var csvFields = []string{
	"statement", "scope", "member", "month", "row", "name", "of_month",
	"busy_kwh", "idle_kwh", "measured_kwh", "energy_kwh", "energy_low_kwh", "energy_high_kwh",
	"busy_gco2eq", "idle_gco2eq", "measured_gco2eq", "emissions_gco2eq", "emissions_low_gco2eq", "emissions_high_gco2eq", "embodied_gco2eq",
	"cpu_coverage_ratio", "intervals", "intervals_answered", "intervals_settled", "reason", "sha256",
}

// cells are the known cells of a line, by field.
type cells map[string]string

// WriteCSV writes one line for each row of the statement, all under the same fields. What is not
// known is an empty cell. Text goes through text, numbers do not.
func (p Print) WriteCSV(out io.Writer, text func(string) string) error {
	w := csv.NewWriter(out)
	if err := w.Write(csvFields); err != nil {
		return err
	}
	for _, line := range p.lines(text) {
		line["scope"], line["member"], line["month"], line["sha256"] = string(p.Scope), text(p.Member), p.Month, p.Hash
		if !p.IsDraft() {
			line["statement"] = strconv.Itoa(p.Number)
		}
		var row []string
		for _, field := range csvFields {
			row = append(row, line[field])
		}
		if err := w.Write(row); err != nil {
			return err
		}
	}
	w.Flush()
	return w.Error()
}

func (p Print) lines(text func(string) string) (all []cells) {
	total := cells{}
	if p.Whole != nil {
		total = cellsOf(p.Whole.Row)
	}
	total["row"], total["name"], total["of_month"] = "total", "total", p.Month
	total.count(p.Intervals)
	all = append(all, total)
	for _, part := range []struct {
		name string
		rows []Row
	}{{"project", p.Projects}, {"machine", p.Machines}, {"person", p.labelled()}} {
		for _, r := range part.rows {
			line := cellsOf(r)
			line["row"], line["name"], line["of_month"] = part.name, text(r.Name), p.Month
			all = append(all, line)
		}
	}
	for _, c := range p.Comparisons {
		line := cells{"row": c.What, "of_month": c.Month, "energy_kwh": known(c.Energy), "emissions_gco2eq": known(c.Emissions)}
		line.count(c.Intervals)
		all = append(all, line)
	}
	for _, a := range p.Adjustments {
		line := cellsOf(Row{
			Busy: a.Busy, Idle: a.Idle, Measured: a.Measured, Energy: a.Energy,
			BusyEmissions: &a.BusyEmissions, IdleEmissions: &a.IdleEmissions, MeasuredEmissions: &a.MeasuredEmissions,
			Emissions: &a.Emissions,
		})
		if a.Embodied != 0 {
			line["embodied_gco2eq"] = a.Embodied.String()
		}
		line["row"], line["name"], line["of_month"] = "adjustment", fmt.Sprintf("statement %d", a.Statement), a.Month
		line["reason"] = text(because(a.Reasons))
		all = append(all, line)
	}
	return all
}

func cellsOf(r Row) cells {
	return cells{
		"busy_kwh": r.Busy.String(), "idle_kwh": r.Idle.String(), "measured_kwh": r.Measured.String(), "energy_kwh": r.Energy.String(),
		"energy_low_kwh": known(r.EnergyLow), "energy_high_kwh": known(r.EnergyHigh),
		"busy_gco2eq": known(r.BusyEmissions), "idle_gco2eq": known(r.IdleEmissions), "measured_gco2eq": known(r.MeasuredEmissions),
		"emissions_gco2eq": known(r.Emissions), "emissions_low_gco2eq": known(r.EmissionsLow), "emissions_high_gco2eq": known(r.EmissionsHigh),
		"embodied_gco2eq": known(r.Embodied), "cpu_coverage_ratio": knownRatio(r.Coverage),
	}
}

func (c cells) count(n Intervals) {
	c["intervals"], c["intervals_answered"], c["intervals_settled"] = strconv.Itoa(n.All), strconv.Itoa(n.Answered()), strconv.Itoa(n.Settled)
}

// known writes an amount; what is not known is empty.
func known[T fmt.Stringer](v *T) string {
	if v == nil {
		return ""
	}
	return (*v).String()
}

func knownRatio(v *float64) string {
	if v == nil {
		return ""
	}
	return strconv.FormatFloat(*v, 'f', -1, 64)
}
