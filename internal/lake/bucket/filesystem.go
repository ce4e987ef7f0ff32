// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package bucket

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/thanos-io/objstore"
	"github.com/thanos-io/objstore/providers/filesystem"
)

// files is a directory in which objects appear as a whole, as they do in other storage. Thanos' own
// writes them where they are to be, so that a program that is killed leaves half of one.
type files struct {
	*filesystem.Bucket
	root string
}

func readFilesystem(config []byte, _ string) (place string, open func() (objstore.Bucket, error), err error) {
	var c filesystem.Config
	if err := decode(config, &c, given{"directory", &c.Directory}); err != nil {
		return "", nil, err
	}
	root, err := filepath.Abs(c.Directory)
	return root, func() (objstore.Bucket, error) {
		b, err := filesystem.NewBucket(root)
		return &files{Bucket: b, root: root}, err
	}, err
}

// abandonedAfter is when a part of a file is left over from a program that was killed.
const abandonedAfter = time.Hour

// Upload implements objstore.Bucket.
func (b *files) Upload(ctx context.Context, name string, r io.Reader, _ ...objstore.ObjectUploadOption) (err error) {
	target := filepath.Join(b.root, name)
	dir, pattern := filepath.Dir(target), "."+filepath.Base(target)+".*" // what begins with a dot, nobody reads
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	b.sweep(filepath.Join(dir, pattern))
	part, err := os.CreateTemp(dir, pattern)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			os.Remove(part.Name()) //nolint:errcheck // what went wrong first is what counts
		}
	}()
	_, err = io.Copy(part, reader{ctx, r})
	if err == nil {
		err = part.Chmod(0o644) // others are to read it
	}
	if err == nil {
		err = part.Sync()
	}
	if err = errors.Join(err, part.Close()); err != nil {
		return fmt.Errorf("write %s: %w", target, err)
	}
	if err := os.Rename(part.Name(), target); err != nil {
		return err
	}
	return syncDir(dir)
}

// sweep removes parts that were left over.
func (b *files) sweep(pattern string) {
	parts, _ := filepath.Glob(pattern)
	for _, name := range parts {
		if info, err := os.Stat(name); err == nil && time.Since(info.ModTime()) > abandonedAfter {
			os.Remove(name) //nolint:errcheck // nobody reads it
		}
	}
}

// IsAccessDeniedErr implements objstore.Bucket.
func (b *files) IsAccessDeniedErr(err error) bool { return errors.Is(err, fs.ErrPermission) }

// IsObjNotFoundErr implements objstore.Bucket.
func (b *files) IsObjNotFoundErr(err error) bool { return errors.Is(err, fs.ErrNotExist) }

// reader ends when its context does.
type reader struct {
	ctx context.Context
	io.Reader
}

func (r reader) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.Reader.Read(p)
}
