// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !race

package audit

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/thanos-io/objstore"

	"github.com/carbon-exporter/carbon_exporter/internal/lake"
	"github.com/carbon-exporter/carbon_exporter/internal/lake/catalog"
	"github.com/carbon-exporter/carbon_exporter/internal/lake/laketest"
	"github.com/carbon-exporter/carbon_exporter/internal/store"
	"github.com/carbon-exporter/carbon_exporter/internal/store/storetest"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

const theSite = "harwell"

// published is a site with days of 25 and 24 hours in a bucket: intervals with usage, empty and
// unknown ones, and days that were restated once and twice.
type published struct {
	laketest.Dir
	*store.Store
	path   string
	zone   *time.Location
	random *rand.Rand
	now    time.Time
}

func publish(t *testing.T, seed uint64) *published {
	t.Helper()
	p := &published{Dir: laketest.New(t), path: filepath.Join(t.TempDir(), "carbon.db"), random: rand.New(rand.NewPCG(seed, 0)), now: time.Date(2026, 11, 5, 0, 0, 0, 0, time.UTC)}
	p.open("Europe/London")
	first := time.Date(2026, 10, 22, 0, 0, 0, 0, time.UTC)
	for n := range 8*5 + 1 {
		p.use(first.Add(time.Duration(n)*3*time.Hour), n)
	}
	p.publish()
	for _, n := range []int{18, 26, 26} {
		p.use(first.Add(time.Duration(n)*3*time.Hour), -1)
		p.publish()
	}
	return p
}

// open opens the store in a time zone.
func (p *published) open(zone string) {
	p.Helper()
	is, err := time.LoadLocation(zone)
	if err == nil {
		p.zone = is
		p.Store, err = store.Open(p.Context(), p.path, store.Options{Exclusive: true, Interval: 3 * time.Hour, Timezone: p.zone})
	}
	if err != nil {
		p.Fatal(err)
	}
	opened := p.Store
	p.Cleanup(func() { opened.Close() })
}

// use stores an interval: the n-th, or another edition of one (n < 0).
func (p *published) use(at time.Time, n int) {
	p.Helper()
	i := usage.Interval{Start: at, Length: 3 * time.Hour}
	rec := usage.Record{Interval: i, State: usage.Settled, PUE: 1, FetchedAt: i.End()}
	policy := usage.Policy{Restate: n < 0, Why: usage.BecauseRestate}
	switch {
	case n == 13 || n == 14 || n > 2 && p.random.IntN(20) == 0 && n != 18 && n != 26:
		rec.State = usage.Empty
		storetest.Commit(p.TB, p.Store, usage.Record{Interval: i, State: usage.Empty, FetchedAt: i.End()})
		return
	case n == 20 || n == 21:
		return // nobody has asked
	}
	for _, piece := range i.Pieces() {
		rec.Prices = append(rec.Prices, usage.PiecePrice{Start: piece.Start, Price: usage.Price{
			Intensity: usage.GramsPerKWh(100 + 100*p.random.Float64()), Kind: usage.Actual, Provider: "uk", Grid: "GB", SlotFrom: piece.Start, FetchedAt: i.End(),
		}})
		for _, user := range []string{"alice", "bob", "unattributed"} {
			for _, machine := range []string{"Muon", "SANS"} {
				rec.Facts = append(rec.Facts, usage.Fact{
					Key: usage.Key{Project: "P-" + machine, Machine: machine, User: user, Group: "ISIS"}, Start: piece.Start,
					CPU:    usage.BusyIdle[usage.CPUSeconds]{Busy: 100, Idle: 1700},
					Energy: usage.ByMode[usage.KWh]{Busy: usage.KWh(p.random.ExpFloat64()), Idle: usage.KWh(p.random.Float64() / 100)},
				})
			}
		}
	}
	storetest.CommitAs(p.TB, p.Store, policy, rec)
}

func (p *published) publish() {
	p.Helper()
	p.now = p.now.Add(time.Hour)
	p.Publish(p.Store, theSite, p.zone, p.now)
}

