package exporter

import (
	"context"
	"log/slog"
	"time"
)

// storeCheckEvery is how often the store's file is looked for. It costs three stats.
const storeCheckEvery = 2 * time.Second

// watchStore looks whether the store's file is still the one that was opened: there
// may be an hour between two writes. What it finds, the store's Gone tells.
func (d *daemon) watchStore(ctx context.Context) {
	ticker := time.NewTicker(storeCheckEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			_ = d.store.Check()
		}
	}
}

// untilGone says nothing more once the store's file is gone. The program ends with
// one error that says so; what every loop has to say of it would bury that.
type untilGone struct {
	slog.Handler
	gone <-chan struct{}
}

// Enabled reports whether anything is written at a level.
func (h untilGone) Enabled(ctx context.Context, level slog.Level) bool {
	select {
	case <-h.gone:
		return false
	default:
		return h.Handler.Enabled(ctx, level)
	}
}

// WithAttrs keeps to what Enabled says.
func (h untilGone) WithAttrs(attrs []slog.Attr) slog.Handler {
	return untilGone{h.Handler.WithAttrs(attrs), h.gone}
}

// WithGroup keeps to what Enabled says.
func (h untilGone) WithGroup(name string) slog.Handler {
	return untilGone{h.Handler.WithGroup(name), h.gone}
}
