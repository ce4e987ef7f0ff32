package collector

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
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

// Exposition answers scrapes. Usage changes with a commit, every half hour, and
// is scraped a hundred times in between: it is gathered, rendered and compressed
// once per snapshot and format, at the first scrape that wants it, and only the
// few live metrics are gathered with each scrape and put behind it. What was
// gathered is not kept: ten thousand series take many megabytes, their text,
// compressed, a few hundred kilobytes. Both formats allow that: text
// and protobuf families follow each other, and a gzip stream may have several
// members (RFC 1952, 2.2).
type Exposition struct {
	Live prometheus.Gatherer
	Log  *slog.Logger

	page    atomic.Pointer[page]
	scrapes chan struct{}
	zippers sync.Pool // a gzip.Writer is most of a megabyte
}

const (
	// maxScrapes is how many scrapes are answered at once; more get a 503.
	maxScrapes = 40
	// maxKept bounds the renderings of a snapshot that are kept, by format and
	// coding. There are more than a client can want, and each is megabytes.
	maxKept = 8
)

// NewExposition makes a handler that shows the live metrics alone until Show.
func NewExposition(live prometheus.Gatherer, log *slog.Logger) *Exposition {
	e := &Exposition{
		Live: live, Log: log, scrapes: make(chan struct{}, maxScrapes),
		zippers: sync.Pool{New: func() any { return gzip.NewWriter(nil) }},
	}
	e.page.Store(&page{})
	return e
}

// Show shows usage as it is from now on, until the next call. What cannot be
// gathered is logged and left out.
func (e *Exposition) Show(usage prometheus.Gatherer) {
	e.page.Store(&page{usage: usage, log: e.Log})
}

// ServeHTTP answers one scrape.
func (e *Exposition) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	select {
	case e.scrapes <- struct{}{}:
		defer func() { <-e.scrapes }()
	default:
		http.Error(w, fmt.Sprintf("more than %d scrapes at once", maxScrapes), http.StatusServiceUnavailable)
		return
	}
	format := expfmt.NegotiateAccept(r.Header, expfmt.DefaultOpenMetricsAcceptedFormats()...)
	zip := acceptsGzip(r.Header)
	head, err := e.page.Load().render(format, zip)
	if err == nil {
		var tail []byte
		if tail, err = e.renderLive(format, zip); err == nil {
			e.answer(w, format, zip, head, tail)
			return
		}
	}
	e.Log.Error("Answering a scrape failed", "err", err)
	http.Error(w, "cannot render metrics: "+err.Error(), http.StatusInternalServerError)
}

func (e *Exposition) renderLive(format expfmt.Format, zip bool) ([]byte, error) {
	families, err := e.Live.Gather()
	if err != nil {
		return nil, err
	}
	var z *gzip.Writer
	if zip {
		z = e.zippers.Get().(*gzip.Writer)
		defer e.zippers.Put(z)
	}
	return render(families, format, z, true)
}

func (e *Exposition) answer(w http.ResponseWriter, format expfmt.Format, zip bool, parts ...[]byte) {
	w.Header().Set("Content-Type", string(format))
	w.Header().Set("Vary", "Accept, Accept-Encoding")
	length := 0
	for _, p := range parts {
		length += len(p)
	}
	w.Header().Set("Content-Length", strconv.Itoa(length))
	if zip {
		w.Header().Set("Content-Encoding", "gzip")
	}
	for _, p := range parts {
		if _, err := w.Write(p); err != nil {
			return // the scraper hung up
		}
	}
}

// page is one snapshot, and its renderings as they were first asked for.
type page struct {
	usage prometheus.Gatherer // nil: none yet
	log   *slog.Logger

	mu       sync.Mutex
	rendered map[string][]byte
}

func (p *page) render(format expfmt.Format, zip bool) ([]byte, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	name := fmt.Sprint(format, zip)
	if body, ok := p.rendered[name]; ok {
		return body, nil
	}
	var z *gzip.Writer
	if zip {
		z = gzip.NewWriter(nil)
	}
	body, err := render(p.gather(), format, z, false)
	if err != nil {
		return nil, err
	}
	if p.rendered == nil {
		p.rendered = map[string][]byte{}
	}
	if len(p.rendered) < maxKept {
		p.rendered[name] = body
	}
	return body, nil
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

// render encodes families, through z unless that is nil; last writes what ends
// an exposition (# EOF).
func render(families []*dto.MetricFamily, format expfmt.Format, z *gzip.Writer, last bool) ([]byte, error) {
	var body bytes.Buffer
	var out io.Writer = &body
	if z != nil {
		z.Reset(&body)
		out = z
	}
	enc := expfmt.NewEncoder(out, format)
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
	if z != nil {
		if err := z.Close(); err != nil {
			return nil, err
		}
	}
	return body.Bytes(), nil
}

// acceptsGzip follows RFC 9110, 12.5.3: the codings of all the header's lines,
// each with a weight of which 0 means never.
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