// again is the same bucket, to be broken.
func (p *published) again(t *testing.T) laketest.Dir {
	d := laketest.New(t)
	if err := os.CopyFS(d.Path, os.DirFS(p.Path)); err != nil {
		t.Fatal(err)
	}
	return d
}

// audited is what is found of a bucket, and of a store if it is compared.
func audited(t *testing.T, b objstore.BucketReader, st Store) Result {
	t.Helper()
	a := &Audit{Catalog: &catalog.Catalog{Bucket: b, Spool: t.TempDir()}, Now: time.Now().Add(2 * young), Store: st}
	r, err := a.Site(t.Context(), theSite)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// faults are those of a result, in words.
func faults(r Result) (all []string) {
	for _, c := range r.Checks {
		for _, text := range c.Faults {
			all = append(all, c.Name+": "+text)
		}
	}
	return all
}

// change changes a manifest.
func change(day lake.Day, f func(m *lake.Manifest)) func(laketest.Dir) {
	return func(d laketest.Dir) {
		d.Helper()
		m := d.Manifest(theSite, day)
		f(m)
		d.Commit(m)
	}
}

// changeFacts changes the rows of the present facts. The manifest has their hash and, if summed,
// their sums.
func changeFacts(day lake.Day, summed bool, f func([]lake.Fact) []lake.Fact) func(laketest.Dir) {
	return func(d laketest.Dir) {
		d.Helper()
		m := d.Manifest(theSite, day)
		r := m.Present()
		rows := f(laketest.Rows[lake.Fact](d, r.Facts.Path))
		r.Facts = laketest.Replace(d, r.Facts.Path, rows)
		if summed {
			sums := &lake.Adder{}
			for _, row := range rows {
				sums.Fact(row)
			}
			r.Sums.Facts = sums.Sums().Facts
		}
		d.Commit(m)
	}
}

// changeMembers does the same of members.
func changeMembers(day lake.Day, f func([]lake.Member) []lake.Member) func(laketest.Dir) {
	return func(d laketest.Dir) {
		d.Helper()
		m := d.Manifest(theSite, day)
		r := m.Present()
		rows := f(laketest.Rows[lake.Member](d, r.Members.Path))
		r.Members = laketest.Replace(d, r.Members.Path, rows)
		sums := &lake.Adder{}
		for _, row := range rows {
			sums.Member(row)
		}
		r.Sums.Members = sums.Sums().Members
		d.Commit(m)
	}
}

func flip(name string) func(laketest.Dir) {
	return func(d laketest.Dir) {
		d.Helper()
		text := d.Read(name)
		text[len(text)/3] ^= 4
		d.Write(name, text)
	}
}

func TestWhatIsPublishedIsWhole(t *testing.T) {
	for seed := range uint64(3) {
		p := publish(t, seed)
		r := audited(t, p.Bucket(), p.Store)
		if all := faults(r); len(all) > 0 || len(r.Checks) != 9 || r.Failed() != 0 {
			t.Errorf("seed %d: %q, %+v", seed, all, r)
		}
		if days := r.Checks[1].Found; days != "4, 2026-10-23 to 2026-10-26, without a hole or an overlap" && days != "5, 2026-10-22 to 2026-10-26, without a hole or an overlap" {
			t.Errorf("seed %d: days: %s", seed, days)
		}
		p.use(time.Date(2026, 10, 26, 3, 0, 0, 0, time.UTC), -1)
		if all := faults(audited(t, p.Bucket(), p.Store)); len(all) != 1 || !strings.HasPrefix(all[0], "store: 2026-10-26: the store has other numbers than the lake") {
			t.Errorf("seed %d, and the store has changed: %q", seed, all)
		}
	}
}

func TestAStoreThatHasDeletedRowsCanBeCompared(t *testing.T) {
	p := publish(t, 8)
	for more := true; more; {
		done, err := p.PruneMembers(t.Context(), time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC), 24*time.Hour, "")
		if err != nil {
			t.Fatal(err)
		}
		more = done.More
	}
	r := audited(t, p.Bucket(), p.Store)
	stored := r.Checks[len(r.Checks)-1]
	if all := faults(r); len(all) > 0 || stored.Found != "5 days are the same" {
		t.Errorf("%q, %+v", all, stored)
	}
}

