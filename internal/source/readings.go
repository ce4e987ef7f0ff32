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
	return &usage.Failure{Reason: usage.ReasonMalformed, Detail: fmt.Sprintf("all %d samples are at other times than requested", t.rejects[rejectTimestamp])}
}

// readings turns the table into one reading per piece. A host with more time than it has cores
// for is left out and counted: by how much its value is wrong is unknown. So is a host with a
// rejected or absent part: with the other part alone, that one would count as 0.
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
			case hasBusy != hasIdle:
				t.reject(rejectHalf)
				t.half[i]++
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

// halves refuses answers where one has nothing for a piece of time in which the
// other has: a recording rule does not exist or was not evaluated. No host can be
// booked, and that does not mean "no usage".
func (t *table) halves(readings []usage.Reading) error {
	for i, r := range readings {
		if len(r.Samples) > 0 || t.half[i] == 0 {
			continue
		}
		return &usage.Failure{Reason: usage.ReasonPartial, Detail: fmt.Sprintf(
			"%d hosts have only one of busy and idle CPU seconds from %s on, and no host has both: see that both queries give series", t.half[i], r.Piece)}
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
