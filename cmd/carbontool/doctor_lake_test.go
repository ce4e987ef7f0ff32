// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !race

package main

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/thanos-io/objstore"

	"github.com/carbon-exporter/carbon_exporter/internal/config"
	"github.com/carbon-exporter/carbon_exporter/internal/doctor"
	"github.com/carbon-exporter/carbon_exporter/internal/lake"
	"github.com/carbon-exporter/carbon_exporter/internal/lake/laketest"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// examined is a site whose lake is examined.
type examined struct {
	*testing.T
	laketest.Dir
	a *lakeSite
}

// examinedLake has published four days of site a.
func examinedLake(t *testing.T) examined {
	t.Helper()
	d := laketest.New(t)
	a := newLakeSite(t, d, "a", "Europe/London", time.Hour)
	a.use(usage.Policy{}, "2026-10-23", "2026-10-27")
	a.publish("2026-10-28T12:00:00Z")
	return examined{t, d, a}
}

// configured writes a configuration and returns its name.
func (x examined) configured(zone string) string {
	x.T.Helper()
	file := x.Path + ".carbon.yml"
	text := "prometheus: {url: 'http://127.0.0.1:1'}\ninterval: 1h\ntimezone: " + zone + "\nlake: {objstore_config_file: '" + x.Config() + "', site: a}\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		x.T.Fatal(err)
	}
	return file
}

func (x examined) doctor(st *lakeSite, args ...string) called {
	x.T.Helper()
	return call(append([]string{"doctor", "--only=lake", "--config.file", x.configured("Europe/London"), "--storage.path", st.path}, args...)...)
}

// has looks for lines, in any order.
func (x examined) has(got called, code int, lines ...string) {
	x.T.Helper()
	for _, want := range lines {
		if want = strings.ReplaceAll(want, "DIR", x.Path); !strings.Contains(got.stdout, want) {
			x.T.Errorf("there is no %q in\n%s", want, got.stdout)
		}
	}
	if got.code != code {
		x.T.Errorf("exit code %d, want %d: %s", got.code, code, got.stderr)
	}
}

// objects are all files of the bucket, with their sizes, and its directories.
func (x examined) objects() map[string]int64 {
	x.T.Helper()
	all := map[string]int64{}
	err := filepath.WalkDir(x.Path, func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if all[name] = 0; err == nil && !entry.IsDir() {
			all[name] = info.Size()
		}
		return err
	})
	if err != nil {
		x.T.Fatal(err)
	}
	return all
}

func TestDoctorFindsALakeWell(t *testing.T) {
	x := examinedLake(t)
	before := x.objects()
	got := x.doctor(x.a)
	got.stdout = strings.Replace(got.stdout, "answers in 0s", "answers in 0ms", 1)
	want := strings.ReplaceAll(`lake  ok       file       DIR.yml can be read; the lake is FILESYSTEM DIR
lake  ok       bucket     FILESYSTEM DIR answers in ?ms
lake  ok       rights     we may list, write, read and delete: a small object was written and is removed again
lake  ok       publisher  this store has published site a since 2026-10-28T12:00:00Z (id ?)
lake  ok       published  4 days are published, the newest is 2026-10-26
lake  ok       manifests  4 manifests of site a, from 2026-10-23 to 2026-10-26, in Europe/London
`, "DIR", x.Path)
	id := x.Manifest("a", "2026-10-26").Publisher[:8]
	if want = strings.Replace(want, "(id ?)", "(id "+id+")", 1); !matches(got.stdout, want) || got.code != exitDone || got.stderr != "" {
		t.Errorf("got %+v", got)
	}
	if after := x.objects(); len(after) != len(before) {
		t.Errorf("the bucket has %v, and had %v", after, before)
	}
	var doc struct {
		OK       int
		Findings []doctor.Finding
	}
	if got := x.doctor(x.a, "--format=json"); json.Unmarshal([]byte(got.stdout), &doc) != nil || doc.OK != 6 || doc.Findings[3].Area != doctor.Lake || doc.Findings[3].Check != "publisher" {
		t.Errorf("as JSON: %+v", got)
	}
}

func TestDoctorLooksAtALakeWithoutAStore(t *testing.T) {
	x := examinedLake(t)
	x.a.path += ".none"
	x.has(x.doctor(x.a), exitDone, "ok       rights", "ok       publisher  site a has been published since 2026-10-28T12:00:00Z by the id ",
		"warning  published  not known: open store ", "ok       manifests")
}

