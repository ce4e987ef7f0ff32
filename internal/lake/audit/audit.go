// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Package audit proves that a lake has no hole and no overlap: that every day between the first and
// the last of a site has one present revision, whose intervals cover the day, whose objects are what
// its manifest says, and whose facts, members and sums are the same usage. It knows what has to hold
// of a lake; it must not know how one is published. Start with Audit.Site.
//
// An exporter may publish at the same time. What is found of a day counts only if its manifest is
// still the same afterwards; otherwise the day is looked at again.
package audit

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/lake"
	"github.com/carbon-exporter/carbon_exporter/internal/lake/catalog"
)

// The checks of a site.
const (
	Manifests = "manifests" // each can be read, and is of a format that is known here
	Days      = "days"      // none is missing, and none overlaps another
	Intervals = "intervals" // they cover each day
	Objects   = "objects"   // they are there, with the bytes and hashes of the manifest, earlier revisions included
	Rows      = "rows"      // they are in order, none is there twice, each belongs to an interval with usage
	Sums      = "sums"      // facts and members add up to each other, and to what the manifest says
	Publisher = "publisher" // one publishes the site
	Unnamed   = "unnamed"   // no object that readers of files find is missing from the manifests
	Stored    = "store"     // a store has the same days; only if there is one
)

// Check is what was found by one check.
type Check struct {
	Name   string   `json:"check"`
	OK     bool     `json:"ok"`
	Found  string   `json:"found"`
	Faults []string `json:"faults"`
	// Notes are what is worth knowing and no fault.
	Notes []string `json:"notes"`
}

// Result is what was found of a site.
type Result struct {
	Site   string  `json:"site"`
	First  string  `json:"first_day"`
	Last   string  `json:"last_day"`
	Checks []Check `json:"checks"`
}

// Failed counts the checks that found a fault.
func (r Result) Failed() (n int) {
	for _, c := range r.Checks {
		if !c.OK {
			n++
		}
	}
	return n
}

// Audit proves lakes.
type Audit struct {
	Catalog *catalog.Catalog
	Store   Store // the store that publishes the site; nil: it is not compared
	Now     time.Time
	// Told receives how many days of how many were looked at, and when the last one begins; nil:
	// nobody.
	Told func(done, all int, day time.Time)
}

// findings are what is found of a site, by check.
type findings struct {
	faults, notes                   map[string][]string
	days, revisions, objects, rows  int
	settled, empty, unknown, stored int
	bytes                           int64
}

func newFindings() *findings {
	return &findings{faults: map[string][]string{}, notes: map[string][]string{}}
}

func (f *findings) fault(check, format string, args ...any) {
	f.faults[check] = append(f.faults[check], fmt.Sprintf(format, args...))
}

func (f *findings) note(check, format string, args ...any) {
	f.notes[check] = append(f.notes[check], fmt.Sprintf(format, args...))
}

// add adds what was found of a day.
func (f *findings) add(o *findings) {
	for check, all := range o.faults {
		f.faults[check] = append(f.faults[check], all...)
	}
	for check, all := range o.notes {
		f.notes[check] = append(f.notes[check], all...)
	}
	f.days, f.revisions, f.objects, f.rows = f.days+o.days, f.revisions+o.revisions, f.objects+o.objects, f.rows+o.rows
	f.settled, f.empty, f.unknown, f.stored = f.settled+o.settled, f.empty+o.empty, f.unknown+o.unknown, f.stored+o.stored
	f.bytes += o.bytes
}

// Site looks at all of a site. An error means that the bucket could not be asked.
func (a *Audit) Site(ctx context.Context, site string) (Result, error) {
	is, err := a.Catalog.Site(ctx, site, func(lake.Day) bool { return true })
	if err != nil {
		return Result{}, err
	}
	f := newFindings()
	if len(is.Days) == 0 {
		f.fault(Days, "no day of this site has a manifest")
	}
	var before *lake.Manifest
	for i, e := range is.Days {
		m, found, err := a.day(ctx, site, e)
		if err != nil {
			return Result{}, fmt.Errorf("%s, %s: %w", site, e.Day, err)
		}
		f.add(found)
		is.Days[i].Manifest = m
		if before != nil && m != nil {
			join(f, before, m)
		}
		if m != nil {
			before = m
		}
		if a.Told != nil {
			a.Told(i+1, len(is.Days), e.Day.Date())
		}
	}
	if err := a.publisher(ctx, f, is); err != nil {
		return Result{}, err
	}
	if err := a.unnamed(ctx, f, is); err != nil {
		return Result{}, err
	}
	if a.Store != nil {
		has := map[lake.Day]bool{}
		for _, e := range is.Days {
			has[e.Day] = e.Manifest != nil || e.Err != nil
		}
		if err := a.unpublished(ctx, f, has); err != nil {
			return Result{}, err
		}
	}
	return a.result(f, is), nil
}

// mostRestated is how often a day may be restated while it is looked at.
const mostRestated = 5

// day looks at a day until its manifest stays the same for as long.
func (a *Audit) day(ctx context.Context, site string, e catalog.Entry) (*lake.Manifest, *findings, error) {
	m, err := e.Manifest, e.Err
	for range mostRestated {
		f := newFindings()
		if ctx.Err() != nil {
			return nil, f, ctx.Err()
		}
		switch {
		case errors.Is(err, lake.ErrNewer):
			f.fault(Manifests, "%v", err)
			return nil, f, nil
		case err != nil:
			f.fault(Manifests, "%v; if somebody has changed it, restore it from the versions of the bucket, or delete it", err)
			return nil, f, nil
		case m == nil:
			f.fault(Days, "%s: it has no manifest, and days before and after it have one", e.Day)
			return nil, f, nil
		}
		if err := a.manifest(ctx, f, m); err != nil {
			return nil, f, err
		}
		if len(f.faults) == 0 {
			return m, f, nil
		}
		again, why := a.Catalog.Manifest(ctx, site, e.Day)
		if why == nil && again != nil && again.Generation == m.Generation && again.Publisher == m.Publisher {
			return m, f, nil
		}
		m, err = again, why
	}
	return nil, newFindings(), errors.New("it was restated again and again while it was looked at; try again")
}

// result writes what was found.
func (a *Audit) result(f *findings, is catalog.Site) Result {
	r := Result{Site: is.Name, First: string(is.First), Last: string(is.Last)}
	found := map[string]string{
		Manifests: fmt.Sprintf("%d", f.days),
		Days:      fmt.Sprintf("%d, %s to %s, without a hole or an overlap", f.days, is.First, is.Last),
		Intervals: fmt.Sprintf("%d settled, %d empty, %d unknown", f.settled, f.empty, f.unknown),
		Objects:   fmt.Sprintf("%d of %d revisions, %d bytes", f.objects, f.revisions, f.bytes),
		Rows:      fmt.Sprintf("%d", f.rows),
		Sums:      "facts, members and manifests agree",
		Publisher: "one",
		Unnamed:   "none",
		Stored:    fmt.Sprintf("%d days are the same", f.stored),
	}
	for _, name := range []string{Manifests, Days, Intervals, Objects, Rows, Sums, Publisher, Unnamed, Stored} {
		if name == Stored && a.Store == nil {
			continue
		}
		c := Check{Name: name, OK: len(f.faults[name]) == 0, Faults: append([]string{}, f.faults[name]...), Notes: append([]string{}, f.notes[name]...)}
		if c.OK {
			c.Found = found[name]
		}
		r.Checks = append(r.Checks, c)
	}
	return r
}
