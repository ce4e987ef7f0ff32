// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"bytes"
	"compress/flate"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
)

// Exposition answers scrapes. Usage changes with a commit, every half hour, and is scraped a
// hundred times in between: it is gathered, rendered and compressed once per snapshot and
// format, at the first scrape that needs it. Only the few live metrics are gathered for each
// scrape and written after it. The gathered families are not kept: ten thousand series take
// many megabytes, their compressed text a few hundred kilobytes. Both formats allow this: text
// and protobuf families can be concatenated, and so can the blocks of a gzip stream. All
// scrapes share the kept bytes, so a slow one costs no memory of its own.
//
// The server must bound how many scrapes are answered at once.
type Exposition struct {
	Live prometheus.Gatherer
	Log  *slog.Logger

	page    atomic.Pointer[page]
	making  chan struct{} // one entry for each scrape that is gathering live metrics
	zippers sync.Pool     // a flate.Writer is most of a megabyte
}

// maxMaking bounds how many scrapes gather live metrics at once. They do not wait for a client
// then, so more at once would only use more memory.
const maxMaking = 8

// maxKept bounds the renderings kept of a snapshot, by format and coding. There are more
// combinations than clients need, and each rendering is megabytes.
const maxKept = 8

// NewExposition returns a handler that shows only the live metrics until Show is called.
func NewExposition(live prometheus.Gatherer, log *slog.Logger) *Exposition {
	e := &Exposition{
		Live: live, Log: log, making: make(chan struct{}, maxMaking),
		zippers: sync.Pool{New: func() any { return newZipper() }},
	}
	e.page.Store(&page{})
	return e
}

// Show replaces the usage shown. What cannot be gathered is logged and left out.
func (e *Exposition) Show(usage prometheus.Gatherer) {
	e.page.Store(&page{usage: usage, log: e.Log})
}

// ServeHTTP answers one scrape.
func (e *Exposition) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	format := expfmt.NegotiateAccept(r.Header, expfmt.DefaultOpenMetricsAcceptedFormats()...)
	zip := acceptsGzip(r.Header)
	head, err := e.page.Load().render(format, zip)
	if err == nil {
		var tail []byte
		if tail, err = e.tail(head, format, zip); err == nil {
			answer(w, format, zip, head.bytes, tail)
			return
		}
	}
	e.Log.Error("Answering a scrape failed", "err", err)
	http.Error(w, "cannot render metrics: "+err.Error(), http.StatusInternalServerError)
}

// tail returns the live metrics, which follow the kept ones.
func (e *Exposition) tail(head part, format expfmt.Format, zip bool) ([]byte, error) {
	e.making <- struct{}{}
	defer func() { <-e.making }()
	families, err := e.Live.Gather()
	if err != nil {
		return nil, err
	}
	text, err := render(families, format, true)
	if err != nil || !zip {
		return text, err
	}
	z := e.zippers.Get().(*flate.Writer)
	defer e.zippers.Put(z)
	return head.gzipTail(text, z)
}

func answer(w http.ResponseWriter, format expfmt.Format, zip bool, head, tail []byte) {
	w.Header().Set("Content-Type", string(format))
	w.Header().Set("Vary", "Accept, Accept-Encoding")
	w.Header().Set("Content-Length", strconv.Itoa(len(head)+len(tail)))
	if zip {
		w.Header().Set("Content-Encoding", "gzip")
	}
	if _, err := w.Write(head); err != nil {
		return // the scraper closed the connection, or was cut off
	}
	w.Write(tail) //nolint:errcheck // the same
}

// page is one snapshot, with its renderings so far.
type page struct {
	usage prometheus.Gatherer // nil: none yet
	log   *slog.Logger

	mu       sync.Mutex
	rendered map[string]part
}

func (p *page) render(format expfmt.Format, zip bool) (part, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	name := fmt.Sprint(format, zip)
	if kept, ok := p.rendered[name]; ok {
		return kept, nil
	}
	text, err := render(p.gather(), format, false)
	if err != nil {
		return part{}, err
	}
	made := part{bytes: text}
	if zip {
		if made, err = deflate(text); err != nil {
			return part{}, err
		}
	}
	if p.rendered == nil {
		p.rendered = map[string]part{}
	}
	if len(p.rendered) < maxKept {
		p.rendered[name] = made
	}
	return made, nil
}

func (p *page) gather() []*dto.MetricFamily {
	if p.usage == nil {
		return nil
	}
	families, err := p.usage.Gather()
	if err != nil {
		p.log.Error("Gathering usage metrics failed", "err", err)
	}
	return families
}

// render encodes families; last adds the end marker of an exposition (# EOF).
func render(families []*dto.MetricFamily, format expfmt.Format, last bool) ([]byte, error) {
	var body bytes.Buffer
	enc := expfmt.NewEncoder(&body, format)
	for _, f := range families {
		if err := enc.Encode(f); err != nil {
			return nil, err
		}
	}
	if closer, ok := enc.(expfmt.Closer); ok && last {
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
