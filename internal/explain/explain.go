// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Package explain shows how a number was calculated, from CPU seconds to grams: each
// factor, and where it came from. It knows the vocabulary and text; it must not know
// about storage or flags. Start with New. The factors multiply to exactly the number
// that is stored.
package explain

import (
	"slices"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/directory"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// Key selects the usage to explain; nil matches anything.
type Key struct {
	Project string  `json:"project"`
	Machine *string `json:"machine"`
	User    *string `json:"user"`
	Group   *string `json:"group"`
}

// holds reports whether a key matches.
func (k Key) holds(of usage.Key) bool {
	is := func(want *string, name string) bool { return want == nil || *want == name }
	return k.Project == of.Project && is(k.Machine, of.Machine) && is(k.User, of.User) && is(k.Group, of.Group)
}

// Known is what an explanation is made from.
type Known struct {
	usage.Proof
	Key     Key
	Titles  []directory.Title // of the users with usage
	Remains *usage.Tally      // usage of the project in an interval whose details were deleted
	Statics []Static          // the static values of the configuration
	Held    *usage.Period     // from the first to the newest interval with usage; nil: the store is empty
	Now     time.Time
}

// Static is a carbon intensity that the operator has given, and where it is from.
type Static struct {
	usage.GridName
	Intensity usage.GramsPerKWh
	Source    string
}

// Users lists the users of the usage to explain.
func (k Known) Users() []string {
	var users []string
	for _, f := range k.Facts {
		if k.Key.holds(f.Key) && f.User != usage.Unattributed {
			users = append(users, f.User)
		}
	}
	slices.Sort(users)
	return slices.Compact(users)
}

// New explains a key in an interval.
func New(k Known) *Explanation {
	e := &Explanation{
		Key: k.Key, Interval: intervalOf(k), Asked: askedOf(k), Hosts: hostsOf(k), Coverage: coverageOf(k), Power: powerOf(k),
		Prices: pricesOf(k), Slots: slotsOf(k), Usage: usageOf(k), Owners: ownersOf(k), Changes: changesOf(k),
	}
	if k.State != usage.Unasked && k.State != usage.Missing && k.State != usage.Empty {
		e.PUE, e.PUEs = new(k.PUE), k.PUEs
	}
	e.Total = totalOf(e.Usage)
	if k.Remains != nil {
		e.Total = remaining(k.Remains)
	}
	e.Remarks = remarks(k, e)
	return e
}

func intervalOf(k Known) Interval {
	return Interval{
		Start: text(k.Interval.Start), End: text(k.Interval.End()), Seconds: k.Interval.Length.Seconds(), State: k.State, Pruned: k.Pruned,
		FetchedAt: moment(k.FetchedAt), Attempts: k.Attempts, Error: k.Error, RetryAt: moment(k.RetryAt),
		RereadAt: moment(k.RereadAt),
	}
}

func askedOf(k Known) *Asked {
	if k.Queries == (usage.Queries{}) {
		return nil
	}
	a := &Asked{Busy: k.Queries.Busy, Idle: k.Queries.Idle, Growth: k.Queries.Growth}
	if a.Growth {
		a.EvaluatedAt = append(a.EvaluatedAt, text(k.Interval.Start))
	}
	for _, piece := range k.Interval.Pieces() {
		a.EvaluatedAt = append(a.EvaluatedAt, text(piece.End()))
	}
	return a
}

func hostsOf(k Known) *Hosts {
	if k.Attendance == nil {
		return nil
	}
	n := k.Attendance.Hosts(k.Key.Project)
	h := &Hosts{
		Exact: n[usage.HostExact], Interpolated: n[usage.HostInterpolated], Refused: n[usage.HostRefused],
		Cores: known(k.Attendance.Present[k.Key.Project].Cores), Doubts: []Doubt{}, Unlisted: k.Attendance.Named(),
	}
	for _, d := range k.Attendance.Doubts {
		if d.Project == k.Key.Project {
			h.Doubts = append(h.Doubts, Doubt{d.Host, d.Machine, known(d.Cores), d.State, d.Reason, d.Reason.Means(), d.Detail})
		}
	}
	return h
}

// known is a number of cores, which is never 0.
func known(cores int) *int {
	if cores == 0 {
		return nil
	}
	return &cores
}

func coverageOf(k Known) *Coverage {
	c, ok := k.Coverage[k.Key.Project]
	if !ok || c.Capacity <= 0 {
		return nil
	}
	return &Coverage{Seen: float64(c.Seen), Capacity: float64(c.Capacity), Ratio: float64(c.Seen / c.Capacity)}
}

// powerOf is the power of the machine types to explain.
func powerOf(k Known) []Power {
	all := []Power{}
	for _, r := range k.Ratings {
		if slices.ContainsFunc(k.Facts, func(f usage.Fact) bool { return k.Key.holds(f.Key) && f.Machine == r.Machine }) {
			all = append(all, powerFrom(r, k.Models[r.Machine]))
		}
	}
	return all
}

func powerFrom(r usage.Rating, models []usage.ModelShare) Power {
	p := Power{Machine: r.Machine, Busy: float64(r.Watts.Busy), Idle: float64(r.Watts.Idle), Source: r.Source, Error: r.Error}
	if r.Low != nil && r.High != nil {
		p.Bounds = &PowerBounds{float64(r.Low.Busy), float64(r.High.Busy), float64(r.Low.Idle), float64(r.High.Idle)}
	}
	for _, m := range models {
		p.Processors = append(p.Processors, Processor{m.Model, m.Threads, m.Share})
	}
	return p
}

func pricesOf(k Known) []Price {
	all := []Price{}
	for _, p := range k.Prices {
		all = append(all, Price{
			Piece: text(p.Start), Intensity: float64(p.Intensity), Kind: p.Kind, Provider: p.Provider, Grid: p.Grid,
			Slot: text(p.SlotFrom), FetchedAt: text(p.FetchedAt), Source: k.source(p.Price),
			Basis: p.Basis.Name(), Quality: p.Quality,
		})
	}
	return all
}

// source is where a price is from, if it is the static value of the configuration. An earlier one
// was from somewhere else.
func (k Known) source(p usage.Price) string {
	for _, s := range k.Statics {
		if s.Intensity == p.Intensity && s.GridName == (usage.GridName{Provider: p.Provider, Grid: p.Grid}) {
			return s.Source
		}
	}
	return ""
}

func slotsOf(k Known) []Slot {
	all := []Slot{}
	for _, s := range k.Slots {
		all = append(all, Slot{
			Start: text(s.From), Forecast: (*float64)(s.Forecast), Actual: (*float64)(s.Actual), Index: s.Index,
			Provider: s.Provider, Grid: s.Grid, FetchedAt: text(s.FetchedAt), Basis: s.Basis.Name(), Quality: s.Quality,
		})
	}
	return all
}

// text is a time as it is stored: 2025-09-11T10:30:00Z.
func text(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// moment is a time that may be unknown.
func moment(t time.Time) *string {
	if t.IsZero() {
		return nil
	}
	s := text(t)
	return &s
}
