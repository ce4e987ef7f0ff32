// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package landing

import (
	"time"
)

// tile is a key figure.
type tile struct {
	Name, Value string
	Also        []string // what makes it right, or more of it
	Unknown     bool
}

// tiles are the figures of the first screen.
func (k Known) tiles(c calendar) []tile {
	return []tile{k.powerTile(c), k.rateTile(), k.Grid.tile(c), k.spentTile("Today", k.day(), c), k.spentTile("This month", k.month(), c)}
}

func (k Known) recent() *Recent {
	if k.Numbers == nil {
		return nil
	}
	return k.Numbers.Newest
}

func (k Known) day() *Spent {
	if k.Numbers == nil {
		return nil
	}
	return k.Numbers.Day
}

func (k Known) month() *Spent {
	if k.Numbers == nil {
		return nil
	}
	return k.Numbers.Month
}

// late is how long ago the newest usage was, if that is too long ago to be of now.
func (k Known) late() time.Duration {
	if r := k.recent(); r != nil {
		if ago := k.Now.Sub(r.Interval.End()); ago > k.Late {
			return ago
		}
	}
	return 0
}

// nowName names a figure by the time of the newest usage.
func (k Known) nowName(what string) string {
	if ago := k.late(); ago > 0 {
		return what + " " + span(ago) + " ago"
	}
	return what + " now"
}

func (k Known) powerTile(c calendar) tile {
	r := k.recent()
	if r == nil {
		return tile{Name: "Power now", Value: unknown, Unknown: true, Also: []string{"no usage was found yet"}}
	}
	idle := r.Energy.Idle.Over(r.Interval.Length)
	return tile{
		Name: k.nowName("Power"), Value: powerText(r.Energy.Total().Over(r.Interval.Length)),
		Also: []string{powerText(idle) + " of it idle", "mean of " + c.past(r.Interval)},
	}
}

func (k Known) rateTile() tile {
	t := tile{Name: k.nowName("Carbon"), Value: unknown, Unknown: true}
	r := k.recent()
	switch {
	case r == nil:
		t.Also = []string{"no usage was found yet"}
	case r.Emissions == nil:
		t.Also = []string{"the interval has no carbon intensity yet"}
	default:
		t.Value, t.Unknown = rateText(r.Emissions.PerHour(r.Interval.Length)), false
		t.Also = []string{"CO₂eq, mean of the same time"}
	}
	return t
}

func (k Known) spentTile(name string, s *Spent, c calendar) tile {
	if s == nil {
		return tile{Name: name, Value: unknown, Unknown: true, Also: []string{"nothing is stored for it"}}
	}
	t := tile{Name: name, Value: energyText(s.Energy), Also: []string{or(s.Emissions, massText) + " CO₂eq"}}
	if s.Emissions == nil {
		t.Also = []string{"CO₂eq " + unknown}
	}
	if !s.Since.IsZero() {
		t.Also = append(t.Also, "since "+c.moment(s.Since))
	}
	if s.Unpriced > 0 {
		t.Also = append(t.Also, span(s.Unpriced)+" of it not priced yet")
	}
	if s.Missing > 0 {
		t.Also = append(t.Also, span(s.Missing)+" of it missing")
	}
	return t
}
