// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package ingest

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// pond is a lake with three days to publish, which may be away.
type pond struct {
	away   error
	closed bool
}

func (*pond) Name() string { return "harwell in a bucket" }

func (p *pond) Close() error {
	p.closed = true
	return nil
}

func (p *pond) Publish(_ context.Context, told func(usage.LakeState)) error {
	told(usage.LakeState{Waiting: 3})
	if p.away != nil {
		return p.away
	}
	told(usage.LakeState{Waiting: 2})
	told(usage.LakeState{})
	return nil
}

// heard is what an observer hears of a lake.
type heard struct {
	silent
	requests []error
}

func (h *heard) Requested(source string, _ time.Duration, err error) {
	if source == usage.SourceLake {
		h.requests = append(h.requests, err)
	}
}

func TestALakeThatIsAwayIsSaidAndItsReturnToo(t *testing.T) {
	r := newRig(t)
	l := r.spine.lakeLoop()
	seen := &heard{}
	var states []usage.LakeState
	l.observer, l.told = seen, func(is usage.LakeState) { states = append(states, is) }
	p := &pond{away: &usage.Failure{Reason: usage.ReasonAuth, Cause: "no rights"}}
	l.use(p)
	err := l.publish(t.Context(), p)
	l.outages.told(err, l.outages.lake, p.Name())
	if !errors.Is(err, p.away) || len(states) != 1 || l.outages.lake.began.IsZero() {
		t.Errorf("away: %v, %v", err, states)
	}
	p.away = errors.New("the store is full")
	if err := l.publish(t.Context(), p); err == nil || len(seen.requests) != 1 {
		t.Errorf("what is not the lake's fault: %v, %d requests", err, len(seen.requests))
	}
	p.away = nil
	if err := l.publish(t.Context(), p); err != nil || len(seen.requests) != 2 || !l.outages.lake.began.IsZero() || l.outages.lake.gained != 3 {
		t.Errorf("back: %v, %d days", err, l.outages.lake.gained)
	}
	if l.use(&pond{}); !p.closed {
		t.Error("the one before is still open")
	}
}

func TestWithoutALakeNothingWaitsForIt(t *testing.T) {
	r := newRig(t)
	if _, err := r.store.LakeBegin(t.Context(), "one that there was"); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	l := r.spine.lakeLoop()
	l.settings = func() Settings {
		stop() // after this turn
		return Settings{}
	}
	store := &ending{}
	l.store = store
	l.run(ctx)
	if store.times != 1 {
		t.Errorf("it was said %d times", store.times)
	}
}

type ending struct{ times int }

func (e *ending) LakeEnd(context.Context) error {
	e.times++
	return nil
}
