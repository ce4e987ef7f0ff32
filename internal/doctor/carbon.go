// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package doctor

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// GridSource is a source of carbon intensity, and what came when it was asked.
type GridSource struct {
	Provider string
	Grid     string
	For      string // what its values are for, such as "prices"
	Path     string // where it is configured
	Key      string // where the key of its API is configured; empty: it needs none
	Others   int    // how many sources can stand in for it
	Spare    bool   // a source before it answers, so that it is a pity and no more if it does not
	Fixed    *float64
	From     string // where Fixed is from; empty: not said

	Terms   usage.Terms
	Lately  []usage.Slot  // of the last day, and of as long before it as its values are late
	Coming  []usage.Slot  // from now on
	Failed  error         // why some or all of Lately are not there; nil: it answered
	Ahead   error         // why Coming is not there; nil: it answered, or was not asked
	Unasked bool          // there was no time to ask it
	Grain   time.Duration // how long the values of its provider are; 0: not known
	Calls   int           // that it gets in a day, at most
	Remarks []string      // that it makes of its own answers
}

// Intensity is about one source of carbon intensity.
func Intensity(s GridSource, now time.Time) []Finding {
	c := check{CarbonIntensity, s.Provider}
	if s.use() == "elsewhere" { // names of sources there may be those of others
		c.name += " of " + s.Grid
	}
	all := s.answers(c, now)
	if all[0].Level == Failure || s.Unasked {
		return all
	}
	if f, wrong := s.basis(c); wrong {
		all = append(all, f)
	}
	for _, remark := range s.Remarks {
		all = append(all, c.warn("", "grid %s: %s", s.Grid, remark))
	}
	return all
}

func (s GridSource) answers(c check, now time.Time) []Finding {
	switch {
	case s.Fixed != nil:
		said := fmt.Sprintf("%v gCO2eq/kWh for all time, grid %s", *s.Fixed, s.Grid)
		if s.From != "" {
			said += ", from " + s.From
		}
		return []Finding{c.ok("%s", said)}
	case s.Unasked:
		return []Finding{c.warn("ask it by carbontool doctor --only=sources, which takes longer", "grid %s: not asked, because other sources of its server want time between requests", s.Grid)}
	}
	all := []Finding{s.lately(c, now)}
	if all[0].Level == Failure || !s.Terms.Forecasts {
		return all
	}
	const wait = "see whether it comes back: usage is priced with actuals meanwhile"
	switch {
	case s.Ahead != nil:
		return append(all, c.warn(wait, "no forecast of grid %s: %s", s.Grid, usage.Cause(s.Ahead)))
	case len(s.Coming) == 0:
		return append(all, c.warn(wait, "no forecast of grid %s", s.Grid))
	}
	last := s.Coming[len(s.Coming)-1]
	return append(all, c.ok("forecast of grid %s to %s", s.Grid, last.From.Add(usage.SlotLength).UTC().Format(time.RFC3339)))
}

// oldIntensity is how old the newest half hour may be of a source whose values are not late.
const oldIntensity = 3 * time.Hour

func (s GridSource) lately(c check, now time.Time) Finding {
	const wait = "see whether the provider is out of order; "
	newest, found := s.newest()
	switch {
	case !found && s.Spare && usage.FailureOf(s.Failed) != nil:
		return c.warn(s.advice()+"; nothing is missing while the source before it answers", "grid %s: %s", s.Grid, usage.Cause(s.Failed))
	case !found && s.Failed != nil:
		return c.fail(s.advice()+"; "+s.meanwhile(), "grid %s: %s", s.Grid, usage.Cause(s.Failed))
	case !found:
		over := "the last day"
		if s.Terms.Late > 0 {
			over += ", nor for the " + roughly(s.Terms.Late) + " before it that its values are late"
		}
		judge := c.fail
		if s.Spare {
			judge = c.warn
		}
		return judge(wait+s.meanwhile(), "answers, and has no intensity of grid %s for %s", s.Grid, over)
	}
	price, _ := newest.Price()
	said := fmt.Sprintf("newest half hour of grid %s: %s, %.0f gCO2eq/kWh, %s", s.Grid, newest.From.UTC().Format(time.RFC3339), float64(price.Intensity), price.Kind)
	switch {
	case now.Sub(newest.From) > oldIntensity+s.Terms.Late:
		return c.warn(wait+s.meanwhile(), "%s, which is old", said)
	case s.Failed != nil:
		return c.warn(s.advice()+"; "+s.meanwhile(), "%s; some of its requests failed: %s", said, usage.Cause(s.Failed))
	}
	return c.ok("%s", said)
}

