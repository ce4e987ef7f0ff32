package usage

import (
	"errors"
	"fmt"
	"time"
)

// Failure is an upstream that did not give what it was asked for. Callers
// branch on it: whether asking again can help, when, and with less.
type Failure struct {
	Reason     string        // for metrics: one of the Reason constants
	Status     int           // HTTP status, 0 if none came
	Detail     string        // the first words of what the server said, cut, never a credential
	RetryAfter time.Duration // what the server asked for, at most MaxRetryAfter; 0 if it did not
	Permanent  bool          // asking the same again at once is useless: the question or the rights are wrong
	TooLarge   bool          // a smaller question may be answered
	Err        error         // the cause below, if any
}

// MaxRetryAfter bounds how long a server may send us away.
const MaxRetryAfter = 5 * time.Minute

// The reasons of failures, a closed set: they are values of a metric's label.
const (
	ReasonConnection  = "connection"   // refused, reset, no route, TLS
	ReasonTimeout     = "timeout"      // no whole answer within the deadline
	ReasonServer      = "server_error" // 5xx
	ReasonBadRequest  = "bad_request"  // 400, 404, 405 ...
	ReasonAuth        = "auth"         // 401, 403
	ReasonRateLimited = "rate_limited" // 429
	ReasonTooLarge    = "too_large"    // 422, query time-out: ask for less
	ReasonMalformed   = "malformed"    // an answer that is not what the API promises
	ReasonPartial     = "partial"      // an answer with warnings: not all of the truth
	ReasonLimit       = "limit"        // an answer beyond our own limits
	ReasonRedirect    = "redirect"     // sent to another host
)

// Error is lower case and names the reason and what the server said.
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

// Unwrap gives the cause.
func (f *Failure) Unwrap() error { return f.Err }

// FailureOf is the failure in an error's chain, nil if there is none.
func FailureOf(err error) *Failure {
	if f, ok := errors.AsType[*Failure](err); ok {
		return f
	}
	return nil
}

// IsTooLarge says that a smaller question may be answered.
func IsTooLarge(err error) bool {
	f := FailureOf(err)
	return f != nil && f.TooLarge
}

// IsPermanent says that the same question is not worth asking again soon.
func IsPermanent(err error) bool {
	f := FailureOf(err)
	return f != nil && f.Permanent
}

// IsOutage says that another question would fail alike: nobody answers, or the
// server has asked to be left alone.
func IsOutage(err error) bool {
	f := FailureOf(err)
	return f != nil && (f.Reason == ReasonConnection || f.Reason == ReasonTimeout || f.RetryAfter > 0)
}

// Rejects counts samples that were refused, by reason.
type Rejects map[string]int

// Add counts the rejects of another.
func (r Rejects) Add(o Rejects) {
	for reason, n := range o {
		r[reason] += n
	}
}