// TestEveryDamageIsFound: whatever is changed in a bucket, a check finds it, and it is the one that
// is about it.
func TestEveryDamageIsFound(t *testing.T) {
	const (
		plain, long, twice = lake.Day("2026-10-23"), lake.Day("2026-10-25"), lake.Day("2026-10-25") // the last has 25 hours, and was restated twice
		holes              = lake.Day("2026-10-24")
	)
	p := publish(t, 7)
	facts, members := lake.FactsPath(theSite, plain), lake.MembersPath(theSite, plain)
	if n := p.Manifest(theSite, twice).Revision; n != 3 {
		t.Fatalf("%s has %d revisions", twice, n)
	}
	if n := p.Manifest(theSite, holes).Present().Intervals; n.Unknown+n.Empty == 0 || len(n.Holes) == 0 {
		t.Fatalf("%s has intervals %+v", holes, n)
	}
	for _, c := range []struct {
		name   string
		damage func(laketest.Dir)
		check  string
		says   string
	}{
		{"a bit of the facts", flip(facts), Objects, "its bytes are not those"},
		{"a bit of the members", flip(members), Objects, "its bytes are not those"},
		{"a bit of an earlier revision", flip(lake.SupersededPath(theSite, twice, 2, 0, "facts.parquet")), Objects, "revision 2: superseded/"},
		{"half of a file", func(d laketest.Dir) { d.Write(facts, d.Read(facts)[:100]) }, Objects, "it has 100 bytes"},
		{"no members", func(d laketest.Dir) { d.Remove(members) }, Objects, "it is not there"},
		{"no earlier members", func(d laketest.Dir) { d.Remove(lake.SupersededPath(theSite, twice, 1, 0, "members.parquet")) }, Objects, "it is not there"},
		{"another table's columns", change(plain, func(m *lake.Manifest) {
			r := m.Present()
			p := r.Facts.Path
			r.Facts = r.Members
			r.Facts.Path = p
		}), Objects, ""},
		{"another hash of the content", change(plain, func(m *lake.Manifest) { m.Present().Facts.Content = strings.Repeat("0", 64) }), Objects, "content_sha256"},
		{"another number of rows", change(plain, func(m *lake.Manifest) { m.Present().Members.Rows++ }), Objects, "its manifest says"},
		{"a restatement that has not ended", func(d laketest.Dir) {
			m := d.Manifest(theSite, plain)
			r := m.Present()
			for name, o := range map[string]*lake.Object{"facts.parquet": &r.Facts, "members.parquet": &r.Members} {
				text := d.Read(o.Path)
				o.Path = lake.SupersededPath(theSite, plain, 1, 0, name)
				d.Write(o.Path, text)
			}
			d.Commit(m)
		}, Objects, "a restatement has begun and not ended"},
		{"objects elsewhere", func(d laketest.Dir) {
			m := d.Manifest(theSite, plain)
			d.Write("elsewhere.parquet", d.Read(facts))
			m.Present().Facts.Path = "elsewhere.parquet"
			d.Commit(m)
		}, Objects, "not where they belong"},
		{"the present revision is gone", change(plain, func(m *lake.Manifest) {
			r := m.Present()
			r.Facts.Path, r.Members.Path, r.Gone = "", "", "damaged"
		}), Objects, "it is the present one, and its objects are not there: damaged"},

		{"no manifest", func(d laketest.Dir) { d.Remove(lake.ManifestPath(theSite, holes)) }, Days, "2026-10-24: it has no manifest"},
		{"a manifest that is none", func(d laketest.Dir) { d.Write(lake.ManifestPath(theSite, plain), []byte("{")) }, Manifests, "restore it from the versions of the bucket, or delete it"},
		{"that of another day", func(d laketest.Dir) {
			d.Write(lake.ManifestPath(theSite, plain), d.Read(lake.ManifestPath(theSite, holes)))
		}, Manifests, "it is of harwell, 2026-10-24"},
		{"one of a newer version", func(d laketest.Dir) {
			name := lake.ManifestPath(theSite, plain)
			d.Write(name, []byte(strings.Replace(string(d.Read(name)), `"format": 1`, `"format": 2`, 1)))
		}, Manifests, "a newer version of the program has written it: update this one"},
		{"a day that begins late", change(long, func(m *lake.Manifest) { m.From = m.From.Add(time.Hour) }), Days, "it is from"},
		{"a day of 24 hours that has 25", change(long, func(m *lake.Manifest) { m.Until = m.Until.Add(-time.Hour) }), Days, "is a hole, from 2026-10-25T23:00:00Z until 2026-10-26T00:00:00Z"},
		{"days that overlap", change(long, func(m *lake.Manifest) { m.Until = m.Until.Add(time.Hour) }), Days, "overlap"},
		{"a time zone that is none", change(plain, func(m *lake.Manifest) { m.Timezone = "Europe/Atlantis" }), Days, "is unknown"},

		{"more intervals than there are", change(plain, func(m *lake.Manifest) { m.Present().Intervals.Settled++ }), Intervals, "and the day has"},
		{"a hole that is not said", change(holes, func(m *lake.Manifest) { m.Present().Intervals.Holes = nil }), Intervals, "its holes are"},
		{"a hole twice", change(holes, func(m *lake.Manifest) {
			n := &m.Present().Intervals
			n.Holes = append(n.Holes, n.Holes[0])
		}), Intervals, "overlaps another"},
		{"a hole of another kind", change(holes, func(m *lake.Manifest) { m.Present().Intervals.Holes[0].State = "quiet" }), Intervals, "its holes are"},
		{"intervals of no length", change(plain, func(m *lake.Manifest) { m.Present().Intervals.Seconds = 0 }), Intervals, "intervals of 0 seconds"},
		{"intervals of another length", change(plain, func(m *lake.Manifest) { m.Present().Intervals.Seconds /= 2 }), Intervals, "and the day has"},

		{"a row twice", changeFacts(plain, true, func(rows []lake.Fact) []lake.Fact { return slices.Insert(rows, 1, rows[0]) }), Rows, "1 rows are there twice"},
		{"rows in another order", changeFacts(plain, true, func(rows []lake.Fact) []lake.Fact {
			slices.Reverse(rows)
			return rows
		}), Rows, "not in order"},
		{"usage where there was none", changeFacts(holes, true, func(rows []lake.Fact) []lake.Fact {
			more := rows[len(rows)-1]
			more.Start = p.Manifest(theSite, holes).Present().Intervals.Holes[0].From
			rows = append(rows, more)
			slices.SortStableFunc(rows, func(a, b lake.Fact) int { return a.Start.Compare(b.Start) })
			return rows
		}), Rows, "not as its intervals are: facts at"},
		{"no usage where there was some", changeFacts(plain, true, func(rows []lake.Fact) []lake.Fact {
			first := rows[0].Start
			return slices.DeleteFunc(rows, func(f lake.Fact) bool { return f.Start.Before(first.Add(3 * time.Hour)) })
		}), Rows, "no facts at"},
		{"a row of another length", changeFacts(plain, true, func(rows []lake.Fact) []lake.Fact {
			rows[3].Seconds = 60
			return rows
		}), Rows, "of 60 seconds"},

		{"a row less", changeFacts(plain, false, func(rows []lake.Fact) []lake.Fact { return rows[1:] }), Sums, "its manifest says"},
		{"a row less and sums without it", changeFacts(plain, true, func(rows []lake.Fact) []lake.Fact { return rows[1:] }), Sums, "members differ"},
		{"energy that changes hands", changeFacts(plain, true, func(rows []lake.Fact) []lake.Fact {
			rows[0].BusyKWh, rows[1].BusyKWh = rows[1].BusyKWh, rows[0].BusyKWh
			return rows
		}), Sums, "members differ"},
		{"a price that is lost", changeFacts(plain, true, func(rows []lake.Fact) []lake.Fact {
			rows[2].BusyGrams = nil
			return rows
		}), Sums, "members differ"},
		{"a person renamed", changeFacts(plain, true, func(rows []lake.Fact) []lake.Fact {
			for i := range rows {
				rows[i].User = strings.Replace(rows[i].User, "bob", "carol", 1)
			}
			return rows
		}), Sums, "facts without members"},
		{"a member less", changeMembers(plain, func(rows []lake.Member) []lake.Member { return rows[1:] }), Sums, "facts without members"},
		{"a member more", changeMembers(plain, func(rows []lake.Member) []lake.Member {
			more := rows[len(rows)-1]
			more.Name = "zoe"
			return append(rows, more)
		}), Sums, `members without facts: user "zoe"`},
		{"other emissions of a member", changeMembers(plain, func(rows []lake.Member) []lake.Member {
			rows[0].BusyGrams = new(*rows[0].BusyGrams * 1.000001)
			return rows
		}), Sums, "members differ"},
		{"another sum", change(plain, func(m *lake.Manifest) { m.Present().Sums.Facts.BusyKWh *= 1.0000001 }), Sums, "its manifest says"},
		{"another sum of an earlier revision", change(twice, func(m *lake.Manifest) { m.Revisions[0].Sums.Facts.IdleCPUSeconds++ }), Sums, "revision 1: its rows add up to"},
		{"no sum of a scope", change(plain, func(m *lake.Manifest) { delete(m.Present().Sums.Members, "user") }), Sums, "or another sum differs"},

		{"a file that readers find", func(d laketest.Dir) {
			d.Write(filepath.Join(filepath.Dir(facts), "copy.parquet"), d.Read(facts))
		}, Unnamed, "whoever reads all files reads it"},
		{"a day without a manifest", func(d laketest.Dir) {
			d.Write(lake.MembersPath(theSite, "2026-12-24"), d.Read(members))
		}, Unnamed, "day=2026-12-24/members.parquet: no manifest names it"},
		{"two publishers", func(d laketest.Dir) {
			text, err := json.Marshal(lake.Fence{Format: 1, Site: theSite, Publisher: "another", Since: p.now.Add(-1000 * time.Hour)})
			if err != nil {
				t.Fatal(err)
			}
			d.Write(lake.PublisherPath(theSite), text)
		}, Publisher, "two exporters publish the site"},
		{"a publisher of a newer version", func(d laketest.Dir) { d.Write(lake.PublisherPath(theSite), []byte(`{"format": 9}`)) }, Publisher, "a newer version"},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := p.again(t)
			c.damage(d)
			all := faults(audited(t, d.Bucket(), nil))
			if !slices.ContainsFunc(all, func(text string) bool { return strings.HasPrefix(text, c.check+": ") && strings.Contains(text, c.says) }) {
				t.Errorf("found %q, want one of %s that says %q", all, c.check, c.says)
			}
		})
	}
}

