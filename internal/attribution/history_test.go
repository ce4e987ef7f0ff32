// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package attribution

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/directory"
)

// hour is a moment of a day; 0 is midnight. none is no time at all.
func hour(h float64) time.Time {
	if h == none {
		return time.Time{}
	}
	return time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(h * float64(time.Hour)))
}

const none = -1

// seen is what a reading has of one document.
type seen struct {
	at                         float64
	owner                      string
	created, acquired, deleted float64
	host                       string // "": h
	gone, refused, unresolved  bool
}

func (s seen) census() directory.Census {
	c := directory.Census{AsOf: hour(s.at), Refused: map[string]bool{"d": s.refused}}
	if !s.gone && !s.refused {
		w := directory.Workspace{Document: "d", Host: s.host, Owner: s.owner, Created: hour(s.created), Acquired: hour(s.acquired), Deleted: hour(s.deleted), Unresolved: s.unresolved}
		if w.Host == "" {
			w.Host = "h"
		}
		c.Workspaces = []directory.Workspace{w}
	}
	return c
}

// tenuresInWords says who had which hours, "-" being nobody; the host only if it
// is not h.
func tenuresInWords(tenures []directory.Tenure) string {
	var words []string
	for _, t := range tenures {
		owner, to := t.Owner, "…"
		if owner == "" {
			owner = "-"
		}
		if t.Host != "h" {
			owner += "@" + t.Host
		}
		if !t.To.IsZero() {
			to = fmt.Sprintf("%.4g", t.To.Sub(hour(0)).Hours())
		}
		words = append(words, fmt.Sprintf("%s %.4g-%s", owner, t.From.Sub(hour(0)).Hours(), to))
	}
	return strings.Join(words, ", ")
}

func spansInWords(spans []directory.Span) string {
	var tenures []directory.Tenure
	for _, s := range spans {
		tenures = append(tenures, directory.Tenure{Host: s.Host, Owner: "x", From: s.From, To: s.To})
	}
	return tenuresInWords(tenures)
}

