// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Package catalog reads a lake: which sites and days a bucket has, what their manifests say, and
// the rows of a revision. It knows object storage and internal/lake; it must not know what the rows
// are for. It writes nothing to the bucket. Start with Catalog.Site and Rows.
//
// A list of a bucket only says where to begin and to end. Whether a day between is there is asked
// of its manifest by name, because some storage lists an object later than it has it.
package catalog

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/thanos-io/objstore"

	"github.com/carbon-exporter/carbon_exporter/internal/lake"
)

const (
	// longest is more days than any site has: a manifest so far from the others is none of it.
	longest = 40000
	// atOnce is how many manifests are read at a time.
	atOnce = 8
)

// Catalog reads a bucket.
type Catalog struct {
	Bucket objstore.BucketReader
	// Spool is the directory for files while they are read; empty: that of the system.
	Spool string
}

// Entry is a day of a site, by its manifest.
type Entry struct {
	Day      lake.Day
	Manifest *lake.Manifest // nil: there is none, or it cannot be read
	Err      error          // why it cannot be read
}

// Site is the days of a site, from its first to its last, without a gap. Those that were not asked
// for are left out.
type Site struct {
	Name        string
	First, Last lake.Day // of all of its days; empty: it has none
	Days        []Entry
}

// Sites lists the sites that have any object, by name.
func (c *Catalog) Sites(ctx context.Context) ([]string, error) {
	var all []string
	for _, dir := range []string{lake.ManifestTable, lake.FactsTable, lake.MembersTable, lake.SupersededDir} {
		if err := c.Bucket.Iter(ctx, dir, func(name string) error {
			site := strings.TrimSuffix(strings.TrimPrefix(name, dir+"/"), "/")
			if dir != lake.SupersededDir {
				var ok bool
				if site, ok = strings.CutPrefix(site, "site="); !ok {
					return nil
				}
			}
			if lake.CheckSite(site) == nil && !slices.Contains(all, site) {
				all = append(all, site)
			}
			return nil
		}); err != nil {
			return nil, fmt.Errorf("list %s: %w", dir, err)
		}
	}
	slices.Sort(all)
	return all, nil
}

// Site reads the manifests of those days of a site that are wanted.
func (c *Catalog) Site(ctx context.Context, site string, want func(lake.Day) bool) (Site, error) {
	is := Site{Name: site}
	if err := c.Bucket.Iter(ctx, lake.ManifestDir(site), func(name string) error {
		if day, ok := lake.DayOfManifest(name); ok {
			is.First, is.Last = min(day, is.First), max(day, is.Last)
			if is.First == "" {
				is.First = day
			}
		}
		return nil
	}); err != nil {
		return is, fmt.Errorf("list %s: %w", lake.ManifestDir(site), err)
	}
	if is.First == "" {
		return is, nil
	}
	if n := is.Last.Date().Sub(is.First.Date()) / (24 * time.Hour); n > longest {
		return is, fmt.Errorf("%s has manifests of %s and of %s, which is %d days: one of them is a mistake", lake.ManifestDir(site), is.First, is.Last, n)
	}
	var days []lake.Day
	for day := is.First; day <= is.Last; day = day.Next() {
		if want(day) {
			days = append(days, day)
		}
	}
	is.Days = c.read(ctx, site, days)
	for { // those that are not listed yet
		next := is.Last.Next()
		m, err := c.Manifest(ctx, site, next)
		if m == nil && err == nil || ctx.Err() != nil {
			return is, ctx.Err()
		}
		is.Last = next
		if want(next) {
			is.Days = append(is.Days, Entry{next, m, err})
		}
	}
}

// read reads manifests, several at a time.
func (c *Catalog) read(ctx context.Context, site string, days []lake.Day) []Entry {
	all := make([]Entry, len(days))
	turns := make(chan struct{}, atOnce)
	var wait sync.WaitGroup
	for i, day := range days {
		turns <- struct{}{}
		wait.Go(func() {
			m, err := c.Manifest(ctx, site, day)
			all[i] = Entry{day, m, err}
			<-turns
		})
	}
	wait.Wait()
	return all
}

// Manifest reads the manifest of a day; nil: there is none.
func (c *Catalog) Manifest(ctx context.Context, site string, day lake.Day) (*lake.Manifest, error) {
	text, err := c.Text(ctx, site, day)
	if err != nil || text == nil {
		return nil, err
	}
	return lake.DecodeManifest(text, site, day)
}

// Text reads the manifest of a day as it is, whether it can be understood or not; nil: there is none.
func (c *Catalog) Text(ctx context.Context, site string, day lake.Day) ([]byte, error) {
	return c.objects().Small(ctx, lake.ManifestPath(site, day))
}

// Publisher reads publisher.json of a site; nil: there is none.
func (c *Catalog) Publisher(ctx context.Context, site string) ([]byte, error) {
	return c.objects().Small(ctx, lake.PublisherPath(site))
}

func (c *Catalog) objects() lake.Objects {
	return lake.Objects{Bucket: c.Bucket, Rights: "read and list"}
}