func TestDoctorSaysWhatWaits(t *testing.T) {
	x := examinedLake(t)
	x.a.use(usage.Policy{}, "2026-10-27", "2026-10-28")
	x.a.use(restate, "2026-10-24", "2026-10-25")
	x.has(x.doctor(x.a), exitDone, "published  4 days are published, the newest is 2026-10-26; 2 days are to be published")
	x.Remove("manifest/site=a/day=2026-10-24.json")
	x.has(x.doctor(x.a), exitDone, "the bucket has no manifest of 2026-10-24: it has lost what was published", "every 6 hours")
	if err := os.RemoveAll(filepath.Join(x.Path, "manifest", "site=a")); err != nil {
		t.Fatal(err)
	}
	x.has(x.doctor(x.a), exitDone, "warning  publisher  there is no manifest/site=a/publisher.json, and this store has published 4 days",
		"warning  published  4 days are published", "the bucket has no manifest of 2026-10-26: it has lost what was published", "ok       manifests  there is none of site a yet")
}

func TestDoctorDoesNotMakeADirectoryThatIsMissing(t *testing.T) {
	x := examinedLake(t)
	empty := newLakeSite(t, x.Dir, "a", "Europe/London", time.Hour)
	if err := os.Rename(x.Path, x.Path+".away"); err != nil {
		t.Fatal(err)
	}
	x.has(x.doctor(empty), exitDone, "warning  bucket     there is no directory DIR; the rights are not tried", "ok       published  no day is published\n")
	x.has(x.doctor(x.a), exitFailed, "failure  bucket     there is no directory DIR, and 4 days were published to it", "to do: mount what belongs there")
	if _, err := os.Stat(x.Path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the directory: %v", err)
	}
}

// TestDoctorTellsATwinFromAnotherPublisher: two stores with the same usage are twins, until one is
// restated.
func TestDoctorTellsATwinFromAnotherPublisher(t *testing.T) {
	x := examinedLake(t)
	other := newLakeSite(t, x.Dir, "a", "Europe/London", time.Hour)
	x.has(x.doctor(other), exitDone, "warning  publisher  another exporter has published site a since 2026-10-28T12:00:00Z (its id is ", "this store has published nothing to it yet")
	other.use(usage.Policy{}, "2026-10-23", "2026-10-27")
	other.publish("2026-10-28T12:00:00Z")
	x.has(x.doctor(other), exitDone, "ok       publisher  another exporter has published site a", ", and has the same numbers: a twin", "published  4 days are published")
	other.use(restate, "2026-10-24", "2026-10-26")
	x.has(x.doctor(other), exitFailed, "failure  publisher  another exporter has published site a", "has other numbers: of the days that wait it has 2, and 2026-10-25 is another. This store publishes nothing",
		"to do: give one of the two another lake.site; or, if the other exporter is gone for good, delete manifest/site=a/publisher.json", "2 days are to be published")
}

// TestDoctorTellsATwinOfAnotherTimeZone: carbon_exporter refuses days with the same numbers that are
// of another time zone, also where that has the same time.
func TestDoctorTellsATwinOfAnotherTimeZone(t *testing.T) {
	x := examinedLake(t)
	other := newLakeSite(t, x.Dir, "a", "Europe/Lisbon", time.Hour)
	other.use(usage.Policy{}, "2026-10-23", "2026-10-27")
	if _, err := other.LakeBegin(t.Context(), lake.NameOf("a", "FILESYSTEM "+x.Path)); err != nil {
		t.Fatal(err)
	}
	x.has(call("doctor", "--only=lake", "--config.file", x.configured("Europe/Lisbon"), "--storage.path", other.path), exitFailed,
		"failure  publisher  another exporter has published site a", "has other numbers: of the days that wait it has 4, and 2026-10-26 is another. This store publishes nothing")
}

func TestDoctorSaysWhatIsSpoiltInALake(t *testing.T) {
	x := examinedLake(t)
	x.Write("manifest/site=a/publisher.json", []byte(`{"format": 1, "site": "b", "publisher": "x"}`))
	x.Write("manifest/site=a/day=2026-10-26.json", []byte(`{"format": 1, `))
	x.has(x.doctor(x.a), exitFailed, "failure  publisher  manifest/site=a/publisher.json cannot be understood: it is none of this site", "to do: look at it, and delete it",
		"failure  manifests  manifest/site=a/day=2026-10-26.json cannot be understood: manifest of a, 2026-10-26: unexpected end of JSON input", "to do: restore it from the versions of the bucket")

	if got := call("lake", "report", "--objstore.config-file", x.Config(), "--from=2026-10-23", "--to=2026-10-27"); got.code != exitFailed ||
		!strings.HasSuffix(got.stderr, "manifest of a, 2026-10-26: unexpected end of JSON input; see carbontool lake verify\n") {
		t.Errorf("a report: %+v", got)
	}
	if got := call("check", "config", x.configured("Europe/London")); !strings.HasSuffix(got.stdout, "\n  lake: settled days of site a, to FILESYSTEM "+x.Path+"\n") {
		t.Errorf("check config: %+v", got)
	}

	zoned := call("doctor", "--only=lake", "--config.file", x.configured("Europe/Paris"), "--storage.path", x.a.path)
	x.has(zoned, exitFailed, "warning  manifests  timezone is Europe/Paris, but manifest/site=a/day=2026-10-23.json is in Europe/London", "to do: set timezone to Europe/London")

	file := x.configured("Europe/London")
	for _, c := range []struct{ name, text, want string }{
		{"a file with a misspelt key", "type: FILESYSTEM\nconfig: {path: s3cr3t}\n", "DIR.yml: config: field path not found"},
		{"an empty file", "", "DIR.yml: it is empty: it must have type and config"},
	} {
		if err := os.WriteFile(x.Path+".yml", []byte(c.text), 0o600); err != nil {
			t.Fatal(err)
		}
		got := call("doctor", "--only=lake", "--config.file", file, "--storage.path", x.a.path)
		x.has(got, exitFailed, "lake    failure  file  "+c.want, "to do: correct the file, or lake.objstore_config_file")
		if strings.Contains(got.stdout, "s3cr3t") {
			t.Errorf("%s: a value is shown: %s", c.name, got.stdout)
		}
	}
	if err := os.Remove(x.Path + ".yml"); err != nil {
		t.Fatal(err)
	}
	x.has(call("doctor", "--only=lake", "--config.file", file, "--storage.path", x.a.path), exitFailed, "lake    failure  file  DIR.yml: there is no such file")
}

