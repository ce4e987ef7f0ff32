// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package audit

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"maps"
	"math"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/lake"
	"github.com/carbon-exporter/carbon_exporter/internal/lake/catalog"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// memberOf is a row of members.
type memberOf struct {
	start       int64
	scope, name string
}

func (m memberOf) String() string {
	return fmt.Sprintf("%s %q at %s", m.scope, m.name, at(time.Unix(m.start, 0)))
}

// rows reads the objects of a revision. starts are its intervals with usage.
func (a *Audit) rows(ctx context.Context, f *findings, name string, r *lake.Revision, starts map[int64]bool) error {
	l := &ledger{f: f, name: name, length: r.Intervals.Seconds, starts: starts, used: map[int64]bool{}, sums: map[memberOf]*lake.Adder{}}
	if l.length <= 0 {
		return nil // that was said
	}
	facts, err := read(ctx, a.Catalog, f, name, r.Facts, l.fact)
	if err != nil {
		return err
	}
	members, err := read(ctx, a.Catalog, f, name, r.Members, l.member)
	if err != nil || !facts || !members {
		return err
	}
	l.end(r)
	return nil
}

// read reads an object; ok is false if it is damaged.
func read[T lake.Row](ctx context.Context, c *catalog.Catalog, f *findings, name string, o lake.Object, each func(T)) (ok bool, err error) {
	again := lake.NewWriter[T](io.Discard) // for the hash of the content
	some := make([]T, 1)
	err = catalog.Rows(ctx, c, o, func(row T) error {
		each(row)
		some[0] = row
		return again.Write(some)
	})
	if err != nil {
		return false, object(f, name, err)
	}
	is, err := again.Close()
	if err != nil {
		return false, err
	}
	f.objects++
	f.bytes += o.Bytes
	f.rows += int(is.Rows)
	if !is.Same(o) {
		f.fault(Objects, "%s: %s has %d rows, and its manifest says %d, or they are others (content_sha256)", name, o.Path, is.Rows, o.Rows)
	}
	return true, nil
}

// ledger holds the rows of a revision against each other.
type ledger struct {
	f          *findings
	name       string
	length     int64 // of an interval, in seconds
	starts     map[int64]bool
	used       map[int64]bool // intervals with facts
	all        lake.Adder
	sums       map[memberOf]*lake.Adder // what facts say of each member
	lastFact   *lake.Fact
	lastMember *lake.Member
	stray      []string // facts outside of intervals with usage
	unordered  int
	different  []string // members that are not what facts say
	surplus    []string // members of whom there are no facts
}

func (l *ledger) fact(row lake.Fact) {
	l.all.Fact(row)
	if last := l.lastFact; last != nil && cmp.Or(last.Start.Compare(row.Start), cmp.Compare(last.Project, row.Project), cmp.Compare(last.Machine, row.Machine),
		cmp.Compare(last.User, row.User), cmp.Compare(last.Group, row.Group)) >= 0 {
		l.unordered++
	}
	l.lastFact = &row
	start := usage.FloorEpoch(row.Start, time.Duration(l.length)*time.Second).Unix()
	l.used[start] = true
	piece := usage.PieceLength(time.Duration(l.length) * time.Second)
	if !l.starts[start] || row.Seconds != int64(piece/time.Second) || !usage.FloorEpoch(row.Start, piece).Equal(row.Start) || row.State != string(usage.Settled) {
		l.strays("facts at %s, of %d seconds, %s", at(row.Start), row.Seconds, row.State)
	}
	for _, m := range []memberOf{
		{start, "ada", "ada"}, {start, "project", row.Project}, {start, "machine", row.Machine}, {start, "user", row.User},
	} {
		if l.sums[m] == nil {
			l.sums[m] = &lake.Adder{}
		}
		l.sums[m].Fact(row)
	}
}

