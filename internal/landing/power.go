// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package landing

import (
	"fmt"

	"github.com/carbon-exporter/carbon_exporter/internal/escape"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// Power is what the page says of how the watts are known.
type Power struct {
	Rated  usage.Rated
	Bounds *usage.EnergyBounds // of this month's energy; nil: not known
	// Measured is what meters of the site measured, Booked what is booked of the same; both 0:
	// there are none.
	Measured, Booked usage.KWh
}

// PowerOf says how watts are known, of zones together; month is what this month's energy lies
// between, nil if that is not known.
func PowerOf(rated usage.Rated, month *usage.EnergyBounds, zones []usage.ZoneFact) *Power {
	p := &Power{Rated: rated, Bounds: month}
	for _, z := range zones {
		p.Measured, p.Booked = p.Measured+z.Measured, p.Booked+z.Booked
	}
	return p
}

// words is the line about where watts come from; empty: nothing is rated yet.
func (p *Power) words() string {
	if p == nil || p.Rated.Types == 0 {
		return ""
	}
	text := count(p.Rated.Types, "machine type", "machine types") + ": " + p.Rated.Sources() + "."
	if b := p.Bounds; b != nil && b.High > 0 {
		text += fmt.Sprintf(" This month's energy is between %s and %s, two times in three.", energyText(b.Low), energyText(b.High))
	}
	if p.Measured > 0 {
		switch unexplained := float64((p.Measured - p.Booked) / p.Measured); {
		case unexplained >= 0:
			text += " Of what meters of the site measured, " + percent(unexplained) + " is not booked."
		default:
			text += " Booked is " + percent(-unexplained) + " more than meters of the site measured."
		}
	}
	return text
}

// guessed lists the machine types at the default, which explains numbers that look odd.
func (p *Power) guessed(u usage.Unrated) (all []item) {
	if p == nil {
		return nil
	}
	add := func(machines []string, why, do string) {
		if len(machines) == 0 {
			return
		}
		names := make([]string, len(machines))
		for i, m := range machines {
			names[i] = escape.Name(m)
		}
		all = append(all, item{
			What: "Default watts", Why: "For " + count(len(names), "machine type", "machine types") + " (" + listed(names) + "), which may be wrong by a factor of two or three, because " + why + ".", Do: "To do: " + do + ".",
		})
	}
	add(p.Rated.Silent(), u.Why, u.Do)
	machines, models := p.Rated.Unknown()
	names := make([]string, len(models))
	for i, m := range models {
		names[i] = escape.Name(m)
	}
	add(machines, "nobody knows the processors that their hosts name: "+listed(names), "set their watts in power.machines, or measure their hosts")
	return all
}
