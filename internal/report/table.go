package report

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// WriteTable writes the report for people: rounded and aligned, without colour.
func (r *Report) WriteTable(out io.Writer) error {
	p, n := r.Whole, r.Whole.Intervals
	const day = "2006-01-02 15:04"
	whose := "by " + string(r.Scope)
	if r.Scope == usage.ScopeAda {
		whose = "of the whole site"
	}
	fmt.Fprintf(out, "Usage %s, %s to %s, %s\n", whose, p.From.In(r.Zone).Format(day), p.To.In(r.Zone).Format(day), r.Zone)
	fmt.Fprintf(out, "%d of %d intervals answered: %d settled, %d provisional, %d unpriced, %d empty; %d missing\n",
		n.Answered(), n.All, n.Settled, n.Provisional, n.Unpriced, n.Empty, n.Missing)
	rows := r.shown()
	if len(rows) == 0 {
		return nil
	}
	for _, columns := range [][]column{r.amounts(rows), r.certainty(rows)} {
		fmt.Fprintln(out)
		if err := write(out, append(r.who(rows), columns...)); err != nil {
			return err
		}
	}
	fmt.Fprintf(out, "\n%s\n", r.boundsNote(rows[len(rows)-1]))
	if r.Equivalents {
		return r.writeEquivalents(out, rows[len(rows)-1])
	}
	return nil
}

// shown are the rows that people need: the sum of a period that has one member is
// that member.
func (r *Report) shown() []Row {
	var rows []Row
	for _, row := range r.Rows() {
		if row.Kind != PeriodTotal || r.Scope != usage.ScopeAda {
			rows = append(rows, row)
		}
	}
	return rows
}

func (r *Report) who(rows []Row) []column {
	var columns []column
	if len(r.Parts) > 0 {
		columns = append(columns, words(strings.ToUpper(r.By), rows, func(row Row) string { return row.label }))
	}
	columns = append(columns, words(strings.ToUpper(string(r.Scope)), rows, func(row Row) string { return row.Name }))
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

func (r *Report) amounts(rows []Row) []column {
	return []column{
		numbers("kWh", rows, func(row Row) *float64 { return &row.Energy }),
		numbers("BUSY kWh", rows, func(row Row) *float64 { return &row.BusyEnergy }),
		numbers("IDLE kWh", rows, func(row Row) *float64 { return &row.IdleEnergy }),
		percents("IDLE", rows, func(row Row) *float64 { return row.Idle }),
		numbers("gCO2eq", rows, func(row Row) *float64 { return row.Emissions }),
		numbers("BUSY g", rows, func(row Row) *float64 { return row.BusyEmissions }),
		numbers("IDLE g", rows, func(row Row) *float64 { return row.IdleEmissions }),
		numbers("g/kWh", rows, func(row Row) *float64 { return row.Intensity }),
	}
}

// certainty is how sure the amounts are, but for what is not known of any.
func (r *Report) certainty(rows []Row) []column {
	columns := []column{
		numbers("kWh LOW", rows, func(row Row) *float64 { return row.EnergyLow }),
		numbers("HIGH", rows, func(row Row) *float64 { return row.EnergyHigh }),
		numbers("gCO2eq LOW", rows, func(row Row) *float64 { return row.EmissionsLow }),
		numbers("HIGH", rows, func(row Row) *float64 { return row.EmissionsHigh }),
		percents("PROVISIONAL", rows, func(row Row) *float64 { return row.Provisional }),
		percents("UNPRICED", rows, func(row Row) *float64 { return row.Unpriced }),
		percents("NOBODY'S", rows, func(row Row) *float64 { return row.Unattributed }),
	}
	if r.Scope == usage.ScopeAda || r.Scope == usage.ScopeProject {
		columns = append(columns, percents("CPU SEEN", rows, func(row Row) *float64 { return row.Coverage }))
	}
	return slices.DeleteFunc(columns, func(c column) bool {
		return !slices.ContainsFunc(c.cells, func(text string) bool { return text != unknown })
	})
}

// boundsNote says what the bounds are made of, and what they leave out.
func (r *Report) boundsNote(total Row) string {
	note := fmt.Sprintf("Bounds: forecasts are off by %s gCO2eq/kWh on average (%s).", rounded(float64(r.Forecasts.Mean), 1), r.measured())
	switch {
	case total.Unbounded == nil || *total.Unbounded == 0:
	case *total.Unbounded >= nearlyAll:
		note += "\nThe error of the average power is not known of any machine type: it is in no bound."
	default:
		note += fmt.Sprintf("\nThe error of the average power is not known of %s %% of the energy: there it is in no bound.", rounded(100**total.Unbounded, 1))
	}
	if total.Unpriced != nil && *total.Unpriced > 0 {
		note += fmt.Sprintf("\n%s %% of the energy has no carbon intensity yet: it is in no gCO2eq.", rounded(100**total.Unpriced, 1))
	}
	return note
}

func (r *Report) measured() string {
	if r.Forecasts.Pairs == 0 {
		return "the documented mean"
	}
	return fmt.Sprintf("mean of %d half hours here", r.Forecasts.Pairs)
}

func (r *Report) writeEquivalents(out io.Writer, total Row) error {
	if total.Emissions == nil {
		_, err := fmt.Fprintln(out, "\nNothing is priced yet, so there is nothing it is like.")
		return err
	}
	fmt.Fprintf(out, "\n%s gCO2eq are about as much as\n", rounded(*total.Emissions, 0))
	columns := []column{{}, {left: true}, {}, {left: true}}
	for i, e := range Equivalents() {
		for n, text := range []string{
			rounded(*total.Equivalents[i], 2), e.What, fmt.Sprintf("at %v g", float64(e.Each)), e.Source,
		} {
			columns[n].cells = append(columns[n].cells, text)
		}
	}
	return write(out, columns)
}
