// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package exporter

import (
	"context"
	"log/slog"

	"github.com/carbon-exporter/carbon_exporter/cmd/internal/parts"
)

// webLog is a log for code that reads that file.
type webLog struct{ slog.Handler }

// Handle writes a line without the values.
func (h webLog) Handle(ctx context.Context, r slog.Record) error {
	clean := slog.NewRecord(r.Time, r.Level, parts.WithoutValues(r.Message), r.PC)
	r.Attrs(func(a slog.Attr) bool {
		if text := a.Value.String(); parts.WithoutValues(text) != text {
			a.Value = slog.StringValue(parts.WithoutValues(text))
		}
		clean.AddAttrs(a)
		return true
	})
	return h.Handler.Handle(ctx, clean)
}

// WithAttrs keeps Handle.
func (h webLog) WithAttrs(attrs []slog.Attr) slog.Handler { return webLog{h.Handler.WithAttrs(attrs)} }

// WithGroup keeps Handle.
func (h webLog) WithGroup(name string) slog.Handler { return webLog{h.Handler.WithGroup(name)} }
