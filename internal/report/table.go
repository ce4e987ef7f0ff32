// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package report

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/carbon-exporter/carbon_exporter/internal/escape"
	"github.com/carbon-exporter/carbon_exporter/internal/table"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// WriteTable writes the report for people: rounded, aligned, without colour.
func (r *Report) WriteTable(out io.Writer) error {
	r.writeHead(out, "Usage")
	rows := r.shown()
	if len(rows) == 0 {
		return r.writeLake(out)
	}
	for _, columns := range [][]table.Column{amountColumns(rows), r.certainty(rows)} {
		fmt.Fprintln(out)
		if err := table.Table(append(r.who(rows), columns...)).Write(out, ""); err != nil {
			return err
		}
	}
	if r.Factors != nil {
		if err := r.writeFactors(out, rows); err != nil {
			return err
		}
	}
	total := rows[len(rows)-1]
	if notes := slices.Concat(r.powerNotes(), r.boundsNotes(total), unpricedNotes(total), r.Whole.Prices.notes(), r.gridNotes(), r.factorNotes(total)); len(notes) > 0 {
		fmt.Fprintf(out, "\n%s\n", strings.Join(notes, "\n"))
	}
	if err := r.writeLake(out); err != nil {
		return err
	}
	if r.Equivalents {
		return writeEquivalents(out, rows[len(rows)-1])
	}
	return nil
}

// writeHead says what is reported, of whom and when, and how much of the time is known.
func (r *Report) writeHead(out io.Writer, what string) {
	p, n := r.Whole, r.Whole.Intervals
	const day = "2006-01-02 15:04"
	whose := "by " + string(r.Scope)
	if r.Scope == usage.ScopeAda {
		whose = "of the whole site"
	}
	fmt.Fprintf(out, "%s %s, %s to %s, %s\n", what, whose, p.From.In(r.Zone).Format(day), p.To.In(r.Zone).Format(day), r.Zone)
	fmt.Fprintf(out, "%d of %d intervals collected: %d settled, %d provisional, %d unpriced, %d empty; %s\n",
		n.answered(), n.All, n.Settled, n.Provisional, n.Unpriced, n.Empty, n.lacking())
}

// shown lists the rows that people need: with one member, the total of a period would
// repeat that member.
func (r *Report) shown() []Row {
	var rows []Row
	for _, row := range r.rows() {
		if row.Kind != PeriodTotal || r.Scope != usage.ScopeAda {
			rows = append(rows, row)
		}
	}
	return rows
}

func (r *Report) who(rows []Row) []table.Column {
	var columns []table.Column
	if len(r.Parts) > 0 {
		columns = append(columns, words(strings.ToUpper(r.By), rows, func(row Row) string { return row.label }))
	}
	columns = append(columns, words(strings.ToUpper(r.called(string(r.Scope))), rows, func(row Row) string { return row.Name }))
	if r.Names != nil {
		columns = append(columns, words("NAME", rows, func(row Row) string {
			if *row.DisplayName == "" {
				return unknown
			}
			return *row.DisplayName
		}))
	}
	return columns
}

// amountColumns lists the amounts. What devices measure, and embodied emissions, have columns only
// where there is any of it.
func amountColumns(rows []Row) []table.Column {
	columns := []table.Column{
		numbers("kWh", rows, func(row Row) *float64 { return &row.Energy }),
		numbers("BUSY kWh", rows, func(row Row) *float64 { return &row.BusyEnergy }),
		numbers("IDLE kWh", rows, func(row Row) *float64 { return &row.IdleEnergy }),
	}
	devices := slices.ContainsFunc(rows, func(row Row) bool { return row.MeasuredEnergy != 0 })
	if devices {
		columns = append(columns, numbers("MEASURED kWh", rows, func(row Row) *float64 { return &row.MeasuredEnergy }))
	}
	columns = append(columns,
		percents("IDLE", rows, func(row Row) *float64 { return row.Idle }),
		numbers("gCO2eq", rows, func(row Row) *float64 { return row.Emissions }),
		numbers("BUSY g", rows, func(row Row) *float64 { return row.BusyEmissions }),
		numbers("IDLE g", rows, func(row Row) *float64 { return row.IdleEmissions }),
	)
	if devices {
		columns = append(columns, numbers("MEASURED g", rows, func(row Row) *float64 { return row.MeasuredEmissions }))
	}
	columns = append(columns, numbers("g/kWh", rows, func(row Row) *float64 { return row.Intensity }))
	if slices.ContainsFunc(rows, func(row Row) bool { return row.Embodied != nil }) {
		columns = append(columns, numbers("EMBODIED g", rows, func(row Row) *float64 { return row.Embodied }))
	}
	return columns
}

