// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package explain

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/escape"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// WriteText writes the explanation for people. Numbers have all their digits:
// multiplying them gives what is stored.
func (e *Explanation) WriteText(out io.Writer, zone *time.Location) error {
	w := &writer{}
	e.writeHead(w, zone)
	e.writeAsked(w)
	e.writeHosts(w)
	e.writeFactors(w)
	e.writePrices(w)
	e.writeUsage(w)
	e.writeOwners(w)
	e.writeChanges(w)
	_, err := io.WriteString(out, w.String())
	return err
}

type writer struct{ strings.Builder }

func (w *writer) line(format string, args ...any) { fmt.Fprintf(w, format+"\n", args...) }

// section starts a section after an empty line.
func (w *writer) section(format string, args ...any) { w.line("\n"+format, args...) }

func (e *Explanation) writeHead(w *writer, zone *time.Location) {
	i := e.Interval
	var whose strings.Builder
	whose.WriteString("project " + named(e.Key.Project))
	for _, part := range []struct {
		what string
		name *string
	}{{"machine type", e.Key.Machine}, {"user", e.Key.User}, {"group", e.Key.Group}} {
		if part.name != nil {
			whose.WriteString(", " + part.what + " " + named(*part.name))
		}
	}
	w.line("%s, %s to %s%s", whose.String(), i.Start, i.End, local(i, zone))
	for _, remark := range e.Remarks {
		w.line("  %s", escape.Line(remark))
	}
}

// local returns the interval in the local time of a zone, if that differs from UTC.
func local(i Interval, zone *time.Location) string {
	from, err := time.Parse(time.RFC3339, i.Start)
	if err != nil || zone == nil {
		return ""
	}
	to := from.Add(time.Duration(i.Seconds) * time.Second)
	if _, offset := from.In(zone).Zone(); offset == 0 {
		return ""
	}
	const clock = "15:04 MST"
	return fmt.Sprintf(" (%s to %s in %s)", from.In(zone).Format(clock), to.In(zone).Format(clock), zone)
}

func (e *Explanation) writeAsked(w *writer) {
	switch {
	case e.Interval.FetchedAt == nil:
		return
	case e.Asked == nil:
		w.section("Collected from Prometheus at %s; the queries are unknown because an older version stored this interval", *e.Interval.FetchedAt)
		return
	}
	if e.Asked.Growth {
		w.section("Queried from Prometheus at %s: counters, and what they have grown by between %s",
			*e.Interval.FetchedAt, strings.Join(e.Asked.EvaluatedAt, ", "))
	} else {
		w.section("Queried from Prometheus at %s, evaluated at %s", *e.Interval.FetchedAt, strings.Join(e.Asked.EvaluatedAt, ", "))
	}
	w.line("  busy  %s", escape.Line(e.Asked.Busy))
	w.line("  idle  %s", escape.Line(e.Asked.Idle))
}

// mostHosts is how many of the hosts that are not exact the text lists.
const mostHosts = 20

func (e *Explanation) writeHosts(w *writer) {
	h := e.Hosts
	if h == nil {
		return
	}
	cores := "cores unknown"
	if h.Cores != nil {
		cores = fmt.Sprintf("%d cores", *h.Cores)
	}
	w.section("Hosts of the project: %d exact, %d interpolated, %d refused; %s", h.Exact, h.Interpolated, h.Refused, cores)
	for _, d := range h.Doubts[:min(len(h.Doubts), mostHosts)] {
		cores = ""
		if d.Cores != nil {
			cores = fmt.Sprintf(", %d cores", *d.Cores)
		}
		detail := ""
		if d.Detail != "" {
			detail = "; seen: " + escape.Line(d.Detail)
		}
		w.line("  %s  %s (machine type %s%s): %s: %s%s", d.State, named(d.Host), named(d.Machine), cores, d.Reason, d.Means, detail)
	}
	if more := h.Interpolated + h.Refused - min(len(h.Doubts), mostHosts); more > 0 {
		w.line("  and %d more that are not exact", more)
	}
	for _, mode := range slices.Sorted(maps.Keys(h.Unlisted)) {
		w.line("  mode %s has %.1f %% of the CPU time of all projects and is in no list, so it is not booked", named(mode), 100*h.Unlisted[mode])
	}
}

func (e *Explanation) writeFactors(w *writer) {
	if e.PUE == nil {
		return
	}
	w.section("Factors")
	if c := e.Coverage; c != nil {
		w.line("  %.0f of %.0f CPU seconds of the project seen (%.1f %%)", c.Seen, c.Capacity, 100*c.Ratio)
	} else {
		w.line("  CPU coverage of the project: unknown")
	}
	for _, p := range e.Power {
		err := "error unknown"
		switch b := p.Bounds; {
		case b != nil:
			err = fmt.Sprintf("two times in three %s to %s W busy and %s to %s W idle", exact(b.BusyLow), exact(b.BusyHigh), exact(b.IdleLow), exact(b.IdleHigh))
		case p.Error != nil:
			err = fmt.Sprintf("standard error %.1f %% of the energy", 100**p.Error)
		}
		w.line("  machine type %s: %s W busy and %s W idle per core; source: %s; %s",
			named(p.Machine), exact(p.Busy), exact(p.Idle), escape.Line(p.Source), err)
		for _, m := range p.Processors {
			w.line("    %s", m)
		}
	}
	if len(e.PUEs) == 0 {
		w.line("  PUE %s; source: config", exact(*e.PUE))
	} else {
		each := make([]string, len(e.PUEs))
		for i, pue := range e.PUEs {
			each[i] = exact(pue)
		}
		w.line("  PUE %s; source: power.pue.query", strings.Join(each, ", "))
	}
	e.writeEmbodied(w)
}

