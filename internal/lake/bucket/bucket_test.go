// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package bucket

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/thanos-io/objstore"
)

func TestWhereABucketIs(t *testing.T) {
	for _, c := range []struct{ name, text, place string }{
		{"a directory", "type: FILESYSTEM\nconfig: {directory: /srv/lake}", "FILESYSTEM /srv/lake"},
		{"in small letters, with a prefix", "type: filesystem\nprefix: /a/b/\nconfig: {directory: /srv/lake}", "FILESYSTEM /srv/lake/a/b"},
		{"S3", "type: S3\nconfig: {bucket: lake, endpoint: s3.example.org, access_key: a, secret_key: s3cr3t, http_config: {idle_conn_timeout: 1m}, sse_config: {type: SSE-S3}}", "S3 s3.example.org/lake"},
		{"Google", "type: GCS\nconfig: {bucket: lake, chunk_size_bytes: 1000}", "GCS lake"},
		{"Azure", "type: AZURE\nconfig: {storage_account: me, storage_account_key: czNjcjN0, container: lake, pipeline_config: {try_timeout: 10s}}", "AZURE me/lake"},
		{"Swift", "type: SWIFT\nconfig: {auth_url: http://keystone.example.org, container_name: lake, timeout: 10s}", "SWIFT lake"},
	} {
		b, err := Parse([]byte(c.text), "test")
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
		} else if b.Place != c.place {
			t.Errorf("%s: %q, want %q", c.name, b.Place, c.place)
		}
	}
}

func TestABucketThatCannotBeOpenedSaysWhere(t *testing.T) {
	c, err := Parse([]byte("type: SWIFT\nconfig: {auth_url: 'http://127.0.0.1:1/v3', username: u, password: s3cr3t, container_name: lake, retries: 1}"), "test")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Open(); err == nil || !strings.HasPrefix(err.Error(), "open SWIFT lake: ") || strings.Contains(err.Error(), "s3cr3t") {
		t.Errorf("nobody is there: %v", err)
	}
}

func TestWhatIsWrongInAConfigurationIsSaidWithoutItsValues(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"nothing", "", "it is empty: it must have type and config, as the object storage of Thanos has"},
		{"no type", "config: {directory: /srv}", `type must be one of [AZURE FILESYSTEM GCS S3 SWIFT], is ""`},
		{"another type", "type: COS\nconfig: {}", `type must be one of [AZURE FILESYSTEM GCS S3 SWIFT], is "COS"`},
		{"a key that nobody knows", "type: S3\nbucket: lake", "line 2: field bucket not found in type bucket.file"},
		{"one in the config of a directory", "type: FILESYSTEM\nconfig: {path: /srv}", "config: field path not found in type filesystem.Config"},
		{"one in that of S3", "type: S3\nconfig: {bukket: lake}", "config: field bukket not found in type s3.Config"},
		{"no directory", "type: FILESYSTEM\nconfig: {}", "config: directory must be given"},
		{"no endpoint", "type: S3\nconfig: {bucket: lake}", "config: endpoint must be given"},
		{"no bucket", "type: GCS\nconfig: {}", "config: bucket must be given"},
		{"gRPC", "type: GCS\nconfig: {bucket: lake, use_grpc: true}", "config: use_grpc must be false: this program speaks HTTP with the storage"},
		{"a secret in the wrong place", "type: S3\nconfig: {bucket: lake, endpoint: e, insecure: s3cr3t}", "config: cannot unmarshal !!str a value into bool"},
	} {
		_, err := Parse([]byte(c.text), "test")
		if err == nil || err.Error() != c.want {
			t.Errorf("%s: %v, want %s", c.name, err, c.want)
		}
	}
}

func openDir(t *testing.T) (objstore.Bucket, string) {
	t.Helper()
	dir := t.TempDir()
	c, err := Parse([]byte("type: FILESYSTEM\nprefix: p\nconfig: {directory: "+dir+"}"), "test")
	if err != nil {
		t.Fatal(err)
	}
	b, err := c.Open()
	if err != nil {
		t.Fatal(err)
	}
	return b, filepath.Join(dir, "p")
}

