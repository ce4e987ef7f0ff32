// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package catalog

import (
	"context"
	"errors"

	"github.com/carbon-exporter/carbon_exporter/internal/lake"
)

// Rows calls f for the rows of an object, in order, after its size and hash were found to be those
// of its manifest. Otherwise it returns a lake.DamagedError, and f was not called. It also returns one if
// the object has other columns than it should.
func Rows[T lake.Row](ctx context.Context, c *Catalog, o lake.Object, f func(T) error) (err error) {
	file, err := c.objects().Fetch(ctx, c.Spool, o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	var stopped error
	err = lake.Read(file, o.Bytes, func(row T) error {
		stopped = f(row)
		return stopped
	})
	if err != nil && stopped == nil {
		return &lake.DamagedError{Path: o.Path, Why: err.Error()}
	}
	return err
}
