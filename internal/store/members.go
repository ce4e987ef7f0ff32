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
	project       any // id, or nil where the scope has none
	machine, user any

	sums   [6]usage.Sum // busy and idle: CPU seconds, kWh, grams
	priced bool
	price  float64 // the first met
	mixed  bool    // whether there were others
	mean   struct{ sum, n float64 }
}

// fold adds the facts of an interval up to its scope members. The sums are
// exact, so that each scope adds up to the same whole in any order.
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

// ordered gives members in the order of the indexes, which are then written
// from left to right.
func ordered[ID cmp.Ordered](members map[ID]*member) []*member {
	all := make([]*member, 0, len(members))
	for _, id := range slices.Sorted(maps.Keys(members)) {
		all = append(all, members[id])
	}
	return all
}

func (m *member) add(r row, price *float64) {
	for i, v := range r.values {
		m.sums[i].Add(v)
	}
	if price == nil {
		return
	}
	busy, idle := r.grams(*price)
	m.sums[4].Add(busy)
	m.sums[5].Add(idle)
	if m.mean.n == 0 {
		m.price = *price
	}
	m.mixed = m.mixed || *price != m.price
	m.mean.sum += *price
	m.mean.n++
}

// values are the numeric columns of fact_usage in its order. Without a price
// grams and intensity are NULL.
func (m *member) values() [7]any {
	var v [7]any
	for i := range 4 {
		v[i] = m.sums[i].Float64()
	}
	if m.priced {
		v[4], v[5], v[6] = m.sums[4].Float64(), m.sums[5].Float64(), m.intensity()
	}
	return v
}

// intensity of several slots is the one that turns the energy into the grams;
// without energy it is their mean.
func (m *member) intensity() float64 {
	energy := m.sums[2]
	energy.AddSum(m.sums[3])
	switch kwh := energy.Float64(); {
	case !m.mixed:
		return m.price
	case kwh > 0:
		return (m.sums[4].Float64() + m.sums[5].Float64()) / kwh
	default:
		return m.mean.sum / m.mean.n
	}
}