// hold checks what every bucket has to do for a lake.
func hold(t *testing.T, b objstore.Bucket) {
	t.Helper()
	ctx := t.Context()
	if _, err := b.Get(ctx, "a/b.txt"); err == nil || !b.IsObjNotFoundErr(err) {
		t.Errorf("what is not there: %v", err)
	}
	for _, text := range []string{"one", "two and more", "3"} {
		if err := b.Upload(ctx, "a/b.txt", strings.NewReader(text)); err != nil {
			t.Fatal(err)
		}
		if got := read(t, b, "a/b.txt"); got != text {
			t.Errorf("%q was written and %q read", text, got)
		}
	}
	if err := b.Upload(ctx, "a/c/d=e f.txt", bytes.NewReader(bytes.Repeat([]byte("x"), 100_000))); err != nil {
		t.Fatal(err)
	}
	if a, err := b.Attributes(ctx, "a/c/d=e f.txt"); err != nil || a.Size != 100_000 || time.Since(a.LastModified).Abs() > time.Hour {
		t.Errorf("%+v, %v", a, err)
	}
	part, err := b.GetRange(ctx, "a/c/d=e f.txt", 99_990, 100)
	if err != nil {
		t.Fatal(err)
	}
	if text, err := io.ReadAll(part); len(text) != 10 || err != nil {
		t.Errorf("the last ten bytes are %q, %v", text, err)
	}
	part.Close()
	if got := list(t, b, "a"); !slices.Equal(got, []string{"a/b.txt", "a/c/"}) {
		t.Errorf("a has %q", got)
	}
	if got := list(t, b, "a", objstore.WithRecursiveIter()); !slices.Equal(got, []string{"a/b.txt", "a/c/d=e f.txt"}) {
		t.Errorf("a has %q in all", got)
	}
	if err := b.Delete(ctx, "a/b.txt"); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]bool{"a/b.txt": false, "a/c/d=e f.txt": true} {
		if there, err := b.Exists(ctx, name); there != want || err != nil {
			t.Errorf("%s is there: %v, %v", name, there, err)
		}
	}
}

func read(t *testing.T, b objstore.Bucket, name string) string {
	t.Helper()
	r, err := b.Get(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	text, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func list(t *testing.T, b objstore.Bucket, dir string, o ...objstore.IterOption) (names []string) {
	t.Helper()
	if err := b.Iter(t.Context(), dir, func(name string) error {
		names = append(names, name)
		return nil
	}, o...); err != nil {
		t.Fatal(err)
	}
	return names
}

func TestADirectoryIsABucket(t *testing.T) {
	b, _ := openDir(t)
	hold(t, b)
}

func TestAFileAppearsAsAWhole(t *testing.T) {
	b, dir := openDir(t)
	ctx := t.Context()
	if err := b.Upload(ctx, "day/facts", strings.NewReader("old")); err != nil {
		t.Fatal(err)
	}
	broken := errors.New("the cable is cut")
	half := io.MultiReader(strings.NewReader("new, but only ha"), failing{broken})
	if err := b.Upload(ctx, "day/facts", half); !errors.Is(err, broken) {
		t.Errorf("half of a file: %v", err)
	}
	stopped, stop := context.WithCancel(ctx)
	if err := b.Upload(stopped, "day/facts", io.MultiReader(strings.NewReader("new"), stopping{stop}, strings.NewReader(" and more"))); !errors.Is(err, context.Canceled) {
		t.Errorf("a program that ends: %v", err)
	}
	if got := read(t, b, "day/facts"); got != "old" {
		t.Errorf("readers find %q", got)
	}
	if files, _ := os.ReadDir(filepath.Join(dir, "day")); len(files) != 1 {
		t.Errorf("%d files are left", len(files))
	}
}

func TestWhatAKilledProgramLeftIsRemovedOnceItIsOld(t *testing.T) {
	b, dir := openDir(t)
	if err := os.MkdirAll(filepath.Join(dir, "day"), 0o755); err != nil {
		t.Fatal(err)
	}
	old, young := filepath.Join(dir, "day", ".facts.1"), filepath.Join(dir, "day", ".facts.2")
	for _, name := range []string{old, young} {
		if err := os.WriteFile(name, []byte("half"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	long := time.Now().Add(-2 * abandonedAfter)
	if err := os.Chtimes(old, long, long); err != nil {
		t.Fatal(err)
	}
	if err := b.Upload(t.Context(), "day/facts", strings.NewReader("new")); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(old); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the old one: %v", err)
	}
	if _, err := os.Stat(young); err != nil {
		t.Errorf("one that somebody may be writing: %v", err)
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

// stopping ends a context between two parts of a file.
type stopping struct{ stop func() }

func (s stopping) Read([]byte) (int, error) {
	s.stop()
	return 0, io.EOF
}
