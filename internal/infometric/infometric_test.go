// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package infometric

import (
	"context"
	"errors"
	"fmt"
	"math/rand"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/attribution"
	"github.com/carbon-exporter/carbon_exporter/internal/directory"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

var began = time.Date(2026, 7, 1, 0, 0, 0, 0, time.UTC)

func minute(n int) time.Time { return began.Add(time.Duration(n) * time.Minute) }

// scrapes are what a server has: by minute and metric the values of the labels.
type scrapes struct {
	minutes []map[string][][]string
	down    error
}

func (s *scrapes) Appearances(_ context.Context, metric, _ string, labels []string, from, to time.Time, step time.Duration) ([]usage.Appearance, error) {
	if s.down != nil {
		return nil, s.down
	}
	numbers := map[string]int{}
	var all []usage.Appearance
	for at := from; !at.After(to); at = at.Add(step) {
		n := int(at.Sub(began) / time.Minute)
		if n < 0 || n >= len(s.minutes) {
			continue
		}
		for _, values := range s.minutes[n][metric] {
			key := strings.Join(values, "\xff")
			i, ok := numbers[key]
			if !ok {
				i = len(all)
				numbers[key] = i
				all = append(all, usage.Appearance{Values: append(slices.Clone(values), make([]string, len(labels)-len(values))...)})
			}
			one := &all[i]
			if k := len(one.Runs) - 1; k >= 0 && one.Runs[k].Last.Add(step).Equal(at) {
				one.Runs[k].Last = at
			} else {
				one.Runs = append(one.Runs, usage.Run{First: at, Last: at})
			}
		}
	}
	return all, nil
}

// told makes a server of host h from one letter a minute: its owner, "-" for nobody's, "." for
// no series. Its owners' groups are their letters in lower case.
func told(words string) *scrapes {
	s := &scrapes{}
	for _, letter := range words {
		series := map[string][][]string{"other": {{"o", "X"}}}
		switch letter {
		case '.':
		case '-':
			series["info"] = [][]string{{"H:9100", "", "P", "M"}}
		default:
			series["info"] = [][]string{{"H:9100", string(letter), "P", "M", strings.ToLower(string(letter))}}
		}
		s.minutes = append(s.minutes, series)
	}
	return s
}

// rig reads a server again and again.
type rig struct {
	t      *testing.T
	reader *Reader
	now    time.Time
	known  directory.Directory
}

func newRig(t *testing.T, s *scrapes) *rig {
	r := &rig{t: t}
	r.reader = &Reader{
		Server: s, Lookback: 24 * time.Hour, Now: func() time.Time { return r.now },
		Metric: Metric{Name: "info", Host: "instance", Owner: "owner", Project: "project", Machine: "machine", Group: "group"},
	}
	return r
}

func (r *rig) read(at int) directory.Learned {
	r.t.Helper()
	r.now = minute(at)
	c, rejects, err := r.reader.Census(r.t.Context())
	if err != nil || len(rejects) != 0 {
		r.t.Fatal(rejects, err)
	}
	c.AsOf = r.now
	l := attribution.Learn(r.known, c)
	r.known = l.Directory
	return l
}

// owners says who had h in each minute, by what a reading of it would be booked to.
func (r *rig) owners(minutes int) string {
	rules, words := attribution.Rules{GroupBy: attribution.ByDirectory, Directory: attribution.NewIndex(r.known)}, ""
	for n := range minutes {
		parts := rules.Parts(usage.Reading{Piece: usage.Interval{Start: minute(n), Length: time.Minute}, Samples: []usage.Sample{
			{Series: usage.Series{Project: usage.Unknown, Machine: usage.Unknown, Host: "h:9100"}, CPU: usage.BusyIdle[usage.CPUSeconds]{Busy: 1}},
		}}, nil)
		switch user := parts[0].Key.User; {
		case len(parts) > 1:
			words += fmt.Sprint(len(parts))
		case user == usage.Unattributed:
			words += "-"
		case parts[0].Key.Group != strings.ToLower(user) || parts[0].Key.Project != "P" || parts[0].Key.Machine != "M":
			r.t.Fatalf("minute %d is booked to %v", n, parts[0].Key)
		default:
			words += user
		}
	}
	return words
}

func TestWhoHadAHost(t *testing.T) {
	for _, c := range []struct {
		name, told string
		readings   []int
		want       string
	}{
		{"one owner, also before it was seen", ".....AAAAA", []int{9}, "AAAAAAAAAA"},
		{"a handover between two readings, at the time", "AAAABBBBBB", []int{3, 9}, "AAAABBBBBB"},
		{"two between two readings", "AAAABBBCCC", []int{2, 9}, "AAAABBBCCC"},
		{"one that was never read while it was there", "AAAABBBBBB", []int{9}, "AAAABBBBBB"},
		{"and back", "AAAABBBAAA", []int{3, 5, 9}, "AAAABBBAAA"},
		{"a gap of the same owner", "AAA...AAAA", []int{4, 9}, "AAAAAAAAAA"},
		{"a gap before another owner", "AAA...BBBB", []int{4, 9}, "AAA---BBBB"},
		{"nobody's for a while", "AAA---BBBB", []int{9}, "AAA---BBBB"},
		{"read at every minute", "AABB.BC.AA", []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}, "AABBBBC-AA"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t, told(c.told))
			for _, at := range c.readings {
				r.read(at)
			}
			if got := r.owners(len(c.want)); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
			last := c.readings[len(c.readings)-1]
			if l := r.read(last); len(l.Tenures)+len(l.Memberships)+len(l.People)+len(l.Hosts)+len(l.Spans) > 0 {
				t.Errorf("the same again changes %+v", l)
			}
		})
	}
}

