// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package attribution

import (
	"fmt"
	"maps"
	"math/rand"
	"slices"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/directory"
)

// cloud is machines that are made, handed out, given back, passed on, deleted and
// sometimes gone, as records tell of them, minute by minute.
type cloud struct {
	r       *rand.Rand
	now     time.Time
	records map[string]directory.Workspace
	made    int
	silent  bool // records do not say when a machine was taken
	groups  map[string][]string
}

func (c *cloud) minute() {
	c.now = c.now.Add(time.Minute)
	if c.r.Intn(4) == 0 && len(c.records) < 30 {
		c.made++
		w := directory.Workspace{Document: fmt.Sprint("d", c.made), Host: fmt.Sprint("h", c.r.Intn(10)), Created: c.now}
		if c.r.Intn(2) == 0 {
			c.take(&w)
		}
		c.records[w.Document] = w
	}
	for _, id := range c.documents() {
		w := c.records[id]
		switch c.r.Intn(60) {
		case 0, 1:
			if w.Deleted.IsZero() {
				w.Deleted = c.now
			}
		case 2:
			if !w.Deleted.IsZero() {
				delete(c.records, id)
				continue
			}
		case 3, 4, 5:
			if w.Deleted.IsZero() {
				c.take(&w)
			}
		case 6:
			if w.Deleted.IsZero() {
				w.Owner, w.Acquired = "", time.Time{}
			}
		case 7:
			delete(c.records, id)
			continue
		}
		c.records[id] = w
	}
	c.groups[fmt.Sprint("g", c.r.Intn(3))] = []string{c.user(), c.user(), c.user()}
}

func (c *cloud) take(w *directory.Workspace) {
	w.Owner, w.Acquired = c.user(), c.now
	if c.silent {
		w.Acquired = time.Time{}
	}
}

func (c *cloud) user() string { return fmt.Sprint("u", c.r.Intn(5)) }

