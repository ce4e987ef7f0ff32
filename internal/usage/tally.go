// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package usage

import "time"

// Scope is what usage is added up by.
type Scope string

// The scopes. Ada is the whole site; the first four are those of fact_usage.
const (
	ScopeAda     Scope = "ada"
	ScopeProject Scope = "project"
	ScopeMachine Scope = "machine"
	ScopeUser    Scope = "user"
	ScopeGroup   Scope = "group"
)

// Scopes lists the scopes, from the whole to the parts.
func Scopes() []Scope {
	return []Scope{ScopeAda, ScopeProject, ScopeMachine, ScopeUser, ScopeGroup}
}

// Site is another word for ScopeAda, which is its name in the store and on /metrics.
const Site = "site"

// ScopeOf returns the scope that a person means by a word.
func ScopeOf(word string) Scope {
	if word == Site {
		return ScopeAda
	}
	return Scope(word)
}

// Member returns the member of the scope that a key belongs to: for ada, "ada".
func (s Scope) Member(k Key) string {
	switch s {
	case ScopeProject:
		return k.Project
	case ScopeMachine:
		return k.Machine
	case ScopeUser:
		return k.User
	case ScopeGroup:
		return k.Group
	}
	return string(ScopeAda)
}

// Period is a time [From, To) of a calendar, such as a day or a month.
type Period struct {
	From, To time.Time
}

// Tally is the usage of one member of a scope over a period, added up over the
// intervals that begin in it. Members add up to the site.
type Tally struct {
	Period
	Name      string // of the project, machine type, user or group; of ada: "ada"
	CPU       BusyIdle[CPUSeconds]
	Energy    ByMode[KWh]
	Emissions ByMode[Grams] // of the priced part of Energy
	Priced    bool          // whether any of it is priced; if not, Emissions is unknown

	Unpriced     KWh // of Energy: no intensity yet, so in no emissions
	Provisional  KWh // of Energy: priced, and may be restated
	Forecast     KWh // of Energy: priced with a forecast
	Unattributed KWh // of Energy: of no known user

	// Down and Up are how far Energy may be below and above, two times in three. Undoubted is the
	// energy of which that is not known; it adds nothing to them.
	Down, Up  KWh
	Undoubted KWh
	Margins   map[string]Margin // Down and Up by machine type, to combine them with those of others; nil: not known
	// Embodied are the emissions of making the machines, as far as that is configured. They are
	// never part of Emissions. Hardware is the CPU time of which they are known, and may be 0: of
	// the rest of CPU they are not.
	Embodied Grams
	Hardware CPUSeconds
}

// KeyTally is what one key used over a period. Its tally has no name.
type KeyTally struct {
	Key
	Tally Tally
}

// Member is the usage of one member of a scope in one interval, as in fact_usage.
type Member struct {
	Interval  Interval
	State     State
	Scope     Scope
	Name      string
	CPU       BusyIdle[CPUSeconds]
	Energy    ByMode[KWh]
	Emissions *ByMode[Grams] // nil while unpriced
	Intensity *GramsPerKWh   // nil while unpriced
}

// Gap is a run of adjacent intervals in one state, with the reason.
type Gap struct {
	Period
	State     State
	Intervals int
	Attempts  int        // the largest number of any of them
	Error     string     // of the newest failed attempt
	Hosts     *HostCount // the most of any of them; nil: not known of any
}

// HostCount counts hosts that were there.
type HostCount struct {
	All, Interpolated, Refused int
}

// Most returns the larger counts of both, of which either may be unknown.
func (c *HostCount) Most(o *HostCount) *HostCount {
	switch {
	case c == nil:
		return o
	case o == nil:
		return c
	}
	return &HostCount{max(c.All, o.All), max(c.Interpolated, o.Interpolated), max(c.Refused, o.Refused)}
}

// Doubted is a host that was not exact, with the same reason in some intervals.
type Doubted struct {
	Doubt               // as in the newest of them
	Intervals int       // how many
	Newest    time.Time // start of the newest
}
