// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package upstream

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

const (
	// maxRaw is how many bytes of a text are examined. The rest is dropped.
	maxRaw = 4 << 10
	// maxText is how many bytes of text from outside are shown, maxQuestion how many of our own
	// query.
	maxText     = 300
	maxQuestion = 500
	// maxSeen is how many secrets are remembered beside those of the configuration.
	maxSeen = 64

	hidden   = "<secret>"
	withheld = "the text repeats a credential in another form and is not shown"
)

// Scrubber is the only way for text from outside into a log, an error, a page or the store. The
// text becomes short, a single line and printable, and loses all secrets that the Scrubber
// knows. The zero value knows none.
type Scrubber struct {
	fixed []secret // from the configuration
	files []string // files with a secret, which may change at any time

	mu   sync.Mutex
	seen []secret // from files and requests, the newest last
}

// NewScrubber returns a Scrubber with the secrets of sections of the configuration: see
// collect.
func NewScrubber(sections ...any) *Scrubber {
	s := &Scrubber{}
	for _, section := range sections {
		s.collect(section)
	}
	s.readFiles()
	return s
}

// Text makes text from outside safe to show.
func (s *Scrubber) Text(text string) string { return s.text(text, maxText) }

// Error makes an error safe to show. A usage.Failure stays one, and so does the end of a
// context. Of other errors only the text is kept, because what they wrap may print more than
// the error itself.
func (s *Scrubber) Error(err error) error {
	if err == nil {
		return nil
	}
	if done := (*scrubbed)(nil); errors.As(err, &done) && errors.Is(error(done), err) {
		return err
	}
	var f *usage.Failure
	switch {
	case errors.As(err, &f):
		clean := *f
		clean.Detail, clean.Cause = s.Text(f.Detail), s.Text(f.Cause)
		if f.Err != nil {
			clean.Err = errors.New(s.Text(withoutURL(f.Err).Error()))
		}
		return &clean
	case errors.Is(err, context.Canceled):
		return context.Canceled
	case errors.Is(err, context.DeadlineExceeded):
		return context.DeadlineExceeded
	}
	return errors.New(s.Text(withoutURL(err).Error()))
}

// Failed returns an error that begins with what was attempted. That is scrubbed, too: a query
// may contain names that a server gave us.
func (s *Scrubber) Failed(what string, err error) error {
	if err == nil {
		return nil
	}
	return &scrubbed{what: s.text(what, maxQuestion), err: s.Error(err)}
}

// scrubbed is an error with scrubbed text.
type scrubbed struct {
	what string
	err  error
}

func (e *scrubbed) Error() string { return fmt.Sprintf("%s: %v", e.what, e.err) }
func (e *scrubbed) Unwrap() error { return e.err }

// withoutURL returns the error inside all *url.Error, whose text contains the whole URL.
func withoutURL(err error) error {
	for u := (*url.Error)(nil); errors.As(err, &u); {
		err = u.Err
	}
	return err
}

// remember adds secrets that are not in the configuration.
func (s *Scrubber) remember(secrets ...secret) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, n := range secrets {
		if n.text == "" || slices.Contains(s.fixed, n) {
			continue
		}
		if i := slices.Index(s.seen, n); i >= 0 {
			s.seen = slices.Delete(s.seen, i, i+1)
		}
		s.seen = append(s.seen, n)
	}
	if extra := len(s.seen) - maxSeen; extra > 0 {
		s.seen = slices.Delete(s.seen, 0, extra)
	}
}

func (s *Scrubber) secrets() []secret {
	s.readFiles()
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Concat(s.fixed, s.seen)
}

// These are hidden in any text, even if they are not ours.
var (
	userinfo = regexp.MustCompile(`//[^/\s"]*@`)
	queries  = regexp.MustCompile(`(\w://[^\s"'<>?]*)\?[^\s"'<>]+`)
	webToken = regexp.MustCompile(`\beyJ[\w-]{6,}\.[\w-]+(\.[\w-]*)?`) // a JWT, such as an assertion made for a token server
)

func (s *Scrubber) text(text string, most int) string {
	text = strings.ReplaceAll(text[:min(len(text), maxRaw)], mark, "?")
	secrets := s.secrets()
	shown := find(text, secrets).hide(text)
	if repeats(shown, secrets, find) {
		return withheld
	}
	// Where only a half was found, the whole may be there with its other half encoded.
	if halves := findWhole(text, secrets).hide(text); halves != shown && repeats(halves, secrets, findWhole) {
		return withheld
	}
	shown = userinfo.ReplaceAllString(shown, "//")
	shown = queries.ReplaceAllString(shown, "$1?"+mark)
	shown = webToken.ReplaceAllString(shown, mark)
	return oneLine(shown, most)
}

// oneLine makes a text printable, with single spaces for white space, and cuts it.
func oneLine(text string, most int) string {
	var b strings.Builder
	space := false
	for i := 0; i < len(text); {
		r, n := utf8.DecodeRuneInString(text[i:])
		word := text[i : i+n]
		switch {
		case unicode.IsSpace(r):
			i, space = i+n, b.Len() > 0
			continue
		case word == mark:
			word = hidden
		case r == utf8.RuneError && n == 1:
			word = fmt.Sprintf(`\x%02x`, text[i])
		case !unicode.IsPrint(r):
			quoted := strconv.QuoteRune(r)
			word = quoted[1 : len(quoted)-1]
		}
		if space {
			word = " " + word
		}
		if b.Len()+len(word) > most {
			return b.String() + "..."
		}
		b.WriteString(word)
		i, space = i+n, false
	}
	return b.String()
}
