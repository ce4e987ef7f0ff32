// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package upstream

import (
	"encoding/json"
	"errors"
	"html"
	"io"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// maxErrorBody bounds what is read of an answer other than 2xx. Only its beginning is shown.
const maxErrorBody = 4 << 10

// refused returns the failure for an answer other than 2xx.
func (e *exchange) refused(resp *http.Response, body io.Reader) error {
	text, _ := io.ReadAll(io.LimitReader(body, maxErrorBody)) // part of the text is better than none
	if e.caller.Err() != nil {
		return e.caller.Err()
	}
	errorType, detail := firstWords(text)
	f := &usage.Failure{Status: resp.StatusCode, Detail: detail}
	classify(f, errorType, detail)
	switch {
	case f.Reason == usage.ReasonRedirect:
		f.Detail = redirectAdvice(resp)
		f.Cause = f.Detail
	case !f.TooLarge:
		f.Cause = causeOfStatus(e.url, resp.StatusCode, text)
	}
	if f.Status == http.StatusTooManyRequests || f.Status == http.StatusServiceUnavailable {
		f.RetryAfter = retryAfter(resp.Header, e.patience)
	}
	return f
}

// classify interprets a status. Prometheus has three ways to say that a query is too large: 422
// for too many samples, 503 with the error type "timeout", and 400 for too many steps, which
// only its message distinguishes from a bad query.
func classify(f *usage.Failure, errorType, detail string) {
	switch s := f.Status; {
	case s == http.StatusUnauthorized, s == http.StatusForbidden:
		f.Reason, f.Permanent = usage.ReasonAuth, true
	case s == http.StatusTooManyRequests:
		f.Reason = usage.ReasonRateLimited
	case s == http.StatusUnprocessableEntity && ambiguous(detail):
		f.Reason, f.Permanent = usage.ReasonBadRequest, true
	case s == http.StatusUnprocessableEntity,
		s == http.StatusServiceUnavailable && errorType == "timeout",
		s == http.StatusBadRequest && strings.Contains(detail, "exceeded maximum resolution"):
		f.Reason, f.TooLarge = usage.ReasonTooLarge, true
	case s >= 500:
		f.Reason = usage.ReasonServer
	case s >= 400:
		f.Reason, f.Permanent = usage.ReasonBadRequest, true
	default: // a 3xx that was not followed
		f.Reason, f.Permanent = usage.ReasonRedirect, true
	}
}

// ambiguous reports whether a query was refused because one side of an operator has two series
// where it may have one. Asking for less at once does not help.
func ambiguous(detail string) bool {
	return strings.Contains(detail, "duplicate series for the match group") || strings.Contains(detail, "multiple matches for labels")
}

// acknowledgement is how markets for electricity say in XML that they refuse a document, and why
// (IEC 62325-451-1). What matters comes last, behind more than is ever shown.
var acknowledgement = regexp.MustCompile(`(?s)Acknowledgement_MarketDocument.*<(?:\w+:)?text>\s*(.*?)\s*</(?:\w+:)?text>`)

// firstWords returns the message of an error's body. A body in Prometheus' format also has an
// error type.
func firstWords(text []byte) (errorType, detail string) {
	var p struct {
		Status    string `json:"status"`
		ErrorType string `json:"errorType"`
		Error     string `json:"error"`
	}
	if json.Unmarshal(text, &p) == nil && p.Status == "error" {
		return p.ErrorType, p.ErrorType + ": " + p.Error
	}
	if reason := acknowledgement.FindSubmatch(text); reason != nil {
		return "", "Acknowledgement_MarketDocument: " + html.UnescapeString(string(reason[1]))
	}
	return "", string(text)
}

// retryAfter reads both forms of the header, seconds and a date, up to the most that is waited. A date is compared with the
// answer's own Date, so that a difference between the clocks does not matter.
func retryAfter(h http.Header, most time.Duration) time.Duration {
	value := strings.TrimSpace(h.Get("Retry-After"))
	if seconds, err := strconv.ParseUint(value, 10, 63); err == nil || errors.Is(err, strconv.ErrRange) {
		return time.Duration(min(seconds, uint64(most/time.Second))) * time.Second
	}
	at, err := http.ParseTime(value)
	if err != nil {
		return 0
	}
	now, err := http.ParseTime(h.Get("Date"))
	if err != nil {
		now = time.Now()
	}
	return min(max(at.Sub(now), 0), most)
}
