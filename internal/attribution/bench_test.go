// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package attribution

import (
	"fmt"
	"math/rand"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/directory"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// largeCensus is 100 000 workspaces of 10 000 users: 20 000 host names, each used
// again five times.
func largeCensus() directory.Census {
	c := directory.Census{AsOf: hour(0).Add(24 * 400 * time.Hour), Groups: map[string][]string{}}
	for i := range 100_000 {
		created := hour(float64(i/20_000*1800 + i%24))
		w := directory.Workspace{
			Document: fmt.Sprintf("%024x", i*7919%100_003), Host: fmt.Sprintf("172.16.%d.%d", i%20_000/250, i%250),
			Owner: fmt.Sprintf("user%05d", i%10_000), Created: created, Acquired: created.Add(time.Hour), Deleted: created.Add(1700 * time.Hour),
		}
		if i >= 80_000 {
			w.Deleted = time.Time{}
		}
		c.Workspaces = append(c.Workspaces, w)
	}
	for u := range 10_000 {
		id := fmt.Sprintf("user%05d", u)
		c.People = append(c.People, directory.Person{ID: id, Name: "Name of " + id})
		for _, group := range []string{fmt.Sprint("g", u%100), fmt.Sprint("k", u%37)} {
			c.Groups[group] = append(c.Groups[group], id)
		}
	}
	return c
}

func BenchmarkFirstReading(b *testing.B) {
	c := largeCensus()
	b.ReportAllocs()
	for b.Loop() {
		Learn(directory.Directory{}, c)
	}
}

func BenchmarkReadingTheSameAgain(b *testing.B) {
	c := largeCensus()
	known := Learn(directory.Directory{}, c).Directory
	b.ReportAllocs()
	for b.Loop() {
		if l := Learn(known, c); len(l.Tenures) > 0 {
			b.Fatal("something is new")
		}
	}
}

func BenchmarkReadingOneChange(b *testing.B) {
	c := largeCensus()
	known := Learn(directory.Directory{}, c).Directory
	c.Workspaces[99_999].Owner = "user00000"
	b.ReportAllocs()
	for b.Loop() {
		if l := Learn(known, c); len(l.Spans) != 1 {
			b.Fatal("one is new")
		}
	}
}

func BenchmarkIndex(b *testing.B) {
	known := Learn(directory.Directory{}, largeCensus()).Directory
	b.ReportAllocs()
	for b.Loop() {
		NewIndex(known)
	}
}

func BenchmarkLookUpOfOwners(b *testing.B) {
	c := largeCensus()
	x := NewIndex(Learn(directory.Directory{}, c).Directory)
	rand.New(rand.NewSource(1)).Shuffle(len(c.Workspaces), func(i, j int) {
		c.Workspaces[i], c.Workspaces[j] = c.Workspaces[j], c.Workspaces[i]
	})
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		w := &c.Workspaces[i%len(c.Workspaces)]
		if owners := x.ownersAt(w.Host, w.Acquired); len(owners) != 1 {
			b.Fatalf("%d owners", len(owners))
		}
	}
}

func BenchmarkLookUpOfAGroup(b *testing.B) {
	c := largeCensus()
	x := NewIndex(Learn(directory.Directory{}, c).Directory)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if x.group(c.People[i*7919%len(c.People)].ID, c.AsOf) == "" {
			b.Fatal("in no group")
		}
	}
}

func BenchmarkParts(b *testing.B) {
	c := largeCensus()
	rules := Rules{GroupBy: ByDirectory, Directory: NewIndex(Learn(directory.Directory{}, c).Directory)}
	reading := usage.Reading{Piece: usage.IntervalAt(c.AsOf, 30*time.Minute)}
	for i := range 10_000 {
		reading.Samples = append(reading.Samples, usage.Sample{
			Series: usage.Series{Project: "IDAaaS", Machine: "Muon", Host: c.Workspaces[i].Host + ":9100"}, CPU: cpu{Busy: 1, Idle: 2},
		})
	}
	b.ReportAllocs()
	for b.Loop() {
		if parts := rules.Parts(reading, nil); len(parts) != len(reading.Samples) {
			b.Fatalf("%d parts", len(parts))
		}
	}
}
