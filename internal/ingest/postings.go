package ingest

import (
	"context"
	"fmt"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

const (
	// postAtOnce bounds the intervals that are sent on together, and so what is
	// held of them in memory.
	postAtOnce = 20
	// postEvery is how soon what another program has changed is noticed.
	postEvery = time.Minute
)

// runPostings sends on what changes in the record, for ever. The record is the
// truth and keeps the position: a postbox that is away for days gets all that it
// has missed, each interval as it is by then.
func (s *Spine) runPostings(ctx context.Context) {
	pause := backoff{longest: 5 * time.Minute}
	prepared := int64(-1)
	for ctx.Err() == nil {
		set := s.current()
		if set.Postbox == nil {
			wait(ctx, s.WakeEvery, s.postable)
			continue
		}
		err := error(nil)
		if prepared != set.generation {
			err = set.Postbox.Prepare(ctx)
		}
		if err == nil {
			prepared = set.generation
			err = s.post(ctx, set.Postbox)
		}
		next := postEvery
		if err != nil && ctx.Err() == nil {
			next = pause.after(err)
			s.Log.Error("Sending usage on failed", "err", err, "retry_in", next.Round(time.Millisecond))
			if n, err := s.Store.Unposted(ctx, set.Postbox.Name()); err == nil {
				s.Witness.PendingPostings(n)
			}
			wait(ctx, next, nil) // news is no reason to ask sooner
			continue
		}
		pause.reset()
		wait(ctx, next, s.postable)
	}
}

// post sends on all there is to send.
func (s *Spine) post(ctx context.Context, box Postbox) error {
	for {
		n, err := s.Store.Unposted(ctx, box.Name())
		if err != nil {
			return err
		}
		s.Witness.PendingPostings(n)
		if n == 0 {
			return nil
		}
		postings, err := s.Store.Postings(ctx, box.Name(), postAtOnce)
		if err != nil || len(postings) == 0 {
			return err
		}
		began := s.Now()
		err = box.Write(ctx, postings)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		s.Witness.Asked(usage.SourceUsageWriter, s.Now().Sub(began), err)
		if err != nil {
			return fmt.Errorf("write usage of %s and later: %w", postings[0].Interval, err)
		}
		err = s.Store.Posted(ctx, box.Name(), postings[len(postings)-1].Revision)
		if s.wrote(ctx, err); err != nil {
			return err
		}
	}
}
