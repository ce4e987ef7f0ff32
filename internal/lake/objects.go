// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package lake

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"runtime"
	"syscall"
	"time"

	"github.com/thanos-io/objstore"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

const (
	// patience is the longest time for one object.
	patience = 10 * time.Minute
	// smallObject is larger than any manifest of ten years of restatements.
	smallObject = 16 << 20
)

// Objects reads whole objects, with errors that say what to do.
type Objects struct {
	Bucket objstore.BucketReader
	Rights string // those that the account needs, in words: "read and list"
}

// objects also writes them.
type objects struct {
	Objects
	bucket objstore.Bucket
}

func writable(b objstore.Bucket) objects {
	return objects{Objects{Bucket: b, Rights: "read, write, list and delete"}, b}
}

// Small returns a small object; nil: there is none.
func (o Objects) Small(ctx context.Context, name string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	r, err := o.Bucket.Get(ctx, name)
	if err == nil {
		defer r.Close()
		var text []byte
		if text, err = io.ReadAll(io.LimitReader(r, smallObject)); err == nil {
			return text, nil
		}
	}
	if o.Bucket.IsObjNotFoundErr(err) {
		return nil, nil
	}
	return nil, o.failure("read", name, err)
}

// isThere reports whether there is an object.
func (o Objects) isThere(ctx context.Context, name string) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	there, err := o.Bucket.Exists(ctx, name)
	if err != nil && !o.Bucket.IsObjNotFoundErr(err) {
		return false, o.failure("look at", name, err)
	}
	return there && err == nil, nil
}

// write writes a small object.
func (o objects) write(ctx context.Context, name string, text []byte) error {
	return o.upload(ctx, name, bytes.NewReader(text), int64(len(text)))
}

func (o objects) upload(ctx context.Context, name string, from io.Reader, size int64) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if err := o.bucket.Upload(ctx, name, from); err != nil {
		return o.failure("write", name, err)
	}
	a, err := o.bucket.Attributes(ctx, name)
	if err != nil {
		return o.failure("look at", name, err)
	}
	if a.Size != size {
		return o.failure("write", name, fmt.Errorf("%d bytes arrived of %d", a.Size, size))
	}
	return nil
}

// remove deletes an object that may not be there.
func (o objects) remove(ctx context.Context, name string) error {
	there, err := o.bucket.Exists(ctx, name)
	if err == nil && there {
		err = o.bucket.Delete(ctx, name)
	}
	if err != nil && !o.bucket.IsObjNotFoundErr(err) {
		return o.failure("delete", name, err)
	}
	return nil
}

// File is a local copy of an object, or one that is to become one: without a name where the system
// allows that, so that nothing is left when the program is killed.
type File struct {
	*os.File
	Object
	named bool
}

func newFile(dir string) (*File, error) {
	f, err := os.CreateTemp(dir, ".carbon-lake-*")
	if err != nil {
		return nil, err
	}
	made := &File{File: f, named: runtime.GOOS == "windows"}
	if !made.named {
		err = os.Remove(f.Name())
	}
	return made, err
}

// Close closes it, and deletes it.
func (f *File) Close() error {
	err := f.File.Close()
	if f.named {
		err = errors.Join(err, os.Remove(f.Name()))
	}
	return err
}

// put writes a local file as an object.
func (o objects) put(ctx context.Context, name string, f *File) error {
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return err
	}
	return o.upload(ctx, name, io.NewSectionReader(f, 0, f.Bytes), f.Bytes)
}

// DamagedError says that an object is not what its manifest says.
type DamagedError struct {
	Path, Why string
	Gone      bool // it is not there
}

// Error says which object, and what is wrong with it.
func (e *DamagedError) Error() string { return e.Path + ": " + e.Why }

// Fetch reads an object into a local file, in a directory or where the system has its own (""), and
// checks its size and hash. One that is not there, or another, is a DamagedError.
func (o Objects) Fetch(ctx context.Context, dir string, is Object) (_ *File, err error) {
	f, err := newFile(dir)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			f.Close()
		}
	}()
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	r, err := o.Bucket.Get(ctx, is.Path)
	if err != nil {
		if o.Bucket.IsObjNotFoundErr(err) {
			return nil, &DamagedError{Path: is.Path, Why: "it is not there", Gone: true}
		}
		return nil, o.failure("read", is.Path, err)
	}
	defer r.Close()
	hash := sha256.New()
	n, err := io.Copy(io.MultiWriter(f, hash), r)
	switch {
	case err != nil:
		return nil, o.failure("read", is.Path, err)
	case n != is.Bytes:
		return nil, &DamagedError{Path: is.Path, Why: fmt.Sprintf("it has %d bytes, and its manifest says %d", n, is.Bytes)}
	case hex.EncodeToString(hash.Sum(nil)) != is.SHA256:
		return nil, &DamagedError{Path: is.Path, Why: "its bytes are not those that its manifest says (SHA-256)"}
	}
	f.Object = is
	return f, nil
}

// failure says what went wrong with an object, why, and what to do.
func (o Objects) failure(doing, name string, err error) error {
	f := &usage.Failure{Reason: usage.ReasonServer, Err: fmt.Errorf("%s %s: %w", doing, name, err)}
	switch {
	case errors.Is(err, context.Canceled):
		return err
	case errors.Is(err, context.DeadlineExceeded):
		f.Reason, f.Cause = usage.ReasonTimeout, fmt.Sprintf("the bucket did not %s %s within %s", doing, name, patience)
	case o.Bucket.IsAccessDeniedErr(err):
		f.Reason, f.Permanent = usage.ReasonAuth, true
		f.Cause = fmt.Sprintf("the bucket does not let us %s %s: give this account the rights to %s", doing, name, o.Rights)
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		f.Cause = fmt.Sprintf("the disk of the bucket is full: %s could not be written", name)
	default:
		// What a system says of a file of its own is a net.Error, too.
		_, ofNet := errors.AsType[net.Error](err)
		_, ofFile := errors.AsType[*fs.PathError](err)
		if ofNet && !ofFile {
			f.Reason = usage.ReasonConnection
		}
	}
	return f
}
