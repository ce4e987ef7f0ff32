// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package report

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/escape"
	"github.com/carbon-exporter/carbon_exporter/internal/table"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// WriteTable writes the rates for people, with what is to be known of them.
func (s *SCI) WriteTable(out io.Writer) error {
	s.writeHead(out, "Software Carbon Intensity")
	rates, rows := s.rates(), s.rows()
	if len(rates) == 0 {
		return nil
	}
	fmt.Fprintln(out)
	if err := table.Table(append(s.who(rows), s.columns(rates)...)).Write(out, ""); err != nil {
		return err
	}
	_, err := fmt.Fprintf(out, "\n%s\n", strings.Join(s.notes(rates), "\n"))
	return err
}

func (s *SCI) columns(rates []Rate) []table.Column {
	r := "R"
	if s.Per.Unit != "" {
		r = "R (" + escape.Line(s.Per.Unit) + ")"
	}
	columns := []table.Column{
		numbers("kWh", rates, func(r Rate) *float64 { return &r.Energy }),
		numbers("g/kWh", rates, func(r Rate) *float64 { return r.Intensity }),
		numbers("OPERATIONAL g", rates, func(r Rate) *float64 { return r.Operational }),
		numbers("EMBODIED g", rates, func(r Rate) *float64 { return r.Embodied }),
		numbers(r, rates, func(r Rate) *float64 { return r.R }),
		numbers("OPERATIONAL g/R", rates, func(r Rate) *float64 { return r.OperationalPer }),
		numbers("SCI g/R", rates, func(r Rate) *float64 { return r.SCI }),
	}
	if bounded(rates) {
		columns = append(columns,
			numbers("LOW", rates, func(r Rate) *float64 { return r.Low }), numbers("HIGH", rates, func(r Rate) *float64 { return r.High }))
	}
	return columns
}

// bounded reports whether the bounds of any rate are known.
func bounded(rates []Rate) bool {
	return slices.ContainsFunc(rates, func(r Rate) bool { return r.Low != nil })
}

// notes say what the rates are, what is not known, and why.
func (s *SCI) notes(rates []Rate) []string {
	rows := s.rows()
	notes := []string{
		"SCI = (E x I + M) / R by " + standard + ": E x I is OPERATIONAL g, added up half hour by half hour; M is EMBODIED g.",
		s.unitsNote(),
	}
	notes = append(notes, s.noUnitsNotes(rates)...)
	total, row := rates[len(rates)-1], rows[len(rows)-1]
	notes = append(notes, embodiedNotes(total)...)
	if !total.priced() {
		notes = append(notes, fmt.Sprintf("%s of the energy has no carbon intensity yet, so E x I is unknown, and with it the SCI, where there is any: OPERATIONAL g is of the rest.", share(*total.Unpriced)))
	}
	if n := s.Whole.Intervals; n.All > n.answered() {
		notes = append(notes, fmt.Sprintf("%s of %d intervals: what was used in them is in no column, while R is of the whole range.", n.lacking(), n.All))
	}
	if bounded(rates) {
		notes = append(notes, s.boundsNotes(row)...)
	}
	return append(notes, s.gridNotes()...)
}

func (s *SCI) unitsNote() string {
	unit := ""
	if s.Per.Unit != "" {
		unit = " " + escape.Line(s.Per.Unit)
	}
	switch {
	case s.Per.Expression == "" && s.Per.Site != nil:
		return "R: " + strconv.FormatFloat(*s.Per.Site, 'f', -1, 64) + unit + ", as given."
	case unit != "":
		unit += ","
	}
	note := fmt.Sprintf("R:%s by %s at %s.", unit, escape.Line(s.Per.Expression), s.Per.At.In(s.Zone).Format(time.RFC3339))
	if s.Per.Site == nil && len(s.Per.Members) > 0 {
		note += " That of the total is the sum of all its series."
	}
	return note
}

// noUnitsNotes say why rows have no R.
func (s *SCI) noUnitsNotes(rates []Rate) (notes []string) {
	members, without := 0, 0
	for _, r := range rates {
		if r.Kind != Member {
			continue
		}
		members++
		if r.R == nil {
			without++
		}
	}
	switch {
	case s.Scope == usage.ScopeAda || len(s.Per.Members) > 0 && without == 0:
	case len(s.Per.Members) > 0:
		notes = append(notes, fmt.Sprintf("%d of %d rows have no positive R and so no SCI; what they used is in the total, whose R is that of the others.", without, members))
	case s.Per.Label != "":
		notes = append(notes, fmt.Sprintf("This R is of the whole site. An expression whose series have the label %s, as of sum by (%s) (...), gives one for each %s.", s.Per.Label, s.Per.Label, s.Scope))
	}
	if total := rates[len(rates)-1]; total.R == nil {
		notes = append(notes, "The site has no positive R, so the total has no SCI.")
	}
	return notes
}

func embodiedNotes(total Rate) []string {
	const alone = "OPERATIONAL g/R is E x I per R alone, which is not an SCI."
	switch {
	case total.Embodied != nil:
		return nil
	case total.Hardware == nil || *total.Hardware <= 0:
		return []string{"Embodied emissions are not configured (embodied), so M is unknown, not 0, and there is no SCI: " + alone}
	}
	return []string{fmt.Sprintf("The hardware of %s of the CPU time is not configured (embodied), so M is unknown, not 0, and there is no SCI where there is any of it: %s", share(1-*total.Hardware), alone)}
}

// share is a part of a whole for people.
func share(v float64) string { return rounded(100*v, 1) + " %" }
