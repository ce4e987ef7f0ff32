// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package source

import (
	"math"
	"slices"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// readings returns one reading per piece that was asked for, from the edges and from what was
// looked at closer.
func (t *edges) readings(looked map[spot]outcome) usage.Readings {
	from, to := t.asked()
	return usage.NewReadings(to-from, len(t.names), func(i int) usage.Reading { return t.reading(from+i, looked) })
}

// reading returns the reading of a piece.
func (t *edges) reading(piece int, looked map[spot]outcome) usage.Reading {
	r := usage.Reading{Piece: t.pieces[piece], Samples: make([]usage.Sample, 0, len(t.names)), Present: map[string]usage.Presence{}, Final: true}
	for _, name := range t.names {
		h := t.hosts[name]
		o := t.outcome(h, piece, looked)
		for j := range o.booked {
			o.booked[j].series = t.named(o.booked[j].series, piece)
		}
		enter(&r, t.named(t.main(h, piece), piece), o)
	}
	if t.info != nil { // two series of a host may be one by what is said of it
		r.Samples = joined(r.Samples)
	}
	r.Unlisted = t.unlisted(piece)
	if _, to := t.asked(); piece == to-1 {
		r.Alike = t.alikeHosts(piece) // which does not change from piece to piece
		r.Remarks = t.info.remarks()
	}
	return r
}

// outcome returns what a host used in a piece. What is booked is overwritten by the next call, and
// may be changed.
func (t *edges) outcome(h *hostSets, piece int, looked map[spot]outcome) outcome {
	o, ok := looked[spot{h.name, piece}]
	if !ok {
		o, _ = t.judge(h, piece)
		return o
	}
	t.booked = append(t.booked[:0], o.booked...) // a piece may be read again
	if o.booked != nil {
		o.booked = t.booked
	}
	return o
}

// countRejects counts what is refused or left out in all pieces as rejected samples.
func (t *edges) countRejects(looked map[spot]outcome) {
	from, to := t.asked()
	for _, name := range t.names {
		for i := from; i < to; i++ {
			t.count(t.outcome(t.hosts[name], i, looked))
		}
	}
}

// count counts what is refused or left out as rejected samples.
func (t *edges) count(o outcome) {
	if o.copies > 0 {
		t.rejects[rejectDuplicate] += o.copies
	}
	switch {
	case o.state != usage.HostRefused || o.reason == usage.DoubtInvalid: // counted sample by sample
	case o.reason == usage.DoubtLeap:
		t.reject(rejectOverCapacity)
	default:
		t.reject(string(o.reason))
	}
}

// enter adds what a host used to a reading.
func enter(r *usage.Reading, host usage.Series, o outcome) {
	r.Final = r.Final && o.final
	if o.state == "" {
		return
	}
	seen := 0.0
	for _, b := range o.booked {
		seen += b.seen
		o.there(r, named(b.series).Host)
		r.Samples = append(r.Samples, usage.Sample{
			Series: named(b.series),
			CPU:    usage.BusyIdle[usage.CPUSeconds]{Busy: usage.CPUSeconds(b.busy), Idle: usage.CPUSeconds(b.idle)},
		})
	}
	if len(o.booked) == 0 {
		o.booked = []booked{{series: host}}
	}
	for i, b := range o.booked {
		project := named(b.series).Project
		if !slices.ContainsFunc(o.booked[:i], func(o booked) bool { return named(o.series).Project == project }) {
			p := r.Present[project]
			r.Present[project] = usage.Presence{Hosts: p.Hosts + 1, Cores: p.Cores + int(math.Round(o.cores))}
		}
		if o.capacity > 0 {
			share := 1 / float64(len(o.booked))
			if seen > 0 {
				share = b.seen / seen
			}
			if r.Coverage == nil {
				r.Coverage = map[string]usage.Coverage{}
			}
			c := r.Coverage[project]
			r.Coverage[project] = usage.Coverage{Seen: c.Seen + usage.CPUSeconds(min(o.seen, o.capacity)*share), Capacity: c.Capacity + usage.CPUSeconds(o.capacity*share)}
		}
	}
	if o.state != usage.HostExact {
		r.Doubts = append(r.Doubts, usage.Doubt{Series: host, Cores: int(math.Round(o.cores)), State: o.state, Reason: o.reason, Detail: o.detail})
	}
	if o.since > 0 {
		if since := atSeconds(o.since); r.Since.IsZero() || since.Before(r.Since) {
			r.Since = since
		}
	}
}

// there enters for which part of the piece a host was there, if that is not all of it.
func (o outcome) there(r *usage.Reading, host string) {
	part := o.capacity / (o.cores * r.Piece.Length.Seconds())
	if host == usage.Unknown || !(part > 0 && part < 1-tolerance) {
		return
	}
	if r.There == nil {
		r.There = map[string]float64{}
	}
	r.There[host] = max(r.There[host], part)
}

// unlisted returns the share of all CPU time of a piece that each unlisted mode has.
func (t *edges) unlisted(piece int) map[string]float64 {
	var odd []int
	for _, id := range t.ordered {
		if t.modes[id].class == unlisted {
			odd = append(odd, id)
		}
	}
	if len(odd) == 0 {
		return nil
	}
	all, by := 0.0, map[string]float64{}
	for _, name := range t.names {
		for _, s := range t.hosts[name].sets {
			g := t.grown(s, piece)
			if g.state != whole {
				continue
			}
			all += g.total()
			for _, id := range odd {
				if before, after := s.cell(id, piece), s.cell(id, piece+1); known(before) && known(after) {
					by[t.modes[id].name] += after - before
				}
			}
		}
	}
	if all <= 0 {
		return nil
	}
	for mode := range by {
		by[mode] = max(by[mode], 0) / all
	}
	return by
}
