// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"crypto/rand"
	"errors"
	"io/fs"
	"os"
	"path"
	"slices"
	"time"

	"github.com/thanos-io/objstore"

	"github.com/carbon-exporter/carbon_exporter/cmd/internal/parts"
	"github.com/carbon-exporter/carbon_exporter/internal/doctor"
	"github.com/carbon-exporter/carbon_exporter/internal/lake"
	"github.com/carbon-exporter/carbon_exporter/internal/lake/audit"
	"github.com/carbon-exporter/carbon_exporter/internal/lake/bucket"
	"github.com/carbon-exporter/carbon_exporter/internal/lake/catalog"
	"github.com/carbon-exporter/carbon_exporter/internal/store"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// lake looks at the bucket to which settled days are published, and at what the store says of it.
func (e *examination) lake(ctx context.Context) []doctor.Finding {
	c, err := parts.LakeBucket(e.cfg.Lake)
	if err != nil {
		fault := err.Error()
		if errors.Is(err, fs.ErrNotExist) {
			fault = "there is no such file"
		}
		return []doctor.Finding{doctor.LakeFile(e.cfg.Lake.ObjstoreConfigFile, doctor.Bucket{}, fault)}
	}
	is := doctor.Bucket{Kind: c.Kind, Place: c.Place, Dir: c.Dir}
	all := []doctor.Finding{doctor.LakeFile(e.cfg.Lake.ObjstoreConfigFile, is, "")}
	p := doctor.Published{
		Site: e.cfg.Lake.Site, Now: e.now, SettleAfter: time.Duration(e.cfg.SettleAfter), PublisherFile: lake.PublisherPath(e.cfg.Lake.Site),
	}
	st, err := e.openToRead(ctx, e.cfg)
	var published []usage.LakeEdition
	if err == nil {
		defer st.Close() //nolint:errcheck // nothing was written
		published, err = inTime(ctx, func(ctx context.Context) ([]usage.LakeEdition, error) { return keptOfLake(ctx, st, c.Place, &p) })
	}
	if err != nil {
		st, p.Unread = nil, usage.Cause(err)
	}
	if _, err := os.Stat(c.Dir); c.Dir != "" && errors.Is(err, fs.ErrNotExist) {
		return append(all, doctor.LakeDirectory(is, p.Days), doctor.LakePublished(p))
	}
	b, err := inTime(ctx, func(ctx context.Context) (objstore.Bucket, error) { return openWithin(ctx, c) })
	if err != nil {
		return append(all, doctor.LakeBucket(is, 0, usage.Cause(err), false), doctor.LakePublished(p))
	}
	defer b.Close() //nolint:errcheck // what was written was looked at
	return append(all, e.bucket(ctx, is, b, st, published, p)...)
}

// bucket asks a bucket that is open. st is nil if the store cannot be read.
func (e *examination) bucket(ctx context.Context, is doctor.Bucket, b objstore.Bucket, st *store.Store, published []usage.LakeEdition, p doctor.Published) (all []doctor.Finding) {
	began := time.Now()
	days, err := inTime(ctx, func(ctx context.Context) ([]lake.Day, error) { return daysListed(ctx, b, p.Site) })
	if err != nil {
		denied := b.IsAccessDeniedErr(err)
		all = append(all, doctor.LakeBucket(is, 0, usage.Cause(err), denied))
		if denied {
			all = append(all, rightsIn(ctx, is, b, p.Site)...)
		}
		return append(all, doctor.LakePublished(p))
	}
	all = append(all, doctor.LakeBucket(is, time.Since(began), "", false))
	all = append(all, rightsIn(ctx, is, b, p.Site)...)

	cat := &catalog.Catalog{Bucket: b}
	_, err = inTime(ctx, func(ctx context.Context) (any, error) { return nil, publisherIn(ctx, cat, &p) })
	if err == nil && st != nil {
		_, err = inTime(ctx, func(ctx context.Context) (any, error) {
			return nil, compareWith(ctx, cat, st, published, days, e.cfg.Timezone, &p)
		})
	}
	if err != nil {
		all = append(all, doctor.Unasked(doctor.Lake, "publisher", usage.Cause(err)))
	} else {
		all = append(all, doctor.LakePublisher(p))
	}
	all = append(all, doctor.LakePublished(p))
	m, err := inTime(ctx, func(ctx context.Context) (doctor.Manifests, error) {
		return manifestsIn(ctx, cat, p.Site, e.cfg.Timezone, days)
	})
	if err != nil {
		return append(all, doctor.Unasked(doctor.Lake, "manifests", usage.Cause(err)))
	}
	return append(all, doctor.LakeManifests(m)...)
}

// keptOfLake reads what the store says of a lake, and returns what it has published.
func keptOfLake(ctx context.Context, st *store.Store, place string, p *doctor.Published) ([]usage.LakeEdition, error) {
	name := lake.NameOf(p.Site, place)
	ours, present, err := st.LakeSeen(ctx, name)
	if err != nil {
		return nil, err
	}
	if p.Ours = ours; present != name {
		p.Elsewhere = present
	}
	published, err := st.LakeEditions(ctx, name)
	if err != nil {
		return nil, err
	}
	p.Days = len(published)
	for _, day := range published {
		p.Newest = day.Date
		if day.Contested {
			p.Contested++
		}
	}
	p.Work, err = st.LakeWork(ctx, name, 0)
	return published, err
}

