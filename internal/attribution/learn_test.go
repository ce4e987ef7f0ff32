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
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

func membershipsInWords(all []directory.Membership) string {
	var words []string
	for _, m := range all {
		from, to := "always", "…"
		if !m.From.IsZero() {
			from = fmt.Sprint(m.From.Sub(hour(0)).Hours())
		}
		if !m.To.IsZero() {
			to = fmt.Sprint(m.To.Sub(hour(0)).Hours())
		}
		words = append(words, fmt.Sprintf("%s in %s %s-%s", m.User, m.Group, from, to))
	}
	return strings.Join(words, ", ")
}

func TestMemberships(t *testing.T) {
	type reading struct {
		at     float64
		groups map[string][]string
		people string // ids, one letter each
	}
	g := func(members ...string) map[string][]string { return map[string][]string{"g": members} }
	for _, c := range []struct {
		name     string
		readings []reading
		want     string // all of them
		changed  string // by the last reading
	}{
		{"who is seen first has always been in", []reading{{1, g("a", "b", "a"), "ab"}}, "a in g always-…, b in g always-…", "a in g always-…, b in g always-…"},
		{"also later on", []reading{{1, g("a"), "a"}, {2, g("a", "b"), "ab"}}, "a in g always-…, b in g always-…", "b in g always-…"},
		{"who was known joins when it is read", []reading{{1, g("b"), "ab"}, {2, g("a", "b"), "ab"}}, "a in g 2-…, b in g always-…", "a in g 2-…"},
		{"but where there were no groups at all", []reading{{1, nil, "a"}, {2, g("a"), "a"}}, "a in g always-…", "a in g always-…"},
		{"who was only known of, too", []reading{{1, map[string][]string{"f": {"a"}}, ""}, {2, map[string][]string{"f": {"a"}, "g": {"a"}}, ""}}, "a in f always-…, a in g 2-…", "a in g 2-…"},
		{"who leaves has left when it is read", []reading{{1, g("a"), "a"}, {2, g(), "a"}}, "a in g always-2", "a in g always-2"},
		{"a group that vanishes has no members", []reading{{1, g("a"), "a"}, {2, nil, "a"}, {3, nil, "a"}}, "a in g always-2", ""},
		{"who comes back has a gap", []reading{{1, g("a"), "a"}, {2, g(), "a"}, {3, g("a"), "a"}}, "a in g always-2, a in g 3-…", "a in g 3-…"},
		{"and may leave again", []reading{{1, g("a"), "a"}, {2, g(), "a"}, {3, g("a"), "a"}, {4, g(), "a"}}, "a in g always-2, a in g 3-4", "a in g 3-4"},
		{"left and back at one moment is no gap", []reading{{1, g("a"), "a"}, {2, g(), "a"}, {2, g("a"), "a"}}, "a in g always-…", "a in g always-…"},
		{"who moves is in one after the other", []reading{{1, map[string][]string{"f": {"a"}}, "a"}, {2, g("a"), "a"}}, "a in f always-2, a in g 2-…", "a in f always-2, a in g 2-…"},
		{"without a name there is no member and no group", []reading{{1, map[string][]string{"": {"a"}, "g": {""}}, "a"}}, "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			var l directory.Learned
			var census directory.Census
			for _, r := range c.readings {
				census = directory.Census{AsOf: hour(r.at), Groups: r.groups}
				for _, id := range r.people {
					census.People = append(census.People, directory.Person{ID: string(id)})
				}
				l = Learn(l.Directory, census)
			}
			if got := membershipsInWords(l.Directory.Memberships); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
			if got := membershipsInWords(l.Memberships); got != c.changed {
				t.Errorf("changed %s\nwant    %s", got, c.changed)
			}
			census.AsOf = census.AsOf.Add(1e9)
			isNothingNew(t, Learn(l.Directory, census))
		})
	}
}

func holds(s directory.Span, at time.Time) bool {
	return !at.Before(s.From) && (s.To.IsZero() || at.Before(s.To))
}

func TestTheFirstGroupsAreThoseOfAllTime(t *testing.T) {
	people := []directory.Person{{ID: "a"}}
	first := Learn(directory.Directory{}, directory.Census{AsOf: hour(1), People: people})
	then := Learn(first.Directory, directory.Census{AsOf: hour(2), People: people, Groups: map[string][]string{"g": {"a"}}})
	if len(first.Spans) != 0 || len(then.Spans) != 1 || !holds(then.Spans[0], hour(-99)) {
		t.Errorf("spans are %v, then %v", first.Spans, then.Spans)
	}
	later := Learn(then.Directory, directory.Census{AsOf: hour(3), People: people, Groups: map[string][]string{"g": {"a"}, "h": {"a"}}})
	if len(later.Spans) != 0 {
		t.Errorf("another group makes spans %v", later.Spans)
	}
}

