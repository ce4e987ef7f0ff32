// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !race

package lake_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/lake"
	"github.com/carbon-exporter/carbon_exporter/internal/store"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

func TestTwinsWithTheSameNumbersShareASite(t *testing.T) {
	a := newSite(t, t.TempDir())
	b := newSite(t, a.dir)
	a.fill(1)
	b.fill(2) // a day ahead
	a.mustPublish()
	before := summary(t, a.dir)
	if err := b.publish(); err != nil || b.state.Waiting != 1 || b.state.Refused != 0 {
		t.Errorf("the other is late: %+v, %v", b.state, err)
	}
	if summary(t, a.dir) != before {
		t.Error("it has written something")
	}
	days, err := b.LakePublished(t.Context())
	if err != nil || len(days) != 1 {
		t.Errorf("it knows of %v as published, %v", days, err)
	}
	for n := 4; n < 8; n++ {
		a.change(n, 100)
	}
	a.mustPublish()
	if err := b.publish(); err != nil || b.state.Waiting != 0 {
		t.Errorf("then it has both: %+v, %v", b.state, err)
	}
}

func TestATwinThatNeverPublishesIsSaidInTheEnd(t *testing.T) {
	a := newSite(t, t.TempDir())
	b := newSite(t, a.dir)
	a.fill(1)
	b.fill(2)
	a.mustPublish()
	for _, c := range []struct {
		later time.Duration
		loud  bool
	}{{0, false}, {time.Hour, false}, {25 * time.Hour, true}} {
		b.now = a.now.Add(c.later)
		err := b.Publish(t.Context(), nobody)
		if fenced, ok := errors.AsType[*lake.FencedError](err); ok != c.loud || ok && !fenced.Absent {
			t.Errorf("after %s: %v", c.later, err)
		}
	}
}

func TestAnotherExporterWithOtherNumbersIsKeptOut(t *testing.T) {
	a := newSite(t, t.TempDir())
	b := newSite(t, a.dir)
	a.fill(2)
	b.fill(2)
	b.change(1, 500)
	a.mustPublish()
	before := files(t, a.dir)
	err := b.publish()
	fenced, ok := errors.AsType[*lake.FencedError](err)
	if !ok || b.state.Refused != 1 || !strings.Contains(fenced.Error(), "another lake.site") || !strings.Contains(fenced.Error(), "delete manifest/site=harwell/publisher.json") {
		t.Errorf("%+v, %v", b.state, err)
	}
	for name, text := range files(t, a.dir) {
		if !bytes.Equal(text, before[name]) {
			t.Errorf("%s was changed", name)
		}
	}
	// It is handed over: by deleting one file.
	if err := os.Remove(filepath.Join(a.dir, lake.PublisherPath(theSite))); err != nil {
		t.Fatal(err)
	}
	b.mustPublish()
	hold(t, a.dir)
	if m := manifest(t, a.dir, "2026-10-05"); m.Revision != 2 || m.Present().Reason != "handed over" {
		t.Errorf("%+v", m)
	}
	a.change(5, 400)
	if err := a.publish(); err == nil {
		t.Error("the one before goes on")
	}
	if m := manifest(t, a.dir, "2026-10-06"); m.Revision != 1 {
		t.Errorf("and has published %+v", m)
	}
}

// replays counts how often a day is made.
type replays struct {
	*store.Store
	n int
}

func (r *replays) ReplayDay(ctx context.Context, day usage.Period, facts func(usage.Record) error, members func(usage.Member) error) (usage.LakeDay, error) {
	r.n++
	return r.Store.ReplayDay(ctx, day, facts, members)
}

// A day of a large site takes minutes, and the exporter asks every few: one that is refused, or that
// another one is to publish, is made once for each change.
func TestADayThatIsRefusedIsNotMadeAgain(t *testing.T) {
	a := newSite(t, t.TempDir())
	b := newSite(t, a.dir)
	a.fill(1)
	b.fill(2)
	b.change(1, 500)
	a.mustPublish()
	made := &replays{Store: b.Store}
	b.Publisher.Store = made
	try := func(why string, refused bool, most int) {
		t.Helper()
		made.n = 0
		err := b.Publish(t.Context(), nobody)
		if _, is := errors.AsType[*lake.FencedError](err); is != refused || err != nil && !is || made.n != most {
			t.Errorf("%s: it has made %d days, want %d; %v", why, made.n, most, err)
		}
	}
	try("first", true, 1)
	try("again", true, 0)
	b.change(1, 501)
	try("it has changed", true, 1)
	a.change(1, 400)
	a.mustPublish()
	try("theirs has changed", true, 1)
	try("nothing has changed", true, 0)
	b.change(1, 400)
	try("it is the same", false, 1)
	try("and stays so", false, 0)
}

func TestACopyOfAStoreIsNoticed(t *testing.T) {
	a := newSite(t, t.TempDir())
	a.fill(1)
	a.mustPublish()
	b := newSite(t, a.dir)
	b.Store.Close()
	b.path = filepath.Join(t.TempDir(), "copy.db")
	if _, err := store.Backup(t.Context(), a.path, b.path, nil); err != nil {
		t.Fatal(err)
	}
	b.Store = openStore(t, b.path)
	a.change(1, 200)
	a.mustPublish()
	b.change(1, 200)
	b.mustPublish() // the same numbers: nobody minds
	if m := manifest(t, a.dir, "2026-10-05"); m.Revision != 2 {
		t.Errorf("%+v", m)
	}
	a.change(2, 300)
	a.mustPublish()
	b.change(2, 400)
	b.mustPublish() // as if it were restored from a backup: once
	if !strings.Contains(b.log.String(), "a copy of it publishes, too, or it was restored from a backup") {
		t.Errorf("it says nothing: %s", b.log.String())
	}
	a.change(2, 301)
	a.mustPublish()
	b.change(2, 401)
	err := b.publish()
	if fenced, ok := errors.AsType[*lake.FencedError](err); !ok || !strings.Contains(fenced.Error(), "a copy of this store publishes it, too") {
		t.Errorf("twice: %v", err)
	}
	hold(t, a.dir)
}
