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

// give gives a reading what instruments say of its piece of the run.
func (s *instruments) give(piece int, r *attributed) {
	if s.got == nil {
		return
	}
	r.instruments = &s.got[piece]
	r.Remarks = slices.Concat(r.Remarks, r.instruments.Remarks, strangeMeters(r.parts, r.instruments.Power))
}

// ask asks for what is wanted, and for nothing that nobody uses.
func (s *instruments) ask(ctx context.Context, models bool) error {
	if !models && !s.set.Asked.Rest || s.got != nil && (s.models || !models) {
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
