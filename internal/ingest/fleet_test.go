// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package ingest

import (
	"context"
	"math"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// fleet is a source whose samples may come late, or never. It reads as a source does that
// looks at counters at the edges: what a hole has hidden is spread over it once it has ended.
type fleet struct {
	now   func() time.Time
	hosts []fleetHost
	fault func() error

	reads, asked int // full readings and cheap questions
	looked       int // other cheap questions
	intervals    int // that were read in full
}

// fleetHost is a host of four cores, scraped every minute.
type fleetHost struct {
	series usage.Series
	hidden []hiding
}

// hiding is a time whose samples come late.
type hiding struct {
	from, to time.Time // of the samples
	arrives  time.Time // zero: never
}

const fleetCores = 4

// counter is the busy and idle seconds since the start of the rig.
func (h fleetHost) counter(at time.Time) usage.BusyIdle[usage.CPUSeconds] {
	x := at.Sub(start.Add(-72 * time.Hour)).Seconds()
	busy := x + 3000*math.Sin(x/20000+float64(len(h.series.Host)))
	return usage.BusyIdle[usage.CPUSeconds]{Busy: usage.CPUSeconds(busy), Idle: usage.CPUSeconds(fleetCores*x - busy)}
}

func (h fleetHost) seen(at, now time.Time) bool {
	if at.After(now) {
		return false
	}
	for _, x := range h.hidden {
		if !at.Before(x.from) && at.Before(x.to) && (x.arrives.IsZero() || x.arrives.After(now)) {
			return false
		}
	}
	return true
}

// before and after are the next samples that are there, within two days.
func (h fleetHost) before(at, now time.Time) (time.Time, bool) {
	for t := at; at.Sub(t) < 48*time.Hour; t = t.Add(-time.Minute) {
		if h.seen(t, now) {
			return t, true
		}
	}
	return at, false
}

func (h fleetHost) after(at, now time.Time) (time.Time, bool) {
	for t := at; !t.After(now); t = t.Add(time.Minute) {
		if h.seen(t, now) {
			return t, true
		}
	}
	return at, false
}

// at is the counter as it is known now; whole is false if no sample is there and no later one.
func (h fleetHost) at(at, now time.Time) (c usage.BusyIdle[usage.CPUSeconds], from time.Time, exact, whole bool) {
	last, ok := h.before(at, now)
	if !ok {
		return c, last, false, false
	}
	if last.Equal(at) {
		return h.counter(at), at, true, true
	}
	next, ok := h.after(at, now)
	if !ok {
		return h.counter(last), last, false, false
	}
	a, b, share := h.counter(last), h.counter(next), usage.CPUSeconds(at.Sub(last).Seconds()/next.Sub(last).Seconds())
	return usage.BusyIdle[usage.CPUSeconds]{Busy: a.Busy + (b.Busy-a.Busy)*share, Idle: a.Idle + (b.Idle-a.Idle)*share}, last, false, true
}

func (f *fleet) Fits(run []usage.Interval) int { return len(run) }

func (f *fleet) Read(_ context.Context, run []usage.Interval) (usage.Readings, usage.Rejects, error) {
	f.reads++
	if f.fault != nil {
		if err := f.fault(); err != nil {
			return usage.Readings{}, nil, err
		}
	}
	f.intervals += len(run)
	var all []usage.Reading
	for _, i := range run {
		for _, piece := range i.Pieces() {
			all = append(all, f.piece(piece, f.now()))
		}
	}
	return usage.ReadingsOf(all), nil, nil
}

func (f *fleet) piece(piece usage.Interval, now time.Time) usage.Reading {
	r := usage.Reading{Piece: piece, Final: true, Present: map[string]usage.Presence{}, Coverage: map[string]usage.Coverage{}}
	for _, h := range f.hosts {
		a, since, exactA, _ := h.at(piece.Start, now)
		b, _, exactB, whole := h.at(piece.End(), now)
		cpu := usage.BusyIdle[usage.CPUSeconds]{Busy: b.Busy - a.Busy, Idle: b.Idle - a.Idle}
		if cpu.Total() <= 0 {
			continue // nobody knows that it is there
		}
		r.Final = r.Final && whole
		project := h.series.Project
		p, c := r.Present[project], r.Coverage[project]
		r.Present[project] = usage.Presence{Hosts: p.Hosts + 1, Cores: p.Cores + fleetCores}
		r.Coverage[project] = usage.Coverage{Seen: c.Seen + cpu.Total(), Capacity: c.Capacity + usage.CPUSeconds(fleetCores*piece.Length.Seconds())}
		r.Samples = append(r.Samples, usage.Sample{Series: h.series, CPU: cpu})
		if !exactA || !exactB {
			r.Doubts = append(r.Doubts, usage.Doubt{Series: h.series, Cores: fleetCores, State: usage.HostInterpolated, Reason: usage.DoubtHole})
		}
		if !exactA && (r.Since.IsZero() || since.Before(r.Since)) {
			if next, ok := h.after(piece.Start, now); ok && !next.After(piece.End()) {
				r.Since = since
			}
		}
	}
	return r
}

func (f *fleet) Present(_ context.Context, run []usage.Interval) ([]map[string]usage.Presence, error) {
	f.asked++
	if f.fault != nil {
		if err := f.fault(); err != nil {
			return nil, err
		}
	}
	all := make([]map[string]usage.Presence, len(run))
	for i, interval := range run {
		var readings []usage.Reading
		for _, piece := range interval.Pieces() {
			readings = append(readings, f.piece(piece, f.now()))
		}
		all[i] = usage.Attend(readings).Present
	}
	return all, nil
}

func (f *fleet) Look(_ context.Context, at time.Time) (usage.Sight, error) {
	f.looked++
	if f.fault != nil {
		if err := f.fault(); err != nil {
			return usage.Sight{}, err
		}
	}
	var parts []usage.Part
	r := f.piece(usage.IntervalAt(at.Add(-usage.SlotLength), usage.SlotLength), f.now())
	for _, s := range r.Samples {
		parts = append(parts, usage.Part{Series: s.Series, Key: usage.Key{Project: s.Project, Machine: s.Machine, User: s.User}})
	}
	s := usage.SightOf(usage.Attend([]usage.Reading{r}), parts)
	s.Labels = map[string]string{
		usage.LostProject: "cloud_project_name", usage.LostMachine: "machine_name", usage.LostHost: "instance", usage.LostUser: "user",
	}
	s.Have = []string{"cpu", "instance", "job", "mode"}
	if s.Hosts == 0 {
		s.Instead = `asked for node_cpu_seconds_total{job="nod"}; the server has it in the job node`
	}
	return s, nil
}

func (f *fleet) UsageQueries(usage.Interval) usage.Queries {
	return usage.Queries{Busy: "busy", Idle: "idle", Growth: true}
}

func (f *fleet) Profiles(context.Context, usage.Interval, []usage.Series) (map[usage.Series]usage.Profile, error) {
	return nil, nil
}

func (f *fleet) Booted(context.Context, time.Time) (map[string]time.Time, error) { return nil, nil }

// fleetRig is a rig whose source is a fleet of three hosts in two projects.
func fleetRig(r *rig) (*rig, *fleet) {
	f := &fleet{now: func() time.Time { return r.now }}
	for _, s := range []usage.Series{
		{Project: "CLF", Machine: "Artemis", Host: "a:1", User: "ada"},
		{Project: "CLF", Machine: "Muon", Host: "bb:1", User: "bob"},
		{Project: "IDAaaS", Machine: "Muon", Host: "ccc:1"},
	} {
		f.hosts = append(f.hosts, fleetHost{series: s})
	}
	set := r.spine.current()
	set.Source = f
	r.spine.Reload(set)
	return r, f
}

// late hides samples of a host, in hours from the start of the rig.
func (f *fleet) late(host int, from, to, arrives float64) {
	at := func(h float64) time.Time {
		return start.Add(time.Duration(h * float64(time.Hour))).Truncate(time.Minute)
	}
	x := hiding{from: at(from), to: at(to)}
	if arrives > to {
		x.arrives = at(arrives)
	}
	f.hosts[host].hidden = append(f.hosts[host].hidden, x)
}