func TestHistoryOfADocument(t *testing.T) {
	taken := seen{at: 5, owner: "A", created: 1, acquired: 2, deleted: none}
	waiting := seen{at: 5, created: 1, acquired: none, deleted: none}
	direct := seen{at: 5, owner: "A", created: 1, acquired: none, deleted: none}
	for _, c := range []struct {
		name  string
		first seen
		then  []seen
		want  string
		spans string // of the last reading
	}{
		{"a pool machine that was taken", taken, nil, "- 1-2, A 2-…", "x 2-…"},
		{"one that waits", waiting, nil, "- 1-…", ""},
		{"one that does not say when it was taken was its owner's from the start", direct, nil, "A 1-…", "x 1-…"},
		{"taken before it was made: from the start", seen{at: 5, owner: "A", created: 2, acquired: 1, deleted: none}, nil, "A 2-…", "x 2-…"},
		{"deleted", seen{at: 5, owner: "A", created: 1, acquired: 2, deleted: 4}, nil, "- 1-2, A 2-4", "x 2-4"},
		{"taken after it was deleted", seen{at: 5, owner: "A", created: 1, acquired: 4, deleted: 3}, nil, "- 1-3", ""},
		{"deleted when it was made", seen{at: 5, owner: "A", created: 1, acquired: none, deleted: 1}, nil, "", ""},
		{"the same again", taken, []seen{{at: 6, owner: "A", created: 1, acquired: 2, deleted: none}}, "- 1-2, A 2-…", ""},
		{"a pool machine gets its owner", waiting, []seen{{at: 6, owner: "A", created: 1, acquired: 5.5, deleted: none}}, "- 1-5.5, A 5.5-…", "x 5.5-…"},
		{"a pool machine gets an owner from a time when it was thought to wait", waiting, []seen{{at: 6, owner: "A", created: 1, acquired: 3, deleted: none}}, "- 1-3, A 3-…", "x 3-…"},
		{"a pool machine gets its owner, nobody says when", waiting, []seen{{at: 6, owner: "A", created: 1, acquired: none, deleted: none}}, "- 1-6, A 6-…", "x 6-…"},
		{"and is read once more", waiting, []seen{
			{at: 6, owner: "A", created: 1, acquired: none, deleted: none}, {at: 7, owner: "A", created: 1, acquired: none, deleted: none},
		}, "- 1-6, A 6-…", ""},
		{"it is deleted", taken, []seen{{at: 6, owner: "A", created: 1, acquired: 2, deleted: 5.5}}, "- 1-2, A 2-5.5", "x 5.5-…"},
		{"a deletion that was known later moves", taken, []seen{
			{at: 6, owner: "A", created: 1, acquired: 2, deleted: 5.5}, {at: 7, owner: "A", created: 1, acquired: 2, deleted: 5},
		}, "- 1-2, A 2-5", "x 5-5.5"},
		{"the record corrects its own times", taken, []seen{{at: 6, owner: "A", created: 1, acquired: 3, deleted: none}}, "- 1-3, A 3-…", "x 2-3"},
		{"a record that ends before it begins says nothing", taken, []seen{{at: 6, owner: "B", created: 4, acquired: none, deleted: 3}}, "- 1-2, A 2-…", ""},
		{"nor of what was not known", seen{at: 5, owner: "A", created: 4, acquired: none, deleted: 3}, nil, "", ""},
		{"a record that now says that it lasted no time", direct, []seen{{at: 6, owner: "A", created: 1, acquired: none, deleted: 1}}, "- 1-1", "x 1-…"},
		{"it passes to another", taken, []seen{{at: 6, owner: "B", created: 1, acquired: 5.5, deleted: none}}, "- 1-2, A 2-5.5, B 5.5-…", "x 5.5-…"},
		{"to another, nobody says when", taken, []seen{{at: 6, owner: "B", created: 1, acquired: none, deleted: none}}, "- 1-2, A 2-6, B 6-…", "x 6-…"},
		{"to another, with the first one's time", taken, []seen{{at: 6, owner: "B", created: 1, acquired: 2, deleted: none}}, "- 1-2, A 2-6, B 6-…", "x 6-…"},
		{"and is deleted", taken, []seen{
			{at: 6, owner: "B", created: 1, acquired: 2, deleted: none}, {at: 8, owner: "B", created: 1, acquired: 2, deleted: 7},
		}, "- 1-2, A 2-6, B 6-7", "x 7-…"},
		{"and was deleted before the transfer was read", taken, []seen{
			{at: 6, owner: "B", created: 1, acquired: 2, deleted: none}, {at: 8, owner: "B", created: 1, acquired: 2, deleted: 5.5},
		}, "- 1-2, A 2-6, B 6-6", "x 6-…"},
		{"passed on and deleted between two readings", taken, []seen{{at: 8, owner: "B", created: 1, acquired: 6, deleted: 7}}, "- 1-2, A 2-6, B 6-7", "x 6-…"},
		{"and back to the first", taken, []seen{
			{at: 6, owner: "B", created: 1, acquired: 5.5, deleted: none}, {at: 8, owner: "A", created: 1, acquired: 7, deleted: none},
		}, "- 1-2, A 2-5.5, B 5.5-7, A 7-…", "x 7-…"},
		{"it moves to another host", direct, []seen{{at: 6, owner: "A", created: 1, acquired: none, deleted: none, host: "g"}}, "A 1-6, A@g 6-…", "x@g 6-…, x 6-…"},
		{"it is given back", taken, []seen{{at: 6, created: 1, acquired: none, deleted: none}}, "- 1-2, A 2-6, - 6-…", "x 6-…"},
		{"given back and deleted", taken, []seen{{at: 6, created: 1, acquired: none, deleted: 5.5}}, "- 1-2, A 2-5.5, - 5.5-5.5", "x 5.5-…"},
		{"given back and taken by another", taken, []seen{
			{at: 6, created: 1, acquired: none, deleted: none}, {at: 8, owner: "B", created: 1, acquired: 7, deleted: none},
		}, "- 1-2, A 2-6, - 6-7, B 7-…", "x 7-…"},
		{"given back and taken by the same", taken, []seen{
			{at: 6, created: 1, acquired: none, deleted: none}, {at: 8, owner: "A", created: 1, acquired: 7, deleted: none},
		}, "- 1-2, A 2-6, - 6-7, A 7-…", "x 7-…"},
		{"given back and taken by the same between two readings: the past stays", taken, []seen{{at: 6, owner: "A", created: 1, acquired: 5.5, deleted: none}}, "- 1-2, A 2-5.5, A 5.5-…", ""},
		{"it vanishes", taken, []seen{{at: 6, gone: true}}, "- 1-2, A 2-6", "x 6-…"},
		{"it stays away", taken, []seen{{at: 6, gone: true}, {at: 7, gone: true}}, "- 1-2, A 2-6", ""},
		{"it comes back", taken, []seen{{at: 6, gone: true}, {at: 7, owner: "A", created: 1, acquired: 2, deleted: none}}, "- 1-2, A 2-…", "x 6-…"},
		{"with two owners behind it, too", taken, []seen{
			{at: 6, owner: "B", created: 1, acquired: 2, deleted: none}, {at: 7, gone: true}, {at: 8, owner: "B", created: 1, acquired: 2, deleted: none},
		}, "- 1-2, A 2-6, B 6-…", "x 7-…"},
		{"it comes back as another's", taken, []seen{{at: 6, gone: true}, {at: 8, owner: "B", created: 1, acquired: 7, deleted: none}}, "- 1-2, A 2-6, B 7-…", "x 7-…"},
		{"what was deleted and vanishes was deleted", taken, []seen{{at: 6, owner: "A", created: 1, acquired: 2, deleted: 5.5}, {at: 7, gone: true}}, "- 1-2, A 2-5.5", ""},
		{"what can't be read stays as it was", taken, []seen{{at: 6, refused: true}}, "- 1-2, A 2-…", ""},
		{"an owner of whom only an id is known is nobody yet", seen{at: 5, created: 1, acquired: 2, deleted: none, unresolved: true}, nil, "", ""},
		{"and has had it all along once the name is known", seen{at: 5, created: 1, acquired: 2, deleted: none, unresolved: true}, []seen{
			{at: 6, owner: "A", created: 1, acquired: 2, deleted: none},
		}, "- 1-2, A 2-…", "x 2-…"},
		{"an owner whose name is no longer known keeps it", taken, []seen{{at: 6, created: 1, acquired: 2, deleted: none, unresolved: true}}, "- 1-2, A 2-…", ""},
		{"until it is deleted", direct, []seen{{at: 6, created: 1, acquired: none, deleted: 5.5, unresolved: true}}, "A 1-5.5", "x 5.5-…"},
		{"a machine that waits, taken by an id", waiting, []seen{
			{at: 6, created: 1, acquired: 5.5, deleted: none, unresolved: true}, {at: 7, owner: "A", created: 1, acquired: 5.5, deleted: none},
		}, "- 1-5.5, A 5.5-…", "x 5.5-…"},
		{"what waits and vanishes", waiting, []seen{{at: 6, gone: true}}, "- 1-6", ""},
		{"one of the future vanishes before it came", seen{at: 5, owner: "A", created: 9, acquired: none, deleted: none}, []seen{{at: 6, gone: true}}, "A 9-9", "x 9-…"},
		{"one of the future passes on before it came", seen{at: 5, owner: "A", created: 1, acquired: 9, deleted: none}, []seen{{at: 6, owner: "B", created: 1, acquired: none, deleted: none}}, "- 1-9, A 9-9, B 9-…", "x 9-…"},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := Learn(directory.Directory{}, c.first.census())
			last := c.first
			for _, last = range c.then {
				l = Learn(l.Directory, last.census())
			}
			if got := tenuresInWords(l.Directory.Tenures); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
			if got := spansInWords(l.Spans); got != c.spans {
				t.Errorf("differs in %q, want %q", got, c.spans)
			}
			last.at++
			isNothingNew(t, Learn(l.Directory, last.census()))
		})
	}
}

