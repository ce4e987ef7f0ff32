// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"io"
	"net/http"
	"strconv"

	"github.com/klauspost/compress/flate"
	"github.com/prometheus/common/expfmt"
)

// answer is one scrape's. An error of writing means that the scraper closed the connection, or was
// cut off, and ends it.
type answer struct {
	w      http.ResponseWriter
	format expfmt.Format
	zip    bool
}

func (a answer) header(length int64) {
	h := a.w.Header()
	h.Set("Content-Type", string(a.format))
	h.Set("Vary", "Accept, Accept-Encoding")
	if length >= 0 {
		h.Set("Content-Length", strconv.FormatInt(length, 10))
	}
	if a.zip {
		h.Set("Content-Encoding", "gzip")
	}
}

// zipped sends kept bytes, and what completes their stream.
func (a answer) zipped(head *rendering, rest []byte) {
	a.header(int64(len(gzipHeader)) + head.zipped + int64(len(rest)))
	if _, err := a.w.Write(gzipHeader[:]); err != nil {
		return
	}
	for _, b := range head.blocks {
		if _, err := a.w.Write(b); err != nil {
			return
		}
	}
	a.w.Write(rest) //nolint:errcheck // see answer
}

// plain sends kept bytes decompressed.
func (a answer) plain(head *rendering, tail []byte) {
	a.header(head.sum.size + int64(len(tail)))
	if _, err := io.Copy(a.w, head.read()); err != nil {
		return
	}
	a.w.Write(tail) //nolint:errcheck // see answer
}

// stream renders on the way. If that fails, the connection ends where the answer ends: what is cut off
// must not look whole.
func (a answer) stream(u *Usage, tail []byte, z *flate.Writer) {
	a.header(-1)
	if !a.zip {
		if u.render(a.w, a.format) != nil {
			panic(http.ErrAbortHandler)
		}
		a.w.Write(tail) //nolint:errcheck // see answer
		return
	}
	if _, err := a.w.Write(gzipHeader[:]); err != nil {
		return
	}
	z.Reset(a.w)
	d := &deflater{z: z}
	if u.render(d, a.format) != nil {
		panic(http.ErrAbortHandler)
	}
	if _, err := d.Write(tail); err != nil {
		return
	}
	if z.Close() == nil {
		a.w.Write(d.sum.trailer()) //nolint:errcheck // see answer
	}
}