// TestWhatIsNoFault: what cannot harm a reader is noted.
func TestWhatIsNoFault(t *testing.T) {
	p := publish(t, 3)
	const day = "2026-10-25"
	for _, c := range []struct {
		name   string
		change func(laketest.Dir)
		check  string
		says   string
	}{
		{"a site that is handed over", func(d laketest.Dir) { d.Remove(lake.PublisherPath(theSite)) }, Publisher, "the next exporter that publishes the site writes it"},
		{"days of an earlier publisher", func(d laketest.Dir) {
			text, err := lake.Fence{Format: 1, Site: theSite, Publisher: "another", Since: p.now.Add(time.Hour)}.Encode()
			if err != nil {
				t.Fatal(err)
			}
			d.Write(lake.PublisherPath(theSite), text)
		}, Publisher, "are of an earlier publisher"},
		{"an earlier revision of a person that was forgotten", func(d laketest.Dir) {
			m := d.Manifest(theSite, day)
			d.Remove(m.Revisions[0].Facts.Path)
			d.Remove(m.Revisions[0].Members.Path)
			m.Revisions[0].Facts.Path, m.Revisions[0].Members.Path, m.Revisions[0].Gone = "", "", "forgotten"
			d.Commit(m)
		}, Objects, "2026-10-25, revision 1: its objects are not there any more: forgotten"},
		{"a copy that is set aside", func(d laketest.Dir) {
			d.Write(lake.SupersededPath(theSite, "2026-10-23", 1, 0, "facts.parquet"), d.Read(lake.FactsPath(theSite, "2026-10-23")))
		}, Unnamed, "it can be deleted"},
	} {
		d := p.again(t)
		c.change(d)
		r := audited(t, d.Bucket(), nil)
		i := slices.IndexFunc(r.Checks, func(k Check) bool { return k.Name == c.check })
		if all := faults(r); len(all) > 0 || !slices.ContainsFunc(r.Checks[i].Notes, func(text string) bool { return strings.Contains(text, c.says) }) {
			t.Errorf("%s: faults %q, notes %q", c.name, all, r.Checks[i].Notes)
		}
	}
}

