// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/carbon-exporter/carbon_exporter/cmd/internal/answers"
	"github.com/carbon-exporter/carbon_exporter/internal/budget"
	"github.com/carbon-exporter/carbon_exporter/internal/config"
	"github.com/carbon-exporter/carbon_exporter/internal/lake"
	"github.com/carbon-exporter/carbon_exporter/internal/lake/catalog"
	"github.com/carbon-exporter/carbon_exporter/internal/lake/totals"
	"github.com/carbon-exporter/carbon_exporter/internal/report"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// lakeSum adds up the days [from, until) of the sites of a lake.
type lakeSum struct {
	lake        *openLake
	from, until lake.Day
	scope       usage.Scope
	by          string
	asOf        *time.Time // nil: as it is now
	progress    io.Writer

	whole stretchOfDays
	parts []*stretchOfDays
	of    map[lake.Day]*stretchOfDays // the part of a day
	zones map[string]bool
}

// stretchOfDays is some days with what was used in them.
type stretchOfDays struct {
	from, until lake.Day
	book        *totals.Book
	intervals   report.Intervals
}

// read adds up all sites.
func (l *lakeSum) read(ctx context.Context) (*report.Report, error) {
	l.whole = stretchOfDays{from: l.from, until: l.until, book: totals.New(l.scope)}
	l.of, l.zones = map[lake.Day]*stretchOfDays{}, map[string]bool{}
	if l.by != "" {
		for _, p := range budget.Split(periodOf(l.from, l.until, time.UTC), budget.Kind(l.by), time.UTC) {
			part := &stretchOfDays{from: lake.DayOf(p.From, time.UTC), until: lake.DayOf(p.To, time.UTC), book: totals.New(l.scope)}
			l.parts = append(l.parts, part)
			for day := part.from; day < part.until; day = day.Next() {
				l.of[day] = part
			}
		}
	}
	is := &report.Lake{Place: l.lake.place, AsOf: l.asOf}
	for _, name := range l.lake.sites {
		site, err := l.site(ctx, name)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		is.Sites = append(is.Sites, site)
	}
	return l.report(is), nil
}

// report is what was added up. Times are in the time zone of the sites; if they have several, days
// have their dates and no zone.
func (l *lakeSum) report(is *report.Lake) *report.Report {
	zone := time.FixedZone("each site's own time zone", 0)
	if len(l.zones) == 1 {
		for name := range l.zones {
			zone, _ = time.LoadLocation(name)
		}
	}
	stretch := func(s *stretchOfDays) report.Stretch {
		return report.Stretch{
			Period: periodOf(s.from, s.until, zone), Members: s.book.Tallies(), Intervals: s.intervals, Prices: s.book.Prices(),
		}
	}
	rep := &report.Report{Scope: l.scope, By: l.by, Zone: zone, Whole: stretch(&l.whole), Power: l.whole.book.Power(), Lake: is}
	for _, p := range l.parts {
		rep.Parts = append(rep.Parts, stretch(p))
	}
	rep.Grids = answers.GridsUsed(rep.Whole.Prices, config.CarbonIntensity{})
	return rep
}

// site adds up the days of a site.
func (l *lakeSum) site(ctx context.Context, name string) (s report.LakeSite, err error) {
	is, err := l.lake.Site(ctx, name, func(day lake.Day) bool { return day >= l.from && day < l.until })
	s = report.LakeSite{Site: name, First: string(is.First), Last: string(is.Last)}
	s.Missing, s.Gone, s.Outside, s.Unknown = []string{}, []string{}, []string{}, []string{}
	if err != nil || is.First == "" {
		return s, err
	}
	zone, seconds, err := l.calendar(ctx, is)
	if err != nil {
		return s, err
	}
	s.Timezone = zone.String()
	l.zones[s.Timezone] = true
	published := map[lake.Day]catalog.Entry{}
	for _, e := range is.Days {
		published[e.Day] = e
	}
	told := watched(l.progress, name+": days", len(is.Days))
	defer told.End()
	for day := l.from; day < l.until; day = day.Next() {
		e := published[day]
		r, err := l.revision(ctx, name, e)
		if err != nil {
			return s, fmt.Errorf("%s: %w", day, err)
		}
		counted := report.CountIntervals(nil, periodOf(day, day.Next(), zone), seconds, time.Unix(1<<40, 0))
		switch {
		case day < is.First || day > is.Last:
			s.Outside = append(s.Outside, string(day)) // unasked, as CountIntervals has it
		case r == nil || r.Gone != "":
			counted.Missing, counted.Unasked = counted.All, 0
			if r == nil {
				s.Missing = append(s.Missing, string(day))
			} else {
				s.Gone = append(s.Gone, string(day))
			}
		default:
			counted = report.Intervals{
				All: r.Intervals.Settled + r.Intervals.Empty + r.Intervals.Unknown, Settled: r.Intervals.Settled, Empty: r.Intervals.Empty, Missing: r.Intervals.Unknown,
			}
			s.Days++
			if r.Intervals.Unknown > 0 {
				s.Unknown = append(s.Unknown, string(day))
				s.UnknownSeconds += r.Intervals.UnknownSeconds()
			}
		}
		l.count(day, counted)
		told.Add(1, beginOf(day, zone))
	}
	return s, nil
}

// calendar is the time zone of a site, and the length of its intervals.
func (l *lakeSum) calendar(ctx context.Context, is catalog.Site) (*time.Location, time.Duration, error) {
	var m *lake.Manifest
	for _, e := range is.Days {
		if e.Err != nil {
			if usage.FailureOf(e.Err) == nil {
				return nil, 0, fmt.Errorf("%w; see carbontool lake verify", e.Err)
			}
			return nil, 0, e.Err
		}
		if e.Manifest != nil {
			m = e.Manifest
		}
	}
	if m == nil {
		var err error
		if m, err = l.lake.Manifest(ctx, is.Name, is.Last); err != nil {
			return nil, 0, err
		}
	}
	if m == nil {
		return time.UTC, usage.SlotLength, nil // it was deleted just now
	}
	zone, err := time.LoadLocation(m.Timezone)
	return zone, time.Duration(m.Present().Intervals.Seconds) * time.Second, err
}

func (l *lakeSum) count(day lake.Day, n report.Intervals) {
	for _, s := range []*stretchOfDays{&l.whole, l.of[day]} {
		if s != nil {
			s.intervals = s.intervals.Plus(n)
		}
	}
}

// mostRestated is how often a day may be restated while it is read.
const mostRestated = 5

// revision adds the revision of a day that counts, and returns it; nil: there is none.
func (l *lakeSum) revision(ctx context.Context, site string, e catalog.Entry) (*lake.Revision, error) {
	m, err := e.Manifest, e.Err
	for range mostRestated {
		if m == nil || err != nil {
			return nil, err
		}
		r := m.Present()
		if l.asOf != nil {
			r = m.AsOf(*l.asOf)
		}
		if r == nil || r.Gone != "" {
			return r, nil
		}
		part := l.of[e.Day]
		err = catalog.Rows(ctx, &l.lake.Catalog, r.Facts, func(f lake.Fact) error {
			l.whole.book.Add(site, f)
			if part != nil {
				part.book.Add(site, f)
			}
			return nil
		})
		damaged, ok := errors.AsType[*lake.DamagedError](err)
		if !ok {
			return r, err
		}
		was := m.Generation
		if m, err = l.lake.Manifest(ctx, site, e.Day); err == nil && m != nil && m.Generation == was {
			return nil, fmt.Errorf("%w; see carbontool lake verify", damaged)
		}
	}
	return nil, errors.New("it was restated again and again while it was read; try again")
}
