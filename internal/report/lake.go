// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package report

import (
	"fmt"
	"io"
	"strings"
	"time"
)

// Lake is what a report was read from that is of published days.
type Lake struct {
	Place string     `json:"bucket"`
	AsOf  *time.Time `json:"as_of"` // null: as it is now
	Sites []LakeSite `json:"sites"`
}

// LakeSite is what a lake has of a site, and lacks, in the time of a report. Days are those of the
// site's time zone.
type LakeSite struct {
	Site     string `json:"site"`
	Timezone string `json:"timezone"`
	// First and Last are the first and last published day of the site; empty: it has none.
	First string `json:"first_day"`
	Last  string `json:"last_day"`
	Days  int    `json:"days"` // that are in the report
	// Missing are days between First and Last that were not published.
	Missing []string `json:"days_missing"`
	// Gone are days whose revision was deleted.
	Gone []string `json:"days_gone"`
	// Outside are days of the report before First or after Last.
	Outside []string `json:"days_outside"`
	// Unknown are days with intervals that are not known, and UnknownSeconds how much that is.
	Unknown        []string `json:"days_with_unknown"`
	UnknownSeconds int64    `json:"unknown_seconds"`
}

// Lacks says what a report does not have, a sentence each. None of it is 0: it is not known.
func (l *Lake) Lacks() (all []string) {
	then := ""
	if l.AsOf != nil {
		then = " by " + l.AsOf.UTC().Format(time.RFC3339)
	}
	for _, s := range l.Sites {
		say := func(days []string, what string) {
			if len(days) > 0 {
				all = append(all, fmt.Sprintf("%s: %s: %s", s.Site, what, spans(days)))
			}
		}
		if s.First == "" {
			all = append(all, fmt.Sprintf("%s: no day of it was published", s.Site))
			continue
		}
		say(s.Missing, "not published"+then+", so not known")
		say(s.Gone, "published and later deleted, so not known any more")
		say(s.Outside, fmt.Sprintf("not in the lake, which has %s to %s of this site", s.First, s.Last))
		say(s.Unknown, fmt.Sprintf("%s of usage were never read and are in no number", hours(s.UnknownSeconds)))
	}
	return all
}

// writeLake says what the lake lacks.
func (r *Report) writeLake(out io.Writer) (err error) {
	if r.Lake == nil {
		return nil
	}
	if lacks := r.Lake.Lacks(); len(lacks) > 0 {
		_, err = fmt.Fprintf(out, "\nWhat is not in these numbers:\n%s\n", strings.Join(lacks, "\n"))
	}
	return err
}

// spans writes days as first to last where they follow each other.
func spans(days []string) string {
	var parts []string
	for i := 0; i < len(days); {
		n := i + 1
		for n < len(days) && follows(days[n-1], days[n]) {
			n++
		}
		part := days[i]
		if n > i+1 {
			part += " to " + days[n-1]
		}
		parts = append(parts, part)
		i = n
	}
	text := strings.Join(parts, ", ")
	if len(days) > 1 {
		text += fmt.Sprintf(" (%d days)", len(days))
	}
	return text
}

func follows(a, b string) bool {
	t, err := time.Parse(time.DateOnly, a)
	return err == nil && t.AddDate(0, 0, 1).Format(time.DateOnly) == b
}

func hours(seconds int64) string {
	d := time.Duration(seconds) * time.Second
	if d < time.Hour {
		return rounded(d.Minutes(), 0) + " minutes"
	}
	return strings.TrimSuffix(rounded(d.Hours(), 1), ".0") + " hours"
}
