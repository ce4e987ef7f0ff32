// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !race

package store

import (
	"path/filepath"
	"testing"
)

// What is said to be there is gone afterwards.
func TestTracesAreWhatForgetRemoves(t *testing.T) {
	s := fullStore(t, filepath.Join(t.TempDir(), "carbon.db"))
	before := answers(t, s)
	got, err := s.Traces(t.Context(), person)
	if err != nil {
		t.Fatal(err)
	}
	if got.Intervals == 0 || got.First.Before(at(0).Start) || got.Last.After(at(11).Start) || !got.First.Before(got.Last) {
		t.Errorf("usage in %d intervals, from %s to %s", got.Intervals, got.First, got.Last)
	}
	if !got.Any() || !got.Listed || got.Tenures != 1 || got.Memberships != 1 || got.Workspaces != 1 || got.Statements != 1 || got.Forgotten {
		t.Errorf("got %+v", got)
	}
	if answers(t, s) != before {
		t.Error("looking has changed something")
	}
	forgetNow(t, s, person)
	if got, err = s.Traces(t.Context(), person); err != nil || got != (Traces{Forgotten: true}) {
		t.Errorf("afterwards there is %+v, %v", got, err)
	}
	if got, err = s.Traces(t.Context(), "nobody@example.org"); err != nil || got != (Traces{}) {
		t.Errorf("of somebody unknown there is %+v, %v", got, err)
	}
	for user := range nobodies {
		if _, err := s.Traces(t.Context(), user); err == nil {
			t.Errorf("%q is a person", user)
		}
	}
}