// TestADayIsPublishedAnew: what docs/tool.md says to do about a day that is damaged.
func TestADayIsPublishedAnew(t *testing.T) {
	p := publish(t, 6)
	flip(lake.FactsPath(theSite, "2026-10-23"))(p.Dir)
	p.Remove(lake.ManifestPath(theSite, "2026-10-23"))
	p.Remove(lake.ManifestPath(theSite, "2026-10-26"))
	p.publish()
	if all := faults(audited(t, p.Bucket(), p.Store)); len(all) > 0 {
		t.Errorf("it is still wrong: %q", all)
	}
}

// TestAnotherTimeZone: every day is published again, and earlier revisions are of the time that was
// their day.
func TestAnotherTimeZone(t *testing.T) {
	p := publish(t, 7)
	before := p.Manifest(theSite, "2026-10-25")
	for _, zone := range []string{"Asia/Tokyo", "Europe/London"} {
		if err := p.Store.Close(); err != nil {
			t.Fatal(err)
		}
		p.open(zone)
		p.publish()
		if all := faults(audited(t, p.Bucket(), p.Store)); len(all) > 0 {
			t.Errorf("%s: %q", zone, all)
		}
	}
	now := p.Manifest(theSite, "2026-10-25")
	for i := range before.Revisions {
		if is := now.When(&now.Revisions[i]); is != before.Calendar {
			t.Errorf("revision %d was of %v, and now it is of %v", i+1, before.Calendar, is)
		}
	}
	if got := now.When(&now.Revisions[len(before.Revisions)]); got.Timezone != "Asia/Tokyo" {
		t.Errorf("the revision of Tokyo is of %v", got)
	}
}

