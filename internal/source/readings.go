package source

import (
	"math"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// readings turns the table into one reading a piece. A host that shows more
// time than it has is left out and counted: its number is wrong, and nobody
// knows by how much.
func (t *table) readings() []usage.Reading {
	labels := newSanitizer()
	clean := make([]usage.Series, len(t.order))
	for i, s := range t.order {
		clean[i] = usage.Series{
			Project: labels.name(s.Project), Machine: labels.name(s.Machine), Host: labels.name(s.Host), User: labels.clean(s.User),
		}
	}
	readings := make([]usage.Reading, len(t.pieces))
	for i, piece := range t.pieces {
		r := &readings[i]
		r.Piece = piece
		for j, series := range t.order {
			h := t.hosts[series]
			b, hasBusy := h.at(busy, i)
			d, hasIdle := h.at(idle, i)
			if !hasBusy && !hasIdle {
				continue
			}
			if t.full(h, i) {
				t.reject(rejectOverCapacity)
				continue
			}
			r.Samples = append(r.Samples, usage.Sample{
				Series: clean[j],
				CPU:    usage.BusyIdle[usage.CPUSeconds]{Busy: usage.CPUSeconds(b), Idle: usage.CPUSeconds(d)},
			})
			r.Coverage = cover(r.Coverage, clean[j].Project, h, i, piece)
		}
	}
	return readings
}

func cover(all map[string]usage.Coverage, project string, h *hostRow, i int, piece usage.Interval) map[string]usage.Coverage {
	n, ok := h.at(cores, i)
	if !ok || n < 1 || n != math.Trunc(n) {
		return all
	}
	if all == nil {
		all = map[string]usage.Coverage{}
	}
	c := all[project]
	for _, part := range []int{busy, idle, other} {
		v, _ := h.at(part, i)
		c.Seen += usage.CPUSeconds(v)
	}
	c.Capacity += usage.CPUSeconds(n * piece.Length.Seconds())
	all[project] = c
	return all
}
