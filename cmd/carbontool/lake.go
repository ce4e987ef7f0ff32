// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/alecthomas/kingpin/v2"
	"github.com/thanos-io/objstore"

	"github.com/carbon-exporter/carbon_exporter/cmd/internal/parts"
	"github.com/carbon-exporter/carbon_exporter/internal/config"
	"github.com/carbon-exporter/carbon_exporter/internal/lake/catalog"
)

// lakeFlags say which bucket a command reads, and which sites of it.
type lakeFlags struct {
	bucketFile string
	only       []string
}

func (l *lakeFlags) register(app *kingpin.Application, name, help string) *kingpin.CmdClause {
	c := group(app, "lake", "Add up or check settled days on object storage.").Command(name, help)
	c.Flag("objstore.config-file", "File with type, config and prefix of the bucket, as Thanos reads it. Default: lake.objstore_config_file of the configuration.").
		PlaceHolder("FILE").StringVar(&l.bucketFile)
	c.Flag("site", "Only this site. Give it again for more. Default: every site in the bucket.").PlaceHolder("NAME").StringsVar(&l.only)
	return c
}

// openLake is a bucket that is open.
type openLake struct {
	objstore.Bucket
	catalog.Catalog
	place string
	sites []string // those that were asked for
}

// openLake opens the bucket and lists its sites.
func (l *lakeFlags) openLake(ctx context.Context, c *config.Config) (_ *openLake, err error) {
	where := c.Lake
	if l.bucketFile != "" {
		where = &config.Lake{ObjstoreConfigFile: l.bucketFile}
	}
	if where == nil {
		return nil, wrongUsef("--objstore.config-file: must be given, as the configuration has no section lake")
	}
	b, err := parts.LakeBucket(where)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", where.ObjstoreConfigFile, err)
	}
	is := &openLake{place: b.Place, sites: l.only}
	if is.Bucket, err = b.Open(); err != nil {
		return nil, err
	}
	is.Catalog = catalog.Catalog{Bucket: is.Bucket}
	if err := is.find(ctx); err != nil {
		is.Bucket.Close() //nolint:errcheck // nothing was written
		return nil, err
	}
	return is, nil
}

// find finds every site, unless some were asked for, which then must be there.
func (l *openLake) find(ctx context.Context) error {
	there, err := l.Sites(ctx)
	switch {
	case err != nil:
		return fmt.Errorf("%s: %w", l.place, err)
	case len(there) == 0:
		return fmt.Errorf("%s: there is no site in it; check the bucket and its prefix", l.place)
	case len(l.sites) == 0:
		l.sites = there
		return nil
	}
	l.sites = slices.Compact(slices.Sorted(slices.Values(l.sites)))
	for _, site := range l.sites {
		if !slices.Contains(there, site) {
			return fmt.Errorf("%s: there is no site %s in it; it has %s", l.place, site, strings.Join(there, ", "))
		}
	}
	return nil
}
