package source

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"unicode"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// maxQuery and maxWords bound what a log line holds of a query, which may name
// a project of 64 KiB, and of what a server says.
const (
	maxQuery = 500
	maxWords = 200
)

// malformed gives a broken answer its reason. What has one already keeps it,
// and the end of the caller's own context is nobody's failure.
func malformed(what string, err error) error {
	var f *usage.Failure
	switch {
	case err == nil:
		return nil
	case errors.As(err, &f):
		return f // without the decoder's place in the text: it is not the text's fault
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("%s: %w", what, err)
	}
	return &usage.Failure{Reason: usage.ReasonMalformed, Err: fmt.Errorf("%s: %w", what, &brief{err})}
}

// brief keeps the text of an error short: a decoder's may quote the answer.
type brief struct{ err error }

func (b *brief) Error() string { return cut(b.err.Error()) }
func (b *brief) Unwrap() error { return b.err }

// cut makes a stranger's words fit for a log line.
func cut(s string) string { return shorten(s, maxWords) }

func shorten(s string, most int) string {
	tail := ""
	if len(s) > most {
		s, tail = s[:most], "..."
	}
	s = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
	return strings.Join(strings.Fields(s), " ") + tail
}
