// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package proposal

import (
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/survey"
)

// slowest is how long ago a sample may be for Prometheus to show it.
const slowest = 5 * time.Minute

// Settings are what a server cannot be asked for.
type Settings struct {
	URL    string
	Server survey.Server
	// Client is YAML of more keys of the section prometheus, without indent: how to log in.
	Client string
	// Static is the carbon intensity of the grid, in gCO2eq/kWh, and Grid its name, which may be
	// empty. Zone is a country whose yearly mean counts, and Country its name. Neither: the
	// intensity of Great Britain, as its API gives it. Assumed means that nobody has said so.
	Static     *float64
	Grid       string
	Zone       string
	Country    string
	Assumed    bool
	Timezone   string
	BusyWatts  float64
	IdleWatts  float64
	Processors []survey.Count
	Meters     []string // well-known metrics of measured power, see survey.Meters
}

// text is a YAML file as it grows.
type text struct{ strings.Builder }

// line writes a line at a depth of two blanks each.
func (t *text) line(depth int, format string, args ...any) {
	t.WriteString(strings.Repeat("  ", depth) + fmt.Sprintf(format, args...) + "\n")
}

// width is where comments are wrapped.
const width = 112

// comment writes text as comment lines. It must hold no line end.
func (t *text) comment(depth int, format string, args ...any) {
	line := ""
	for word := range strings.FieldsSeq(fmt.Sprintf(format, args...)) {
		if line != "" && 2*depth+2+len(line)+1+len(word) > width {
			t.line(depth, "# %s", line)
			line = ""
		}
		line = strings.TrimPrefix(line+" "+word, " ")
	}
	if line != "" {
		t.line(depth, "# %s", line)
	}
}

// File is the configuration file.
func (p *Proposal) File(s Settings) string {
	t := &text{}
	t.comment(0, "Written by carbontool init. A key that is not here has its default: docs/configuration.md lists them all.")
	t.line(0, "prometheus:")
	t.comment(1, "%s", server(s.Server))
	t.line(1, "url: %s", scalar(s.URL))
	for line := range strings.Lines(s.Client) {
		t.line(1, "%s", strings.TrimRight(line, "\n"))
	}
	p.profile(t)
	if why := p.jobReason(); why != "" {
		t.comment(1, "%s", why)
	}
	if m := p.Matchers(); m != "" {
		t.line(1, "matchers: %s", scalar(m))
	}
	if p.OwnLabels() {
		p.writeLabels(t)
	} else {
		t.comment(1, "The profile says which labels name project, machine type and user: see carbontool profiles %s.", p.Exporter.Profile)
	}
	lookback(t, s.Server.Retention)
	power(t, s)
	intensity(t, s)
	t.comment(0, "For budgets and reports.")
	t.line(0, "timezone: %s", scalar(s.Timezone))
	return t.String()
}

// server says what answers; empty: that is not known.
func server(s survey.Server) string {
	if s.Kind == survey.Unknown {
		return ""
	}
	said := shown(s.String())
	if s.RetentionText != "" {
		said += ", keeps " + shown(s.RetentionText)
	}
	return said
}

func (p *Proposal) profile(t *text) {
	e := &p.Exporter
	said := fmt.Sprintf("%s: %s", shown(e.Metric), size(*e))
	if e.Scrape > 0 {
		said += fmt.Sprintf(", scraped every %s", e.Scrape)
	}
	if len(p.Others) > 0 {
		said += ". Proposed because " + p.Why
	}
	t.comment(1, "%s.", said)
	for _, o := range p.Others {
		t.comment(1, "Not this one: %s.", o.Words())
	}
	t.line(1, "profile: %s", e.Profile)
	if p.OwnLabels() {
		p.convention(t)
	}
}

// writeLabels writes every label with its reason, and for one that is not there how to get it.
func (p *Proposal) writeLabels(t *text) {
	t.line(1, "labels:")
	for _, part := range Parts() {
		name := p.labels[part]
		switch l := p.Exporter.Label(name); {
		case l != nil && l.Info != "":
			t.comment(2, "%s: see info", part)
			p.free(t, part)
		case l != nil:
			t.comment(2, "%s: label %s, %s", part, shown(name), facts(p.Exporter, *l))
			t.line(2, "%s: %s", part.Key(), scalar(name))
			if part == User {
				t.comment(2, "Its values appear on /metrics: attribution.user_label can hide them.")
			}
		case part == Host:
			t.comment(2, "%s", absent(part))
			t.line(2, "host: %s", scalar(p.defaults.Host))
		default:
			t.comment(2, "%s", absent(part))
			p.free(t, part)
		}
		if others := p.otherCandidates(part); others != "" {
			t.comment(2, "or: %s", others)
		}
	}
	p.coreLabels(t)
	p.info(t)
}

