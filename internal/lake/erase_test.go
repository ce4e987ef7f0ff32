// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !race

package lake_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/lake"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

func nobody(usage.LakeState) {}

// names are the users in all facts and members of a bucket, with their energy by revision.
func names(t *testing.T, s *site) map[string]bool {
	t.Helper()
	found := map[string]bool{}
	for name, text := range files(t, s.dir) {
		var err error
		switch {
		case strings.HasSuffix(name, "facts.parquet"):
			err = lake.Read(bytes.NewReader(text), int64(len(text)), func(f lake.Fact) error {
				found[f.User] = true
				return nil
			})
		case strings.HasSuffix(name, "members.parquet"):
			err = lake.Read(bytes.NewReader(text), int64(len(text)), func(m lake.Member) error {
				if m.Scope == "user" {
					found[m.Name] = true
				}
				return nil
			})
		}
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(text, []byte("alice")) && !found["alice"] {
			t.Errorf("%s has the name outside its rows", name)
		}
	}
	return found
}

// sums are those of every revision as its files have them.
func sums(t *testing.T, s *site, day string) (all []lake.Sums) {
	t.Helper()
	have := files(t, s.dir)
	for _, r := range manifest(t, s.dir, day).Revisions {
		var a lake.Adder
		facts, members := have[r.Facts.Path], have[r.Members.Path]
		for _, err := range []error{
			lake.Read(bytes.NewReader(facts), int64(len(facts)), func(f lake.Fact) error { a.Fact(f); return nil }),
			lake.Read(bytes.NewReader(members), int64(len(members)), func(m lake.Member) error { a.Member(m); return nil }),
		} {
			if err != nil {
				t.Fatal(err)
			}
		}
		all = append(all, a.Sums())
	}
	return all
}

func TestNothingNamesAPersonWhoWasForgotten(t *testing.T) {
	s := newSite(t, t.TempDir())
	s.fill(2)
	s.mustPublish()
	s.change(1, 200)
	s.mustPublish()
	before := sums(t, s, "2026-10-05")
	if got := names(t, s); !got["alice"] {
		t.Fatalf("the bucket has %v", got)
	}
	// Of the second day, the store no longer has the rows.
	if _, err := s.Prune(t.Context(), epoch.Add(1000*24*time.Hour), time.Hour, ""); err != nil {
		t.Fatal(err)
	}
	if _, found, err := s.Forget(t.Context(), "alice"); !found || err != nil {
		t.Fatal(err)
	}
	s.mustPublish()
	hold(t, s.dir)
	got := names(t, s)
	if got["alice"] || !got["bob"] || len(got) < 2 {
		t.Errorf("the bucket has %v", got)
	}
	for i, after := range sums(t, s, "2026-10-05")[:len(before)] {
		if after.Facts.BusyKWh != before[i].Facts.BusyKWh || *after.Facts.BusyGrams != *before[i].Facts.BusyGrams || len(after.Members) != 4 {
			t.Errorf("revision %d was %+v and is %+v", i+1, before[i], after)
		}
	}
	for _, day := range []string{"2026-10-05", "2026-10-06"} {
		m := manifest(t, s.dir, day)
		for i, r := range sums(t, s, day) {
			if want := m.Revisions[i].Sums.Facts.BusyKWh; r.Facts.BusyKWh != want {
				t.Errorf("%s, revision %d: %v, want %v", day, i+1, r.Facts.BusyKWh, want)
			}
		}
	}
	changed := summary(t, s.dir)
	s.mustPublish()
	if summary(t, s.dir) != changed {
		t.Error("it is done twice")
	}
}
