// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package landing

import (
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// Grid is the carbon intensity of electricity.
type Grid struct {
	Provider string             // of the first source
	Static   *usage.GramsPerKWh // one value for all time; nil: it changes
	Name     string             // of the grid of the static value
	From     string             // where that value is from; empty: not said
	Credits  []Credit           // of the sources
	Slots    []usage.Slot       // around now, oldest first
	Outlook  []usage.Slot       // from now on, of one source, oldest first
}

// Credit is whom a licence asks to name.
type Credit struct{ Text, Licence, Link string }

// chart is the forecast of the next 48 hours as bars.
type chart struct {
	Title, Desc string
	Height      int
	Bars        []bar
	Ticks       []tick
	Lines       []line
	Windows     []windowView
	Until       string // where the forecast ends early
}

// bar is one half hour. Places across are in percent, so that the chart fits any screen; those
// down are in pixels, so that text keeps its size.
type bar struct {
	X, Width, Y, Height, Title string
	Best                       bool
}

type tick struct {
	X, Text string
	Day     bool
}

type line struct{ Y, Text string }

// windowView is the best time for something that takes so long.
type windowView struct {
	Length, When, Mean, Saves string
	Marked                    bool // among the bars
}

// The chart's measures in pixels.
const (
	barsTop    = 18
	barsHeight = 140
	ticksBelow = 18
)

// Of the windows, the one that is marked among the bars has this length.
const markedWindow = 3 * time.Hour

func windowLengths() []time.Duration {
	return []time.Duration{time.Hour, markedWindow, 6 * time.Hour}
}

// chart returns the forecast, or why there is none.
func (g Grid) chart(c calendar) (*chart, string) {
	if g.Static != nil {
		return nil, ""
	}
	o := usage.OutlookAt(g.Outlook, c.now)
	slots := o.Forecasts[:usage.OutlookLength/usage.SlotLength]
	low, high, last := math.Inf(1), math.Inf(-1), -1
	for n, v := range slots {
		if v != nil {
			low, high, last = min(low, float64(*v)), max(high, float64(*v)), n
		}
	}
	if last < 0 {
		return nil, "There is no forecast yet. See carbon intensity below."
	}
	top := roundUp(high)
	best, found := o.Best(markedWindow)
	t := &chart{Height: barsTop + barsHeight + ticksBelow}
	for n, v := range slots {
		at := o.From.Add(time.Duration(n) * usage.SlotLength)
		if v != nil {
			inBest := found && !at.Before(best.From) && at.Before(best.To)
			t.Bars = append(t.Bars, barOf(n, len(slots), float64(*v)/top, c.moment(at)+": "+intensityText(*v), inBest))
		}
		t.Ticks = append(t.Ticks, ticksAt(n, len(slots), at.In(c.zone))...)
	}
	for _, share := range []float64{1, 0.5, 0} { // the style has them beside the bars
		t.Lines = append(t.Lines, line{Y: pixels(barsTop + barsHeight*(1-share)), Text: strconv.FormatFloat(top*share, 'f', -1, 64)})
	}
	t.Windows = windowViews(o, c)
	if last < len(slots)-2 { // an outlook is often one slot short
		t.Until = c.moment(o.From.Add(time.Duration(last+1) * usage.SlotLength))
	}
	t.Title = "Forecast of the carbon intensity, for each half hour of the next 48 hours"
	t.Desc = fmt.Sprintf("Between %s and %s.", intensityText(usage.GramsPerKWh(low)), intensityText(usage.GramsPerKWh(high)))
	for _, w := range t.Windows {
		t.Desc += fmt.Sprintf(" Best %s: %s, %s.", w.Length, w.When, w.Mean)
	}
	return t, ""
}

func barOf(n, of int, share float64, title string, best bool) bar {
	height := math.Max(barsHeight*share, 1)
	width := 100 / float64(of)
	return bar{
		X: percents(float64(n) * width), Width: percents(0.8 * width), Y: pixels(barsTop + barsHeight - height), Height: pixels(height),
		Title: title, Best: best,
	}
}

// ticksAt marks midnight by the day, and 6, 12 and 18 o'clock.
func ticksAt(n, of int, at time.Time) []tick {
	hour, minute, _ := at.Clock()
	if minute >= 30 || hour%6 != 0 || n > of-5 { // there is no room for a word at the end
		return nil
	}
	t := tick{X: percents(100 * float64(n) / float64(of)), Text: at.Format("15:04")}
	if hour == 0 {
		t.Text, t.Day = at.Format("Mon"), true
	}
	return []tick{t}
}

func windowViews(o usage.Outlook, c calendar) (all []windowView) {
	for _, length := range windowLengths() {
		best, ok := o.Best(length)
		if !ok {
			continue
		}
		w := windowView{
			Length: count(int(length/time.Hour), "hour", "hours"), When: c.window(best.Period), Mean: intensityText(best.Mean),
			Marked: length == markedWindow,
		}
		if now, ok := o.Window(0, length); ok && best.From.After(o.From) && now.Mean > 0 {
			if saved := 1 - float64(best.Mean/now.Mean); saved >= 0.005 {
				w.Saves = percent(saved) + " less than now"
			}
		}
		all = append(all, w)
	}
	return all
}

// roundUp returns the next number that is short, and so is its half.
func roundUp(v float64) float64 {
	if v <= 0 {
		return 1
	}
	unit := math.Pow(10, math.Floor(math.Log10(v)))
	for _, step := range []float64{1, 1.2, 1.6, 2, 2.4, 3, 4, 5, 6, 8} {
		if v <= step*unit {
			return rounded(step * unit) // not 0.30000000000000004
		}
	}
	return 10 * unit
}

func percents(v float64) string { return strconv.FormatFloat(v, 'f', 3, 64) + "%" }
func pixels(v float64) string   { return strconv.FormatFloat(v, 'f', 1, 64) }
