// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package upstream

import (
	"cmp"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

func TestStatusHasAMeaning(t *testing.T) {
	const points = `{"status":"error","errorType":"bad_data","error":"exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the query resolution (?step=XX)"}`
	tests := []struct {
		name   string
		status int
		body   string
		want   usage.Failure
	}{
		{
			name: "bad query", status: 400, body: `{"status":"error","errorType":"bad_data","error":"1:5: parse error"}`,
			want: usage.Failure{Reason: usage.ReasonBadRequest, Permanent: true, Detail: "bad_data: 1:5: parse error"},
		},
		{
			name: "too many steps", status: 400, body: points,
			want: usage.Failure{Reason: usage.ReasonTooLarge, TooLarge: true, Detail: "bad_data: exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the query resolution (?step=XX)"},
		},
		{
			name: "nothing to be had, in XML", status: 400, body: `<?xml version="1.0"?><n:Acknowledgement_MarketDocument xmlns:n="urn:x">` + strings.Repeat("<n:mRID>1</n:mRID>", 20) + "<n:Reason><n:code>999</n:code>\n<n:text> No data &amp; no hope </n:text></n:Reason></n:Acknowledgement_MarketDocument>",
			want: usage.Failure{Reason: usage.ReasonBadRequest, Permanent: true, Detail: "Acknowledgement_MarketDocument: No data & no hope"},
		},
		{
			name: "no credentials", status: 401, body: "Unauthorized\n",
			want: usage.Failure{Reason: usage.ReasonAuth, Permanent: true, Detail: "Unauthorized"},
		},
		{
			name: "no rights", status: 403,
			want: usage.Failure{Reason: usage.ReasonAuth, Permanent: true},
		},
		{
			name: "wrong path", status: 404, body: "404 page not found",
			want: usage.Failure{Reason: usage.ReasonBadRequest, Permanent: true, Detail: "404 page not found"},
		},
		{
			name: "too many samples", status: 422, body: `{"status":"error","errorType":"execution","error":"query processing would load too many samples into memory"}`,
			want: usage.Failure{Reason: usage.ReasonTooLarge, TooLarge: true, Detail: "execution: query processing would load too many samples into memory"},
		},
		{
			name: "two series where one may be", status: 422, body: `{"status":"error","errorType":"execution","error":"found duplicate series for the match group {id=\"qemu/100\"} on the right hand-side of the operation"}`,
			want: usage.Failure{Reason: usage.ReasonBadRequest, Permanent: true, Detail: `execution: found duplicate series for the match group {id="qemu/100"} on the right hand-side of the operation`},
		},
		{
			name: "too often", status: 429,
			want: usage.Failure{Reason: usage.ReasonRateLimited},
		},
		{
			name: "error of the carbon intensity api", status: 500, body: `{"error":{"code":"500 Internal Server Error","message":"try later"}}`,
			want: usage.Failure{Reason: usage.ReasonServer, Detail: `{"error":{"code":"500 Internal Server Error","message":"try later"}}`},
		},
		{
			name: "bad gateway", status: 502, body: "<html>\r\n<h1>Bad\tGateway</h1>\r\n",
			want: usage.Failure{Reason: usage.ReasonServer, Detail: "<html> <h1>Bad Gateway</h1>"},
		},
		{
			name: "starting up", status: 503, body: "Service Unavailable",
			want: usage.Failure{Reason: usage.ReasonServer, Detail: "Service Unavailable"},
		},
		{
			name: "query timed out", status: 503, body: `{"status":"error","errorType":"timeout","error":"query timed out in expression evaluation"}`,
			want: usage.Failure{Reason: usage.ReasonTooLarge, TooLarge: true, Detail: "timeout: query timed out in expression evaluation"},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			url := serve(t, func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(test.status)
				io.WriteString(w, test.body)
			})
			test.want.Status = test.status
			got := failure(t, plain(t), url)
			got.Cause = "" // has a test of its own
			if *got != test.want {
				t.Errorf("got  %+v\nwant %+v", *got, test.want)
			}
		})
	}
}

