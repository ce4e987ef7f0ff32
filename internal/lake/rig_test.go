// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !race

package lake_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/thanos-io/objstore"

	"github.com/carbon-exporter/carbon_exporter/internal/lake"
	"github.com/carbon-exporter/carbon_exporter/internal/lake/bucket"
	"github.com/carbon-exporter/carbon_exporter/internal/store"
	"github.com/carbon-exporter/carbon_exporter/internal/store/storetest"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

const (
	theSite = "harwell"
	length  = 6 * time.Hour
)

var epoch = time.Date(2026, 10, 5, 0, 0, 0, 0, time.UTC)

// site is a store that publishes to a bucket, and what goes wrong there.
type site struct {
	*testing.T
	*store.Store
	path  string
	dir   string // of the bucket
	now   time.Time
	fault *faults // of the next publisher; nil: none
	log   bytes.Buffer
	state usage.LakeState
	*lake.Publisher
}

func openStore(t *testing.T, path string) *store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), path, store.Options{Interval: length, Timezone: time.UTC})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func newSite(t *testing.T, dir string) *site {
	t.Helper()
	s := &site{T: t, dir: dir, path: filepath.Join(t.TempDir(), "carbon.db"), now: epoch.Add(30 * 24 * time.Hour)}
	s.Store = openStore(t, s.path)
	s.restart()
	return s
}

// again returns the same site as it is now, to be gone on with apart.
func (s *site) again() *site {
	s.Helper()
	is := &site{T: s.T, dir: s.TempDir(), path: filepath.Join(s.TempDir(), "carbon.db"), now: s.now}
	text, err := os.ReadFile(s.path)
	if err == nil {
		err = errors.Join(os.WriteFile(is.path, text, 0o600), os.CopyFS(is.dir, os.DirFS(s.dir)))
	}
	if err != nil {
		s.Fatal(err)
	}
	is.Store = openStore(s.T, is.path)
	return is
}

// restart makes a new publisher, as a program does that was killed.
func (s *site) restart() {
	s.Helper()
	c, err := bucket.Parse([]byte("type: FILESYSTEM\nconfig: {directory: "+s.dir+"}"), "test")
	if err != nil {
		s.Fatal(err)
	}
	s.Publisher = &lake.Publisher{
		Store: s.Store, Site: theSite, Timezone: "UTC", Spool: filepath.Dir(s.path),
		Now: func() time.Time { return s.now }, Log: slog.New(slog.NewTextHandler(&s.log, nil)),
		Open: func() (objstore.Bucket, string, error) {
			b, err := c.Open()
			if s.fault != nil {
				s.fault.Bucket = b
				return s.fault, "a bucket", err
			}
			return b, "a bucket", err
		},
	}
}

// publish publishes with a publisher of its own, so that every day is looked at.
func (s *site) publish() error {
	s.restart()
	err := s.Publish(s.Context(), func(is usage.LakeState) { s.state = is })
	return errors.Join(err, s.Publisher.Close())
}

func (s *site) mustPublish() {
	s.Helper()
	if err := s.publish(); err != nil {
		s.Fatal(err)
	}
}

// record is usage of two people in the n-th interval.
func record(n int, price float64) usage.Record {
	i := usage.Interval{Start: epoch.Add(time.Duration(n) * length), Length: length}
	rec := usage.Record{Interval: i, State: usage.Settled, PUE: 1, FetchedAt: i.End()}
	for k, piece := range i.Pieces() {
		rec.Prices = append(rec.Prices, usage.PiecePrice{Start: piece.Start, Price: usage.Price{
			Intensity: usage.GramsPerKWh(price + float64(k)), Kind: usage.Actual, Provider: "uk", Grid: "GB", SlotFrom: piece.Start, FetchedAt: i.End(),
		}})
		for _, user := range []string{"alice", "bob"} {
			rec.Facts = append(rec.Facts, usage.Fact{
				Key: usage.Key{Project: "IDAaaS", Machine: "Muon", User: user, Group: "ISIS"}, Start: piece.Start,
				CPU: usage.BusyIdle[usage.CPUSeconds]{Busy: 100, Idle: 1700}, Energy: usage.ByMode[usage.KWh]{Busy: usage.KWh(0.1 * float64(n+1)), Idle: 0.01},
			})
		}
	}
	return rec
}

// fill stores whole days from the first on.
func (s *site) fill(days int) {
	s.Helper()
	for n := range 4 * days {
		storetest.Commit(s.T, s.Store, record(n, 100))
	}
}

// change restates an interval.
func (s *site) change(n int, price float64) {
	s.Helper()
	storetest.CommitAs(s.T, s.Store, usage.Policy{Restate: true, Why: usage.BecauseRestate}, record(n, price))
}

