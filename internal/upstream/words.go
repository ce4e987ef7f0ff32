package upstream

import (
	"errors"
	"net/url"
	"regexp"
	"strings"
	"unicode"
)

// maxDetail bounds what a stranger may put into our log, in characters.
const maxDetail = 200

// oneLine makes a stranger's text fit for a log: no line breaks, no control or
// other invisible characters.
func oneLine(s string) string {
	s = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, " "))
	return strings.Join(strings.Fields(s), " ")
}

// cut shortens to maxDetail characters.
func cut(s string) string {
	n := 0
	for i := range s {
		if n == maxDetail {
			return s[:i] + "..."
		}
		n++
	}
	return s
}

// userinfo is "user:password@" in a URL.
var userinfo = regexp.MustCompile(`//[^/\s"]*@`)

// cause is the error below a failure, with a text that is fit for a log.
type cause struct {
	text string
	err  error
}

func (c *cause) Error() string { return c.text }
func (c *cause) Unwrap() error { return c.err }

// withoutURL takes away every *url.Error, whose text is the URL with its query
// and the name in its userinfo, and whatever else looks like a userinfo.
func withoutURL(err error) error {
	for {
		var u *url.Error
		if !errors.As(err, &u) {
			break
		}
		err = u.Err
	}
	return &cause{text: cut(userinfo.ReplaceAllString(oneLine(err.Error()), "//")), err: err}
}
