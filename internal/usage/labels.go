package usage

import "time"

// LabelPresence says which labels the series of a project have, of those that say whose
// they are.
type LabelPresence struct {
	Project, Machine, Host bool // all of its series have it
	User                   bool // some have it: what is nobody's has none
}

// And is what the series of both have.
func (l LabelPresence) And(o LabelPresence) LabelPresence {
	return LabelPresence{l.Project && o.Project, l.Machine && o.Machine, l.Host && o.Host, l.User || o.User}
}

// Sighting is a day on which a project had usage.
type Sighting struct {
	Project       string
	Day           time.Time // its midnight in UTC
	Last          time.Time // start of the newest interval of the day that has it
	Share         float64   // of the day's intervals with usage, those that have it
	LabelPresence           // that its series had in all of them
}

// Sightings are those of the last days, and how it is now.
type Sightings struct {
	Newest time.Time                // end of the newest interval that was answered
	Days   []Sighting               // of the last two weeks before
	Now    map[string]LabelPresence // by project, of those that had usage within the last hour, or interval, before
}

// Drift says what a project has lost that had it for days: Series, or labels by
// what they say. Of one that has lost nothing it is empty.
type Drift struct {
	Project string
	Lost    []string
	Since   time.Time // the newest time at which all was there
}

// What a project can lose.
const (
	LostSeries  = "series"
	LostProject = "project"
	LostMachine = "machine"
	LostHost    = "host"
	LostUser    = "user"
)