// isNothingNew says that a reading has changed nothing.
func isNothingNew(t *testing.T, l directory.Learned) {
	t.Helper()
	if len(l.Tenures)+len(l.People)+len(l.Memberships)+len(l.Hosts)+len(l.Spans) > 0 {
		t.Fatalf("the same again changes\n%s\n%v %v %v\nand differs in %s", tenuresInWords(l.Tenures), l.People, l.Memberships, l.Hosts, spansInWords(l.Spans))
	}
}

func TestADocumentThatChangesIsToldWhole(t *testing.T) {
	workspaces := []directory.Workspace{
		{Document: "b", Host: "h", Owner: "A", Created: hour(1), Acquired: hour(2)},
		{Document: "a", Host: "g", Owner: "A", Created: hour(1), Acquired: hour(2)},
	}
	first := Learn(directory.Directory{}, directory.Census{AsOf: hour(5), Workspaces: workspaces})
	second := slices.Clone(workspaces)
	second[0].Owner, second[0].Acquired = "B", hour(5.5)
	l := Learn(first.Directory, directory.Census{AsOf: hour(6), Workspaces: second})
	if got, want := tenuresInWords(l.Tenures), "- 1-2, A 2-5.5, B 5.5-…"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got, want := tenuresInWords(first.Directory.Tenures), "-@g 1-2, A@g 2-…, - 1-2, A 2-…"; got != want {
		t.Errorf("the directory before has become %s, was %s", got, want)
	}
	if !l.Directory.AsOf.Equal(hour(6)) {
		t.Errorf("as of %v", l.Directory.AsOf)
	}
}

func TestTimesAreWholeSecondsInUTC(t *testing.T) {
	zone := time.FixedZone("", 3600)
	l := Learn(directory.Directory{}, directory.Census{AsOf: hour(5), Workspaces: []directory.Workspace{{
		Document: "d", Host: "h", Owner: "A", Created: hour(1).Add(900 * time.Millisecond).In(zone), Deleted: hour(2).Add(time.Millisecond),
	}}})
	want := directory.Tenure{Document: "d", Host: "h", Owner: "A", From: hour(1), To: hour(2)}
	if len(l.Tenures) != 1 || l.Tenures[0] != want {
		t.Errorf("got %v, want %v", l.Tenures, want)
	}
}
