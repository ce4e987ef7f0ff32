// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package upstream

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"testing/quick"
	"unicode/utf8"

	"github.com/prometheus/common/config"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// section is a part of a configuration with a secret.
type section struct {
	Password config.Secret `yaml:"password"`
	Username string        `yaml:"username"`
}

func scrubberOf(password, user string) *Scrubber {
	return NewScrubber(section{Password: config.Secret(password), Username: user})
}

// encodings are ways in which a server may repeat what it got.
var encodings = []struct {
	name string
	of   func(string) string
}{
	{"as it stands", func(s string) string { return s }},
	{"in capitals", func(s string) string {
		return strings.Map(func(r rune) rune {
			if 'a' <= r && r <= 'z' {
				r += 'A' - 'a'
			}
			return r
		}, s)
	}},
	{"as base64", func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }},
	{"as base64 without padding", func(s string) string { return base64.RawStdEncoding.EncodeToString([]byte(s)) }},
	{"as base64 of URLs", func(s string) string { return base64.URLEncoding.EncodeToString([]byte(s)) }},
	{"as base64 of URLs without padding", func(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }},
	{"as base64 in lines", func(s string) string {
		t := base64.StdEncoding.EncodeToString([]byte(s))
		return t[:len(t)/2] + "\r\n " + t[len(t)/2:]
	}},
	{"as base64 of user and password", func(s string) string { return base64.StdEncoding.EncodeToString([]byte("reader:" + s)) }},
	{"as base64 that begins elsewhere", func(s string) string { return base64.StdEncoding.EncodeToString([]byte("xy" + s + "z")) }},
	{"as base64 of base64", func(s string) string {
		return base64.StdEncoding.EncodeToString([]byte("Basic " + base64.StdEncoding.EncodeToString([]byte("u:"+s))))
	}},
	{"as base64 behind other letters", func(s string) string { return "token/" + base64.StdEncoding.EncodeToString([]byte(s)) }},
	{"in a query", func(s string) string { return "q=" + url.QueryEscape(s) + "&x=1" }},
	{"in a path", func(s string) string { return "/x/" + url.PathEscape(s) + "/y" }},
	{"in a query of a query", func(s string) string { return url.QueryEscape("a=" + url.QueryEscape(s)) }},
	{"in JSON", func(s string) string { t, _ := json.Marshal(map[string]string{"got": s}); return string(t) }},
	{"in JSON in JSON", func(s string) string {
		t, _ := json.Marshal(map[string]string{"got": s})
		t, _ = json.Marshal(string(t))
		return string(t)
	}},
	{"as a Go string", strconv.Quote},
	{"as a Go string in ASCII", strconv.QuoteToASCII},
	{"in HTML", html.EscapeString},
	{"in hexadecimal", func(s string) string { return hex.EncodeToString([]byte(s)) }},
	{"as bytes with blanks", func(s string) string { return fmt.Sprintf("% x", s) }},
	{"as UTF-16", func(s string) string { return strings.Join(strings.Split(s, ""), "\x00") }},
	{"with nothing to see between", func(s string) string { return strings.Join(strings.Split(s, ""), "\u200b") }},
	{"as escapes of JavaScript", func(s string) string { return eachByte(s, `\u{%x}`) }},
	{"as escapes of old JavaScript", func(s string) string { return eachByte(s, "%%u%04x") }},
	{"as bytes of C", func(s string) string { return eachByte(s, "0x%02X, ") }},
	{"as bytes of mail", func(s string) string { return eachByte(s, "=%02X") }},
	{"as bytes with dashes", func(s string) string { return eachByte(s, "%02x-") }},
	{"as a list of numbers", func(s string) string { return "[" + strings.TrimSpace(eachByte(s, "%d ")) + "]" }},
	{"as a list of numbers in JSON", func(s string) string { return "[" + strings.TrimSuffix(eachByte(s, "%d,"), ",") + "]" }},
	{"its first half plain, the rest in a URL", func(s string) string { return s[:len(s)/2] + eachByte(s[len(s)/2:], "%%%02x") }},
	{"its first half plain, the rest in HTML", func(s string) string { return s[:len(s)/2] + eachByte(s[len(s)/2:], "&#%d;") }},
	{"beside itself", func(s string) string { return s + s }},
	{"beside the user", func(s string) string { return "carbon" + s }},
	{"cut off", func(s string) string { return s[:len(s)-1] }},
	{"far into a long text", func(s string) string { return strings.Repeat("x ", maxText/2-3) + s + strings.Repeat(" y", maxText) }},
	{"again and again", func(s string) string { return strings.Repeat(s+" ", maxRaw/(len(s)+1)+1) }},
}