func TestErrorOfBrokenGzipKeepsItsStatus(t *testing.T) {
	url := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		w.WriteHeader(http.StatusInternalServerError)
		io.WriteString(w, "not gzip")
	})
	if f := failure(t, plain(t), url); f.Reason != usage.ReasonServer || f.Detail != "" {
		t.Errorf("got %+v", f)
	}
}

func TestErrorTextIsCutAndHarmless(t *testing.T) {
	tests := []struct{ name, body string }{
		{name: "a megabyte", body: strings.Repeat("a", 1<<20)},
		{name: "control characters", body: "a\x00b\x1b[31mred\x07 \u202e\u2028 c"},
		{name: "invalid utf-8", body: "\xff\xfe" + strings.Repeat("\xf0", 300)},
		{name: "long words of many bytes", body: strings.Repeat("\u00e9\U0001F331", 500)},
		{name: "only white space", body: strings.Repeat(" \n", 5000)},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			url := serve(t, func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(http.StatusInternalServerError)
				io.WriteString(w, test.body)
			})
			got := failure(t, plain(t), url).Detail
			if len(got) > maxText+len("...") || !utf8.ValidString(got) {
				t.Errorf("%d bytes: %q", len(got), got)
			}
			if strings.ContainsAny(got, "\x00\x07\x1b\r\n\u202e\u2028") {
				t.Errorf("got %q", got)
			}
		})
	}
}

func TestRetryAfter(t *testing.T) {
	const now = "Thu, 01 Jan 2026 00:00:00 GMT"
	tests := []struct {
		name, value string
		status      int
		want        time.Duration
	}{
		{name: "seconds", status: 429, value: "7", want: 7 * time.Second},
		{name: "seconds, unavailable", status: 503, value: "120", want: 2 * time.Minute},
		{name: "an hour is too long", status: 429, value: "3600", want: usage.MaxRetryAfter},
		{name: "more than a number holds", status: 429, value: "99999999999999999999999", want: usage.MaxRetryAfter},
		{name: "a date", status: 429, value: "Thu, 01 Jan 2026 00:00:30 GMT", want: 30 * time.Second},
		{name: "a date far ahead", status: 503, value: "Fri, 02 Jan 2026 00:00:00 GMT", want: usage.MaxRetryAfter},
		{name: "a date that has passed", status: 429, value: "Wed, 31 Dec 2025 23:00:00 GMT"},
		{name: "negative", status: 429, value: "-5"},
		{name: "a word", status: 429, value: "soon"},
		{name: "none", status: 429},
		{name: "with an error that does not honour it", status: 500, value: "7"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			url := serve(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Date", now)
				if test.value != "" {
					w.Header().Set("Retry-After", test.value)
				}
				w.WriteHeader(test.status)
			})
			if got := failure(t, plain(t), url).RetryAfter; got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}

func TestRetryAfterDateWithoutADateOfTheServer(t *testing.T) {
	h := http.Header{"Retry-After": {time.Now().Add(time.Hour).UTC().Format(http.TimeFormat)}}
	if got := retryAfter(h, usage.MaxRetryAfter); got != usage.MaxRetryAfter {
		t.Errorf("got %s, want %s", got, usage.MaxRetryAfter)
	}
}

func TestAPatientClientObeysALongerRetryAfter(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "7200")
		w.WriteHeader(http.StatusTooManyRequests)
	}))
	t.Cleanup(s.Close)
	for _, patience := range []time.Duration{0, time.Hour} {
		c := &Client{HTTP: s.Client(), UserAgent: "test", Timeout: time.Minute, MaxBytes: 1 << 20, Patience: patience}
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL, nil)
		if err != nil {
			t.Fatal(err)
		}
		_, err = c.Do(req)
		f := usage.FailureOf(err)
		if want := cmp.Or(patience, usage.MaxRetryAfter); f == nil || f.RetryAfter != want {
			t.Errorf("got %v, want to wait %s", err, want)
		}
	}
}
