// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package drift

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// newest is noon on a Thursday.
var newest = time.Date(2026, 1, 15, 12, 0, 0, 0, time.UTC)

// all is what series have that lack nothing.
var all = usage.LabelPresence{Project: true, Machine: true, Host: true, User: true}

func without(label string) usage.LabelPresence {
	l := all
	switch label {
	case usage.LostProject:
		l.Project = false
	case usage.LostMachine:
		l.Machine = false
	case usage.LostHost:
		l.Host = false
	case usage.LostUser:
		l.User = false
	}
	return l
}

// days are those on which a project was seen, so many days ago: until midnight, or
// on the day of newest until one.
func days(l usage.LabelPresence, share float64, ago ...int) (seen []usage.Sighting) {
	for _, n := range ago {
		d := usage.Sighting{Project: "ISIS", Day: usage.FloorEpoch(newest, day).Add(-time.Duration(n) * day), Share: share, LabelPresence: l}
		d.Last = d.Day.Add(day - 30*time.Minute)
		if n == 0 {
			d.Last = newest.Add(-11 * time.Hour)
		}
		seen = append(seen, d)
	}
	return seen
}

func join(all ...[]usage.Sighting) (seen []usage.Sighting) {
	for _, some := range all {
		seen = append(seen, some...)
	}
	return seen
}

func TestWhatIsLost(t *testing.T) {
	here := func(l usage.LabelPresence) map[string]usage.LabelPresence {
		return map[string]usage.LabelPresence{"ISIS": l}
	}
	for _, c := range []struct {
		name string
		days []usage.Sighting
		now  map[string]usage.LabelPresence
		want string
	}{
		{"nothing was ever seen", nil, nil, ""},
		{"all is there", days(all, 1, 3, 2, 1, 0), here(all), "ISIS -"},
		{"it was there for three days and is gone", join(days(all, 1, 3, 2, 1), days(all, 0.04, 0)), nil, "ISIS series since 01-15T01:00"},
		{"for two days, which is too little to tell", days(all, 1, 2, 1), nil, "ISIS -"},
		{"on three days of a week, one of them a while ago", days(all, 1, 7, 2, 1), nil, "ISIS series since 01-14T23:30"},
		{"on three days that are more than a week apart", days(all, 1, 9, 2, 1), nil, "ISIS -"},
		{"it runs by night", days(all, 0.3, 6, 5, 4, 3, 2, 1, 0), nil, "ISIS -"},
		{"it is gone for six days", days(all, 1, 9, 8, 7), nil, "ISIS series since 01-08T23:30"},
		{"it is gone for more than a week", days(all, 1, 11, 10, 9, 8), nil, ""},
		{"it is new", nil, here(all), ""},
		{"its series lose the machine type", join(days(all, 1, 4, 3, 2), days(without(usage.LostMachine), 1, 1, 0)), here(without(usage.LostMachine)), "ISIS machine since 01-13T23:30"},
		{"and have it again", join(days(all, 1, 4, 3, 2), days(without(usage.LostMachine), 1, 1, 0)), here(all), "ISIS -"},
		{"some never had it", days(without(usage.LostMachine), 1, 4, 3, 2, 1, 0), here(without(usage.LostMachine)), "ISIS -"},
		{"they lose the host", join(days(all, 1, 3, 2, 1), days(without(usage.LostHost), 1, 0)), here(without(usage.LostHost)), "ISIS host since 01-14T23:30"},
		{"they lose the user", join(days(all, 1, 3, 2, 1), days(without(usage.LostUser), 1, 0)), here(without(usage.LostUser)), "ISIS user since 01-14T23:30"},
		{"they lose the project, which a directory still knows", days(all, 1, 3, 2, 1), here(without(usage.LostProject)), "ISIS project since 01-14T23:30"},
		{"they lose two", days(all, 1, 3, 2, 1), here(usage.LabelPresence{Project: true, Host: true}), "ISIS machine user since 01-14T23:30"},
		{"a label that was lost more than a week ago", join(days(all, 1, 12, 11, 10, 9), days(without(usage.LostMachine), 1, 8, 7, 6, 5, 4, 3, 2, 1, 0)), here(without(usage.LostMachine)), "ISIS -"},
		{"in no order", days(all, 1, 1, 3, 2), nil, "ISIS series since 01-14T23:30"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var got []string
			for _, d := range Find(usage.Sightings{Newest: newest, Days: c.days, Now: c.now}) {
				word := d.Project + " -"
				if len(d.Lost) > 0 {
					word = fmt.Sprintf("%s %s since %s", d.Project, strings.Join(d.Lost, " "), d.Since.Format("01-02T15:04"))
				}
				got = append(got, word)
			}
			if strings.Join(got, "; ") != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestProjectsAreInOrderAndNobodysAreNone(t *testing.T) {
	var seen []usage.Sighting
	for _, project := range []string{"TDAaaS", usage.Unknown, "CLF"} {
		for _, d := range days(all, 1, 3, 2, 1) {
			d.Project = project
			seen = append(seen, d)
		}
	}
	got := Find(usage.Sightings{Newest: newest, Days: seen, Now: map[string]usage.LabelPresence{"TDAaaS": all}})
	if len(got) != 2 || got[0].Project != "CLF" || len(got[0].Lost) != 1 || got[1].Project != "TDAaaS" || len(got[1].Lost) != 0 {
		t.Errorf("got %+v", got)
	}
}
