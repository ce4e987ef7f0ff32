// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !race

package lake_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/lake"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// deletes deletes the manifest of a day, as somebody might.
func (s *site) deletes(day string) {
	s.Helper()
	if err := os.Remove(filepath.Join(s.dir, lake.ManifestPath(theSite, lake.Day(day)))); err != nil {
		s.Fatal(err)
	}
}

// prune deletes the per-key rows of days that are older than so many.
func (s *site) prune(days int) {
	s.Helper()
	for {
		done, err := s.Prune(s.Context(), s.now, time.Duration(days)*24*time.Hour, "")
		if err != nil {
			s.Fatal(err)
		}
		if !done.More {
			return
		}
	}
}

func TestADayWhoseManifestWasDeletedIsPublishedAgain(t *testing.T) {
	s := newSite(t, t.TempDir())
	s.fill(3)
	s.mustPublish()
	s.change(5, 333)
	s.mustPublish()
	was, others := manifest(t, s.dir, "2026-10-06"), files(t, s.dir)
	s.deletes("2026-10-06")
	s.now = s.now.Add(time.Hour)
	s.mustPublish()
	hold(t, s.dir)
	is := manifest(t, s.dir, "2026-10-06")
	if is == nil || is.Revision != was.Revision+1 || is.Lost != was.Revision || is.Generation <= was.Generation || is.Present().Reason != "its manifest was deleted" {
		t.Fatalf("it was %+v\nand is %+v", was, is)
	}
	if !is.Present().Facts.Same(was.Present().Facts) || !is.Present().Members.Same(was.Present().Members) {
		t.Errorf("it was %+v\nand is %+v", was.Present(), is.Present())
	}
	if is.AsOf(s.now.Add(-time.Minute)) != nil || is.AsOf(s.now).Revision != is.Revision {
		t.Errorf("as of before it is %+v", is.AsOf(s.now.Add(-time.Minute)))
	}
	for name, text := range files(t, s.dir) {
		if !strings.Contains(name, "2026-10-06") && !bytes.Equal(text, others[name]) {
			t.Errorf("%s was written again", name)
		}
	}
	if said := s.log.String(); !strings.Contains(said, "The lake has lost manifests") || !strings.Contains(said, lake.ManifestPath(theSite, "2026-10-06")) || s.state.Lost != 0 {
		t.Errorf("state %+v, and it says:\n%s", s.state, said)
	}
	s.change(5, 444)
	s.mustPublish()
	hold(t, s.dir)
	if m := manifest(t, s.dir, "2026-10-06"); m.Revision != was.Revision+2 || len(m.Revisions) != 2 || m.Lost != was.Revision {
		t.Errorf("restated after that: %+v", m)
	}
}

// A running program looks after every day each six hours.
func TestADeletedManifestIsNoticedWithinSixHours(t *testing.T) {
	s := newSite(t, t.TempDir())
	s.fill(3)
	publish := func() {
		t.Helper()
		if err := s.Publish(t.Context(), nobody); err != nil {
			t.Fatal(err)
		}
	}
	publish()
	s.deletes("2026-10-06")
	s.now = s.now.Add(5 * time.Hour)
	publish()
	if manifest(t, s.dir, "2026-10-06") != nil {
		t.Error("every day was looked at again after 5 hours")
	}
	s.now = s.now.Add(2 * time.Hour)
	publish()
	if m := manifest(t, s.dir, "2026-10-06"); m == nil || m.Revision != 2 {
		t.Errorf("after 7 hours: %+v", m)
	}
	if err := s.Publisher.Close(); err != nil {
		t.Error(err)
	}
}

// A list that is late is no proof that anything is gone.
func TestADayIsNotGoneBecauseAListIsLate(t *testing.T) {
	s := newSite(t, t.TempDir())
	s.fill(2)
	s.mustPublish()
	before := files(t, s.dir)
	s.fault = &faults{left: -1} // its list is always empty
	s.mustPublish()
	if slices.Contains(s.fault.did, 'w') || s.log.Len() > 0 && strings.Contains(s.log.String(), "lost") {
		t.Errorf("operations %s\n%s", s.fault.did, s.log.String())
	}
	if len(files(t, s.dir)) != len(before) {
		t.Error("the bucket has other files")
	}
}

