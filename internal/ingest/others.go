package ingest

import "context"

// runOthers notices what other programs write to the record, for ever: a person
// who was forgotten leaves /metrics, and a backfill comes to it, without waiting for
// the next interval. It looks often, as that costs nothing and somebody may wait.
func (s *Spine) runOthers(ctx context.Context) {
	const often = 6 // as often as the other loops wake
	for wait(ctx, s.WakeEvery/often, nil); ctx.Err() == nil; wait(ctx, s.WakeEvery/often, nil) {
		wrote, err := s.Store.Others(ctx)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			s.Log.Warn("Looking for what other programs have stored failed", "err", err)
		case wrote:
			s.changed(ctx)
		}
	}
}