// late is a bucket that lists some objects late.
type late struct {
	objstore.Bucket
	random *rand.Rand
}

func (l late) Iter(ctx context.Context, dir string, f func(string) error, o ...objstore.IterOption) error {
	n := 0
	return l.Bucket.Iter(ctx, dir, func(name string) error {
		if n++; n > 2 && l.random.IntN(2) == 0 && !strings.HasSuffix(name, "/") {
			return nil
		}
		return f(name)
	}, o...)
}

func TestABucketThatListsLateHasNoHole(t *testing.T) {
	p := publish(t, 4)
	want := audited(t, p.Bucket(), nil)
	for seed := range uint64(5) {
		got := audited(t, late{p.Bucket(), rand.New(rand.NewPCG(seed, 0))}, nil)
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%+v, want %+v", got, want)
		}
	}
}

// busy is a bucket in which a day is restated while it is read.
type busy struct {
	objstore.Bucket
	restate func()
	left    *int
}

func (b busy) Get(ctx context.Context, name string) (io.ReadCloser, error) {
	if strings.HasPrefix(name, lake.FactsTable) && *b.left > 0 {
		*b.left--
		b.restate()
	}
	return b.Bucket.Get(ctx, name)
}

func TestAPublisherMayRunMeanwhile(t *testing.T) {
	p := publish(t, 5)
	left := 3
	r := audited(t, busy{p.Bucket(), func() {
		p.use(time.Date(2026, 10, 25, 12, 0, 0, 0, time.UTC), -1)
		p.publish()
	}, &left}, nil)
	if all := faults(r); len(all) > 0 || left != 0 {
		t.Errorf("%d restatements are left, faults %q", left, all)
	}
	if m := p.Manifest(theSite, "2026-10-25"); m.Revision != 6 {
		t.Errorf("%d revisions", m.Revision)
	}
}
