// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"fmt"
	"math/rand"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/directory"
)

// learnedAll is a directory of which nothing was known.
func learnedAll(d directory.Directory) directory.Learned {
	l := directory.Learned{Directory: d, Tenures: d.Tenures, People: d.People, Memberships: d.Memberships, Hosts: d.Hosts, Names: d.Names}
	for _, t := range d.Tenures {
		l.Spans = append(l.Spans, directory.Span{Host: t.Host, From: t.From, To: t.To})
	}
	return l
}

// largeDirectory has so many documents, a user for each ten, and 20 groups. It
// is ordered as it is read back.
func largeDirectory(documents int) directory.Directory {
	d := directory.Directory{AsOf: at(48).Start}
	for n := range documents {
		from := epoch.Add(time.Duration(n) * time.Minute)
		document, host := fmt.Sprintf("document-%06d", n), fmt.Sprintf("10.0.%d.%d", n/250, n%250)
		d.Tenures = append(d.Tenures,
			directory.Tenure{Document: document, Host: host, From: from, To: from.Add(time.Hour)},
			directory.Tenure{Document: document, Host: host, Owner: fmt.Sprintf("u%05d", n/10), From: from.Add(time.Hour)})
	}
	for n := range documents / 10 {
		user := fmt.Sprintf("u%05d", n)
		d.People = append(d.People, directory.Person{ID: user, Name: "Person " + user})
		d.Memberships = append(d.Memberships, directory.Membership{User: user, Group: fmt.Sprintf("g%02d", n%20)})
	}
	d.Hosts = append(d.Hosts, directory.Placement{Host: "10.0.0.1", Project: "IDAaaS"}, directory.Placement{Host: "10.0.0.2", Machine: "Muon"})
	d.Names = append(d.Names, directory.Name{Kind: directory.Projects, ID: "p1", Name: "IDAaaS"}, directory.Name{Kind: directory.Users, ID: "n1", Name: "u00001"})
	return d
}

func saveDirectory(tb testing.TB, s *Store, l directory.Learned, homes bool) int {
	tb.Helper()
	stale, err := s.SaveDirectory(tb.Context(), l, homes)
	if err != nil {
		tb.Fatal(err)
	}
	return stale
}

func directoryOf(tb testing.TB, s *Store) directory.Directory {
	tb.Helper()
	d, err := s.Directory(tb.Context())
	if err != nil {
		tb.Fatal(err)
	}
	return d
}

func TestTheDirectoryComesBackAsItWas(t *testing.T) {
	path := filepath.Join(t.TempDir(), "carbon.db")
	s := openStore(t, path, Options{Interval: half})
	if d := directoryOf(t, s); !reflect.DeepEqual(d, directory.Directory{}) {
		t.Errorf("before any was read it is %+v", d)
	}
	from := epoch.Add(time.Hour)
	d := directory.Directory{
		AsOf: epoch.Add(3 * time.Hour),
		Tenures: []directory.Tenure{
			{Document: "1", Host: "b", Owner: "z", From: from, To: from},
			{Document: "1", Host: "b", Owner: "a", From: from, To: from.Add(time.Second)},
			{Document: "1", Host: "a", From: epoch},
			{Document: "2", Host: `{"$gt":""}`, Owner: "\xff\x00☢", From: epoch},
		},
		People:      []directory.Person{{ID: "a", Name: "Ada"}, {ID: "b"}, {ID: "\xff\x00☢", Name: "'; --"}},
		Memberships: []directory.Membership{{User: "a", Group: "g"}, {User: "a", Group: "g", From: from, To: from.Add(time.Hour)}, {User: "a", Group: "h", From: from}},
		Hosts:       []directory.Placement{{Host: "a", Project: "p", Machine: "m"}, {Host: "b"}},
	}
	saveDirectory(t, s, learnedAll(d), false)
	if got := directoryOf(t, s); !reflect.DeepEqual(got, d) {
		t.Errorf("got\n%+v\nwant\n%+v", got, d)
	}
	rows := readRows(t, s.reader, "SELECT user_id, display_name FROM dim_user ORDER BY user_id")
	if want := [][]any{{"a", "Ada"}, {"b", nil}, {"\xff\x00☢", "'; --"}}; !reflect.DeepEqual(rows, want) {
		t.Errorf("dim_user is %q, want %q", rows, want)
	}
	if n := len(readRows(t, s.reader, "SELECT 1 FROM dim_group WHERE group_name IN ('g', 'h')")); n != 2 {
		t.Errorf("%d groups, want 2", n)
	}

	// What changes is one document, a name, the end of a membership and a host.
	d.AsOf = d.AsOf.Add(time.Hour)
	d.Tenures = append([]directory.Tenure{{Document: "1", Host: "c", Owner: "b", From: epoch}}, d.Tenures[3])
	d.People[1].Name, d.Memberships[2].To, d.Hosts[1].Machine = "Bob", d.AsOf, "m"
	saveDirectory(t, s, directory.Learned{
		Directory: d, Tenures: d.Tenures[:1], People: d.People[1:2], Memberships: d.Memberships[2:], Hosts: d.Hosts[1:],
	}, false)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if got := directoryOf(t, openStore(t, path, Options{})); !reflect.DeepEqual(got, d) {
		t.Errorf("after a change got\n%+v\nwant\n%+v", got, d)
	}
}