func TestADayThatCannotBeMadeAgainSaysSo(t *testing.T) {
	s := newSite(t, t.TempDir())
	s.fill(4)
	s.mustPublish()
	s.prune(2) // of 4
	text := files(t, s.dir)[lake.ManifestPath(theSite, "2026-10-05")]
	s.deletes("2026-10-05")
	for range 2 {
		s.log.Reset()
		s.mustPublish()
		if said := s.log.String(); manifest(t, s.dir, "2026-10-05") != nil || s.state.Lost != 1 || s.state.Waiting != 0 ||
			!strings.Contains(said, "Restore the manifests from the versions of the bucket") || !strings.Contains(said, "days=1 first=2026-10-05") {
			t.Fatalf("state %+v, and it says:\n%s", s.state, said)
		}
	}
	// Once it is restored, all is as it was.
	if err := os.WriteFile(filepath.Join(s.dir, lake.ManifestPath(theSite, "2026-10-05")), text, 0o600); err != nil {
		t.Fatal(err)
	}
	s.log.Reset()
	s.mustPublish()
	hold(t, s.dir)
	if s.state.Lost != 0 || s.log.Len() > 0 {
		t.Errorf("restored: state %+v, and it says:\n%s", s.state, s.log.String())
	}
}

// Nobody may publish what somebody else is to publish, only because its manifest is gone.
func TestADeletedManifestOfAnotherPublisherIsLeftToIt(t *testing.T) {
	s := newSite(t, t.TempDir())
	s.fill(1)
	s.mustPublish()
	twin := newSite(t, s.dir)
	twin.fill(1)
	twin.mustPublish()
	s.deletes("2026-10-05")
	twin.mustPublish()
	if m := manifest(t, s.dir, "2026-10-05"); m != nil {
		t.Fatalf("the twin has published %+v", m)
	}
	s.mustPublish()
	twin.mustPublish()
	e, ok, err := twin.LakeEdition(t.Context(), twin.Name(), "2026-10-05")
	if m := manifest(t, s.dir, "2026-10-05"); !ok || err != nil || m.Revision != 2 || e.Edition != 2 || e.Generation != m.Generation {
		t.Errorf("the twin knows %+v, %v of %+v", e, err, m)
	}
}

// A revision that was lost with its manifest may name somebody who is forgotten.
func TestForgettingReachesRevisionsThatWereLost(t *testing.T) {
	s := newSite(t, t.TempDir())
	s.fill(1)
	s.mustPublish()
	s.change(1, 300)
	s.mustPublish()
	s.deletes("2026-10-05")
	s.mustPublish()
	if _, found, err := s.Forget(t.Context(), "alice"); !found || err != nil {
		t.Fatal(found, err)
	}
	s.mustPublish()
	hold(t, s.dir)
	if got := names(t, s); got["alice"] || !got["bob"] {
		t.Errorf("the bucket names %v", got)
	}
}

func TestABucketThatWasEmptiedGetsEverythingAgain(t *testing.T) {
	s := newSite(t, t.TempDir())
	s.fill(2)
	s.mustPublish()
	want := files(t, s.dir)
	if err := errors.Join(os.RemoveAll(s.dir), os.Mkdir(s.dir, 0o755)); err != nil {
		t.Fatal(err)
	}
	s.mustPublish()
	hold(t, s.dir)
	got := files(t, s.dir)
	for name, text := range want {
		if strings.HasSuffix(name, ".parquet") && !bytes.Equal(got[name], text) {
			t.Errorf("%s is not as it was", name)
		}
	}
	for _, day := range []string{"2026-10-05", "2026-10-06"} {
		if m := manifest(t, s.dir, day); m.Revision != 2 || m.Lost != 1 {
			t.Errorf("%s: %+v", day, m)
		}
	}
	if !strings.Contains(s.log.String(), "has lost what was published") || s.state != (usage.LakeState{Newest: epoch.Add(48 * time.Hour)}) {
		t.Errorf("state %+v, and it says:\n%s", s.state, s.log.String())
	}
}