// Whenever it is read, also after a start again, a host that is always listed is its owners' to
// the minute.
func TestWheneverItIsReadTheOwnersAreTrue(t *testing.T) {
	for seed := range int64(200) {
		random := rand.New(rand.NewSource(seed))
		words := ""
		for len(words) < 400 {
			words += strings.Repeat(string("ABC-"[random.Intn(4)]), 1+random.Intn(60))
		}
		words = words[:400]
		r := newRig(t, told(words))
		var readings []int
		for at := random.Intn(40); at < 399; at += 1 + random.Intn(100) {
			readings = append(readings, at)
			r.read(at)
			if random.Intn(4) == 0 {
				r.reader.last = time.Time{} // a start again
			}
		}
		r.read(399)
		if got := r.owners(400); got != words {
			t.Fatalf("seed %d, read at %v:\ngot  %s\nwant %s", seed, readings, got, words)
		}
	}
}

// A host that has not been listed for an hour lost its owner when it was last seen, unless the
// whole metric is away.
func TestAHostThatIsGone(t *testing.T) {
	s := told(strings.Repeat("A", 60) + strings.Repeat(".", 200))
	for n := range s.minutes {
		s.minutes[n]["info"] = append(s.minutes[n]["info"], []string{"g", "B"})
	}
	r := newRig(t, s)
	for at := 50; at < 260; at += 5 {
		r.read(at)
	}
	x := attribution.Rules{Directory: attribution.NewIndex(r.known)}
	if _, known := x.Since("h", minute(100)); known {
		t.Error("it was somebody's since a time that nobody knows")
	}
	if got := r.owners(200); got != strings.Repeat("A", 60)+strings.Repeat("-", 140) {
		t.Errorf("got %s", got)
	}

	r = newRig(t, told(strings.Repeat("A", 60)+strings.Repeat(".", 200)))
	for at := 50; at <= 115; at += 5 {
		r.read(at)
	}
	if got := r.owners(200); got != strings.Repeat("A", 200) {
		t.Errorf("nothing at all is there: got %s", got)
	}
	r.now = minute(125)
	var failure *usage.Failure
	if _, _, err := r.reader.Census(t.Context()); !errors.As(err, &failure) || !strings.Contains(failure.Detail, "info has had no series since 2026-07-01T00:59:00Z") {
		t.Errorf("got %v", err)
	}
}

