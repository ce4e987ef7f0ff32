// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package usage

import (
	"errors"
	"fmt"
	"time"
)

// Failure is the error of an upstream that did not answer as asked. Callers branch on it:
// whether a retry can help, when, and with a smaller query.
type Failure struct {
	Reason     string        // for metrics: one of the Reason constants
	Status     int           // HTTP status, 0 if none came
	Detail     string        // the start of what the server said; never a credential
	Cause      string        // what is wrong, in plain words that say what to do; empty: Error says all there is
	RetryAfter time.Duration // what the server asked for, bounded; 0 if it did not
	Permanent  bool          // an immediate retry is useless: the query or the permissions are wrong
	TooLarge   bool          // a smaller query may succeed
	Err        error         // the cause, if any
}

// MaxRetryAfter bounds how long a server may make us wait; PatientRetryAfter is for one that others
// share, and may mean it.
const (
	MaxRetryAfter     = 5 * time.Minute
	PatientRetryAfter = time.Hour
)

// The reasons of failures, a closed set: they are label values of a metric.
const (
	ReasonConnection  = "connection"   // refused, reset, no route, TLS
	ReasonTimeout     = "timeout"      // no complete answer within the deadline
	ReasonServer      = "server_error" // 5xx
	ReasonBadRequest  = "bad_request"  // 400, 404, 405 ...
	ReasonAuth        = "auth"         // 401, 403
	ReasonRateLimited = "rate_limited" // 429
	ReasonTooLarge    = "too_large"    // 422, or a query that timed out: ask for less
	ReasonMalformed   = "malformed"    // the answer does not follow the API
	ReasonPartial     = "partial"      // the answer has warnings, so it may be incomplete
	ReasonLimit       = "limit"        // the answer exceeds our own limits
	ReasonRedirect    = "redirect"     // redirected to another host
)

// Error returns the reason and what the server said, in lower case.
func (f *Failure) Error() string {
	s := f.Reason
	if f.Status != 0 {
		s = fmt.Sprintf("%s: http status %d", s, f.Status)
	}
	if f.Detail != "" {
		s += ": " + f.Detail
	}
	if f.Err != nil {
		s += ": " + f.Err.Error()
	}
	return s
}

// Unwrap returns the cause.
func (f *Failure) Unwrap() error { return f.Err }

// FailureOf returns the Failure in an error's chain, or nil.
func FailureOf(err error) *Failure {
	if f, ok := errors.AsType[*Failure](err); ok {
		return f
	}
	return nil
}

// Cause says what is wrong, for a person: in plain words, where they are known, else as the error
// itself does.
func Cause(err error) string {
	if f := FailureOf(err); f != nil && f.Cause != "" {
		return f.Cause
	}
	return err.Error()
}

// IsTooLarge reports whether a smaller query may succeed.
func IsTooLarge(err error) bool {
	f := FailureOf(err)
	return f != nil && f.TooLarge
}

// IsPermanent reports whether repeating the query soon is pointless.
func IsPermanent(err error) bool {
	f := FailureOf(err)
	return f != nil && f.Permanent
}

// IsOutage reports whether any other query would fail, too: nobody answers, or the server has
// asked to be left alone.
func IsOutage(err error) bool {
	f := FailureOf(err)
	return f != nil && (f.Reason == ReasonConnection || f.Reason == ReasonTimeout || f.RetryAfter > 0)
}

// Rejects counts samples that were refused, by reason.
type Rejects map[string]int

// Add adds the counts of o.
func (r Rejects) Add(o Rejects) {
	for reason, n := range o {
		r[reason] += n
	}
}
