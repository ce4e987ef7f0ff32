// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/textparse"
	"github.com/prometheus/prometheus/storage"
)

// Target is a scraped target: it stores pages as Prometheus does, wherever they come from. It
// belongs to one goroutine at a time.
type Target struct {
	engine        *Engine
	job, instance string
	series        map[string]*scraped // by their text in a page
	present       []*scraped          // those of the last page
	pages         int
	up            *Series
}

// scraped is a series and the number of the last page that had it.
type scraped struct {
	Series
	page int
}

// NewTarget returns a target with these labels.
func (e *Engine) NewTarget(job, instance string) *Target {
	return &Target{
		engine: e, job: job, instance: instance, series: map[string]*scraped{},
		up: NewSeries(map[string]string{"__name__": "up", "job": job, "instance": instance}),
	}
}

// Scrape stores a page of the Prometheus text format as the scrape at a time, later than the
// last. Series of the last page that are missing from this one end.
func (t *Target) Scrape(ctx context.Context, at time.Time, page []byte) error {
	return t.store(ctx, at, page, 1)
}

// Down stores that a scrape failed at a time: all series end.
func (t *Target) Down(ctx context.Context, at time.Time) error {
	return t.store(ctx, at, nil, 0)
}

func (t *Target) store(ctx context.Context, at time.Time, page []byte, up float64) error {
	a := t.engine.db.AppenderV2(ctx)
	err := t.append(a, at.UnixMilli(), page)
	if err == nil {
		err = t.up.append(a, at.UnixMilli(), up)
	}
	if err == nil {
		err = a.Commit()
	} else {
		err = errors.Join(err, a.Rollback())
	}
	if err != nil {
		return fmt.Errorf("scrape of %s at %s: %w", t.instance, at.Format(time.RFC3339), err)
	}
	return nil
}

func (t *Target) append(a storage.AppenderV2, ms int64, page []byte) error {
	t.pages++
	before := t.present
	t.present = make([]*scraped, 0, len(before))
	parser := textparse.NewPromParser(page, labels.NewSymbolTable(), false)
	for {
		entry, err := parser.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		if entry != textparse.EntrySeries {
			continue
		}
		written, _, value := parser.Series()
		s := t.series[string(written)]
		if s == nil {
			s = &scraped{Series: Series{labels: t.labels(parser)}}
			t.series[string(written)] = s
		}
		if err := s.append(a, ms, value); err != nil {
			return err
		}
		s.page = t.pages
		t.present = append(t.present, s)
	}
	for _, s := range before {
		if s.page != t.pages {
			if err := s.append(a, ms, Stale()); err != nil {
				return err
			}
		}
	}
	return nil
}

// labels returns the labels of the current series, and the target's.
func (t *Target) labels(p textparse.Parser) labels.Labels {
	var l labels.Labels
	p.Labels(&l)
	b := labels.NewBuilder(l)
	b.Set("job", t.job)
	b.Set("instance", t.instance)
	return b.Labels()
}

func (s *Series) append(a storage.AppenderV2, ms int64, v float64) error {
	ref, err := a.Append(s.ref, s.labels, 0, ms, v, nil, nil, storage.AppendV2Options{})
	if err != nil {
		return fmt.Errorf("%s: %w", s.labels, err)
	}
	s.ref = ref
	return nil
}
