// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"context"
	"fmt"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/tsdb/chunkenc"
)

// Raw calls each with every series that has samples in [from, to), and those samples, stale
// markers included, so that another server can be given the same.
func (e *Engine) Raw(ctx context.Context, from, to time.Time, each func(labels map[string]string, samples []Sample) error) error {
	q, err := e.db.Querier(from.UnixMilli(), to.UnixMilli()-1)
	if err != nil {
		return fmt.Errorf("read raw samples: %w", err)
	}
	defer q.Close()
	all := q.Select(ctx, true, nil, labels.MustNewMatcher(labels.MatchRegexp, model.MetricNameLabel, ".+"))
	var it chunkenc.Iterator
	for all.Next() {
		series := all.At()
		it = series.Iterator(it)
		var samples []Sample
		for kind := it.Next(); kind != chunkenc.ValNone; kind = it.Next() {
			if kind != chunkenc.ValFloat {
				return fmt.Errorf("read raw samples: %s is no float", series.Labels())
			}
			at, v := it.At()
			samples = append(samples, Sample{T: at, V: v})
		}
		if err := it.Err(); err != nil {
			return fmt.Errorf("read raw samples of %s: %w", series.Labels(), err)
		}
		if err := each(series.Labels().Map(), samples); err != nil {
			return err
		}
	}
	if err := all.Err(); err != nil {
		return fmt.Errorf("read raw samples: %w", err)
	}
	return nil
}