func (e *Explanation) writePrices(w *writer) {
	if len(e.Prices)+len(e.Slots) == 0 {
		return
	}
	w.section("Carbon intensity, gCO2eq/kWh")
	for _, p := range e.Prices {
		source := ""
		if p.Source != "" {
			source = ", from: " + escape.Line(p.Source)
		}
		w.line("  used for %s: %s, %s for the slot %s, %s, grid %s, fetched %s; quality: %s; basis: %s%s",
			p.Piece, exact(p.Intensity), p.Kind, p.Slot, escape.Line(p.Provider), escape.Line(p.Grid), p.FetchedAt, p.Quality, p.Basis, source)
	}
	for _, s := range e.Slots {
		word := ""
		if s.Index != "" {
			word = fmt.Sprintf(" (%s)", escape.Line(s.Index))
		}
		value := fmt.Sprintf("forecast %s, actual %s%s", maybe(s.Forecast), maybe(s.Actual), word)
		if s.Provider == usage.ProviderStatic {
			value = maybe(s.Actual) + " for all time"
		}
		quality := ""
		if s.Quality != "" {
			quality = "; quality: " + string(s.Quality)
		}
		w.line("  slot %s: %s, %s, grid %s, fetched %s%s; basis: %s",
			s.Start, value, escape.Line(s.Provider), escape.Line(s.Grid), s.FetchedAt, quality, s.Basis)
	}
}

func (e *Explanation) writeOwners(w *writer) {
	if len(e.Owners) == 0 {
		return
	}
	w.section("Users")
	for _, o := range e.Owners {
		if len(o.Records) == 0 {
			w.line("  %s: from the label of the series; there is no record in the directory", named(o.User))
		}
		for _, r := range o.Records {
			w.line("  %s: had host %s%s, according to document %s", named(o.User), named(r.Host), stretch(r.From, r.To), escape.Line(r.Document))
		}
		for _, g := range o.Groups {
			w.line("  %s: member of %s%s", named(o.User), named(g.Group), stretch(g.From, g.To))
		}
	}
}

// stretch is a period that may have no start or no end.
func stretch(from, to *string) string {
	switch {
	case from == nil && to == nil:
		return ", always"
	case from == nil:
		return " until " + *to
	case to == nil:
		return " since " + *from
	}
	return " from " + *from + " to " + *to
}

// meanings are the reasons for changes, in words.
var meanings = map[usage.Why]string{
	usage.BecauseForecast: "the forecast was revised",
	usage.BecauseActual:   "the actual replaced the forecast",
	usage.BecauseRevised:  "the actual was revised",
	usage.BecauseProvider: "another provider or grid",
	usage.BecauseRestate:  "restated on request",
	usage.BecauseRecost:   "recalculated on request",
}

func (e *Explanation) writeChanges(w *writer) {
	if len(e.Changes) == 0 {
		if len(e.Prices) > 0 {
			w.section("Not restated since it was first priced")
		}
		return
	}
	w.section("Restated")
	for _, c := range e.Changes {
		energy := ""
		if c.EnergyWas != c.EnergyIs {
			energy = fmt.Sprintf("; energy of the site %s to %s kWh", exact(c.EnergyWas), exact(c.EnergyIs))
		}
		w.line("  %s  half hour %s: %s to %s%s: %s", c.At, c.Piece, c.Was, c.Is, energy, meanings[c.Why])
	}
}

// String is a processor and its share in words.
func (p Processor) String() string {
	model := "processor unknown"
	if p.Model != "" {
		model = "processor " + escape.Line(p.Model)
	}
	if p.Threads > 0 {
		model += fmt.Sprintf(" (%d threads)", p.Threads)
	}
	return fmt.Sprintf("%s: %.1f %% of the CPU time", model, 100*p.Share)
}

// String is a price in words.
func (p Worth) String() string {
	basis := ""
	if p.Basis != "" {
		basis = ", " + p.Basis
	}
	return fmt.Sprintf("%s (%s, %s, grid %s%s)", exact(p.Intensity), p.Kind, escape.Line(p.Provider), escape.Line(p.Grid), basis)
}

// exact is a number with all its digits, without an exponent.
func exact(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }

func maybe(v *float64) string {
	if v == nil {
		return "unknown"
	}
	return exact(*v)
}

// named is a name as it can stand in a sentence: quoted if it has blanks or commas.
func named(name string) string {
	if strings.ContainsAny(name, " ,") {
		return strconv.Quote(name)
	}
	return escape.Name(name)
}
