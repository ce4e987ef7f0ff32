// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package bucket

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/thanos-io/objstore"
)

// Get implements objstore.Bucket.
func (b *gcs) Get(ctx context.Context, name string) (io.ReadCloser, error) {
	return b.GetRange(ctx, name, 0, -1)
}

// GetRange implements objstore.Bucket.
func (b *gcs) GetRange(ctx context.Context, name string, off, length int64) (io.ReadCloser, error) {
	header := http.Header{}
	switch {
	case length > 0:
		header.Set("Range", fmt.Sprintf("bytes=%d-%d", off, off+length-1))
	case off > 0:
		header.Set("Range", fmt.Sprintf("bytes=%d-", off))
	}
	resp, err := b.ask(ctx, http.MethodGet, b.object(name), url.Values{"alt": {"media"}}, header, nil)
	if err != nil {
		return nil, err
	}
	return objstore.ObjectSizerReadCloser{ReadCloser: resp.Body, Size: func() (int64, error) { return resp.ContentLength, nil }}, nil
}

// Exists implements objstore.Bucket.
func (b *gcs) Exists(ctx context.Context, name string) (bool, error) {
	_, err := b.Attributes(ctx, name)
	if b.IsObjNotFoundErr(err) {
		return false, nil
	}
	return err == nil, err
}

// gcsObject is what the API says of an object.
type gcsObject struct {
	Name    string    `json:"name"`
	Size    string    `json:"size"`
	Updated time.Time `json:"updated"`
}

// Attributes implements objstore.Bucket.
func (b *gcs) Attributes(ctx context.Context, name string) (a objstore.ObjectAttributes, err error) {
	var o gcsObject
	if err := b.read(ctx, b.object(name), nil, &o); err != nil {
		return a, err
	}
	a.LastModified = o.Updated
	a.Size, err = strconv.ParseInt(o.Size, 10, 64)
	return a, err
}

func (b *gcs) read(ctx context.Context, path string, query url.Values, to any) error {
	resp, err := b.ask(ctx, http.MethodGet, path, query, nil, nil)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	return json.NewDecoder(resp.Body).Decode(to)
}

// SupportedIterOptions implements objstore.Bucket.
func (b *gcs) SupportedIterOptions() []objstore.IterOptionType {
	return []objstore.IterOptionType{objstore.Recursive, objstore.UpdatedAt}
}

// Iter implements objstore.Bucket.
func (b *gcs) Iter(ctx context.Context, dir string, f func(string) error, options ...objstore.IterOption) error {
	return b.IterWithAttributes(ctx, dir, func(a objstore.IterObjectAttributes) error { return f(a.Name) }, options...)
}

// IterWithAttributes implements objstore.Bucket.
func (b *gcs) IterWithAttributes(ctx context.Context, dir string, f func(objstore.IterObjectAttributes) error, options ...objstore.IterOption) error {
	if err := objstore.ValidateIterOptions(b.SupportedIterOptions(), options...); err != nil {
		return err
	}
	query := url.Values{}
	if dir = strings.TrimSuffix(dir, "/"); dir != "" {
		query.Set("prefix", dir+"/")
	}
	if !objstore.ApplyIterOptions(options...).Recursive {
		query.Set("delimiter", "/")
	}
	for {
		var page struct {
			Items    []gcsObject `json:"items"`
			Prefixes []string    `json:"prefixes"`
			Next     string      `json:"nextPageToken"`
		}
		if err := b.read(ctx, "/storage/v1/b/"+url.PathEscape(b.bucket)+"/o", query, &page); err != nil {
			return err
		}
		found := make([]objstore.IterObjectAttributes, 0, len(page.Items)+len(page.Prefixes))
		for _, o := range page.Items {
			a := objstore.IterObjectAttributes{Name: o.Name}
			a.SetLastModified(o.Updated)
			found = append(found, a)
		}
		for _, prefix := range page.Prefixes {
			found = append(found, objstore.IterObjectAttributes{Name: prefix})
		}
		slices.SortFunc(found, func(x, y objstore.IterObjectAttributes) int { return strings.Compare(x.Name, y.Name) })
		for _, a := range found {
			if err := f(a); err != nil {
				return err
			}
		}
		if page.Next == "" {
			return nil
		}
		query.Set("pageToken", page.Next)
	}
}