func (c *cloud) documents() []string {
	var ids []string
	for id := range c.records {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids
}

func (c *cloud) census() directory.Census {
	census := directory.Census{AsOf: c.now, Groups: map[string][]string{}}
	for _, id := range c.documents() {
		census.Workspaces = append(census.Workspaces, c.records[id])
	}
	maps.Copy(census.Groups, c.groups)
	for u := range 5 {
		census.People = append(census.People, directory.Person{ID: fmt.Sprint("u", u)})
	}
	return census
}

// owners are those of a host now, as the records say.
func (c *cloud) owners(host string) []string {
	var owners []string
	for _, w := range c.records {
		if w.Host == host && w.Owner != "" && (w.Deleted.IsZero() || w.Deleted.After(c.now)) {
			owners = append(owners, w.Owner)
		}
	}
	slices.Sort(owners)
	return slices.Compact(owners)
}

func TestWhatWasReadOfThePastStays(t *testing.T) {
	for seed := range int64(6) {
		c := &cloud{
			r: rand.New(rand.NewSource(seed)), now: hour(0), records: map[string]directory.Workspace{},
			groups: map[string][]string{}, silent: seed%2 == 1,
		}
		var known directory.Directory
		before := NewIndex(known)
		for range 25 {
			for range 1 + c.r.Intn(30) {
				c.minute()
			}
			census := c.census()
			l := Learn(known, census)
			after := NewIndex(l.Directory)
			for h := range 10 {
				host := fmt.Sprint("h", h)
				// A tenure that was seen at its very end is kept for a moment.
				if got, want := after.ownersAt(host, c.now.Add(shortest)), c.owners(host); !slices.Equal(got, want) {
					t.Fatalf("seed %d: %s at %v: %s is %v's, the records say %v", seed, host, c.now, host, got, want)
				}
				if !known.AsOf.IsZero() {
					samePast(t, before, after, host, known.AsOf, c.r)
				}
				spansCover(t, l.Spans, before, after, host, c.now.Add(time.Hour))
			}
			sameInAnyOrder(t, known, census, l, c.r)
			again := c.census()
			again.AsOf = again.AsOf.Add(time.Second)
			isNothingNew(t, Learn(l.Directory, again))
			known, before = l.Directory, after
		}
	}
}

// samePast says that a host had the same owners, and they the same groups, at
// moments before the last reading.
func samePast(t *testing.T, before, after *Index, host string, until time.Time, r *rand.Rand) {
	t.Helper()
	for range 20 {
		at := hour(0).Add(time.Duration(r.Int63n(int64(until.Sub(hour(0))))))
		owners := before.ownersAt(host, at)
		if got := after.ownersAt(host, at); !slices.Equal(got, owners) {
			t.Fatalf("%s at %v was %v's and has become %v's", host, at, owners, got)
		}
		for _, u := range owners {
			if was, is := before.group(u, at), after.group(u, at); was != is {
				t.Fatalf("%s at %v was in %q and has come to be in %q", u, at, was, is)
			}
		}
	}
}

// spansCover says that a host has the same owners wherever no span says otherwise.
func spansCover(t *testing.T, spans []directory.Span, before, after *Index, host string, until time.Time) {
	t.Helper()
	for at := hour(0); at.Before(until); at = at.Add(time.Minute) {
		if slices.Equal(before.ownersAt(host, at), after.ownersAt(host, at)) {
			continue
		}
		if !slices.ContainsFunc(spans, func(s directory.Span) bool { return s.Host == host && holds(s, at) }) {
			t.Fatalf("%s at %v has other owners and no span says so", host, at)
		}
	}
}

// sameInAnyOrder says that a reading that comes in another order teaches the same.
func sameInAnyOrder(t *testing.T, known directory.Directory, c directory.Census, want directory.Learned, r *rand.Rand) {
	t.Helper()
	known.Tenures = slices.Clone(known.Tenures)
	r.Shuffle(len(known.Tenures), func(i, j int) { known.Tenures[i], known.Tenures[j] = known.Tenures[j], known.Tenures[i] })
	r.Shuffle(len(c.Workspaces), func(i, j int) { c.Workspaces[i], c.Workspaces[j] = c.Workspaces[j], c.Workspaces[i] })
	r.Shuffle(len(c.People), func(i, j int) { c.People[i], c.People[j] = c.People[j], c.People[i] })
	got := Learn(known, c)
	if !slices.EqualFunc(got.Tenures, want.Tenures, sameTenure) || !slices.EqualFunc(got.Directory.Tenures, want.Directory.Tenures, sameTenure) ||
		!slices.Equal(got.Spans, want.Spans) || !slices.Equal(got.Directory.People, want.Directory.People) ||
		!slices.Equal(got.Directory.Memberships, want.Directory.Memberships) || !slices.Equal(got.Memberships, want.Memberships) {
		t.Fatalf("at %v: another order teaches something else", c.AsOf)
	}
}

func TestAnyRecordsMakeAHistory(t *testing.T) {
	for seed := range int64(100) {
		r := rand.New(rand.NewSource(seed))
		sometime := func() time.Time {
			if r.Intn(3) == 0 {
				return time.Time{}
			}
			return hour(float64(r.Intn(22)))
		}
		var known directory.Directory
		for h := range 20 {
			c := directory.Census{AsOf: hour(float64(h)), Refused: map[string]bool{fmt.Sprint(r.Intn(4)): true}}
			for range r.Intn(8) {
				c.Workspaces = append(c.Workspaces, directory.Workspace{
					Document: fmt.Sprint(r.Intn(4)), Host: []string{"h", "g"}[r.Intn(2)], Owner: []string{"", "A", "B"}[r.Intn(3)],
					Created: hour(float64(r.Intn(22))), Acquired: sometime(), Deleted: sometime(),
				})
			}
			for range r.Intn(2) {
				c.People = append(c.People, directory.Person{ID: []string{"A", "B"}[r.Intn(2)]})
			}
			l := Learn(known, c)
			isHistory(t, l.Directory.Tenures)
			before, after := NewIndex(known), NewIndex(l.Directory)
			spansCover(t, l.Spans, before, after, "h", hour(23))
			spansCover(t, l.Spans, before, after, "g", hour(23))
			sameInAnyOrder(t, known, c, l, r)
			isNothingNew(t, Learn(l.Directory, c))
			c.AsOf = c.AsOf.Add(time.Hour)
			isNothingNew(t, Learn(l.Directory, c))
			known = l.Directory
		}
	}
}

// isHistory says that tenures are in order, that each lasts, and that no two of a
// document are at once.
func isHistory(t *testing.T, tenures []directory.Tenure) {
	t.Helper()
	for i, now := range tenures {
		if !now.To.IsZero() && !now.To.After(now.From) {
			t.Fatalf("a tenure that does not last: %+v", now)
		}
		if i == 0 {
			continue
		}
		last := tenures[i-1]
		if last.Document > now.Document || last.Document == now.Document && (last.To.IsZero() || last.To.After(now.From)) {
			t.Fatalf("after %+v comes %+v", last, now)
		}
	}
}

func TestDoublesOfARecordCountOnceInAnyOrder(t *testing.T) {
	c := directory.Census{AsOf: hour(5), Workspaces: []directory.Workspace{
		{Document: "d", Host: "h", Owner: "A", Created: hour(1)}, {Document: "d", Host: "h", Owner: "B", Created: hour(1)},
	}}
	l := Learn(directory.Directory{}, c)
	slices.Reverse(c.Workspaces)
	isNothingNew(t, Learn(l.Directory, c))
	if got, want := tenuresInWords(l.Tenures), "A 1-…"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
