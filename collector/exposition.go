package collector

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
)

// Exposition answers scrapes. Usage changes with a commit, every half hour, and
// is scraped a hundred times in between: it is gathered once per snapshot,
// rendered and compressed once per format, and only the few live metrics are
// gathered with each scrape and put behind it. Both formats allow that: text
// and protobuf families follow each other, and a gzip stream may have several
// members (RFC 1952, 2.2).
type Exposition struct {
	Live prometheus.Gatherer
	Log  *slog.Logger

	page    atomic.Pointer[page]
	scrapes chan struct{}
}

// maxScrapes is how many scrapes are answered at once; more get a 503.
const maxScrapes = 40

// NewExposition makes a handler that shows the live metrics alone until Show.
func NewExposition(live prometheus.Gatherer, log *slog.Logger) *Exposition {
	e := &Exposition{Live: live, Log: log, scrapes: make(chan struct{}, maxScrapes)}
	e.page.Store(&page{})
	return e
}

// Show gathers usage anew and shows it from now on. What cannot be gathered is
// logged and left out.
func (e *Exposition) Show(usage prometheus.Gatherer) {
	families, err := usage.Gather()
	if err != nil {
		e.Log.Error("Gathering usage metrics failed", "err", err)
	}
	e.page.Store(&page{families: families})
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
	format := expfmt.NegotiateIncludingOpenMetrics(r.Header)
	zip := acceptsGzip(r.Header)
	head, err := e.page.Load().render(format, zip)
	if err == nil {
		var live []*dto.MetricFamily
		var tail []byte
		if live, err = e.Live.Gather(); err == nil {
			if tail, err = render(live, format, zip, true); err == nil {
				e.answer(w, format, zip, head, tail)
				return
			}
		}
	}
	e.Log.Error("Answering a scrape failed", "err", err)
	http.Error(w, "cannot render metrics: "+err.Error(), http.StatusInternalServerError)
}

func (e *Exposition) answer(w http.ResponseWriter, format expfmt.Format, zip bool, parts ...[]byte) {
	w.Header().Set("Content-Type", string(format))
	w.Header().Set("Vary", "Accept, Accept-Encoding")
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
	families []*dto.MetricFamily

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
	body, err := render(p.families, format, zip, false)
	if err != nil {
		return nil, err
	}
	if p.rendered == nil {
		p.rendered = map[string][]byte{}
	}
	p.rendered[name] = body
	return body, nil
}

// render encodes families; last writes what ends an exposition (# EOF).
func render(families []*dto.MetricFamily, format expfmt.Format, zip, last bool) ([]byte, error) {
	var body bytes.Buffer
	var out io.Writer = &body
	var z *gzip.Writer
	if zip {
		z = gzip.NewWriter(&body)
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

func acceptsGzip(h http.Header) bool {
	for _, part := range strings.Split(h.Get("Accept-Encoding"), ",") {
		coding, q, _ := strings.Cut(part, ";")
		if strings.TrimSpace(coding) != "gzip" {
			continue
		}
		q = strings.ReplaceAll(q, " ", "")
		return q != "q=0" && !strings.HasPrefix(q, "q=0.0")
	}
	return false
}
