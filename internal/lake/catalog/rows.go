// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package catalog

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/carbon-exporter/carbon_exporter/internal/lake"
)

// DamagedError says that an object is not what its manifest says.
type DamagedError struct {
	Path, Why string
	Gone      bool // it is not there
}

// Error says which object, and what is wrong with it.
func (e *DamagedError) Error() string { return e.Path + ": " + e.Why }

// Rows calls f for the rows of an object, in order, after its size and hash were found to be those
// of its manifest. Otherwise it returns a DamagedError, and f was not called. It also returns one if
// the object has other columns than it should.
func Rows[T lake.Row](ctx context.Context, c *Catalog, o lake.Object, f func(T) error) (err error) {
	file, err := c.fetch(ctx, o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close(), os.Remove(file.Name())) }()
	var stopped error
	err = lake.Read(file, o.Bytes, func(row T) error {
		stopped = f(row)
		return stopped
	})
	if err != nil && stopped == nil {
		return &DamagedError{Path: o.Path, Why: err.Error()}
	}
	return err
}

// fetch reads an object into a local file and checks it.
func (c *Catalog) fetch(ctx context.Context, o lake.Object) (_ *os.File, err error) {
	file, err := os.CreateTemp(c.Spool, "carbon-lake-*")
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, file.Close(), os.Remove(file.Name()))
		}
	}()
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	r, err := c.Bucket.Get(ctx, o.Path)
	if err != nil {
		if c.Bucket.IsObjNotFoundErr(err) {
			return nil, &DamagedError{Path: o.Path, Why: "it is not there", Gone: true}
		}
		return nil, c.failure("read", o.Path, err)
	}
	defer r.Close()
	hash := sha256.New()
	n, err := io.Copy(io.MultiWriter(file, hash), r)
	switch {
	case err != nil:
		return nil, c.failure("read", o.Path, err)
	case n != o.Bytes:
		return nil, &DamagedError{Path: o.Path, Why: fmt.Sprintf("it has %d bytes, and its manifest says %d", n, o.Bytes)}
	case hex.EncodeToString(hash.Sum(nil)) != o.SHA256:
		return nil, &DamagedError{Path: o.Path, Why: "its bytes are not those that its manifest says (SHA-256)"}
	}
	return file, nil
}
