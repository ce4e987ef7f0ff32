// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/klauspost/compress/flate"
	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
)

// Exposition answers scrapes. Usage changes with a commit, every half hour, and is scraped a
// hundred times in between: it is rendered and compressed when it is shown, and kept compressed in
// the formats that somebody asks for. Only the few live metrics are gathered for each scrape and
// written after it. Both formats allow this: text and protobuf families can be concatenated, and so
// can the blocks of a gzip stream. All scrapes share the kept bytes, so a slow one costs no memory
// of its own. Who wants no compression gets the same bytes decompressed on the way.
//
// The server must bound how many scrapes are answered at once.
type Exposition struct {
	Live prometheus.Gatherer
	Log  *slog.Logger
	Now  func() time.Time
	// MostKept is the size of the largest rendering that is kept, compressed. What is larger is
	// rendered for each scrape again.
	MostKept int64

	page      atomic.Pointer[page]
	making    chan struct{} // one entry for each scrape that is gathering live metrics
	streaming chan struct{} // one entry for each scrape that is rendered on its way
	zippers   sync.Pool     // a flate.Writer is most of a megabyte
}

const (
	// maxMaking bounds how many scrapes gather live metrics at once. They do not wait for a client
	// then, so more at once would only use more memory.
	maxMaking = 8
	// maxStreaming bounds how many scrapes are rendered at once, each on a processor of its own.
	maxStreaming = 2
	// mostKept is the default of MostKept: a million series are some 20 MB.
	mostKept = 64 << 20
	// wanted is how long a format is kept that nobody asks for any more.
	wanted = 10 * time.Minute
)

// NewExposition returns a handler that shows only the live metrics until Show is called.
func NewExposition(live prometheus.Gatherer, log *slog.Logger, now func() time.Time) *Exposition {
	e := &Exposition{
		Live: live, Log: log, Now: now, MostKept: mostKept,
		making: make(chan struct{}, maxMaking), streaming: make(chan struct{}, maxStreaming),
		zippers: sync.Pool{New: func() any { return newZipper() }},
	}
	e.page.Store(newPage(NewUsage(nil)))
	return e
}

// Size is how large an exposition is, without the live metrics.
type Size struct {
	Samples int
	// Text and Zipped are in bytes, as the format that is asked for most, plain and compressed; 0:
	// not known, because it is too large to be kept.
	Text, Zipped int64
}

// Show replaces the usage shown. The old is shown until the new is rendered in the formats that
// somebody has asked for lately; of nobody, in that of Prometheus. What cannot be shown is logged
// and left out.
func (e *Exposition) Show(u *Usage) Size {
	samples, err := u.check()
	if err != nil {
		e.Log.Error("Gathering usage metrics failed", "err", err)
	}
	size := Size{Samples: samples}
	was, is := e.page.Load(), newPage(u)
	for _, format := range was.wanted(e.Now()) {
		r, err := e.rendering(is, format)
		if err != nil && !errors.Is(err, errTooLarge) {
			e.Log.Error("Rendering usage metrics failed", "err", err)
		}
		if err == nil && size.Text == 0 {
			size.Text, size.Zipped = r.sum.size, r.zipped
		}
	}
	is.inherit(was)
	e.page.Store(is)
	return size
}

// ServeHTTP answers one scrape.
func (e *Exposition) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	format := expfmt.NegotiateAccept(r.Header, expfmt.DefaultOpenMetricsAcceptedFormats()...)
	a := answer{w: w, format: format, zip: acceptsGzip(r.Header)}
	if err := e.answer(r.Context(), a); err != nil {
		e.Log.Error("Answering a scrape failed", "err", err)
		http.Error(w, "cannot render metrics: "+err.Error(), http.StatusInternalServerError)
	}
}

// answer fails only as long as nothing is written.
func (e *Exposition) answer(ctx context.Context, a answer) error {
	p := e.page.Load()
	head, err := (*rendering)(nil), errTooLarge
	if f := keptAs(a.format); f != "" {
		p.ask(f, e.Now())
		head, err = e.rendering(p, f)
	}
	if err != nil && !errors.Is(err, errTooLarge) {
		return err
	}
	tail, err := e.tail(a.format)
	if err != nil {
		return err
	}
	switch {
	case head == nil:
		return e.stream(ctx, a, p.usage, tail)
	case a.zip:
		z := e.zippers.Get().(*flate.Writer)
		rest, err := head.gzipTail(tail, z)
		e.zippers.Put(z) // before the client, which may be slow
		if err != nil {
			return err
		}
		a.zipped(head, rest)
	default:
		a.plain(head, tail)
	}
	return nil
}

// stream renders on the way, a few scrapes at a time.
func (e *Exposition) stream(ctx context.Context, a answer, u *Usage, tail []byte) error {
	select {
	case e.streaming <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-e.streaming }()
	z := e.zippers.Get().(*flate.Writer)
	defer e.zippers.Put(z)
	a.stream(u, tail, z)
	return nil
}

// tail returns the live metrics, which follow the kept ones.
func (e *Exposition) tail(format expfmt.Format) ([]byte, error) {
	e.making <- struct{}{}
	defer func() { <-e.making }()
	families, err := e.Live.Gather()
	if err != nil {
		return nil, err
	}
	return encode(families, format)
}

// rendering returns a page in a format, which it may have to make first.
func (e *Exposition) rendering(p *page, format expfmt.Format) (*rendering, error) {
	return p.rendering(format, func() (*rendering, error) {
		z := e.zippers.Get().(*flate.Writer)
		defer e.zippers.Put(z)
		return deflate(z, e.MostKept, func(w io.Writer) error { return p.usage.render(w, format) })
	})
}

// encode encodes families and the end marker of an exposition (# EOF).
func encode(families []*dto.MetricFamily, format expfmt.Format) ([]byte, error) {
	var body bytes.Buffer
	enc := expfmt.NewEncoder(&body, format)
	for _, f := range families {
		if err := enc.Encode(f); err != nil {
			return nil, fmt.Errorf("%s: %w", f.GetName(), err)
		}
	}
	if closer, ok := enc.(expfmt.Closer); ok {
		if err := closer.Close(); err != nil {
			return nil, err
		}
	}
	return body.Bytes(), nil
}

// acceptsGzip follows RFC 9110, 12.5.3: the codings of all lines of the header, each with a
// weight, where 0 means never.
func acceptsGzip(h http.Header) bool {
	for part := range strings.SplitSeq(strings.Join(h.Values("Accept-Encoding"), ","), ",") {
		coding, weight, weighted := strings.Cut(part, ";")
		if !strings.EqualFold(strings.TrimSpace(coding), "gzip") {
			continue
		}
		if !weighted {
			return true
		}
		_, q, _ := strings.Cut(weight, "=")
		v, err := strconv.ParseFloat(strings.TrimSpace(q), 64)
		return err == nil && v > 0
	}
	return false
}
