package exporter

import (
	"context"
	"errors"
	"log/slog"
	"regexp"
)

// quoted matches the values that an error about a YAML file quotes. In the file of
// --web.config.file they may be a password or its hash. exporter-toolkit reads that file again
// for each connection, so such errors come at any time.
var quoted = regexp.MustCompile("`[^`]*`|unknown anchor '[^']*'")

func withoutValues(text string) string { return quoted.ReplaceAllString(text, "<value>") }

// checkedWebConfig returns an error about that file without its values.
func checkedWebConfig(err error) error { return errors.New(withoutValues(err.Error())) }

// webLog is a log for code that reads that file.
type webLog struct{ slog.Handler }

// Handle writes a line without the values.
func (h webLog) Handle(ctx context.Context, r slog.Record) error {
	clean := slog.NewRecord(r.Time, r.Level, withoutValues(r.Message), r.PC)
	r.Attrs(func(a slog.Attr) bool {
		if text := a.Value.String(); withoutValues(text) != text {
			a.Value = slog.StringValue(withoutValues(text))
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
