// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package audit

import (
	"context"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/thanos-io/objstore"

	"github.com/carbon-exporter/carbon_exporter/internal/lake"
	"github.com/carbon-exporter/carbon_exporter/internal/lake/catalog"
)

// publisher checks that one exporter publishes a site.
func (a *Audit) publisher(ctx context.Context, f *findings, is catalog.Site) error {
	text, err := a.Catalog.Publisher(ctx, is.Name)
	if err != nil {
		return err
	}
	if text == nil {
		f.note(Publisher, "%s is not there: the next exporter that publishes the site writes it", lake.PublisherPath(is.Name))
		return nil
	}
	fence, err := lake.DecodeFence(text, is.Name)
	if err != nil {
		f.fault(Publisher, "%s: %v", lake.PublisherPath(is.Name), err)
		return nil
	}
	late, others := map[string][]string{}, map[string]int{}
	for _, e := range is.Days {
		m := e.Manifest
		if m == nil || m.Publisher == fence.Publisher {
			continue
		}
		others[m.Publisher]++
		if m.Present().PublishedAt.After(fence.Since) {
			late[m.Publisher] = append(late[m.Publisher], string(m.Day))
		}
	}
	for _, id := range slices.Sorted(maps.Keys(others)) {
		if len(late[id]) > 0 {
			f.fault(Publisher, "two exporters publish the site: %.8s since %s, and %.8s has published %s after that; give one another lake.site",
				fence.Publisher, at(fence.Since), id, sample(late[id]))
			continue
		}
		f.note(Publisher, "%d days are of an earlier publisher, %.8s", others[id], id)
	}
	return nil
}

// young is how old an object without a manifest may be: its manifest is the last to be written.
const young = time.Hour

// unnamed looks for objects that no manifest names. Those of facts and members are read by whoever
// reads all files, so they are faults.
func (a *Audit) unnamed(ctx context.Context, f *findings, is catalog.Site) error {
	named := map[string]bool{lake.PublisherPath(is.Name): true}
	for _, e := range is.Days {
		named[lake.ManifestPath(is.Name, e.Day)] = true
		addNamed(named, e.Manifest)
	}
	tables := []string{path.Join(lake.FactsTable, "site="+is.Name), path.Join(lake.MembersTable, "site="+is.Name)}
	for _, dir := range append(tables, lake.ManifestDir(is.Name), path.Join(lake.SupersededDir, is.Name)) {
		var found []string
		if err := a.Catalog.Bucket.Iter(ctx, dir, func(object string) error {
			if !named[object] && !strings.HasPrefix(path.Base(object), ".") { // a file that is being written
				found = append(found, object)
			}
			return nil
		}, objstore.WithRecursiveIter()); err != nil {
			return fmt.Errorf("list %s: %w", dir, err)
		}
		for _, object := range found {
			if err := a.judge(ctx, f, is.Name, object, slices.Contains(tables, dir)); err != nil {
				return err
			}
		}
	}
	return nil
}

func addNamed(named map[string]bool, m *lake.Manifest) {
	if m != nil {
		for _, r := range m.Revisions {
			named[r.Facts.Path], named[r.Members.Path] = true, true
		}
	}
}

// judge says what an object is that no manifest has named.
func (a *Audit) judge(ctx context.Context, f *findings, site, object string, isTable bool) error {
	text := strings.TrimPrefix(path.Base(path.Dir(object)), "day=")
	if day, err := lake.ParseDay(text); err == nil { // it may have been published meanwhile
		m, err := a.Catalog.Manifest(ctx, site, day)
		again := map[string]bool{}
		if addNamed(again, m); err == nil && again[object] {
			return nil
		}
	}
	is, err := a.Catalog.Bucket.Attributes(ctx, object)
	switch {
	case err != nil && a.Catalog.Bucket.IsObjNotFoundErr(err):
		return nil // it was listed, and is not there any more
	case err != nil:
		return fmt.Errorf("look at %s: %w", object, err)
	case isTable && (is.LastModified.IsZero() || a.Now.Sub(is.LastModified) > young):
		f.fault(Unnamed, "%s: no manifest names it, and whoever reads all files reads it: delete it", object)
	case isTable:
		f.note(Unnamed, "%s: it is new, and its manifest is not there yet", object)
	default:
		f.note(Unnamed, "%s: no manifest names it; it can be deleted", object)
	}
	return nil
}
