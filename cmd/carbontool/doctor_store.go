// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/doctor"
	"github.com/carbon-exporter/carbon_exporter/internal/sqlite"
	"github.com/carbon-exporter/carbon_exporter/internal/store"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// store looks at the file of the store, which an exporter may be writing to.
func (e *examination) store(ctx context.Context) []doctor.Finding {
	_, err := os.Stat(e.storagePath)
	absent := errors.Is(err, fs.ErrNotExist)
	if err := e.there(); err != nil {
		return []doctor.Finding{doctor.NoStore(err.Error(), absent)}
	}
	st, err := e.openToRead(ctx, e.cfg)
	if err != nil {
		return []doctor.Finding{doctor.NoStore(err.Error(), false)}
	}
	defer st.Close() //nolint:errcheck // nothing was written
	kept, err := inTime(ctx, func(ctx context.Context) (doctor.Kept, error) { return e.kept(ctx, st) })
	if err != nil {
		return []doctor.Finding{doctor.NoStore("read store "+e.storagePath+": "+err.Error(), false)}
	}
	return doctor.Holds(kept)
}

func (e *examination) kept(ctx context.Context, st *store.Store) (k doctor.Kept, err error) {
	k = doctor.Kept{Path: e.storagePath, Free: -1, Interval: st.Interval()}
	if free, ok := sqlite.FreeBytes(filepath.Dir(e.storagePath)); ok {
		k.Free = free
	}
	if k.Bytes, err = st.SizeBytes(); err != nil {
		return k, err
	}
	file, err := os.Stat(e.storagePath)
	if err != nil {
		return k, err
	}
	k.File = file.Size()
	if k.Version, err = st.SchemaVersion(ctx); err != nil {
		return k, err
	}
	if k.Span, _, err = st.Span(ctx); err != nil {
		return k, err
	}
	sum, err := st.Summary(ctx)
	if err != nil {
		return k, err
	}
	k.States = sum.States
	k.Labels = e.cfg.Metrics.By
	k.Most, k.Keys = e.cfg.Metrics.MaxSamples, shownKeys(sum.Totals, e.cfg.Fold(), e.now.Add(-time.Duration(e.cfg.Metrics.Keep)))
	gaps, err := st.Gaps(ctx, usage.Period{From: e.now.Add(-7 * 24 * time.Hour), To: e.now})
	if err != nil {
		return k, err
	}
	for _, g := range gaps {
		if g.Error != "" {
			k.Failing += g.Intervals
		}
	}
	seen := map[usage.Scope][]string{}
	for _, scope := range []usage.Scope{usage.ScopeProject, usage.ScopeMachine, usage.ScopeUser, usage.ScopeGroup} {
		if seen[scope], err = st.Members(ctx, scope); err != nil {
			return k, err
		}
	}
	e.seen = seen
	return k, nil
}

// shownKeys counts what /metrics shows by key.
func shownKeys(totals []usage.Total, fold usage.Fold, since time.Time) int {
	keys := map[usage.Key]bool{}
	for _, t := range totals {
		if !t.Last.Before(since) {
			keys[fold.Key(t.Key)] = true
		}
	}
	return len(keys)
}
