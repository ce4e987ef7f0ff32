// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package upstream

import (
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// answer is the body that the caller reads: bytes from the connection, through transportReader,
// decompressed if they are compressed, then counted by limited.
type answer struct {
	body     io.Reader
	scrubber *Scrubber
	raw      io.Closer
	cancel   context.CancelFunc
}

func (a *answer) Read(p []byte) (int, error) {
	n, err := a.body.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		err = a.scrubber.Error(err)
	}
	return n, err
}

// Close ends the exchange, whether or not the body was read to its end.
func (a *answer) Close() error {
	err := a.raw.Close()
	a.cancel()
	return err
}

// transportReader turns errors of the connection into failures at their source. Above it, a
// connection that broke in the middle of a gzip stream looks like a damaged stream.
type transportReader struct {
	e *exchange
	r io.Reader
}

func (t *transportReader) Read(p []byte) (int, error) {
	n, err := t.r.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		err = t.e.failure(err)
	}
	return n, err
}

// decoded undoes the content encoding.
func decoded(encoding string, r io.Reader) (io.Reader, error) {
	switch strings.ToLower(encoding) {
	case "", "identity":
		return r, nil
	case "gzip", "x-gzip":
		z, err := gzip.NewReader(r)
		if err != nil {
			return nil, unzipFailure(err)
		}
		return &unzipped{z}, nil
	}
	return nil, &usage.Failure{
		Reason: usage.ReasonMalformed,
		Detail: "the answer has a content encoding that was not requested: " + encoding,
	}
}

// unzipped gives the errors of the decompressor their reason.
type unzipped struct{ z *gzip.Reader }

func (u *unzipped) Read(p []byte) (int, error) {
	n, err := u.z.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		err = unzipFailure(err)
	}
	return n, err
}

func unzipFailure(err error) error {
	var f *usage.Failure
	if errors.As(err, &f) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err // an error of the connection
	}
	return &usage.Failure{Reason: usage.ReasonMalformed, Detail: "the answer is not valid gzip", Err: err}
}

// limited returns an error one byte past the limit. io.LimitReader would end there as if the
// answer were complete.
type limited struct {
	r         io.Reader
	left, max int64
	err       error // the first error, which every later Read returns again
}

func (l *limited) Read(p []byte) (int, error) {
	if l.err != nil {
		return 0, l.err
	}
	if int64(len(p)) > l.left+1 {
		p = p[:l.left+1]
	}
	n, err := l.r.Read(p)
	l.left -= int64(n)
	if l.left < 0 {
		n, err = 0, &usage.Failure{
			Reason:   usage.ReasonLimit,
			Detail:   fmt.Sprintf("the answer has more than %d bytes", l.max),
			TooLarge: true,
		}
	}
	l.err = err
	return n, err
}
