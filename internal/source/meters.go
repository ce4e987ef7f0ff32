// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package source

import (
	"cmp"
	"context"
	"slices"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// meters asks for the measured energy of hosts. Of two meters of one host that counts which covers
// more of a piece, and else the first.
func (g *gathering) meters(ctx context.Context) error {
	var twice []string
	for place, m := range g.client.Query.Instruments.Meters {
		host := cmp.Or(m.Host, g.client.Query.Labels.Host)
		p, err := g.powerOf(ctx, m.Query, []string{host})
		if g.forgives(err) {
			g.refusal(err, "the query of the meter "+quoted(m.Name), "the power of its hosts is estimated", "power.measured")
			continue
		}
		if err != nil {
			return err
		}
		if g.client.Query.Shares != nil && len(p.names) > 0 { // else an alias is no name of a host
			if err := g.askNames(ctx); err != nil {
				return err
			}
		}
		for n, given := range p.names {
			for i, e := range p.rows[n] {
				if e.covered == 0 {
					continue
				}
				name := g.hosts.label(given, i)
				if g.all[i].Power == nil {
					g.all[i].Power = map[string]usage.Metering{}
				}
				other, measured := g.all[i].Power[name]
				if measured && !slices.Contains(twice, name) && len(twice) < maxStrange {
					twice = append(twice, name)
				}
				if !measured || e.covered > other.Covered {
					g.all[i].Power[name] = usage.Metering{Meter: m.Name, Place: place, Energy: usage.Joules(e.joules), Covered: e.covered, Error: m.Error, Includes: m.Includes}
				}
			}
		}
		g.ofPower(p, "meter", m.Name, host)
	}
	if len(twice) > 0 {
		g.remark("Two meters measure the same hosts, and of each host that counts which covers more, then the first: %s; remove the meter that you trust less, or restrict its query", some(twice))
	}
	return nil
}

// ofPower says what is odd about the series of a meter or zone.
func (g *gathering) ofPower(p *powers, kind, name, host string) {
	if p.nobody {
		g.remark("The query of the %s %.60q gives series without the label %.60q, which are not counted: name the label that has the host", kind, name, host)
	}
	if len(p.alike) > 0 && host != "" {
		g.remark("The %s %.60q has several series of one host with the same value, and adds them up: %s; if they are copies, such as of two servers, take one of them: max by (%s) (...)", kind, name, some(p.alike), listed(host))
	}
	if len(p.varied) > 0 && host != "" {
		g.remark("The %s %.60q covers nothing of hosts of which fewer series have a value than in the day before: %s; see to the missing sensor, or, if series come and go by themselves, add them up in the query: sum by (%s) (...)", kind, name, some(p.varied), listed(host))
	}
}

// zones asks for the measured energy of the site, or of its parts. A zone of which more than one
// moment is not known is not known.
func (g *gathering) zones(ctx context.Context) error {
	for _, z := range g.client.Query.Instruments.Zones {
		p, err := g.powerOf(ctx, z.Query, nil)
		if g.forgives(err) {
			g.refusal(err, "the query of the zone "+quoted(z.Name), "what it draws is not known", "power.reconcile")
			continue
		}
		if err != nil {
			return err
		}
		if len(p.alike) > 0 {
			g.remark("The zone %.60q has several series with the same value, and adds them up; if they are copies, such as of two servers, take one of them: max without (...) (...)", z.Name)
		}
		for _, row := range p.rows {
			partly := 0
			for i, e := range row {
				least := 1.0
				if moments := float64(g.pieces[i].Length / gridStep(g.pieces[i].Length)); moments > 1 {
					least = 1 - 1/moments
				}
				switch {
				case e.covered >= least-1e-9:
					g.all[i].Zones = append(g.all[i].Zones, usage.ZoneEnergy{Zone: z.Name, Energy: usage.Joules(e.joules / e.covered)})
				case e.covered > 0:
					partly++
				}
			}
			if partly > 0 {
				g.remark("The zone %.60q is not known in %d of %d pieces, in which some of its series have no value: see to its meters", z.Name, partly, len(row))
			}
		}
	}
	return nil
}
