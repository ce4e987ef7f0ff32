// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package bucket

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/thanos-io/objstore"
)

// The rights that an account needs.
const (
	List   = "list"
	Write  = "write"
	Read   = "read"
	Delete = "delete"
)

// Attempt is a right that was tried.
type Attempt struct {
	Right  string
	Err    error // nil: it may be done
	Denied bool  // the storage says that this account may not
}

// probe is what a probe says to who finds one.
const probe = "carbontool doctor wrote this to see whether it may write here. Delete it, if it is older than a minute.\n"

// Try writes an object, reads it and deletes it again. What was not tried, as nothing was written,
// is absent. If the last attempt is to delete and failed, the object may still be there.
func Try(ctx context.Context, b objstore.Bucket, name string, each time.Duration) (all []Attempt) {
	try := func(ctx context.Context, right string, do func(context.Context) error) bool {
		limited, done := context.WithTimeout(ctx, each)
		defer done()
		err := do(limited)
		if err != nil && errors.Is(limited.Err(), context.DeadlineExceeded) {
			err = fmt.Errorf("no answer within %s", each)
		}
		all = append(all, Attempt{Right: right, Err: err, Denied: err != nil && b.IsAccessDeniedErr(err)})
		return err == nil
	}
	// Whoever stops the program must not leave the object behind.
	after := context.WithoutCancel(ctx)
	remove := func(ctx context.Context) error { return b.Delete(ctx, name) }
	if !try(ctx, Write, func(ctx context.Context) error { return b.Upload(ctx, name, strings.NewReader(probe)) }) {
		if !all[0].Denied && !gone(after, b, name, each) {
			try(after, Delete, remove)
		}
		return all
	}
	try(ctx, Read, func(ctx context.Context) error {
		r, err := b.Get(ctx, name)
		if err != nil {
			return err
		}
		defer r.Close()
		text, err := io.ReadAll(io.LimitReader(r, int64(len(probe))+1))
		if err == nil && string(text) != probe {
			err = errors.New("what is read is not what was written")
		}
		return err
	})
	try(after, Delete, remove)
	return all
}

// gone reports whether an object that could not be written is surely not there.
func gone(ctx context.Context, b objstore.Bucket, name string, each time.Duration) bool {
	limited, done := context.WithTimeout(ctx, each)
	defer done()
	there, err := b.Exists(limited, name)
	return !there && err == nil
}