func TestSeriesThatAreRefused(t *testing.T) {
	s := &scrapes{minutes: []map[string][][]string{{"info": {{"", "A"}, {"g", "ada@example.org"}, {"h", "B"}}}}}
	r := newRig(t, s)
	r.now = minute(0)
	c, rejects, err := r.reader.Census(t.Context())
	want := []directory.RecordReject{{Collection: "metric", Reason: missingHost, Count: 1}, {Collection: "metric", Reason: ownerIsEmail, Count: 1}}
	if err != nil || !slices.Equal(rejects, want) || !c.Refused["g"] || len(c.Owners) != 1 {
		t.Errorf("got %v, %v, %v", c, rejects, err)
	}
	r.reader.Emails = true
	if c, rejects, err = r.reader.Census(t.Context()); err != nil || len(rejects) != 1 || len(c.Owners) != 2 {
		t.Errorf("nobody sees it: got %v, %v, %v", c, rejects, err)
	}
}

func TestIDsAreShownByTheirNames(t *testing.T) {
	s := &scrapes{minutes: []map[string][][]string{{
		"info":     {{"h", "u1", "p1", "M", "g1"}, {"g", "u2", "p2", "M", "g2"}},
		"projects": {{"p1", "IDAaaS"}, {"p1", "an older name"}, {"", "none"}},
		"users":    {{"u1", "ada"}, {"u2", "bob@example.org"}},
		"groups":   {{"g1", "muons"}},
	}}}
	r := newRig(t, s)
	for kind, metric := range map[directory.Kind]string{directory.Projects: "projects", directory.Users: "users", directory.Groups: "groups"} {
		r.reader.Names = append(r.reader.Names, Names{Kind: kind, Name: metric, ID: "id", Label: "name"})
	}
	r.read(0)
	want := []directory.Name{{Kind: directory.Groups, ID: "g1", Name: "muons"}, {Kind: directory.Projects, ID: "p1", Name: "IDAaaS"}, {Kind: directory.Users, ID: "u1", Name: "ada"}}
	if !slices.Equal(r.known.Names, want) {
		t.Errorf("names %v, want %v", r.known.Names, want)
	}
	rules := attribution.Rules{GroupBy: attribution.ByDirectory, Directory: attribution.NewIndex(r.known)}
	piece := usage.Interval{Start: began, Length: time.Minute}
	for _, c := range []struct {
		series usage.Series
		want   usage.Key
	}{
		{usage.Series{Project: usage.Unknown, Machine: "M", Host: "h"}, usage.Key{Project: "IDAaaS", Machine: "M", User: "ada", Group: "muons"}},
		{usage.Series{Project: "p1", Machine: "M", Host: "g"}, usage.Key{Project: "IDAaaS", Machine: "M", User: "u2", Group: "g2"}},
		{usage.Series{Project: "p9", Machine: "M", Host: "x", User: "u1"}, usage.Key{Project: "p9", Machine: "M", User: "ada", Group: "muons"}},
	} {
		parts := rules.Parts(usage.Reading{Piece: piece, Samples: []usage.Sample{{Series: c.series}}}, nil)
		if len(parts) != 1 || parts[0].Key != c.want {
			t.Errorf("%v: got %v, want %v", c.series, parts, c.want)
		}
	}
	s.minutes[0]["users"] = nil
	if _, _, err := r.reader.Census(t.Context()); err == nil || !strings.Contains(err.Error(), "users has had no series") {
		t.Errorf("a metric that is away: %v", err)
	}
}

// Two owners at once share a host, also if the one was there before anything was read.
func TestTwoOwnersAtOnceShareAHost(t *testing.T) {
	s := told(".AAABBBCCC")
	for _, n := range []int{4, 5, 8} {
		s.minutes[n]["info"] = append(s.minutes[n]["info"], []string{"H:9100", "A", "P", "M", "a"})
	}
	for _, readings := range [][]int{{9}, {3, 9}, {4, 5, 8, 9}} {
		r := newRig(t, s)
		for _, at := range readings {
			r.read(at)
		}
		if got, want := r.owners(10), "AAAA22BC2C"; got != want {
			t.Errorf("read at %v: got %s, want %s", readings, got, want)
		}
	}
}