func TestDoctorSaysThatThereIsNoLake(t *testing.T) {
	s := siteOf(t, &prometheus{}, "")
	s.says(called{stdout: "lake  ok       section  the configuration has no section lake\n"}, "doctor", "--only=lake")
}

// refusing is a bucket that refuses to do one thing.
type refusing struct {
	objstore.Bucket
	what string
	is   error
}

func (r refusing) may(what string) error {
	if r.what == what {
		return r.is
	}
	return nil
}

func (r refusing) Upload(ctx context.Context, name string, text io.Reader, o ...objstore.ObjectUploadOption) error {
	if err := r.may("write"); err != nil {
		return err
	}
	return r.Bucket.Upload(ctx, name, text, o...)
}

func (r refusing) Get(ctx context.Context, name string) (io.ReadCloser, error) {
	if err := r.may("read"); err != nil {
		return nil, err
	}
	return r.Bucket.Get(ctx, name)
}

func (r refusing) Delete(ctx context.Context, name string) error {
	if err := r.may("delete"); err != nil {
		return err
	}
	return r.Bucket.Delete(ctx, name)
}

func (r refusing) Iter(ctx context.Context, dir string, f func(string) error, o ...objstore.IterOption) error {
	if err := r.may("list"); err != nil {
		return err
	}
	return r.Bucket.Iter(ctx, dir, f, o...)
}

// TestDoctorSaysWhichRightIsMissing: root may write anywhere, so the bucket itself refuses.
func TestDoctorSaysWhichRightIsMissing(t *testing.T) {
	x := examinedLake(t)
	e := &examination{examine: &examine{}, now: time.Now(), cfg: &config.Config{Timezone: "Europe/London"}}
	s3 := doctor.Bucket{Kind: "S3", Place: "S3 s3.example.org/lake"}
	const object = "manifest/site=a/carbontool-doctor-probe-"
	for _, c := range []struct {
		what, check string
		is          error
		seen, do    string
		left        bool
	}{
		{"list", "bucket", fs.ErrPermission, "S3 s3.example.org/lake does not let us list what it has: ", "the right to list (s3:ListBucket)", false},
		{"write", "rights", fs.ErrPermission, "does not let us write " + object, "the right to write (s3:PutObject)", false},
		{"read", "rights", fs.ErrPermission, "does not let us read " + object, "the right to read (s3:GetObject)", false},
		{"delete", "rights", fs.ErrPermission, "does not let us delete " + object, "the right to delete (s3:DeleteObject); it needs those to read, write, list and delete; then delete this object by hand", true},
		{"list", "bucket", errors.New("no such host"), "does not list what it has: no such host", "check the bucket, the address and the keys", false},
		{"write", "rights", errors.New("quota\nexceeded"), "could not write " + object, "see the sentence of the storage", false},
	} {
		t.Run(c.what+" "+c.is.Error(), func(t *testing.T) {
			before := x.objects()
			found := false
			for _, f := range e.bucket(t.Context(), s3, refusing{x.Bucket(), c.what, c.is}, nil, nil, doctor.Published{Site: "a", Now: time.Now(), Unread: "there is none"}) {
				if f.Check == c.check && f.Level == doctor.Failure {
					found = true
					if !strings.Contains(f.Seen, c.seen) || !strings.Contains(f.Do, c.do) || strings.Contains(f.Seen, "\n") {
						t.Errorf("it says %+v", f)
					}
				}
			}
			if left := len(x.objects()) > len(before); !found || left != c.left {
				t.Errorf("a failure: %v, an object is left: %v", found, left)
			}
		})
	}
}