func eachByte(s, format string) string {
	var b strings.Builder
	for _, c := range []byte(s) {
		fmt.Fprintf(&b, format, c)
	}
	return b.String()
}

// loose are forms that take a secret of some length to be told from other text.
var loose = []struct {
	name string
	of   func(string) string
}{
	{"base64 in capitals", func(s string) string { return strings.ToUpper(base64.StdEncoding.EncodeToString([]byte(s))) }},
	{"base64 in small letters", func(s string) string {
		return strings.ToLower(base64.URLEncoding.EncodeToString([]byte("reader:" + s)))
	}},
	{"base64 between tags", func(s string) string {
		t := base64.StdEncoding.EncodeToString([]byte("x:" + s))
		return t[:5] + "<wbr>" + t[5:11] + "<br/>\n" + t[11:]
	}},
	{"between tags", func(s string) string { return s[:4] + "<wbr>" + s[4:7] + "<br/>" + s[7:] }},
	{"in several quotes", func(s string) string { return strconv.Quote(s[:5]) + " + " + strconv.Quote(s[5:]) }},
	{"as a list of letters", func(s string) string { t, _ := json.Marshal(strings.Split(s, "")); return string(t) }},
	{"with lines that go on", func(s string) string { return s[:5] + "\\\n" + s[5:] }},
}

func TestNoTextShowsASecretThatWasTakenApart(t *testing.T) {
	for _, secret := range []string{"hunter2hunter2", "s3cret-t0ken/+", "a much longer pass phrase, with words"} {
		s := scrubberOf(secret, "carbon")
		for _, e := range loose {
			if got := s.Text("got " + e.of(secret) + ", which is wrong"); got != withheld {
				t.Errorf("%s, %s: %q", secret, e.name, got)
			}
		}
	}
}

// A secret that has blanks is not shown in part because a part was encoded.
func TestNoPartOfASecretIsShown(t *testing.T) {
	const secret = "correct horse battery <staple> of my own"
	s := scrubberOf(secret, "carbon")
	for name, text := range map[string]string{
		"in HTML":       "got " + html.EscapeString(secret) + " here",
		"in JSON":       `got "correct horse battery \u003cstaple\u003e of my own" here`,
		"in a URL":      "got correct horse battery %3Cstaple%3E of my own here",
		"cut off, HTML": "got correct horse battery &lt;sta",
	} {
		if got := s.Text(text); strings.Contains(got, "stap") || strings.Contains(got, "of my") {
			t.Errorf("%s: %q", name, got)
		}
	}
}

func TestNoTextShowsASecret(t *testing.T) {
	secrets := []struct{ name, text string }{
		{"a word", "hunter2hunter2"},
		{"a short word", "hnt7"},
		{"all kinds of characters", `a"b\c/d+e f%g<h>&i'é` + "\x01"},
		{"base64 itself", "3q2+7/4AAQ=="},
		{"a long token", strings.Repeat("t0ken-", 500)},
	}
	for _, secret := range secrets {
		s := scrubberOf(secret.text, "carbon")
		for _, e := range encodings {
			for place, text := range map[string]string{"alone": e.of(secret.text), "in a sentence": "got " + e.of(secret.text) + ", which is wrong"} {
				if e.name == "cut off" && place != "alone" && len(secret.text) < minHalf {
					continue
				}
				got := s.Text(text)
				if shows(got, secret.text) {
					t.Errorf("%s, %s, %s: %q", secret.name, e.name, place, got)
				}
			}
		}
	}
}

