// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package ingest

import (
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"

	"github.com/carbon-exporter/carbon_exporter/internal/directory"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// wattage says where the watts of machine types come from, at the start and when it changes, and
// warns of machine types at the default and of meters that measure little: none of it can be seen
// in the numbers.
type wattage struct {
	notices NoticeObserver
	said    *notices
	log     *slog.Logger

	rated string // as said
}

// coversHalf is the part of the time of its hosts that a meter should cover.
const coversHalf = 0.5

// see looks at an interval that was just collected. It asks nobody.
func (w *wattage) see(set Settings, rec *composed) {
	if len(rec.Ratings) == 0 {
		return
	}
	rated := usage.RatedOf(rec.Ratings, rec.Models)
	if now := rated.Sources(); now != w.rated && w.said.isNew("rated\x00"+now) {
		w.rated = now
		w.log.Info("Rated machine types", "types", rated.Types, "sources", now)
	}
	w.guessed(set, rated)
	w.meters(set, rec.readings)
}

// guessed warns of machine types at the default.
func (w *wattage) guessed(set Settings, rated usage.Rated) {
	const message = "Machine types have the default watts, which may be wrong by a factor of two or three"
	if machines := rated.Silent(); len(machines) > 0 && w.said.isNew("silent\x00"+strings.Join(machines, "\x00")) {
		w.log.Warn(message, "types", len(machines), "some", someOf(machines), "why", set.Unrated.Why, "do", set.Unrated.Do)
	}
	if machines, models := rated.Unknown(); len(machines) > 0 && w.said.isNew("unknown\x00"+strings.Join(machines, "\x00")) {
		w.log.Warn(message, "types", len(machines), "some", someOf(machines), "why", "nobody knows the processors that their hosts name", "processors", someOf(models),
			"do", "set their watts in power.machines, or measure their hosts; if a hypervisor has made the name up, let it pass its processor on (host-passthrough or host-model)")
	}
}

func someOf(names []string) string {
	return strings.Join(names[:min(len(names), namedOf)], ", ")
}

// covering is what a meter measures of the hosts that have CPU time.
type covering struct {
	hosts     map[string]bool // that it measures
	pieces    int             // of all of them
	covered   float64         // of these pieces
	strangers map[string]bool // that it measures and that have none
}

// meters warns of those that measure no host that has CPU time, or little of the time of those
// that they measure.
func (w *wattage) meters(set Settings, readings []attributed) {
	if len(set.Meters) == 0 {
		return
	}
	all, there := coverings(set.Meters, readings)
	var wrong []string
	for _, name := range set.Meters {
		c := all[name]
		switch share := c.covered / float64(max(c.pieces, 1)); {
		case len(c.hosts) == 0:
			why := "its query measures nothing, or other meters cover more of the same hosts"
			args := []any{"meter", name, "why", why, "do", "carbontool doctor --only=power says what its query has"}
			if len(c.strangers) > 0 {
				strangers := slices.Sorted(maps.Keys(c.strangers))
				why = "its hosts have no CPU time, by these names"
				args = []any{"meter", name, "why", why, "it_has", someOf(strangers), "machines_are", someOf(there), "do", "set hosts of this meter to the label that has the machine's name"}
			}
			wrong = append(wrong, fmt.Sprintf("The meter %s measures no machine that has CPU time: %s.", name, why))
			if w.said.isNew("meter\x00" + name) {
				w.log.Warn("A meter measures no machine that has CPU time, and the model counts in its place", args...)
			}
		case share < coversHalf:
			wrong = append(wrong, fmt.Sprintf("The meter %s covers %.0f %% of the time of its machines; for the rest the model counts.", name, 100*share))
			if w.said.isNew("covered\x00" + name) {
				w.log.Warn("A meter covers less than half of the time of its machines, and the model counts for the rest",
					"meter", name, "machines", len(c.hosts), "covered", fmt.Sprintf("%.0f %%", 100*share), "do", "see why its series have holes: scrapes that fail, or sensors without a reading")
			}
		}
	}
	if len(wrong) > 0 {
		wrong = append(wrong[:min(len(wrong), namedOf)], "To do: carbontool doctor --only=power says more.")
	}
	w.notices.Notice(usage.TopicPower, strings.Join(wrong, " "))
}

// coverings looks which hosts the meters measure; there are the hosts with CPU time.
func coverings(meters []string, readings []attributed) (all map[string]*covering, there []string) {
	all = map[string]*covering{}
	for _, name := range meters {
		all[name] = &covering{hosts: map[string]bool{}, strangers: map[string]bool{}}
	}
	hosts := map[string]bool{}
	for _, r := range readings {
		if r.instruments == nil {
			continue
		}
		var known directory.ByHost[struct{}]
		for i := range r.parts {
			host := r.parts[i].Series.Host
			known.Add(host, struct{}{})
			hosts[host] = true
		}
		for host, m := range r.instruments.Power {
			c := all[m.Meter]
			switch {
			case c == nil:
			case known.Of(host) != nil:
				c.hosts[host] = true
				c.pieces, c.covered = c.pieces+1, c.covered+m.Covered
			default:
				c.strangers[host] = true
			}
		}
	}
	there = slices.Sorted(maps.Keys(hosts))
	return all, slices.DeleteFunc(there, func(host string) bool { return host == usage.Unknown })
}
