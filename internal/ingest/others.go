package ingest

import "context"

// runOthers notices what other programs write to the record, for ever: a person
// who was forgotten leaves /metrics without waiting for the next interval.
func (s *Spine) runOthers(ctx context.Context) {
	for wait(ctx, s.WakeEvery, nil); ctx.Err() == nil; wait(ctx, s.WakeEvery, nil) {
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