// FindSpares marks the sources of a chain that stand in for one before them that answers.
func FindSpares(all []GridSource) {
	answers := map[string]bool{}
	for i, s := range all {
		all[i].Spare = answers[s.For]
		if _, found := s.newest(); found {
			answers[s.For] = true
		}
	}
}

// newest is the newest half hour that has a value.
func (s GridSource) newest() (usage.Slot, bool) {
	for _, slot := range slices.Backward(s.Lately) {
		if _, ok := slot.Price(); ok {
			return slot, true
		}
	}
	return usage.Slot{}, false
}

// advice is what to do about a failure.
func (s GridSource) advice() string {
	reason := ""
	if f := usage.FailureOf(s.Failed); f != nil {
		reason = f.Reason
	}
	switch reason {
	case "":
		return "correct " + s.Path
	case usage.ReasonAuth:
		return fmt.Sprintf("check %s, and whether the account may read this zone", cmp.Or(s.Key, "the login of "+s.Path))
	case usage.ReasonRateLimited:
		return "wait; see by carbontool doctor --only=sources how many calls it gets in a day, and whether others use the same key"
	case usage.ReasonConnection, usage.ReasonTimeout, usage.ReasonServer:
		return fmt.Sprintf("see whether the provider is out of order; check the url of %s and the way to it", s.Path)
	}
	return fmt.Sprintf("check %s: the region, the postcode or the zone, the url and the way to it", s.Path)
}

// use is the first word of what it is for.
func (s GridSource) use() string {
	use, _, _ := strings.Cut(s.For, " ")
	return use
}

// meanwhile is what goes on while the source is of no use.
func (s GridSource) meanwhile() string {
	switch use := s.use(); {
	case s.Others > 0:
		return "the other sources of its chain stand in meanwhile"
	case use == "also":
		return "these factors are missing meanwhile"
	case use == "marginal":
		return "there are no marginal values meanwhile"
	case use == "elsewhere":
		return "this grid cannot be compared with others meanwhile"
	}
	return "energy is recorded and priced later"
}

// basis points out what nobody declares. A value that stands alone is added to no other.
func (s GridSource) basis(c check) (Finding, bool) {
	missing := Undeclared(s.Terms)
	if missing == "" {
		return Finding{}, false
	}
	do := fmt.Sprintf("declare it in %s.basis, so that different things are not added up", s.Path)
	if s.Fixed != nil && s.Others == 0 {
		return Finding{c.area, c.name, OK, "nobody says whether the value is " + missing, do}, true
	}
	return c.warn(do, "nobody says whether the values of grid %s are %s", s.Grid, missing), true
}

// Undeclared names the parts of a basis that are empty, unless they are left open on purpose.
func Undeclared(t usage.Terms) string {
	if t.Open {
		return ""
	}
	var parts []string
	b := t.Basis
	for _, part := range []struct{ word, means string }{
		{b.Signal, usage.Average + " or " + usage.Marginal},
		{b.Emissions, usage.Lifecycle + " or " + usage.Direct},
		{b.Electricity, usage.Consumption + " or " + usage.Production},
	} {
		if part.word == "" {
			parts = append(parts, part.means)
		}
	}
	return strings.Join(parts, ", ")
}

// roughly writes a time in whole minutes, hours or days.
func roughly(d time.Duration) string {
	switch {
	case d >= 48*time.Hour:
		return many(int(d.Round(24*time.Hour)/(24*time.Hour)), "day")
	case d >= time.Hour:
		return many(int(d.Round(time.Hour)/time.Hour), "hour")
	}
	return many(int(d.Round(time.Minute)/time.Minute), "minute")
}
