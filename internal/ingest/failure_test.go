// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !race

package ingest

import (
	"errors"
	"testing"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

func TestWhatAFailureMeansForARun(t *testing.T) {
	of := func(reason string) error { return &usage.Failure{Reason: reason} }
	tooLarge := &usage.Failure{Reason: usage.ReasonTooLarge, TooLarge: true}
	for _, c := range []struct {
		name     string
		err      error
		run, row int
		want     verdict
	}{
		{"nobody answers", of(usage.ReasonConnection), 48, 0, verdict{wait: true}},
		{"nobody answers for one", of(usage.ReasonConnection), 1, 0, verdict{wait: true}},
		{"not to us", of(usage.ReasonAuth), 48, 0, verdict{wait: true}},
		{"we ask too often", of(usage.ReasonRateLimited), 1, 9, verdict{wait: true}},
		{"too large", tooLarge, 48, 0, verdict{less: true}},
		{"a server error over a day", of(usage.ReasonServer), 48, 0, verdict{less: true, wait: true}},
		{"a day that takes too long", &usage.Failure{Reason: usage.ReasonTimeout, TooLarge: true}, 48, 0, verdict{less: true, wait: true}},
		{"one that is too large", tooLarge, 1, 0, verdict{aside: true}},
		{"one that is too large, after others", tooLarge, 1, fewInARow, verdict{aside: true, wait: true}},
		{"one with a server error", of(usage.ReasonServer), 1, 0, verdict{aside: true, wait: true}},
		{"no failure of an upstream", errors.New("disk full"), 1, 0, verdict{aside: true, wait: true}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := judge(c.err, c.run, c.row); got != c.want {
				t.Errorf("got %+v, want %+v", got, c.want)
			}
		})
	}
}

func TestErrorsAreJoinedInOneLine(t *testing.T) {
	down := &usage.Failure{Reason: usage.ReasonConnection, Detail: "refused"}
	if got := joined(nil, down, nil, down, errors.New("disk full")).Error(); got != "connection: refused; disk full" {
		t.Errorf("got %q", got)
	}
	if err := joined(errors.New("disk full"), down); usage.FailureOf(err) != down {
		t.Error("the failure is not found")
	}
	if joined(nil, nil) != nil {
		t.Error("no errors are an error")
	}
}
