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

// Exposition answers scrapes. Usage changes with a commit, every half hour, and
// is scraped a hundred times in between: it is gathered, rendered and compressed
// once per snapshot and format, at the first scrape that wants it, and only the
// few live metrics are gathered with each scrape and put behind it. What was
// gathered is not kept: ten thousand series take many megabytes, their text,
// compressed, a few hundred kilobytes. Both formats allow that: text and
// protobuf families follow each other, and so do the blocks of a gzip stream.
type Exposition struct {
	Live prometheus.Gatherer
	Log  *slog.Logger

	page    atomic.Pointer[page]
	scrapes chan struct{}
	zippers sync.Pool // a flate.Writer is most of a megabyte
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
		zippers: sync.Pool{New: func() any { return newZipper() }},
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
		var body []byte
		if body, err = e.join(head, format, zip); err == nil {
			e.answer(w, format, zip, body)
			return
		}
	}
	e.Log.Error("Answering a scrape failed", "err", err)
	http.Error(w, "cannot render metrics: "+err.Error(), http.StatusInternalServerError)
}

// join puts the live metrics behind the kept ones.
func (e *Exposition) join(head part, format expfmt.Format, zip bool) ([]byte, error) {
	families, err := e.Live.Gather()
	if err != nil {
		return nil, err
	}
	tail, err := render(families, format, true)
	if err != nil {
		return nil, err
	}
	if !zip {
		return append(head.bytes[:len(head.bytes):len(head.bytes)], tail...), nil
	}
	z := e.zippers.Get().(*flate.Writer)
	defer e.zippers.Put(z)
	return head.gzip(tail, z)
}

func (e *Exposition) answer(w http.ResponseWriter, format expfmt.Format, zip bool, body []byte) {
	w.Header().Set("Content-Type", string(format))
	w.Header().Set("Vary", "Accept, Accept-Encoding")
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	if zip {
		w.Header().Set("Content-Encoding", "gzip")
	}
	w.Write(body) //nolint:errcheck // the scraper hung up
}

// page is one snapshot, and its renderings as they were first asked for.
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

// render encodes families; last writes what ends an exposition (# EOF).
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
