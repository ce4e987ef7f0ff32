// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package api

import (
	"compress/gzip"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"strconv"
	"strings"
)

// newInstance names this run of the program: revisions mean nothing to another one.
func newInstance() string { return rand.Text() }

// newTag is the strong ETag of what an answer depends on, without the quotes.
func newTag(of ...any) string {
	h := sha256.New()
	for _, part := range of {
		fmt.Fprintf(h, "%q\n", fmt.Sprint(part))
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// zipped is at the end of the tag of an answer that is compressed, whose bytes are others.
const zipped = "-gzip"

// isFresh answers 304 if the client has the answer of a tag.
func isFresh(w http.ResponseWriter, r *http.Request, tag string) bool {
	if tag == "" {
		return false
	}
	for known := range strings.SplitSeq(strings.Join(r.Header.Values("If-None-Match"), ","), ",") {
		known = strings.Trim(strings.TrimPrefix(strings.TrimSpace(known), "W/"), `"`)
		if known == tag || known == tag+zipped {
			cached(w.Header(), known)
			w.WriteHeader(http.StatusNotModified)
			return true
		}
	}
	return false
}

// cached lets a client keep an answer, and ask each time whether it still holds.
func cached(h http.Header, tag string) {
	h.Set("Cache-Control", "private, no-cache")
	h.Set("Vary", "Accept-Encoding")
	if tag != "" {
		h.Set("ETag", `"`+tag+`"`)
	}
}

// page is an answer.
type page struct {
	contentType string
	tag         string // empty: it is another one at every moment
	body        []byte
}

// smallest is how large an answer is that is worth compressing: less is one packet anyway.
const smallest = 1400

func (p page) write(w http.ResponseWriter, r *http.Request) {
	if isFresh(w, r, p.tag) {
		return
	}
	h := w.Header()
	h.Set("Content-Type", p.contentType)
	h.Set("X-Content-Type-Options", "nosniff")
	if len(p.body) < smallest || !acceptsGzip(r) {
		cached(h, p.tag)
		h.Set("Content-Length", strconv.Itoa(len(p.body)))
		if r.Method != http.MethodHead {
			w.Write(p.body) //nolint:errcheck // the client has gone
		}
		return
	}
	if p.tag != "" {
		p.tag += zipped
	}
	cached(h, p.tag)
	h.Set("Content-Encoding", "gzip")
	if r.Method == http.MethodHead {
		return
	}
	z, _ := gzip.NewWriterLevel(w, gzip.BestSpeed)
	z.Write(p.body) //nolint:errcheck // the client has gone
	z.Close()       //nolint:errcheck // the same
}

// acceptsGzip reports whether a client can read gzip.
func acceptsGzip(r *http.Request) bool {
	for coding := range strings.SplitSeq(strings.Join(r.Header.Values("Accept-Encoding"), ","), ",") {
		name, quality, _ := strings.Cut(coding, ";")
		if !strings.EqualFold(strings.TrimSpace(name), "gzip") {
			continue
		}
		q, found := strings.CutPrefix(strings.TrimSpace(quality), "q=")
		v, err := strconv.ParseFloat(q, 64)
		return !found || err == nil && v > 0
	}
	return false
}