func TestPeopleAreNeverForgotten(t *testing.T) {
	l := Learn(directory.Directory{}, directory.Census{AsOf: hour(1), People: []directory.Person{{ID: "b", Name: "Bob"}, {ID: "a", Name: "Ann"}, {Name: "who"}}})
	l = Learn(l.Directory, directory.Census{AsOf: hour(2), People: []directory.Person{{ID: "c", Name: "Cyd"}, {ID: "a", Name: "Anna"}, {ID: "c", Name: "Cid"}}})
	want := []directory.Person{{ID: "a", Name: "Anna"}, {ID: "b", Name: "Bob"}, {ID: "c", Name: "Cid"}}
	if !slices.Equal(l.Directory.People, want) {
		t.Errorf("got %v, want %v", l.Directory.People, want)
	}
	if want := []directory.Person{{ID: "a", Name: "Anna"}, {ID: "c", Name: "Cid"}}; !slices.Equal(l.People, want) {
		t.Errorf("changed %v, want %v", l.People, want)
	}
}

func TestHostsAreWhatTheNewestReadingSays(t *testing.T) {
	always := func(hosts ...string) (spans []directory.Span) {
		for _, h := range hosts {
			spans = append(spans, directory.Span{Host: h})
		}
		return spans
	}
	for _, c := range []struct {
		name   string
		hosts  []directory.Placement
		want   []directory.Placement // changed
		differ []directory.Span
	}{
		{"gone hosts stay", nil, nil, nil},
		{"the same again", []directory.Placement{{Host: "h", Project: "p", Machine: "m"}}, nil, nil},
		{"it is another machine", []directory.Placement{{Host: "h", Project: "p", Machine: "n"}}, []directory.Placement{{Host: "h", Project: "p", Machine: "n"}}, always("h")},
		{"a new one", []directory.Placement{{Host: "i", Project: "q"}, {Host: "g", Machine: "m"}}, []directory.Placement{{Host: "g", Machine: "m"}, {Host: "i", Project: "q"}}, always("g", "i")},
		{"one of which nothing is known", []directory.Placement{{Host: "g"}}, []directory.Placement{{Host: "g"}}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := Learn(directory.Directory{}, directory.Census{AsOf: hour(1), Hosts: []directory.Placement{{Host: "h", Project: "p", Machine: "m"}}})
			l = Learn(l.Directory, directory.Census{AsOf: hour(2), Hosts: c.hosts})
			if !slices.Equal(l.Hosts, c.want) {
				t.Errorf("changed %v, want %v", l.Hosts, c.want)
			}
			if !slices.Equal(l.Spans, c.differ) {
				t.Errorf("differs in %v, want %v", l.Spans, c.differ)
			}
			if _, kept := slices.BinarySearchFunc(l.Directory.Hosts, directory.Placement{Host: "h"}, comparePlacements); !kept {
				t.Errorf("h is forgotten: %v", l.Directory.Hosts)
			}
		})
	}
}

func TestWhoBecomesKnownHasWhatWasNobodys(t *testing.T) {
	c := directory.Census{
		AsOf: hour(5), People: []directory.Person{{ID: "B"}},
		Workspaces: []directory.Workspace{
			{Document: "1", Host: "h", Owner: "A", Created: hour(1), Deleted: hour(2)},
			{Document: "2", Host: "g", Owner: "B", Created: hour(1)},
		},
	}
	l := Learn(directory.Directory{}, c)
	series := usage.Series{Host: "h"}
	if user := whose(Rules{Directory: NewIndex(l.Directory)}, series, hour(1.5)).User; user != usage.Unattributed {
		t.Errorf("a stranger's machine is %s's", user)
	}
	c.AsOf, c.People = hour(6), []directory.Person{{ID: "A"}, {ID: "B", Name: "Bob"}}
	l = Learn(l.Directory, c)
	if got, want := spansInWords(l.Spans), "x 1-2"; got != want {
		t.Errorf("differs in %s, want %s", got, want)
	}
	if user := whose(Rules{Directory: NewIndex(l.Directory)}, series, hour(1.5)).User; user != "A" {
		t.Errorf("A's machine is %s's", user)
	}
	c.AsOf = hour(7)
	isNothingNew(t, Learn(l.Directory, c))
}
