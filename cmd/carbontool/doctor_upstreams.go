// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"sync"
	"time"

	"github.com/carbon-exporter/carbon_exporter/cmd/internal/parts"
	"github.com/carbon-exporter/carbon_exporter/internal/config"
	"github.com/carbon-exporter/carbon_exporter/internal/directory"
	"github.com/carbon-exporter/carbon_exporter/internal/doctor"
	"github.com/carbon-exporter/carbon_exporter/internal/mongo"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// directoryArea is the area of the configured directory; empty: there is none.
func (e *examination) directoryArea() doctor.Area {
	if e.cfg.MongoDB != nil {
		return doctor.MongoDB
	}
	if e.cfg.Directory != nil {
		return doctor.Directory
	}
	return ""
}

// directory reads the directory as the exporter does, and compares its hosts with those of
// Prometheus, if those are asked for.
func (e *examination) directory(ctx context.Context, area doctor.Area, compare bool) []doctor.Finding {
	learn := sync.OnceFunc(func() { close(e.known) })
	defer learn()
	made, err := parts.New(e.cfg, nil, time.Now, false, nil)
	if err != nil {
		return []doctor.Finding{doctor.Unread(area, usage.Cause(err))}
	}
	defer made.Close() //nolint:errcheck // nothing was written
	sizes, all, err := e.collections(ctx, area, made)
	if err != nil {
		return []doctor.Finding{doctor.Unread(area, usage.Cause(err))}
	}
	var rejects []directory.RecordReject
	began := time.Now()
	census, err := inTime(ctx, func(ctx context.Context) (census directory.Census, err error) {
		census, rejects, err = made.Settings.Directory.Census(ctx)
		return census, err
	})
	if err != nil {
		return append([]doctor.Finding{doctor.Unread(area, usage.Cause(err))}, all...)
	}
	took := time.Since(began)
	census.AsOf = e.now
	known := made.Settings.Directory.Learn(directory.Directory{}, census).Directory
	e.placed = known.Hosts
	learn()
	all = append([]doctor.Finding{doctor.Read(area, known, took)}, all...)
	all = append(all, doctor.Refused(area, rejects, sizes)...)
	if e.cfg.Attribution.GroupBy == config.GroupByDirectory {
		all = append(all, doctor.Grouped(area, known)...)
	}
	if !compare {
		return all
	}
	select {
	case hosts, found := <-e.hosts:
		if found {
			all = append(all, doctor.Owners(area, hosts, known, e.now))
		}
	case <-ctx.Done():
	}
	return all
}

// collections looks what the database has, by the names of its collections. An account may be
// allowed to read them, and not to list them.
func (e *examination) collections(ctx context.Context, area doctor.Area, made *parts.Parts) (map[string]int64, []doctor.Finding, error) {
	if made.Stock == nil {
		return nil, nil, nil
	}
	stock, err := inTime(ctx, made.Stock)
	switch {
	case usage.IsOutage(err):
		return nil, nil, err
	case err != nil:
		return nil, []doctor.Finding{doctor.Unasked(area, "collections", usage.Cause(err))}, nil
	}
	named, instead := e.stock(stock), ""
	if named.Collections[doctor.KindWorkspaces] == 0 {
		instead, err = inTime(ctx, func(ctx context.Context) (string, error) { return made.Settings.Directory.Instead(ctx), nil })
	}
	return stock.Collections, doctor.Records(named, instead, e.cfg.Attribution.GroupBy == config.GroupByDirectory), err
}

// stock names the collections by what is in them.
func (e *examination) stock(s mongo.Stock) doctor.Stock {
	c := e.cfg.MongoDB.Collections
	named := map[string]string{
		doctor.KindWorkspaces: c.Workspaces, doctor.KindUsers: c.Users, doctor.KindGroups: c.Groups, doctor.KindHosts: c.Hosts,
	}
	counts := map[string]int64{}
	for kind, name := range named {
		if n, ok := s.Collections[name]; ok {
			counts[kind] = n
		}
	}
	return doctor.Stock{Database: e.cfg.MongoDB.Database, Collections: counts, Named: named, Others: s.Others}
}
