package store

import (
	"context"

	"github.com/carbon-exporter/carbon_exporter/internal/sqlite"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// View is the store as of one moment: whatever is read from it agrees. It is not to
// be used after the call that gave it.
type View struct {
	store  *Store
	tx     *sqlite.Tx
	naming *naming
}

// View reads in one transaction. Writers do not wait for it.
func (s *Store) View(ctx context.Context, f func(*View) error) error {
	return s.read(ctx, func(tx *sqlite.Tx) error {
		naming, err := s.names.in(ctx, tx)
		if err != nil {
			return err
		}
		return f(&View{store: s, tx: tx, naming: naming})
	})
}

// alone reads one thing in a view of its own.
func alone[T any](ctx context.Context, s *Store, read func(*View, context.Context) (T, error)) (got T, err error) {
	err = s.View(ctx, func(v *View) error {
		got, err = read(v, ctx)
		return err
	})
	return got, err
}

// Summary is View.Summary, now.
func (s *Store) Summary(ctx context.Context) (usage.Summary, error) {
	return alone(ctx, s, (*View).Summary)
}

// Active is View.Active, now.
func (s *Store) Active(ctx context.Context) ([]usage.ActiveUsage, error) {
	return alone(ctx, s, (*View).Active)
}

// Shown is View.Shown, now.
func (s *Store) Shown(ctx context.Context) (usage.Shown, error) { return alone(ctx, s, (*View).Shown) }

// Accounts is View.Accounts, now.
func (s *Store) Accounts(ctx context.Context, periods ...usage.Period) ([]Account, error) {
	return alone(ctx, s, func(v *View, ctx context.Context) ([]Account, error) { return v.Accounts(ctx, periods...) })
}