// absent says what it means that no label names a part.
func absent(part Part) string {
	switch part {
	case Host:
		return "host: no label tells the machines apart; Prometheus gives every target the label instance."
	case Project:
		return "project: no label names it, so every machine is in the project unknown. Add one where Prometheus gets its targets, and its name here."
	case Machine:
		return "machine type: no label names it, so every machine has the type unknown and the same watts per core."
	}
	return "user: no label names the owner, so usage is unattributed; owners can also come from a directory."
}

// free writes a part that no label names: its default, or another label that is not there either.
func (p *Proposal) free(t *text, part Part) {
	usual := p.defaults.label(part)
	name := usual
	if !strings.Contains(p.Exporter.Metric, ".") {
		name = strings.ReplaceAll(name, ".", "_") // a server without dots in names may not take a query with any
	}
	switch l := p.Exporter.Label(name); {
	case name == "", l != nil && l.Info == "":
		t.line(2, "%s: no_%s", part.Key(), part.Key())
	case name != usual:
		t.line(2, "%s: %s", part.Key(), scalar(name))
	default:
		t.line(2, "# %s: %s", part.Key(), scalar(usual))
	}
}

// otherCandidates are labels that could be chosen instead.
func (p *Proposal) otherCandidates(part Part) string {
	var some []string
	for _, c := range p.Candidates(part) {
		if c.Name != p.labels[part] && len(some) < 4 {
			some = append(some, fmt.Sprintf("%s (%s)", shown(c.Name), c.Facts))
		}
	}
	return strings.Join(some, "; ")
}

// lookback asks for no more than the server has.
func lookback(t *text, kept time.Duration) {
	const usual = 24 * time.Hour
	if kept == 0 || kept >= usual+time.Hour {
		return
	}
	t.comment(0, "The server keeps %s only.", kept)
	t.line(0, "lookback: %s", duration(max(kept-time.Hour, 30*time.Minute)))
}

func duration(d time.Duration) string { return fmt.Sprintf("%dm", d/time.Minute) }

func power(t *text, s Settings) {
	t.line(0, "power:")
	t.comment(1, "Watts per core that Prometheus counts, mostly a hardware thread, of machines of which nothing better is known: the median of servers of the last years, at the wall.")
	if len(s.Processors) > 0 {
		models := make([]string, 0, len(s.Processors))
		for _, m := range s.Processors {
			models = append(models, fmt.Sprintf("%s (%s)", shown(m.Name), plural(m.N, "machine")))
		}
		t.comment(1, "Processors: %s. Those that are known have watts of their own. Measured ones are better: carbontool calibrate.", strings.Join(models, ", "))
	} else {
		t.comment(1, "Machines that name their processor (node_exporter --collector.cpu.info) have the watts of its model. Measured ones are better: carbontool calibrate.")
	}
	t.line(1, "busy_watts: %v", s.BusyWatts)
	t.line(1, "idle_watts: %v", s.IdleWatts)
	meters(t, s.Meters)
}

func intensity(t *text, s Settings) {
	t.line(0, "carbon_intensity:")
	if s.Static != nil {
		t.line(1, "provider: static")
		t.line(1, "static:")
		t.line(2, "gco2eq_per_kwh: %v", *s.Static)
		if s.Grid != "" {
			t.line(2, "grid: %s", scalar(s.Grid))
		}
		t.line(2, "# source: where the value is from; reports show it")
		return
	}
	if s.Zone != "" {
		t.comment(1, "%s: the mean of a year, which ships with the program. Half hours are better: put a source that has them before it, see docs/grids.md.", shown(s.Country))
		t.line(1, "sources:")
		t.line(2, "- table: {zone: %s}", scalar(s.Zone))
		return
	}
	if s.Assumed {
		t.comment(1, "ASSUMED, NOT ASKED: the grid of Great Britain. Anywhere else every number of grams is wrong: use instead")
		t.line(1, "# sources: [{table: {zone: FR}}]   # your country; docs/grids.md has sources that are better")
	} else {
		t.comment(1, "The grid of Great Britain, by half hour. uk: {region_id: ...} or uk: {postcode: ...} chooses a region.")
	}
	t.line(1, "provider: uk")
}

// plain is text that YAML reads as itself.
var plain = regexp.MustCompile(`^[a-zA-Z_][a-zA-Z0-9_./:-]*[a-zA-Z0-9_]$`)

// scalar is text as a YAML value.
func scalar(s string) string {
	switch strings.ToLower(s) {
	case "yes", "no", "on", "off", "true", "false", "null", "nan":
		return `"` + s + `"`
	}
	if plain.MatchString(s) && !strings.Contains(s, ": ") {
		return s
	}
	if !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r > '~' }) {
		return "'" + strings.ReplaceAll(s, "'", "''") + "'"
	}
	return doubleQuoted(s)
}

// doubleQuoted writes what is not printable ASCII as escapes that YAML knows.
func doubleQuoted(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteString(`\` + string(r))
		case r >= ' ' && r <= '~':
			b.WriteRune(r)
		case r > 0xffff:
			fmt.Fprintf(&b, `\U%08x`, r)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	b.WriteByte('"')
	return b.String()
}
