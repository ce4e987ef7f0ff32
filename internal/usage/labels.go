// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package usage

import "time"

// LabelPresence records which of the labels for attribution a project's series have.
type LabelPresence struct {
	Project, Machine, Host bool // all series have it
	User                   bool // some series have it; unattributed ones never do
}

// And returns the labels that both have.
func (l LabelPresence) And(o LabelPresence) LabelPresence {
	return LabelPresence{l.Project && o.Project, l.Machine && o.Machine, l.Host && o.Host, l.User || o.User}
}

// Sighting is a day on which a project had usage.
type Sighting struct {
	Project       string
	Day           time.Time // its midnight in UTC
	Last          time.Time // start of the day's newest interval with usage of the project
	Share         float64   // of the day's intervals with usage, the fraction with usage of the project
	LabelPresence           // of its series in all those intervals
}

// Sightings are the sightings of the last days, and the current state.
type Sightings struct {
	Newest time.Time                // end of the newest answered interval
	Days   []Sighting               // of the two weeks before Newest
	Now    map[string]LabelPresence // by project, of projects with usage in the last hour (at least one interval) before Newest
}

// Drift is what a project has lost after having it for days: its series, or labels, by what
// they identify. It is empty for a project that has lost nothing.
type Drift struct {
	Project string
	Lost    []string
	Since   time.Time // the newest time at which everything was there
}

// What a project can lose.
const (
	LostSeries  = "series"
	LostProject = "project"
	LostMachine = "machine"
	LostHost    = "host"
	LostUser    = "user"
)