// files are all files below a directory, by name.
func files(t *testing.T, dir string) map[string][]byte {
	t.Helper()
	all := map[string][]byte{}
	if err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		name, _ := filepath.Rel(dir, path)
		all[name] = text
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return all
}

// manifest is the manifest of a day; nil: there is none.
func manifest(t *testing.T, dir, day string) *lake.Manifest {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, lake.ManifestPath(theSite, lake.Day(day))))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	m, err := lake.DecodeManifest(text, theSite, lake.Day(day))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// hold checks what holds at any moment: whatever a manifest names is there, and is what it says.
func hold(t *testing.T, dir string) {
	t.Helper()
	all := files(t, dir)
	for name := range all {
		day, ok := lake.DayOfManifest(name)
		if !ok {
			continue
		}
		for _, r := range manifest(t, dir, string(day)).Revisions {
			for _, o := range []lake.Object{r.Facts, r.Members} {
				if r.Gone != "" {
					continue
				}
				sum := sha256.Sum256(all[o.Path])
				if hex.EncodeToString(sum[:]) != o.SHA256 {
					t.Errorf("day %s, revision %d: %s is not what the manifest says", day, r.Revision, o.Path)
				}
			}
		}
	}
}

// summary is what readers see of a bucket in the end, whatever happened on the way: the present
// files, and of each revision what it says.
func summary(t *testing.T, dir string) string {
	t.Helper()
	all := files(t, dir)
	var lines []string
	for _, name := range slices.Sorted(maps.Keys(all)) {
		if strings.HasPrefix(name, lake.FactsTable) || strings.HasPrefix(name, lake.MembersTable) {
			lines = append(lines, fmt.Sprintf("%s %x", name, sha256.Sum256(all[name])))
		}
		if day, ok := lake.DayOfManifest(name); ok {
			for _, r := range manifest(t, dir, string(day)).Revisions {
				lines = append(lines, fmt.Sprint(day, r.Revision, r.Reason, r.Facts.Path, r.Facts.Content, r.Members.Path, r.Members.Content, r.Sums.Facts.BusyKWh, r.Intervals))
			}
		}
	}
	return strings.Join(lines, "\n")
}

// faults is a bucket in which something goes wrong.
type faults struct {
	objstore.Bucket
	left  int    // operations until it does; below 0: never
	only  string // what goes wrong is only to write objects whose names begin so
	did   []byte // what was done: r for reading, w for writing, d for deleting
	after bool   // the last one is done, and nobody hears of it
	half  bool   // the last one, if it writes, breaks off
	is    error
	done  int
}

var errCut = errors.New("the connection is cut")

// next counts an operation. do is whether it is done, and err what its caller hears.
func (f *faults) next(what byte) (do bool, err error) {
	f.done++
	f.did = append(f.did, what)
	if f.left < 0 || f.done <= f.left {
		return true, nil
	}
	first := f.done == f.left+1
	return first && f.after, f.cause()
}

func (f *faults) cause() error {
	if f.is != nil {
		return f.is
	}
	return errCut
}

func (f *faults) Upload(ctx context.Context, name string, r io.Reader, opts ...objstore.ObjectUploadOption) error {
	do, cut := f.next('w')
	if f.only != "" && strings.HasPrefix(name, f.only) {
		return f.cause()
	}
	if cut != nil && f.half && f.done == f.left+1 {
		return f.Bucket.Upload(ctx, name, io.MultiReader(io.LimitReader(r, 10), broken{cut}), opts...)
	}
	if !do {
		return cut
	}
	return errors.Join(f.Bucket.Upload(ctx, name, r, opts...), cut)
}

type broken struct{ error }

func (b broken) Read([]byte) (int, error) { return 0, b.error }

func (f *faults) Get(ctx context.Context, name string) (io.ReadCloser, error) {
	if _, err := f.next('r'); err != nil {
		return nil, err
	}
	return f.Bucket.Get(ctx, name)
}

func (f *faults) Attributes(ctx context.Context, name string) (objstore.ObjectAttributes, error) {
	if _, err := f.next('r'); err != nil {
		return objstore.ObjectAttributes{}, err
	}
	return f.Bucket.Attributes(ctx, name)
}

func (f *faults) Exists(ctx context.Context, name string) (bool, error) {
	if _, err := f.next('r'); err != nil {
		return false, err
	}
	return f.Bucket.Exists(ctx, name)
}

func (f *faults) Delete(ctx context.Context, name string) error {
	do, err := f.next('d')
	if !do {
		return err
	}
	return errors.Join(f.Bucket.Delete(ctx, name), err)
}

// Iter answers nothing: a list may be late by any time.
func (f *faults) Iter(context.Context, string, func(string) error, ...objstore.IterOption) error {
	return nil
}

func (f *faults) IsAccessDeniedErr(err error) bool { return errors.Is(err, fs.ErrPermission) }
