// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package ingest

import (
	"context"
	"slices"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// instruments asks for what is known of a run beside its CPU seconds: once, even if the run is
// attributed again because the directory has changed meanwhile.
type instruments struct {
	collector *collector
	set       Settings
	run       []usage.Interval

	got    []usage.Instruments // by piece; nil: not asked yet
	models bool                // whether the processors are among it
}

// add gives the readings of the first intervals of the run what instruments say of them. It asks
// for nothing that nobody uses.
func (s *instruments) add(ctx context.Context, all []composed, powers []Power) error {
	models := false
	for i := range all {
		models = models || s.set.Asked.Models && needsModels(powers[i], all[i].readings)
	}
	if len(all) == 0 || !models && !s.set.Asked.Rest {
		return nil
	}
	if err := s.ask(ctx, models); err != nil {
		return err
	}
	n := 0
	for i := range all {
		for j := range all[i].readings {
			r := &all[i].readings[j]
			r.instruments = &s.got[n]
			r.Remarks = slices.Concat(r.Remarks, r.instruments.Remarks, strangeMeters(r.parts, r.instruments.Power))
			n++
		}
	}
	return nil
}

func (s *instruments) ask(ctx context.Context, models bool) error {
	if s.got != nil && (s.models || !models) {
		return nil
	}
	c := s.collector
	began := c.clock.Now()
	got, rejects, err := s.set.Instruments.Instruments(ctx, s.run, models)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	c.observer.Requested(usage.SourcePrometheus, c.clock.Now().Sub(began), err)
	if err != nil {
		return err
	}
	c.observer.Rejected(rejects)
	s.got, s.models = got, models
	return nil
}
