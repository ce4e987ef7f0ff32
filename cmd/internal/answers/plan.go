// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package answers

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/carbon-exporter/carbon_exporter/internal/escape"
	"github.com/carbon-exporter/carbon_exporter/internal/ingest"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// Plan is the forecast of the coming 48 hours, and the best window in it.
type Plan struct {
	Provider  string     `json:"provider"`
	Grid      string     `json:"grid"`
	Basis     string     `json:"basis"` // what the values count, as far as it is known
	Marginal  bool       `json:"marginal"`
	FetchedAt time.Time  `json:"fetched_at"`
	Slots     []planSlot `json:"slots"` // those that have a forecast
	Window    string     `json:"window"`
	Until     *time.Time `json:"until"` // when the best window ends at the latest; nil: any time
	// Now is the window that starts with the current half hour; nil: none.
	Now  *PlanWindow `json:"now"`
	Best *PlanWindow `json:"best"`

	job    Job
	asked  time.Time
	format string
	zone   *time.Location
}

type planSlot struct {
	From      time.Time         `json:"from"`
	Intensity usage.GramsPerKWh `json:"gco2eq_per_kwh"`
	Index     string            `json:"index,omitempty"` // the provider's own rating
	Best      bool              `json:"best"`
}

// PlanWindow is a time to run, and its mean intensity.
type PlanWindow struct {
	From time.Time         `json:"from"`
	To   time.Time         `json:"to"`
	Mean usage.GramsPerKWh `json:"mean_gco2eq_per_kwh"`
}

// newPlan makes a plan of slots that have a forecast, oldest first.
func newPlan(grid ingest.Grid, slots []usage.Slot, now time.Time, window string, job Job) *Plan {
	basis := grid.Terms().Basis
	p := &Plan{
		Provider: grid.Provider(), Grid: grid.Grid(), Basis: basis.String(), Marginal: basis.Signal == usage.Marginal,
		FetchedAt: fetchedAt(slots).UTC().Truncate(time.Second), Window: window, job: job, asked: now,
	}
	if job.Until != nil {
		p.Until = new(job.Until.UTC())
	}
	outlook := usage.OutlookAt(slots, now)
	p.Now, p.Best = PlanWindowOf(outlook.Window(0, job.Length)), PlanWindowOf(job.Best(outlook))
	for _, s := range slots {
		best := p.Best != nil && !s.From.Before(p.Best.From) && s.From.Before(p.Best.To)
		p.Slots = append(p.Slots, planSlot{From: s.From.UTC(), Intensity: *s.Forecast, Index: s.Index, Best: best})
	}
	return p
}

// PlanWindowOf is a window, or nil.
func PlanWindowOf(w usage.Window, ok bool) *PlanWindow {
	if !ok {
		return nil
	}
	return &PlanWindow{From: w.From, To: w.To, Mean: w.Mean}
}

// When writes the times of a window.
func (w PlanWindow) When(zone *time.Location) string {
	from, to := w.From.In(zone), w.To.In(zone)
	until := planClock
	if from.Format(planDay) != to.Format(planDay) {
		until = planMoment
	}
	return from.Format(planMoment) + " to " + to.Format(until)
}

func (p *Plan) json(out io.Writer) error {
	e := json.NewEncoder(out)
	e.SetIndent("", "  ")
	return e.Encode(p)
}

// planBarWidth is the length of the longest bar, so that a line fits into 80 columns.
const planBarWidth = 42

// How times are written. Each has the name of the zone at that time, because an hour
// can occur twice.
const (
	planClock  = "15:04 MST"
	planDay    = "Mon 2 Jan 2006"
	planMoment = "Mon 2 Jan 15:04 MST"
)

// text writes a line for each half hour, grouped by day.
func (p *Plan) text(out io.Writer, zone *time.Location) {
	fmt.Fprintf(out, "Forecast for %s (%s), gCO2eq/kWh, fetched %s.\n",
		escape.Name(p.Grid), escape.Name(p.Provider), p.FetchedAt.In(zone).Format(planMoment))
	if p.Marginal {
		fmt.Fprintln(out, "These are marginal values: what one more kWh would emit. Usage is priced with others.")
	}
	c, today := p.columns(zone), ""
	next := p.Slots[0].From
	for _, s := range p.Slots {
		for ; !next.After(s.From); next = next.Add(usage.SlotLength) {
			at := next.In(zone)
			if d := at.Format(planDay); d != today {
				fmt.Fprintf(out, "\n%s\n", d)
				today = d
			}
			if next.Before(s.From) {
				fmt.Fprintf(out, "  %-*s  %*s\n", c.clock, at.Format(planClock), c.number, "-")
			} else {
				fmt.Fprintln(out, c.line(at, s))
			}
		}
	}
	fmt.Fprintf(out, "\n%s\n", p.advice(zone))
}

// planColumns holds the widths of the columns before the bars, and the intensity of the
// longest bar.
type planColumns struct {
	clock, number, index int
	most                 usage.GramsPerKWh
}

func (p *Plan) columns(zone *time.Location) (c planColumns) {
	for _, s := range p.Slots {
		c.clock = max(c.clock, len(s.From.In(zone).Format(planClock)))
		c.number = max(c.number, len(PlanNumber(s.Intensity)))
		c.index = max(c.index, utf8.RuneCountInString(escape.Line(s.Index)))
		c.most = max(c.most, s.Intensity)
	}
	return c
}

func (c planColumns) line(at time.Time, s planSlot) string {
	mark, bar := " ", "#"
	if s.Best {
		mark, bar = "*", "*"
	}
	line := fmt.Sprintf("%s %-*s  %*s  ", mark, c.clock, at.Format(planClock), c.number, PlanNumber(s.Intensity))
	if c.index > 0 {
		word := escape.Line(s.Index)
		line += word + strings.Repeat(" ", c.index-utf8.RuneCountInString(word)) + "  "
	}
	return strings.TrimRight(line+strings.Repeat(bar, c.bar(s.Intensity)), " ")
}

// bar is the length of the bar of an intensity. Only 0 has none.
func (c planColumns) bar(v usage.GramsPerKWh) int {
	if v <= 0 {
		return 0
	}
	return max(1, int(math.Round(planBarWidth*float64(v/c.most))))
}

// PlanNumber has at most one decimal: forecasts are not more exact than that.
func PlanNumber(v usage.GramsPerKWh) string {
	return strconv.FormatFloat(math.Round(float64(v)*10)/10, 'f', -1, 64)
}

// advice says when to run.
func (p *Plan) advice(zone *time.Location) string {
	wanted := p.Window + p.job.By(zone)
	if p.Best == nil {
		why := p.job.None(p.asked, zone)
		return fmt.Sprintf("Best %s: none. %s%s.", wanted, strings.ToUpper(why[:1]), why[1:])
	}
	when := fmt.Sprintf("%s, mean %s", p.Best.When(zone), PlanNumber(p.Best.Mean))
	switch {
	case p.Now == nil:
		return fmt.Sprintf("Best %s (*): %s.", wanted, when)
	case p.Now.From.Equal(p.Best.From):
		return fmt.Sprintf("Best %s (*): now, %s.", wanted, when)
	}
	return fmt.Sprintf("Best %s (*): %s.\nStarting now the mean would be %s: waiting saves %.0f %%.",
		wanted, when, PlanNumber(p.Now.Mean), 100*float64(1-p.Best.Mean/p.Now.Mean))
}