// certainty lists how certain the amounts are, without columns that are unknown for all.
func (r *Report) certainty(rows []Row) []table.Column {
	columns := []table.Column{
		numbers("kWh LOW", rows, func(row Row) *float64 { return row.EnergyLow }),
		numbers("HIGH", rows, func(row Row) *float64 { return row.EnergyHigh }),
		numbers("gCO2eq LOW", rows, func(row Row) *float64 { return row.EmissionsLow }),
		numbers("HIGH", rows, func(row Row) *float64 { return row.EmissionsHigh }),
		percents("PROVISIONAL", rows, func(row Row) *float64 { return row.Provisional }),
		percents("UNPRICED", rows, func(row Row) *float64 { return row.Unpriced }),
		percents("UNATTRIBUTED", rows, func(row Row) *float64 { return row.Unattributed }),
	}
	if r.Scope == usage.ScopeAda || r.Scope == usage.ScopeProject {
		columns = append(columns, percents("CPU COVERAGE", rows, func(row Row) *float64 { return row.Coverage }))
	}
	if r.Scope == usage.ScopeMachine {
		columns = append(columns, words("WATTS FROM", rows, func(row Row) string { return cmp.Or(*row.PowerSource, unknown) }))
	}
	return slices.DeleteFunc(columns, func(c table.Column) bool {
		return !slices.ContainsFunc(c.Cells, func(text string) bool { return text != unknown })
	})
}

// boundsNotes say what the bounds include and what they ignore.
func (r *Report) boundsNotes(total Row) (notes []string) {
	if r.Forecasts != (ForecastError{}) {
		notes = append(notes, fmt.Sprintf("Bounds: the mean error of forecasts is %s gCO2eq/kWh (%s).", rounded(float64(r.Forecasts.Mean), 1), r.measured()))
	}
	switch {
	case r.Lake != nil:
		notes = append(notes, "There are no bounds: a lake does not have the errors of the average power and of forecasts.")
	case total.Unbounded == nil || *total.Unbounded == 0:
	case *total.Unbounded >= nearlyAll:
		notes = append(notes, "The bounds ignore the error of the average power, which is unknown for all machine types.")
	default:
		notes = append(notes, fmt.Sprintf("The bounds ignore the error of the average power for %s %% of the energy, where it is unknown.", rounded(100**total.Unbounded, 1)))
	}
	return notes
}

// unpricedNotes say what the emissions leave out.
func unpricedNotes(total Row) (notes []string) {
	if total.Unpriced != nil && *total.Unpriced > 0 {
		notes = append(notes, fmt.Sprintf("%s %% of the energy has no carbon intensity yet and is not included in gCO2eq.", rounded(100**total.Unpriced, 1)))
	}
	return notes
}

// gridNotes say whose carbon intensity was used.
func (r *Report) gridNotes() (notes []string) {
	for _, g := range r.Grids {
		note := fmt.Sprintf("Carbon intensity: %s, grid %s", escape.Line(g.Provider), escape.Line(g.Grid))
		if g.Basis != "" && g.Basis != usage.Undeclared {
			note += ", " + escape.Line(g.Basis)
		}
		if g.Source != "" {
			note += ", from: " + escape.Line(g.Source)
		}
		notes = append(notes, note)
	}
	return notes
}

func (r *Report) measured() string {
	if r.Forecasts.Pairs == 0 {
		return "as documented"
	}
	return fmt.Sprintf("measured over %d half hours", r.Forecasts.Pairs)
}

func writeEquivalents(out io.Writer, total Row) error {
	if total.Emissions == nil {
		_, err := fmt.Fprintln(out, "\nNothing is priced yet, so there are no equivalents.")
		return err
	}
	fmt.Fprintf(out, "\n%s gCO2eq is about the same as\n", rounded(*total.Emissions, 0))
	t := table.Table{table.Numbers(""), table.Words(""), table.Numbers(""), table.Words("")}
	for i, e := range Equivalents() {
		t.Add(rounded(*total.Equivalents[i], 2), e.What, fmt.Sprintf("at %v g", float64(e.Each)), e.Source)
	}
	return t.Write(out, "")
}