// shows says whether a text has a secret, or a large part of one, in it.
func shows(text, secret string) bool {
	text = strings.ToLower(text)
	for _, e := range encodings[:18] {
		form := strings.ToLower(e.of(secret))
		if strings.Contains(text, form) || len(form) >= 12 && strings.Contains(text, form[:len(form)*2/3]) {
			return true
		}
	}
	return false
}

func TestWordsAreNotHiddenForTheSakeOfShortSecrets(t *testing.T) {
	const text = "1:1: parse error at 100: one of none, carbon_exporter asked as carbon 42 times"
	for _, test := range []struct{ password, user, want string }{
		{"", "", text},
		{"1", "", text},
		{"one", "", strings.Replace(text, "one of none", "<secret> of none", 1)},
		{"42", "", strings.Replace(text, "42", "<secret>", 1)},
		{"", "carbon", strings.Replace(text, "as carbon", "as <secret>", 1)},
		{"erro", "", strings.Replace(text, "error", "<secret>r", 1)},
	} {
		if got := scrubberOf(test.password, test.user).Text(text); got != test.want {
			t.Errorf("password %q, user %q: got %q, want %q", test.password, test.user, got, test.want)
		}
	}
}

func TestUsualErrorPagesAreShown(t *testing.T) {
	s := scrubberOf("correct horse battery staple", "reader")
	s.remember(inHeader("Basic cmVhZGVyOmNvcnJlY3QgaG9yc2U=")...)
	for _, text := range []string{
		`{"status":"error","errorType":"execution","error":"query processing would load too many samples into memory in query execution"}`,
		"<html>\n<head><title>502 Bad Gateway</title></head><body><center><h1>502 Bad Gateway</h1></center><hr><center>nginx/1.25.3</center></body></html>",
		`Get "http://[::1]:9090/api/v1/query_range": dial tcp [::1]:9090: connect: connection refused`,
		strings.Repeat(`<div class="row"><a href="/login?next=%2Fgraph%3Fg0.expr%3Dup">Sign in</a> &amp; try again</div>`+"\n", 90),
		"tls: failed to verify certificate: x509: certificate is valid for prometheus.example.org, not localhost",
	} {
		got := s.Text(text)
		if got == withheld || got == "" {
			t.Errorf("%.60q became %q", text, got)
		}
	}
}

func TestAnyTextBecomesOneShortPrintableLine(t *testing.T) {
	s := scrubberOf("hunter2", "carbon")
	law := func(text string, junk []byte) bool {
		got := s.Text(text + string(junk))
		again := s.Text(got)
		return len(got) <= maxText+len("...") && utf8.ValidString(got) && !strings.ContainsFunc(got, func(r rune) bool { return !strconv.IsPrint(r) }) && again == strings.TrimSuffix(again, "\n")
	}
	if err := quick.Check(law, nil); err != nil {
		t.Error(err)
	}
	if got, want := s.Text("a\x00b\n\tc\xff\u202ed"), `a\x00b c\xff\u202ed`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestNothingBelowAnErrorShowsMore(t *testing.T) {
	s := scrubberOf("hunter2", "carbon")
	raw := fmt.Errorf("said hunter2: %w", &url.Error{Op: "Get", URL: "http://carbon:hunter2@h/?k=v", Err: fmt.Errorf("hunter2: %w", syscall.ECONNREFUSED)})
	for _, err := range []error{
		s.Error(raw),
		s.Failed("query hunter2", raw),
		s.Failed("query hunter2", &usage.Failure{Reason: usage.ReasonConnection, Detail: "said hunter2", Err: raw}),
		s.Failed("project hunter2", s.Failed("query hunter2", fmt.Errorf("wrapped hunter2: %w", &usage.Failure{Reason: usage.ReasonServer, Err: raw}))),
	} {
		for e := err; e != nil; e = errors.Unwrap(e) {
			if text := fmt.Sprintf("%s %+v %#v", e, e, e); strings.Contains(text, "hunter2") || strings.Contains(text, "k=v") {
				t.Errorf("%T shows %s", e, text)
			}
		}
		if usage.FailureOf(err) == nil && strings.Count(err.Error(), "said") > 1 {
			t.Errorf("got %v", err)
		}
	}
	if err := s.Failed("query", fmt.Errorf("x: %w", context.Canceled)); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want the end of the context", err)
	}
	if s.Failed("query", nil) != nil || s.Error(nil) != nil {
		t.Error("no error became one")
	}
}

func TestASecretThatChangesInItsFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "password")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(text+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("first-secret")
	s := NewScrubber(config.BasicAuth{Username: "carbon", PasswordFile: file})
	write("second-secret")
	if got, want := s.Text("got second-secret, had first-secret"), "got <secret>, had <secret>"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// A token server that refuses is about rights, and never sends the others of a
// run into a hot retry.
func TestATokenServersRefusalHasAReason(t *testing.T) {
	for status, want := range map[int]string{400: usage.ReasonAuth, 401: usage.ReasonAuth, 422: usage.ReasonAuth, 429: usage.ReasonRateLimited, 503: usage.ReasonServer} {
		issuer := serve(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(status)
			io.WriteString(w, `{"error":"invalid_client","error_description":"unknown"}`)
		})
		f := failure(t, newClient(t, withOAuth(issuer)), serve(t, showAuthorization))
		if f.Reason != want || f.Permanent != (want == usage.ReasonAuth) || f.TooLarge || !strings.Contains(f.Detail, fmt.Sprintf("http status %d: invalid_client unknown", status)) {
			t.Errorf("%d: got %+v, want %s", status, f, want)
		}
	}
}

func FuzzText(f *testing.F) {
	for _, e := range encodings[:24] {
		f.Add("got "+e.of("hunter2hunter2"), "hunter2hunter2")
	}
	f.Fuzz(func(t *testing.T, text, password string) {
		s := scrubberOf(password, "carbon")
		got := s.Text(text)
		if len(got) > maxText+len("...") || !utf8.ValidString(got) || strings.ContainsAny(got, "\n\r\x00\x1b") {
			t.Errorf("%q becomes %q", text, got)
		}
		if len(password) >= minAnywhere && strings.Contains(strings.ReplaceAll(got, hidden, ""), password) {
			t.Errorf("%q becomes %q, which shows %q", text, got, password)
		}
	})
}

// FuzzURL holds that user, password and query of whatever net/url reads are known.
func FuzzURL(f *testing.F) {
	for _, s := range []string{"http://carbon:hunter2@host/?key=abcd", "http://c%40:h%3Aunter@host", "mongodb://u:p@a,b/db?x=y:z", "http://h/?a=b&c=d;e", "http://u@[::1]:1/"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		known := map[string]bool{}
		for _, n := range inURL(text) {
			known[n.text] = true
		}
		u, err := url.Parse(text)
		if err != nil || u.Host == "" || u.Scheme == "" {
			return
		}
		if password, ok := u.User.Password(); u.User != nil && !known[u.User.Username()] || ok && !known[password] {
			t.Errorf("%q: the user is not among %v", text, known)
		}
		query, err := url.ParseQuery(u.RawQuery)
		for _, values := range query {
			for _, v := range values {
				if err == nil && v != "true" && v != "false" && v != "" && !known[v] {
					t.Errorf("%q: %q is not among %v", text, v, known)
				}
			}
		}
	})
}