func TestADirectoryThatSaysNothingNewWritesItsTimeOnly(t *testing.T) {
	s := newStore(t)
	d := largeDirectory(1000)
	saveDirectory(t, s, learnedAll(d), true)
	execute(t, s.writer, "PRAGMA wal_checkpoint(TRUNCATE)")
	before, size := dump(t, s), pages(t, s)
	saveDirectory(t, s, directory.Learned{Directory: d}, true)
	if dump(t, s) != before {
		t.Error("the same directory has changed something")
	}
	d.AsOf = d.AsOf.Add(5 * time.Minute)
	saveDirectory(t, s, directory.Learned{Directory: d}, true)
	if got := directoryOf(t, s); !reflect.DeepEqual(got, d) {
		t.Error("it is another directory")
	}
	if n := pages(t, s) - size; n > 3 {
		t.Errorf("%d pages were written, want no more than 3", n)
	}
	if saveDirectory(t, s, learnedAll(d), true); !reflect.DeepEqual(directoryOf(t, s), d) {
		t.Error("learned once more it is another directory")
	}
}

// pages is how many pages the write-ahead log has got.
func pages(t *testing.T, s *Store) int64 {
	t.Helper()
	return readRows(t, s.writer, "PRAGMA wal_checkpoint(PASSIVE)")[0][1].(int64)
}

func TestThePresentGroupIsThatOfTheDirectory(t *testing.T) {
	s := newStore(t)
	now := at(10).Start
	commit(t, s, unpriced(at(1), fact(key("p", "m", "a", "p"), at(1).Start, 1, 1), fact(key("p", "m", "stranger", "p"), at(1).Start, 1, 1)))
	l := learnedAll(directory.Directory{
		AsOf:   now,
		People: []directory.Person{{ID: "a"}, {ID: "b"}, {ID: "c"}},
		Memberships: []directory.Membership{
			{User: "a", Group: "z"},
			{User: "a", Group: "y", From: now},
			{User: "a", Group: "x", To: now},
			{User: "a", Group: "w", From: now.Add(time.Second)},
			{User: "b", Group: "z", To: now},
		},
	})
	homes := func() (text string) {
		for _, row := range readRows(t, s.reader, "SELECT user_id, coalesce(group_name, '-') FROM dim_user LEFT JOIN dim_group USING (group_id) ORDER BY 1") {
			text += fmt.Sprintf("%v=%v ", row[0], row[1])
		}
		return text
	}
	saveDirectory(t, s, l, false)
	want(t, "it is that of usage", homes(), "a=p b=- c=- stranger=p ")
	saveDirectory(t, s, l, true)
	want(t, "the first by name of those now", homes(), "a=y b=unattributed c=unattributed stranger=p ")
	commit(t, s, unpriced(at(2), fact(key("p", "m", "a", "q"), at(2).Start, 1, 1), fact(key("p", "m", "stranger", "q"), at(2).Start, 1, 1)))
	want(t, "usage moves only whom the directory does not know", homes(), "a=y b=unattributed c=unattributed stranger=q ")
	saveDirectory(t, s, directory.Learned{Directory: directory.Directory{AsOf: now.Add(time.Second)}}, true)
	want(t, "time moves on", homes(), "a=w b=unattributed c=unattributed stranger=q ")
	saveDirectory(t, s, directory.Learned{Directory: directory.Directory{AsOf: now}}, false)
	commit(t, s, unpriced(at(3), fact(key("p", "m", "a", "q"), at(3).Start, 1, 1)))
	want(t, "without, usage moves everybody", homes(), "a=q b=unattributed c=unattributed stranger=q ")
}

func TestOfManySpansTheUnionIsTouched(t *testing.T) {
	for seed := range int64(200) {
		r := rand.New(rand.NewSource(seed))
		var spans []directory.Span
		for range 1 + r.Intn(8) {
			from := epoch.Add(time.Duration(r.Intn(600)) * time.Minute)
			s := directory.Span{From: from, To: from.Add(time.Duration(r.Intn(90)) * time.Minute)}
			switch r.Intn(12) {
			case 0:
				s.To = time.Time{}
			case 1:
				s.From = time.Time{}
			}
			spans = append(spans, s)
		}
		joined := join(spans)
		for n := range 24 {
			i, want := at(n), false
			for _, s := range spans {
				want = want || s.From.Before(i.End()) && (s.To.IsZero() || s.To.After(i.Start))
			}
			if got := touches(joined, i.Start.Unix(), i.End().Unix()); got != want {
				t.Fatalf("seed %d: %s touched: %v, want %v by %v", seed, i, got, want, spans)
			}
		}
	}
}

func BenchmarkFirstDirectory(b *testing.B) {
	d := largeDirectory(100_000)
	for b.Loop() {
		b.StopTimer()
		s := openStore(b, filepath.Join(b.TempDir(), "carbon.db"), Options{Interval: half})
		b.StartTimer()
		saveDirectory(b, s, learnedAll(d), true)
	}
}

func BenchmarkSameDirectory(b *testing.B) {
	s := openStore(b, filepath.Join(b.TempDir(), "carbon.db"), Options{Interval: half})
	d := largeDirectory(100_000)
	saveDirectory(b, s, learnedAll(d), true)
	for b.Loop() {
		d.AsOf = d.AsOf.Add(time.Minute)
		saveDirectory(b, s, directory.Learned{Directory: d}, true)
	}
}

func BenchmarkReadDirectory(b *testing.B) {
	s := openStore(b, filepath.Join(b.TempDir(), "carbon.db"), Options{Interval: half})
	saveDirectory(b, s, learnedAll(largeDirectory(100_000)), true)
	for b.Loop() {
		directoryOf(b, s)
	}
}
