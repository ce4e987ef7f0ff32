// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"context"
	"fmt"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"
)

// Series is a series to append to. Its labels may hold any UTF-8; the name is the label
// __name__. Two that differ in one label, as those of a pair of Prometheus servers do, are two
// series. It belongs to one Engine, and to one goroutine at a time.
type Series struct {
	labels labels.Labels
	ref    storage.SeriesRef // saves the lookup from the second append on
}

// NewSeries returns a series with these labels. An empty value is no label, as in Prometheus.
func NewSeries(l map[string]string) *Series {
	return &Series{labels: labels.FromMap(l).WithoutEmpty()}
}

// Sample is a value at a time in milliseconds since the epoch.
type Sample struct {
	T int64
	V float64
}

// At makes a sample.
func At(t time.Time, v float64) Sample { return Sample{T: t.UnixMilli(), V: v} }

// batch is the number of samples per commit: the TSDB keeps a transaction number for each of
// them until the commit, in a ring that never shrinks.
const batch = 500

// Append stores samples of a series. They must be in order of time, and newer than those that
// the series has. Different series may be appended to concurrently.
func (e *Engine) Append(ctx context.Context, s *Series, samples ...Sample) error {
	for len(samples) > 0 {
		n := min(batch, len(samples))
		if err := e.commit(ctx, s, samples[:n]); err != nil {
			return fmt.Errorf("append to %s: %w", s.labels, err)
		}
		samples = samples[n:]
	}
	return nil
}

func (e *Engine) commit(ctx context.Context, s *Series, samples []Sample) error {
	a := e.db.AppenderV2(ctx)
	for _, sample := range samples {
		ref, err := a.Append(s.ref, s.labels, 0, sample.T, sample.V, nil, nil, storage.AppendV2Options{})
		if err != nil {
			_ = a.Rollback() // the first error says what is wrong
			return err
		}
		s.ref = ref
	}
	return a.Commit()
}
