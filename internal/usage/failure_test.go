// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package usage

import (
	"errors"
	"fmt"
	"maps"
	"testing"
)

func TestFailureSaysWhatWentWrong(t *testing.T) {
	cause := errors.New("connection refused")
	for _, c := range []struct {
		name string
		f    *Failure
		want string
	}{
		{"only a reason", &Failure{Reason: ReasonTimeout}, "timeout"},
		{"a status", &Failure{Reason: ReasonServer, Status: 503}, "server_error: http status 503"},
		{"what the server said", &Failure{Reason: ReasonBadRequest, Status: 400, Detail: "parse error"}, "bad_request: http status 400: parse error"},
		{"a cause", &Failure{Reason: ReasonConnection, Err: cause}, "connection: connection refused"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := c.f.Error(); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
	var f *Failure
	wrapped := fmt.Errorf("interval: %w", &Failure{Reason: ReasonConnection, Err: cause})
	if !errors.As(wrapped, &f) || !errors.Is(wrapped, cause) {
		t.Errorf("%v does not unwrap to its failure and its cause", wrapped)
	}
}

func TestRejectsAddUp(t *testing.T) {
	r := Rejects{"nan": 1}
	r.Add(Rejects{"nan": 2, "negative": 3})
	r.Add(nil)
	if !maps.Equal(r, Rejects{"nan": 3, "negative": 3}) {
		t.Errorf("got %v", r)
	}
}
