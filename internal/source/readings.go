package source

import (
	"math"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// readings turns the table into one reading a piece. A host that shows more
// time than it has is left out and counted: its number is wrong, and nobody
// knows by how much. So is one of which a part was refused: the half that is
// left would make the other half 0.
func (t *table) readings() []usage.Reading {
	readings := make([]usage.Reading, len(t.pieces))
	for i, n := range t.filled() {
		readings[i] = usage.Reading{Piece: t.pieces[i], Samples: make([]usage.Sample, 0, n)}
	}
	for _, h := range t.order {
		series := named(h.series)
		for i := range readings {
			b, hasBusy := h.at(busy, i)
			d, hasIdle := h.at(idle, i)
			switch {
			case !hasBusy && !hasIdle || h.refused(i):
			case t.full(h, i):
				t.reject(rejectOverCapacity)
			default:
				r := &readings[i]
				r.Samples = append(r.Samples, usage.Sample{
					Series: series,
					CPU:    usage.BusyIdle[usage.CPUSeconds]{Busy: usage.CPUSeconds(b), Idle: usage.CPUSeconds(d)},
				})
				r.Coverage = cover(r.Coverage, series.Project, h, i, r.Piece)
			}
		}
	}
	return readings
}

// filled counts the hosts that have something, by piece.
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

// rawSeries is a series as its labels have it, in the order of Labels.list.
func rawSeries(labels []string) usage.Series {
	return usage.Series{Project: clean(labels[0]), Machine: clean(labels[1]), Host: clean(labels[2]), User: clean(labels[3])}
}

// named is a series as everybody else knows it: what it lacks is unknown.
func named(s usage.Series) usage.Series {
	s.Project, s.Machine, s.Host = orUnknown(s.Project), orUnknown(s.Machine), orUnknown(s.Host)
	return s
}

func orUnknown(v string) string {
	if v == "" {
		return usage.Unknown
	}
	return v
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
