// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package attribution

import (
	"slices"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/directory"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// HandsOver reports whether Handovers may return anything for a piece.
func (r Rules) HandsOver(usage.Interval) bool {
	return r.Directory != nil && len(r.Directory.stretches) > 0
}

// Handovers returns the series whose owners change strictly inside the piece and that do not
// name their user themselves, in the order of the samples. A Profile splits them better than
// elapsed time does.
func (r Rules) Handovers(reading usage.Reading) []usage.Series {
	var series []usage.Series
	var held []holding
	for _, s := range reading.Samples {
		if s.User != "" {
			continue
		}
		if held = r.Directory.holdings(held[:0], r.host(s.Series), reading.Piece); len(held) > 1 {
			series = append(series, s.Series)
		}
	}
	return series
}

// Parts splits every sample at the moments at which its owners change. The parts of one series
// add up to its sample, mode by mode. A user named by the series has all of it; usage without
// an owner is unattributed; owners at the same time share equally. A stretch of a piece gets
// what the series' finer Profile has in it, busy and idle separately, or its share of the time
// if there is no usable profile. A part's group is the one at its start.
func (r Rules) Parts(reading usage.Reading, finer map[usage.Series]usage.Profile) []usage.Part {
	piece := reading.Piece
	parts := make([]usage.Part, 0, len(reading.Samples))
	var held []holding
	for _, s := range reading.Samples {
		host := r.host(s.Series)
		placed := r.placed(s.Series, host)
		user := r.Directory.nameOf(directory.Users, s.User)
		if user == "" {
			held = r.Directory.holdings(held[:0], host, piece)
			if len(held) > 1 || len(held[0].owners) > 1 {
				parts = r.split(parts, s, placed, held, piece, finer[s.Series])
				continue
			}
			user = held[0].user()
		}
		parts = append(parts, usage.Part{
			Series: s.Series, Key: r.key(placed, user, piece.Start), From: piece.Start, To: piece.End(), CPU: s.CPU,
		})
	}
	return parts
}

// split appends the parts of a sample of several owners.
func (r Rules) split(parts []usage.Part, s usage.Sample, placed usage.Series, held []holding, piece usage.Interval, finer usage.Profile) []usage.Part {
	shares := sharesOf(held, paceOf(finer, piece.Length, busyOf), paceOf(finer, piece.Length, idleOf))
	busy := deal(float64(s.CPU.Busy), shares, func(h share) float64 { return h.busy })
	idle := deal(float64(s.CPU.Idle), shares, func(h share) float64 { return h.idle })
	for i, h := range shares {
		from := piece.Start.Add(h.from)
		parts = append(parts, usage.Part{
			Series: s.Series, Key: r.key(placed, h.user, from), From: from, To: piece.Start.Add(h.to),
			CPU: usage.BusyIdle[usage.CPUSeconds]{Busy: usage.CPUSeconds(busy[i]), Idle: usage.CPUSeconds(idle[i])},
		})
	}
	return parts
}

// holding is a stretch [from, to) of a piece, counted from the piece's start, in which the
// owners do not change. It may have none.
type holding struct {
	from, to time.Duration
	owners   []string
}

// user returns the user of a holding with at most one owner.
func (h holding) user() string {
	if len(h.owners) == 0 {
		return usage.Unattributed
	}
	return h.owners[0]
}

// holdings appends the stretches that make up a piece, at least one. A time without a record
// and a time without an owner are the same.
func (x *Index) holdings(to []holding, host string, piece usage.Interval) []holding {
	end := piece.End()
	last := end.Unix()
	if end.Nanosecond() > 0 {
		last++
	}
	at := time.Duration(0)
	for _, s := range x.between(host, piece.Start.Unix(), last) {
		from := max(moment(s.from).Sub(piece.Start), 0)
		until := min(moment(s.to).Sub(piece.Start), piece.Length)
		to = appendHolding(to, holding{at, from, nil})
		to = appendHolding(to, holding{from, until, x.ownersOf(s)})
		at = until
	}
	return appendHolding(to, holding{at, piece.Length, nil})
}

// appendHolding appends a holding unless it is empty, or extends the last one.
func appendHolding(to []holding, h holding) []holding {
	if h.from >= h.to {
		return to
	}
	if n := len(to); n > 0 && slices.Equal(to[n-1].owners, h.owners) {
		to[n-1].to = h.to
		return to
	}
	return append(to, h)
}
