// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package statement

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// A layout is never changed once statements were issued with it: another layout gets another number
// and a file of its own.
//
//go:embed layout1.html
var layout1 string

var page = template.Must(template.New("statement").Funcs(template.FuncMap{
	"kwh": kwh, "kg": kg, "dkwh": dkwh, "dkg": dkg, "percent": percent, "month": monthName, "because": because,
	"date":  func(t time.Time) string { return t.Format("2 January 2006") },
	"at":    func(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 UTC") },
	"plain": func(v float64) string { return trimmed(v, 6) },
	"used":  used,
	"last":  func(t time.Time) string { return t.Add(-time.Nanosecond).Format("2 January 2006") },
	"power": powerWords,
}).Parse(layout1))

// WriteHTML writes one page that needs nothing else, for a screen and for paper.
func (p Print) WriteHTML(out io.Writer) error {
	return page.Execute(out, view{Print: p, Notices: p.Notices(), People: p.labelled(), Title: p.title()})
}

// view is what the page is made from.
type view struct {
	Print
	Notices []string
	People  []Row
	Title   string
}

func (p Print) title() string {
	what := "Statement " + strconv.Itoa(p.Number)
	if p.IsDraft() {
		what = "DRAFT"
	}
	return fmt.Sprintf("%s: energy and carbon of %s, %s", what, p.Subject(), monthName(p.Month))
}

// HasMeasured says whether devices have measured energy.
func (p Print) HasMeasured() bool { return p.Whole != nil && p.Whole.Measured != 0 }

// HasEmbodied says whether embodied emissions are known of anything.
func (p Print) HasEmbodied() bool { return p.Whole != nil && p.Whole.Embodied != nil }

// AdjustmentSum is the sum of all adjustments.
func (p Print) AdjustmentSum() Adjustment {
	var sum Amounts
	for _, a := range p.Adjustments {
		sum = sum.Plus(a.Amounts())
	}
	return Adjustment{Energy: sum.Energy(), Emissions: sum.Emissions(), Embodied: sum.Embodied}
}

// Than compares the statement with another month, in words; empty if either is not known.
func (p Print) Than(c Comparison) string {
	if p.Whole == nil || c.Energy == nil || *c.Energy <= 0 {
		return ""
	}
	return change(float64(p.Whole.Energy), float64(*c.Energy))
}

// ThanCarbon compares the emissions.
func (p Print) ThanCarbon(c Comparison) string {
	if p.Whole == nil || p.Whole.Emissions == nil || c.Emissions == nil || *c.Emissions <= 0 {
		return ""
	}
	return change(float64(*p.Whole.Emissions), float64(*c.Emissions))
}

func change(is, was float64) string {
	percent := trimmedTo(100*(is-was)/was, 1)
	if !strings.HasPrefix(percent, "-") {
		percent = "+" + percent
	}
	return strings.Replace(percent, "-", minus, 1) + " %"
}

// SubjectTitle begins with a capital.
func (p Print) SubjectTitle() string {
	s := p.Subject()
	return strings.ToUpper(s[:1]) + s[1:]
}

// NoPeople says that people are not shown on purpose.
func (p Print) NoPeople() bool { return p.PeopleAs == "none" }

// kwh writes energy for people. What is there is never 0.
func kwh(v any) string { return amount(v, 3) }

// kg writes emissions in kg.
func kg(v any) string { return amount(v, 3) }

func amount(v any, digits int) string {
	var f float64
	var exact string
	switch v := v.(type) {
	case Energy:
		f, exact = float64(v.KWh()), v.String()
	case Carbon:
		f, exact = float64(v.Grams())/1000, decimal(int64(v), carbonDigits+3)
	case *Energy:
		if v == nil {
			return "–"
		}
		return amount(*v, digits)
	case *Carbon:
		if v == nil {
			return "–"
		}
		return amount(*v, digits)
	}
	if text := trimmedTo(f, digits); strings.Trim(text, "-0.") != "" || f == 0 {
		return grouped(text)
	}
	return exact
}

// dkwh and dkg write a difference with its sign.
func dkwh(v Energy) string { return signed(int64(v), kwh(v)) }
func dkg(v Carbon) string  { return signed(int64(v), kg(v)) }

func signed(v int64, text string) string {
	if v > 0 {
		return "+" + text
	}
	return strings.Replace(text, "-", minus, 1)
}

const minus = "\u2212"

func trimmedTo(v float64, digits int) string {
	text := strconv.FormatFloat(v, 'f', digits, 64)
	if strings.Trim(text, "-0.") == "" {
		return strings.TrimPrefix(text, "-")
	}
	return text
}

func trimmed(v float64, digits int) string {
	return grouped(strings.TrimSuffix(strings.TrimRight(strconv.FormatFloat(v, 'f', digits, 64), "0"), "."))
}

// grouped puts a narrow space between thousands.
func grouped(text string) string {
	sign, rest := "", text
	if strings.HasPrefix(rest, "-") {
		sign, rest = "-", rest[1:]
	}
	before, after, point := strings.Cut(rest, ".")
	for i := len(before) - 3; i > 0; i -= 3 {
		before = before[:i] + "\u202f" + before[i:]
	}
	if point {
		after = "." + after
	}
	return sign + before + after
}

// percent writes a share. What is there is never 0 %, and what is not all is never 100 %.
func percent(v any) string {
	f, ok := v.(float64)
	if p, is := v.(*float64); is {
		if p == nil {
			return "–"
		}
		f, ok = *p, true
	}
	switch text := trimmedTo(100*f, 1); {
	case !ok:
		return "–"
	case f > 0 && text == "0.0":
		return "less than 0.1 %"
	case f < 1 && text == "100.0" && math.Abs(1-f) > 1e-9:
		return "more than 99.9 %"
	default:
		return strings.TrimSuffix(text, ".0") + " %"
	}
}

// used writes how much of a budget is used.
func used(b Budget) string {
	if b.Used == nil {
		return "not known"
	}
	return fmt.Sprintf("%s (%s)", inUnit(*b.Used, b.Unit), percent(*b.Used/b.Limit))
}

// InWords is the limit of a budget.
func (b Budget) InWords() string { return inUnit(b.Limit, b.Unit) }

// Over says that more was used than the limit.
func (b Budget) Over() bool { return b.Used != nil && *b.Used > b.Limit }

func inUnit(v float64, unit string) string {
	if unit == "kwh" {
		return trimmed(v, 3) + " kWh"
	}
	return trimmed(v/1000, 3) + " kg CO₂e"
}

// powerWords is where watts come from, as people say it.
func powerWords(source string) string {
	words := map[string]string{
		"config": "the configuration", "calibrated": "calibration", "processor": "the processors of the hosts", "default": "the default",
		usage.PowerMeasured: "meters of hosts", usage.PowerDevices: "meters of devices",
		usage.PowerDeleted: "not known any more: deleted by --storage.retention.members",
	}
	var all []string
	for part := range strings.SplitSeq(source, ", ") {
		if known := words[part]; known != "" {
			part = known
		}
		all = append(all, part)
	}
	return strings.Join(all, ", ")
}

// table is what a table of rows is made from.
type table struct {
	Head               string
	Rows               []Row
	Last               string // the last column: coverage, power or none
	Whole              *Whole
	Measured, Embodied bool
}

// Table is a table of rows and their sum.
func (p Print) Table(head string, rows []Row, last string) any {
	return table{head, rows, last, p.Whole, p.HasMeasured(), p.HasEmbodied()}
}

// IdleRatio is the share of idle energy; nil if there is none.
func (p Print) IdleRatio() *float64 {
	if p.Whole == nil || p.Whole.Energy <= 0 {
		return nil
	}
	return new(float64(p.Whole.Idle) / float64(p.Whole.Energy))
}

// PreviousNumber is that of the statement before.
func (p Print) PreviousNumber() int { return p.Number - 1 }

// Deref is a number that is known.
func (p Print) Deref(v *float64) float64 { return *v }

// Round is a number that is known, to a tenth.
func (p Print) Round(v *float64) float64 { return math.Round(*v*10) / 10 }
