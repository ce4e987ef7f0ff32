// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package source

import (
	"fmt"
	"math"
	"slices"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// usable refuses answers whose samples are all at other times than requested: they answer
// another question, and do not mean "no usage".
func (t *table) usable() error {
	if t.rejects[rejectTimestamp] == 0 {
		return nil
	}
	for _, h := range t.order {
		for _, part := range []int{busy, idle} {
			if slices.ContainsFunc(h.cells[part], func(cell float64) bool { return !math.IsNaN(cell) }) {
				return nil
			}
		}
	}
	return allAtOtherTimes(t.rejects)
}

func allAtOtherTimes(rejects usage.Rejects) error {
	return &usage.Failure{Reason: usage.ReasonMalformed, Detail: fmt.Sprintf("all %d samples are at other times than requested", rejects[rejectTimestamp])}
}

// halves refuses answers where one has nothing for a piece of time in which the
// other has: a recording rule does not exist or was not evaluated. No host can be
// booked, and that does not mean "no usage".
func (t *table) halves(readings []usage.Reading, q Query) error {
	for i, r := range readings {
		if len(r.Samples) > 0 || t.half[i] == 0 {
			continue
		}
		return &usage.Failure{Reason: usage.ReasonPartial, Detail: fmt.Sprintf(
			"%d hosts have only one of busy and idle CPU seconds from %s on, and no host has both: see that both queries give series; they ask for %s", t.half[i], r.Piece, some(metricsIn(q.BusyQuery+" or "+q.IdleQuery)))}
	}
	return nil
}

// filled returns the number of hosts with values, by piece.
func (t *table) filled() []int {
	hosts := make([]int, len(t.pieces))
	for _, h := range t.order {
		for i := range hosts {
			_, hasBusy := h.at(busy, i)
			_, hasIdle := h.at(idle, i)
			if hasBusy || hasIdle {
				hosts[i]++
			}
		}
	}
	return hosts
}

// rawSeries returns a series with its labels as received, in the order of Labels.list.
func rawSeries(labels []string) usage.Series {
	return usage.Series{Project: usage.Name(labels[0]), Machine: usage.Name(labels[1]), Host: usage.HostLabel(labels[2]), User: usage.Name(labels[3])}
}

// named returns a series with "unknown" in place of labels that it lacks.
func named(s usage.Series) usage.Series {
	s.Project, s.Machine, s.Host = orUnknown(s.Project), orUnknown(s.Machine), orUnknown(s.Host)
	return s
}

// named returns a series as it is booked in a piece.
func (t *edges) named(s usage.Series, piece int) usage.Series {
	return t.info.named(s, piece, t.query.Shares != nil)
}

// named returns a series as it is booked in a piece: with what other metrics say of its host, and
// with "unknown" in place of what it lacks. Hosts that are shared belong to nobody.
func (all *infos) named(s usage.Series, piece int, shared bool) usage.Series {
	if all != nil {
		s = all.of(func(string) string { return s.Host }, piece).over(s)
	}
	if s.Project == "" && shared {
		s.Project = usage.Unattributed
	}
	return named(s)
}

func orUnknown(v string) string {
	if v == "" {
		return usage.Unknown
	}
	return v
}

// open returns the pieces of hosts of which the edges don't say what they used.
func (t *edges) open() map[string][]int {
	open := map[string][]int{}
	from, to := t.asked()
	for _, name := range t.names {
		h := t.hosts[name]
		for i := from; i < to; i++ {
			if _, look := t.judge(h, i); look {
				open[name] = append(open[name], i)
			}
		}
	}
	return open
}

// present counts the hosts of each project that were there in a piece, by what says how many
// cores they have. A host that changed hands counts in each project.
func (t *edges) present(piece int) map[string]usage.Presence {
	all := map[string]usage.Presence{}
	for _, name := range t.names {
		h := t.hosts[name]
		n := h.cores(piece)
		if n == 0 {
			continue
		}
		for _, project := range t.projects(h, piece) {
			all[project] = usage.Presence{Hosts: all[project].Hosts + 1, Cores: all[project].Cores + int(n)}
		}
	}
	return all
}

// projects lists the projects of a host in a piece. A label set that names none is a copy of
// one that does.
func (t *edges) projects(h *hostSets, piece int) []string {
	var all []string
	for _, s := range h.sets {
		if h.given == nil && (s.cores == nil || !(s.cores[piece] >= 1)) {
			continue
		}
		if p := t.named(s.series, piece).Project; !slices.Contains(all, p) && (p != usage.Unknown || len(all) == 0) {
			all = append(all, p)
		}
	}
	return all
}

// main is the label set by which a host is counted in a piece if nothing of it is booked: of
// those that are there, the one that names most; in a hole of those that were last there before, or
// first after it. It is sought as far as a single piece is known, so that it is the same in any run.
func (t *edges) main(h *hostSets, piece int) usage.Series {
	for _, s := range h.sets {
		if s.there(piece) || s.known(piece) || s.known(piece+1) {
			return s.series
		}
	}
	before, after := t.nearest(h, piece)
	for _, near := range []int{before, after} {
		for _, s := range h.sets {
			if near >= 0 && s.there(near) {
				return s.series
			}
		}
	}
	return h.sets[0].series
}

// there reports whether any core of a label set is there in a piece.
func (s *labelSet) there(piece int) bool { return s.cores != nil && s.cores[piece] >= 1 }
