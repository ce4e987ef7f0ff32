// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"cmp"
	"context"
	"maps"
	"slices"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// member is one row of fact_usage: the site, or one project, machine or user.
type member struct {
	scope         string
	project       any // id; nil if the scope has none
	machine, user any

	cpu    usage.BusyIdleSum[usage.CPUSeconds]
	energy usage.ByModeSum[usage.KWh]
	grams  usage.ByModeSum[usage.Grams]
	priced bool
	price  usage.GramsPerKWh // of the first row
	mixed  bool              // whether other rows have other prices
	mean   struct{ sum, n usage.GramsPerKWh }
}

// memberID identifies the scope member of a row of fact_usage.
type memberID struct {
	scope            string
	project, machine int64
	user             string
}

func (m *member) id() memberID {
	id := memberID{scope: m.scope, project: none, machine: none}
	if project, ok := m.project.(int64); ok {
		id.project = project
	}
	if machine, ok := m.machine.(int64); ok {
		id.machine = machine
	}
	id.user, _ = m.user.(string)
	return id
}

// none stands for a missing project or machine type in the unique index of fact_usage.
const none = -1

// fold adds up the facts of an interval by scope member. The sums are exact, so that every
// scope adds up to the same total in any order.
func fold(ctx context.Context, naming *naming, c content) ([]*member, error) {
	if len(c.rows) == 0 {
		return nil, nil
	}
	site := &member{scope: "ada", priced: len(c.prices) > 0}
	projects, machines, users := map[int64]*member{}, map[int64]*member{}, map[string]*member{}
	for _, r := range c.rows {
		k, err := naming.keyOf(ctx, r.key)
		if err != nil {
			return nil, err
		}
		project, machine, user := projects[k.project], machines[k.machine], users[k.User]
		if project == nil {
			project = &member{scope: "project", project: k.project, priced: site.priced}
			projects[k.project] = project
		}
		if machine == nil {
			machine = &member{scope: "machine", machine: k.machine, priced: site.priced}
			machines[k.machine] = machine
		}
		if user == nil {
			user = &member{scope: "user", user: k.User, priced: site.priced}
			users[k.User] = user
		}
		price := c.price(r.start)
		for _, m := range [...]*member{site, project, machine, user} {
			m.add(r, price)
		}
	}
	return slices.Concat([]*member{site}, ordered(projects), ordered(machines), ordered(users)), nil
}

// ordered returns members in index order, so that the indexes are written from left to right.
func ordered[ID cmp.Ordered](members map[ID]*member) []*member {
	all := make([]*member, 0, len(members))
	for _, id := range slices.Sorted(maps.Keys(members)) {
		all = append(all, members[id])
	}
	return all
}

func (m *member) add(r row, price *usage.GramsPerKWh) {
	m.cpu.Add(r.cpu)
	m.energy.Add(r.energy)
	if price == nil {
		return
	}
	m.grams.Add(r.at(*price))
	if m.mean.n == 0 {
		m.price = *price
	}
	m.mixed = m.mixed || *price != m.price
	m.mean.sum += *price
	m.mean.n++
}

// memberColumns are the numeric columns of fact_usage, in order: busyCPU to idleGrams, as in
// keyTotals, the intensity, and the measured energy with its emissions. nil is NULL.
type memberColumns [measuredGramsColumn + 1]*float64

const (
	intensityColumn = idleGrams + 1 + iota
	measuredKWhColumn
	measuredGramsColumn
)

// columns of a member without a price have neither grams nor an intensity.
func (m *member) columns() (c memberColumns) {
	cpu, energy := m.cpu.BusyIdle(), m.energy.ByMode()
	c[busyCPU], c[idleCPU] = (*float64)(&cpu.Busy), (*float64)(&cpu.Idle)
	c[busyKWh], c[idleKWh], c[measuredKWhColumn] = (*float64)(&energy.Busy), (*float64)(&energy.Idle), (*float64)(&energy.Measured)
	if m.priced {
		grams, intensity := m.grams.ByMode(), m.intensity()
		c[busyGrams], c[idleGrams], c[intensityColumn] = (*float64)(&grams.Busy), (*float64)(&grams.Idle), (*float64)(&intensity)
		if energy.Measured != 0 {
			c[measuredGramsColumn] = (*float64)(&grams.Measured)
		}
	}
	return c
}

// all appends the columns as arguments of a statement.
func (c memberColumns) all(values []any) []any { return c.appendTo(values, c[:]...) }

// prices appends those that depend on the price.
func (c memberColumns) prices(values []any) []any {
	return c.appendTo(values, c[busyGrams], c[idleGrams], c[intensityColumn], c[measuredGramsColumn])
}

func (memberColumns) appendTo(values []any, columns ...*float64) []any {
	for _, v := range columns {
		if v == nil {
			values = append(values, nil)
		} else {
			values = append(values, *v)
		}
	}
	return values
}

// intensity is the price or, if there are several, the intensity that turns the energy into the
// grams; without energy, the mean of the prices.
func (m *member) intensity() usage.GramsPerKWh {
	switch kwh := m.energy.Total(); {
	case !m.mixed:
		return m.price
	case kwh > 0:
		return usage.GramsPerKWh(float64(m.grams.ByMode().Total()) / float64(kwh))
	default:
		return m.mean.sum / m.mean.n
	}
}