func (l *ledger) member(row lake.Member) {
	l.all.Member(row)
	if last := l.lastMember; last != nil && cmp.Or(last.Start.Compare(row.Start), cmp.Compare(last.Scope, row.Scope), cmp.Compare(last.Name, row.Name)) >= 0 {
		l.unordered++
	}
	l.lastMember = &row
	m := memberOf{row.Start.Unix(), row.Scope, row.Name}
	facts := l.sums[m]
	delete(l.sums, m)
	if row.Seconds != l.length || row.State != string(usage.Settled) {
		l.strays("%s, of %d seconds, %s", m, row.Seconds, row.State)
	}
	if facts == nil {
		l.surplus = append(l.surplus, m.String())
		return
	}
	one := &lake.Adder{}
	one.Member(row)
	if !alike(facts.Sums().Facts, one.Sums().Members[row.Scope]) {
		l.different = append(l.different, m.String())
	}
}

// strays notes what does not fit the intervals, each once.
func (l *ledger) strays(format string, args ...any) {
	if text := fmt.Sprintf(format, args...); len(l.stray) < 1000 && !slices.Contains(l.stray, text) {
		l.stray = append(l.stray, text)
	}
}

// end says what was found.
func (l *ledger) end(r *lake.Revision) {
	f, name := l.f, l.name
	for start := range l.starts {
		if !l.used[start] {
			l.strays("no facts at %s, which is said to have usage", at(time.Unix(start, 0)))
		}
	}
	if l.unordered > 0 {
		f.fault(Rows, "%s: %d rows are there twice, or not in order", name, l.unordered)
	}
	if len(l.stray) > 0 {
		f.fault(Rows, "%s: not as its intervals are: %s", name, sample(l.stray))
	}
	if len(l.different) > 0 {
		f.fault(Sums, "%s: members differ from what their facts add up to: %s", name, sample(l.different))
	}
	if len(l.surplus) > 0 {
		f.fault(Sums, "%s: members without facts: %s", name, sample(l.surplus))
	}
	if len(l.sums) > 0 {
		var lacking []string
		for m := range l.sums {
			lacking = append(lacking, m.String())
		}
		f.fault(Sums, "%s: facts without members: %s", name, sample(lacking))
	}
	is := l.all.Sums()
	if !reflect.DeepEqual(is.Facts, r.Sums.Facts) || !maps.EqualFunc(is.Members, r.Sums.Members, func(a, b lake.Amounts) bool { return reflect.DeepEqual(a, b) }) {
		f.fault(Sums, "%s: its rows add up to %v kWh, and its manifest says %v, or another sum differs", name,
			is.Facts.BusyKWh+is.Facts.IdleKWh+is.Facts.MeasuredKWh, r.Sums.Facts.BusyKWh+r.Sums.Facts.IdleKWh+r.Sums.Facts.MeasuredKWh)
	}
}

// alike reports whether two sums of the same usage are the same but for the last digits.
func alike(a, b lake.Amounts) bool {
	for _, v := range [][2]float64{
		{a.BusyCPUSeconds, b.BusyCPUSeconds},
		{a.IdleCPUSeconds, b.IdleCPUSeconds},
		{a.BusyKWh, b.BusyKWh},
		{a.IdleKWh, b.IdleKWh},
		{a.MeasuredKWh, b.MeasuredKWh},
	} {
		if !near(v[0], v[1]) {
			return false
		}
	}
	grams := func(a, b *float64) bool { return (a == nil) == (b == nil) && (a == nil || near(*a, *b)) }
	measured := func(v *float64) *float64 { // a member that has none of it says nothing
		if v != nil && *v == 0 {
			return nil
		}
		return v
	}
	return grams(a.BusyGrams, b.BusyGrams) && grams(a.IdleGrams, b.IdleGrams) && grams(measured(a.MeasuredGrams), measured(b.MeasuredGrams))
}

func near(a, b float64) bool { return math.Abs(a-b) <= 1e-12+1e-9*max(math.Abs(a), math.Abs(b)) }

func joined(all []string) string { return strings.Join(all, "; ") }