// publisherIn reads who publishes a site.
func publisherIn(ctx context.Context, cat *catalog.Catalog, p *doctor.Published) error {
	text, err := cat.Publisher(ctx, p.Site)
	if err != nil || text == nil {
		return err
	}
	fence, err := lake.DecodeFence(text, p.Site)
	if err != nil {
		p.PublisherBad, p.Newer = err.Error(), errors.Is(err, lake.ErrNewer)
		return nil
	}
	p.Publisher, p.Since = fence.Publisher, fence.Since
	return nil
}

// compareWith looks whether the bucket still has the days that were published, and, if somebody else publishes
// the site, which of the days that wait it has, and whether they have the same numbers.
func compareWith(ctx context.Context, cat *catalog.Catalog, st *store.Store, published []usage.LakeEdition, there []lake.Day, timezone string, p *doctor.Published) error {
	for _, e := range slices.Backward(published) {
		day := lake.Day(e.Date)
		if slices.Contains(there, day) {
			continue
		}
		has, err := cat.Bucket.Exists(ctx, lake.ManifestPath(p.Site, day)) // a list may be late
		if err != nil {
			return err
		}
		if !has {
			p.Gone = e.Date
			break
		}
	}
	if p.Publisher == "" || p.Publisher == p.Ours || p.Ours == "" {
		return nil
	}
	var theirs []usage.LakeDay
	for _, day := range p.Work.Due {
		if slices.Contains(there, lake.Day(day.Date)) {
			theirs = append(theirs, day)
		}
	}
	p.Theirs = len(theirs)
	for _, day := range slices.Backward(theirs) {
		// Days of a large site may take too long to be read, or be deleted by key: then it is not known.
		m, err := cat.Manifest(ctx, p.Site, lake.Day(day.Date))
		if err != nil || m == nil {
			return nil //nolint:nilerr // manifests has findings of its own
		}
		same, err := audit.Same(ctx, st, m)
		if err != nil {
			return nil //nolint:nilerr // as above
		}
		p.Compared++
		if !same || m.Timezone != timezone || !m.From.Equal(day.From) || !m.Until.Equal(day.To) {
			p.Other = day.Date
			return nil
		}
	}
	return nil
}

// daysListed lists the days that have a manifest.
func daysListed(ctx context.Context, b objstore.BucketReader, site string) (days []lake.Day, err error) {
	err = b.Iter(ctx, lake.ManifestDir(site), func(name string) error {
		if day, ok := lake.DayOfManifest(name); ok {
			days = append(days, day)
		}
		return nil
	})
	return days, err
}

// manifestsIn reads the oldest and the newest manifest of some.
func manifestsIn(ctx context.Context, cat *catalog.Catalog, site, timezone string, days []lake.Day) (doctor.Manifests, error) {
	all := doctor.Manifests{Site: site, Timezone: timezone, Count: len(days)}
	if len(days) == 0 {
		return all, nil
	}
	first, last := slices.Min(days), slices.Max(days)
	all.First, all.Last = string(first), string(last)
	for _, day := range slices.Compact([]lake.Day{first, last}) {
		text, err := cat.Text(ctx, site, day)
		if err != nil {
			return all, err
		}
		if text == nil {
			continue // it was deleted meanwhile
		}
		is := doctor.Manifest{Name: lake.ManifestPath(site, day)}
		m, err := lake.DecodeManifest(text, site, day)
		if err != nil {
			is.Fault, is.Newer = err.Error(), errors.Is(err, lake.ErrNewer)
		} else {
			is.Timezone = m.Timezone
		}
		all.Read = append(all.Read, is)
	}
	return all, nil
}

// rightsIn tries what the account may do, where the exporter writes, and nobody takes it for a day.
func rightsIn(ctx context.Context, is doctor.Bucket, b objstore.Bucket, site string) []doctor.Finding {
	object := path.Join(lake.ManifestDir(site), "carbontool-doctor-probe-"+rand.Text()[:8]+".txt")
	var tried []doctor.Right
	for _, a := range bucket.Try(ctx, b, object, eachQuestion) {
		r := doctor.Right{Name: a.Right, Denied: a.Denied}
		if a.Err != nil {
			r.Fault = a.Err.Error()
		}
		tried = append(tried, r)
	}
	return doctor.LakeRights(is, object, tried)
}

// openWithin opens a bucket. Some kinds of storage are asked for it, and do not know a context.
func openWithin(ctx context.Context, c *bucket.Config) (objstore.Bucket, error) {
	type opened struct {
		objstore.Bucket
		err error
	}
	done := make(chan opened, 1)
	go func() {
		b, err := c.Open()
		done <- opened{b, err}
	}()
	select {
	case is := <-done:
		return is.Bucket, is.err
	case <-ctx.Done():
		return nil, ctx.Err() // the program is about to end
	}
}
