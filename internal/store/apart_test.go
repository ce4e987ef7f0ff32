// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

func TestARevisionIsAnotherOneAfterEachChangeAndNoneElse(t *testing.T) {
	s := newStore(t)
	apart, err := s.Apart(t.Context(), 2)
	if err != nil {
		t.Fatal(err)
	}
	defer apart.Close()
	last := int64(-1)
	revision := func(what string, moves bool) {
		t.Helper()
		n, err := apart.Revision(t.Context())
		if err != nil || (n != last) != moves {
			t.Errorf("%s: revision %d after %d, %v", what, n, last, err)
		}
		last = n
	}
	revision("the first look", true)
	revision("nothing", false)
	commit(t, s, threeKeys(at(1)))
	revision("a commit", true)
	summary(t, s)
	if _, err := apart.Summary(t.Context()); err != nil {
		t.Fatal(err)
	}
	revision("reading", false)
	if err := reprice(t.Context(), s, at(1), priced(at(1), 50), usage.Provisional); err != nil {
		t.Fatal(err)
	}
	revision("an interval that is priced", true)
	tool := openStore(t, s.path, Options{})
	commit(t, tool, threeKeys(at(2)))
	revision("another program", true)
	if got, want := len(sumOf(t, apart.Store).Totals), len(summary(t, s).Totals); got != want {
		t.Errorf("%d keys apart, %d in the store", got, want)
	}
	if _, err := apart.Schedule(t.Context(), at(3), time.Now()); err == nil {
		t.Error("it can write")
	}
}

func sumOf(t *testing.T, s *Store) usage.Summary {
	t.Helper()
	sum, err := s.Summary(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return sum
}
